"""What is measured: pictures, arrays, volumes and audio, read into grey levels."""

from uncheck.signals.levels import infer_range, to_levels
from uncheck.signals.pictures import Picture, expand, read_picture
from uncheck.signals.signal import Signal

__all__ = ["Picture", "Signal", "expand", "infer_range", "read_picture", "to_levels"]
