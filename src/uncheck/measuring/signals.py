"""A signal: the one form in which pictures, volumes, frames and audio are measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.levels import LEVELS


@dataclass(frozen=True, eq=False)
class Signal:
    """One thing to measure.

    Attributes:
        name: the path as given, or what stands for it ("array", "[3]").
        values: (*spatial, C) float32 in grey levels, 0..255 over `span`.
        kind: "picture", "volume", "frames" (video as one volume of time, height, width) or "audio".
        codec: file format ("PNG"), None for arrays.
        span: (low, high), the original values that became 0 and 255.
        unit: name of the unit of the original values, if it was given.
        rate: samples per second of audio.
        notes: sentences about how it was read.
    """

    name: str
    values: NDArray[np.float32]
    kind: str = "picture"
    codec: str | None = None
    span: tuple[float, float] = (0.0, LEVELS)
    unit: str | None = None
    rate: float | None = None
    notes: tuple[str, ...] = ()
