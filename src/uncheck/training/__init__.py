"""The lattice in a training run: as a penalty and as a metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uncheck.training.strength import lattice_strength

if TYPE_CHECKING:
    from uncheck.training.metric import LatticeMetric

__all__ = ["LatticeMetric", "lattice_strength"]


def __getattr__(name: str) -> Any:
    # torchmetrics is an extra, and takes seconds to import.
    if name == "LatticeMetric":
        from uncheck.training.metric import LatticeMetric

        return LatticeMetric
    raise AttributeError(f"module 'uncheck.training' has no attribute {name!r}")
