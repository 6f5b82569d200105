"""Changes to a network as values: kernels written and read back, edits, cycle spinning, files and exports."""

from uncheck.editing.cycle_spin import CycleSpin
from uncheck.editing.keep import keep_even
from uncheck.editing.store import load_repaired

__all__ = ["CycleSpin", "keep_even", "load_repaired"]
