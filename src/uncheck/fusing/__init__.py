"""Networks whose resize-convolutions are one layer each; the same function."""

from uncheck.fusing.fuse import fuse
from uncheck.fusing.result import Difference, Fused, Fusion

__all__ = ["Difference", "Fused", "Fusion", "fuse"]
