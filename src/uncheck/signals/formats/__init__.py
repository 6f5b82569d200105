"""Formats that a library of the extra `formats` reads: one file each, listed in `table.py`."""

from uncheck.signals.formats.table import FORMATS, Format, Found

__all__ = ["FORMATS", "Format", "Found"]
