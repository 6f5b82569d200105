"""One measurement of a network in training, and where its numbers are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch.distributed as dist

from uncheck.errors import UncheckError
from uncheck.plain import Brief


@dataclass(frozen=True)
class StepMeasurement(Brief):
    """Lattice of a network at one step of training.

    Attributes:
        step: training step.
        strength: of the lattice that all images share, grey levels; what is not significant counts as 0.
        mean_strength: mean of the single images' own, grey levels.
        strengths: by period, grey levels, 0 where not significant.
        p_values: by period, corrected.
        spreads: gain spread by stage, 0 to 1; empty without a model.

    Example:
        >>> StepMeasurement(100, 0.5, 0.2, {2: 0.5}, {2: 1e-9}).values()["lattice/strength_2"]
        0.5
    """

    step: int
    strength: float
    mean_strength: float
    strengths: Mapping[int, float]
    p_values: Mapping[int, float]
    spreads: Mapping[str, float] = field(default_factory=dict)

    def values(self, prefix: str = "lattice/") -> dict[str, float]:
        """Return the numbers by the name they are logged under."""
        return {
            f"{prefix}strength": self.strength,
            f"{prefix}mean_strength": self.mean_strength,
            **{f"{prefix}strength_{p}": value for p, value in self.strengths.items()},
            **{f"{prefix}p_value_{p}": value for p, value in self.p_values.items()},
            **{f"{prefix}gain_spread/{name}": value for name, value in self.spreads.items()},
        }


Measurement = StepMeasurement
"""Its public name, `uncheck.training.Measurement`."""


def from_all(value: Any) -> list[Any]:
    """Return the values of all processes, by rank."""
    if not (dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1):
        return [value]
    gathered: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(gathered, value)
    return gathered


def is_first_process() -> bool:
    """Test whether this process logs and warns: rank 0, or the only one."""
    return not (dist.is_available() and dist.is_initialized()) or dist.get_rank() == 0


def checked_loggers(logger: Any) -> tuple[Any, ...]:
    """Return one logger or none; UncheckError if it is no logger."""
    if logger is None:
        return ()
    if not (hasattr(logger, "add_scalar") or hasattr(logger, "log_metrics") or callable(logger)):
        raise UncheckError(
            f"logger cannot be a {type(logger).__name__}; give a SummaryWriter, a Lightning logger or a "
            "callable of name, value and step"
        )
    return (logger,)


def log(loggers: Iterable[Any], values: Mapping[str, float], step: int) -> None:
    """Write values to loggers: SummaryWriters, Lightning loggers, or callables (name, value, step)."""
    for logger in loggers:
        if not hasattr(logger, "add_scalar") and hasattr(logger, "log_metrics"):
            logger.log_metrics(dict(values), step=step)
            continue
        write = logger.add_scalar if hasattr(logger, "add_scalar") else logger
        for name, value in values.items():
            write(name, value, step)
