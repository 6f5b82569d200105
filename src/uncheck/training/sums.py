"""Sums for the set test: of a batch, of all images of a process, of all processes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot, inf
from typing import Any

import torch

from uncheck.errors import UncheckError
from uncheck.measuring.batches import interior
from uncheck.measuring.frequencies import plan
from uncheck.measuring.sets import VISIBLE_IN_SETS, SetSums, add, set_lattice, set_sums
from uncheck.measuring.tapers import longest_period
from uncheck.training.images import Span, as_batch, grey_levels, scheme_of
from uncheck.training.measurement import StepMeasurement, from_all
from uncheck.training.strength import lattice_strength


@dataclass(frozen=True)
class BatchSums:
    """Sums of a batch for the set test, and the total of the strengths of its single images, grey levels."""

    periods: tuple[int, ...]
    sums: SetSums
    total: float

    def measured(self, threshold: float, significance: float, step: int = 0) -> StepMeasurement:
        """Test the periods that fit; see `LatticeMetric` for threshold and significance."""
        scheme = plan(self.sums.shape[:-1], self.periods)
        found = set_lattice(self.sums, scheme, threshold=threshold, significance=significance)
        # What is not significant has a p-value too.
        every = set_lattice(self.sums, scheme, threshold=0.0, significance=inf)
        p_values = {c.cycle: c.p_value for c in (*every.present, *found.everything)}
        strengths = {c.cycle: c.amplitude for c in found.everything}
        return StepMeasurement(  # no NumPy numbers in checkpoints
            step,
            float(found.strength),
            float(self.total / self.sums.count),
            {p: float(strengths.get(p, 0.0)) for p in scheme.tested},
            {p: float(min(1.0, p_values.get(p, 1.0))) for p in scheme.tested},
        )


def batch_sums(images: Any, periods: tuple[int, ...], span: Span | None) -> BatchSums:
    """Sum a batch (N, C, *spatial).

    Raises:
        UncheckError: values that are NaN or infinite; a wrong shape; too small for all periods.
    """
    batch = as_batch(images).detach()
    scheme = scheme_of(batch, periods)
    if bad := int((~batch.isfinite()).sum()):
        raise UncheckError(f"{bad} of {batch.numel()} values are NaN or infinite; mask or replace them first")
    with torch.autocast(batch.device.type, enabled=False):
        sums = set_sums(grey_levels(batch, span).movedim(1, -1), scheme)
        total = lattice_strength(batch, periods=periods, span=span, reduction="sum")
    return BatchSums(periods, sums, float(total))


@dataclass(frozen=True)
class Part:
    """Sums of images of one shape (C, *spatial), for the periods measured on each part of the image."""

    shape: tuple[int, ...]
    groups: tuple[BatchSums, ...]

    def plus(self, other: Part) -> Part:
        """Add another part; UncheckError if their images differ in size."""
        if self.shape != other.shape:
            raise UncheckError(
                f"images of shape {other.shape} do not lie on the grid of those of shape {self.shape}; "
                "give all processes images of one size"
            )
        pairs = zip(self.groups, other.groups, strict=True)
        groups = (BatchSums(a.periods, add(a.sums, b.sums), a.total + b.total) for a, b in pairs)
        return Part(self.shape, tuple(groups))

    def measured(self, significance: float, step: int) -> StepMeasurement:
        """Test all periods that fit; each group is one more try."""
        tries = len(self.groups)
        found = [group.measured(VISIBLE_IN_SETS, significance / tries, step) for group in self.groups]
        strengths = {p: value for one in found for p, value in one.strengths.items()}
        p_values = {p: min(1.0, value * tries) for one in found for p, value in one.p_values.items()}
        return StepMeasurement(
            step,
            hypot(*(one.strength for one in found)),
            found[0].mean_strength,
            dict(sorted(strengths.items())),
            dict(sorted(p_values.items())),
        )


def part_of(images: Any, periods: Iterable[int], span: Span | None) -> Part:
    """Sum a batch (N, C, *spatial), a sixteenth of each side left out.

    Periods too long for what is left, but not for the picture, are measured with the border.

    Raises:
        UncheckError: values that are NaN or infinite; a wrong shape; too small for all periods.
    """
    batch = as_batch(images).detach()
    ndim = batch.ndim - 2
    inner = interior(batch.movedim(1, -1)).movedim(-1, 1)
    limit, most = (max(longest_period(n, ndim) for n in one.shape[2:]) for one in (inner, batch))
    periods = tuple(periods)
    short = tuple(p for p in periods if p <= limit)
    long = tuple(p for p in periods if limit < p <= most)
    parts = [(given, one) for given, one in ((short, inner), (long, batch)) if given] or [(periods, batch)]
    return Part(tuple(batch.shape[1:]), tuple(batch_sums(one, given, span) for given, one in parts))


def all_parts(part: Part | None, error: str) -> tuple[Part | None, str]:
    """Return the sums of all processes together, and the first error among them."""
    whole: Part | None = None
    first = ""
    for one, text in from_all((part, error)):
        first = first or text
        if one is not None:
            whole = one if whole is None else whole.plus(one)
    return whole, first
