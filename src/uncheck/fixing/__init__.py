"""Model in, verified model out: resize-convolutions at the price of one layer."""

from uncheck.fixing.fuse import fuse
from uncheck.fixing.methods.keep import keep_even
from uncheck.fixing.methods.swap import Kept, Replaced, Swapped, swap
from uncheck.fixing.result import Difference, Fused, Fusion, Refused
from uncheck.fixing.spun import CycleSpin

__all__ = [
    "CycleSpin",
    "Difference",
    "Fused",
    "Fusion",
    "Kept",
    "Refused",
    "Replaced",
    "Swapped",
    "fuse",
    "keep_even",
    "swap",
]
