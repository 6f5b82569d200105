"""One measurement of a network in training, and where its numbers are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch.distributed as dist

from uncheck.errors import UncheckError
from uncheck.measuring.sets import SetSums, add


@dataclass(frozen=True)
class Measurement:
    """The lattice at one step.

    Attributes:
        step: training step.
        strength: of the lattice that all images share, grey levels; what is not significant counts as 0.
        mean_strength: mean of the single images' own, grey levels.
        strengths: by period, grey levels, 0 where not significant.
        p_values: by period, corrected.
        spreads: gain spread by stage, 0 to 1; empty without a model.
    """

    step: int
    strength: float
    mean_strength: float
    strengths: Mapping[int, float]
    p_values: Mapping[int, float]
    spreads: Mapping[str, float] = field(default_factory=dict)

    def values(self, prefix: str = "lattice/") -> dict[str, float]:
        """The numbers by the name they are logged under."""
        return {
            f"{prefix}strength": self.strength,
            f"{prefix}mean_strength": self.mean_strength,
            **{f"{prefix}strength_{p}": value for p, value in self.strengths.items()},
            **{f"{prefix}p_value_{p}": value for p, value in self.p_values.items()},
            **{f"{prefix}gain_spread/{name}": value for name, value in self.spreads.items()},
        }


Part = tuple[SetSums, float] | None
"""What one process measured: the sums of its images and of their own strengths; None without images."""


def all_parts(part: Part, error: str) -> tuple[Part, str]:
    """The sums of all processes together, and the first error among them."""
    parts, errors = [part], [error]
    if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
        gathered: list[Any] = [None] * dist.get_world_size()
        dist.all_gather_object(gathered, (part, error))
        parts, errors = [one for one, _ in gathered], [text for _, text in gathered]
    whole: Part = None
    for one in parts:
        if one is not None:
            whole = one if whole is None else (add(whole[0], one[0]), whole[1] + one[1])
    return whole, next((text for text in errors if text), "")


def is_first_process() -> bool:
    """Whether this process logs and warns: rank 0, or the only one."""
    return not (dist.is_available() and dist.is_initialized()) or dist.get_rank() == 0


def writer(logger: Any) -> Callable[[Mapping[str, float], int], None]:
    """One way to write to a SummaryWriter, a Lightning logger, or a callable (name, value, step)."""
    if logger is None:
        return lambda values, step: None
    if hasattr(logger, "add_scalar"):
        return _each(logger.add_scalar)
    if hasattr(logger, "log_metrics"):
        return lambda values, step: logger.log_metrics(dict(values), step=step)
    if callable(logger):
        return _each(logger)
    raise UncheckError(
        f"logger cannot be a {type(logger).__name__}; give a SummaryWriter, a Lightning logger or a callable "
        "of name, value and step"
    )


def _each(write: Callable[[str, float, int], object]) -> Callable[[Mapping[str, float], int], None]:
    def all_of(values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            write(name, value, step)

    return all_of
