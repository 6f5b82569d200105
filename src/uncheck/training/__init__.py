"""The lattice in a training run: penalties, a metric, and a monitor with its verdict."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from uncheck.training.strength import lattice_penalty, lattice_strength

if TYPE_CHECKING:
    from uncheck.training.gains import StageGains, gain_penalty
    from uncheck.training.measurement import Measurement
    from uncheck.training.metric import LatticeMetric
    from uncheck.training.monitor import LatticeMonitor
    from uncheck.training.tracker import LatticeTracker
    from uncheck.training.trend import Trend, lattice_trend

__all__ = [
    "LatticeMetric",
    "LatticeMonitor",
    "LatticeTracker",
    "Measurement",
    "StageGains",
    "Trend",
    "gain_penalty",
    "lattice_penalty",
    "lattice_strength",
    "lattice_trend",
]

# torchmetrics and Lightning are extras, and take seconds to import; so does SciPy's share of the trend.
_HOMES = {
    "LatticeMetric": "metric",
    "LatticeMonitor": "monitor",
    "LatticeTracker": "tracker",
    "Measurement": "measurement",
    "StageGains": "gains",
    "Trend": "trend",
    "gain_penalty": "gains",
    "lattice_trend": "trend",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'uncheck.training' has no attribute {name!r}")
    return getattr(import_module(f"uncheck.training.{_HOMES[name]}"), name)
