"""Sums for the set test: of a batch, of all images of a process, of all processes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot
from typing import Any

import torch

from uncheck.errors import UncheckError
from uncheck.measuring.batches import interior
from uncheck.measuring.frequencies import plan
from uncheck.measuring.observed import Observed
from uncheck.measuring.sets import SetSums, add, set_sums
from uncheck.signals.levels import LEVELS
from uncheck.training.images import Span, as_batch, grey_levels, scheme_of
from uncheck.training.measurement import StepMeasurement, from_all
from uncheck.training.strength import lattice_strength


@dataclass(frozen=True)
class BatchSums:
    """Sums of a batch for the set test, and the total of the strengths of its single images, grey levels."""

    periods: tuple[int, ...]
    sums: SetSums
    total: float

    def plus(self, other: BatchSums) -> BatchSums:
        """Add another; UncheckError if their images differ in size."""
        return BatchSums(self.periods, add(self.sums, other.sums), self.total + other.total)

    def measured(self, threshold: float, significance: float, step: int = 0) -> StepMeasurement:
        """Test the periods that fit; see `LatticeMetric` for threshold and significance."""
        scheme = plan(self.sums.shape[:-1], self.periods)
        seen = Observed(self.sums, scheme, significance)
        found = {p: one.component for p, one in seen.shared().items()}
        strength = hypot(*(c.amplitude for c in found.values() if c.amplitude >= threshold))
        p_values = seen.p_values()
        return StepMeasurement(  # no NumPy numbers in checkpoints
            step,
            float(strength),
            float(self.total / self.sums.count),
            {p: float(found[p].amplitude if p in found else 0.0) for p in scheme.tested},
            {p: float(p_values[p]) for p in scheme.tested},
        )


def batch_sums(images: Any, periods: Iterable[int], span: Span | None) -> BatchSums:
    """Sum a batch (N, C, *spatial), a sixteenth of each side left out.

    Raises:
        UncheckError: values that are NaN or infinite; a wrong shape; too small for all periods.
    """
    batch, periods = as_batch(images).detach(), tuple(periods)
    scheme = scheme_of(interior(batch.movedim(1, -1)).movedim(-1, 1), periods, tuple(batch.shape[2:]))
    if bad := int((~batch.isfinite()).sum()):
        raise UncheckError(f"{bad} of {batch.numel()} values are NaN or infinite; mask or replace them first")
    with torch.autocast(batch.device.type, enabled=False):
        inner = interior(grey_levels(batch, span).movedim(1, -1))
        total = lattice_strength(inner.movedim(-1, 1), periods=periods, span=(0.0, LEVELS), reduction="sum")
        return BatchSums(periods, set_sums(inner, scheme), float(total))


def all_parts(part: BatchSums | None, error: str) -> tuple[BatchSums | None, str]:
    """Return the sums of all processes together, and the first error among them."""
    whole: BatchSums | None = None
    first = ""
    for one, text in from_all((part, error)):
        first = first or text
        if one is not None:
            whole = one if whole is None else whole.plus(one)
    return whole, first
