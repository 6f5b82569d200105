"""Upsamplers replaced by even ones, for those who train on."""

from uncheck.swapping.swap import Kept, Replaced, Swapped, swap

__all__ = ["Kept", "Replaced", "Swapped", "swap"]
