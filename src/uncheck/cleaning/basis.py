"""What the amplitude of a lattice may depend on: functions of brightness and colour."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from uncheck.signals.levels import brightness

Array = NDArray[np.float32]

#: Mid-grey, and half the range of grey levels.
MIDDLE = 127.5


def functions(colours: Array, channel: int) -> Iterator[Array]:
    """Yield the functions of colour for the lattice of one channel, but for the constant.

    From colours (..., C) in grey levels: u and |u| of the own channel and, of three channels, of the
    brightness, with u = (level - 127.5) / 127.5.
    """
    own = colours[..., channel] * np.float32(1 / MIDDLE) - np.float32(1)
    yield own
    yield np.abs(own)
    if colours.shape[-1] >= 3:
        bright = brightness(colours) * np.float32(1 / MIDDLE) - np.float32(1)
        yield bright
        yield np.abs(bright)


def tonal(colours: Array, channel: int) -> Array:
    """Return 1 and `functions`, (..., K)."""
    return np.stack([np.ones(colours.shape[:-1], np.float32), *functions(colours, channel)], axis=-1)


def names(channels: int) -> tuple[str, ...]:
    """Return the names of the functions of `tonal`, in their order."""
    own = ("one", "own", "own distance")
    return (*own, "brightness", "brightness distance") if channels >= 3 else own
