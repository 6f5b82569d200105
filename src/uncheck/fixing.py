"""The names of `uncheck.fixing`, which is several rooms now; kept for code that imports them from here."""

from __future__ import annotations

from uncheck.editing import CycleSpin, keep_even, load_repaired
from uncheck.errors import Refused
from uncheck.fusing import Difference, Fused, Fusion, fuse
from uncheck.repairing.result import Repair
from uncheck.swapping import Kept, Replaced, Swapped, swap

__all__ = [
    "CycleSpin",
    "Difference",
    "Fused",
    "Fusion",
    "Kept",
    "Refused",
    "Repair",
    "Replaced",
    "Swapped",
    "fuse",
    "keep_even",
    "load_repaired",
    "swap",
]
