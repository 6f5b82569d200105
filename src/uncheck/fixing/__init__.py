"""Model in, verified model out: repaired without its lattice, or its resize-convolutions made one layer."""

from uncheck.fixing.fuse import fuse
from uncheck.fixing.methods.keep import keep_even
from uncheck.fixing.methods.swap import Kept, Replaced, Swapped, swap
from uncheck.fixing.repaired import Repair
from uncheck.fixing.result import Difference, Fused, Fusion, Refused
from uncheck.fixing.spun import CycleSpin
from uncheck.fixing.store import load_repaired

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
