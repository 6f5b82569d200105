"""What the amplitude of a lattice may depend on: functions of place, brightness and colour at the nodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uncheck.signals.levels import brightness

Array = NDArray[np.float32]

#: Mid-grey, and half the range of grey levels.
MIDDLE = 127.5


def tonal(means: Array, channel: int) -> Array:
    """Return functions of local colour for the lattice of one channel, (*nodes, K).

    From local means (*nodes, C) in grey levels: 1, and u and |u| of the own channel and of the brightness,
    with u = (level - 127.5) / 127.5.
    """
    own = means[..., channel] / MIDDLE - 1
    out = [np.ones_like(own), own, np.abs(own)]
    if means.shape[-1] >= 3:
        bright = brightness(means) / MIDDLE - 1
        out += [bright, np.abs(bright)]
    return np.stack(out, axis=-1).astype(np.float32)


def names(channels: int) -> tuple[str, ...]:
    """Return the names of the functions of `tonal`, in their order."""
    own = ("one", "own", "own distance")
    return (*own, "brightness", "brightness distance") if channels >= 3 else own
