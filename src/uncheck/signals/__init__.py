"""Pictures, arrays, volumes and audio, read into grey levels."""

from uncheck.signals.files import Picture, read_picture
from uncheck.signals.folders import expand
from uncheck.signals.levels import infer_range, to_levels
from uncheck.signals.signal import Signal

__all__ = ["Picture", "Signal", "expand", "infer_range", "read_picture", "to_levels"]
