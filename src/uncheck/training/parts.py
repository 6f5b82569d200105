"""What the images of one process add up to, their borders left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot
from typing import Any

from uncheck.errors import UncheckError
from uncheck.measuring.batches import interior
from uncheck.measuring.sets import VISIBLE_IN_SETS, SetSums, add
from uncheck.measuring.tapers import longest_period
from uncheck.training.images import Span, as_batch
from uncheck.training.shared import batch_sums, set_values


@dataclass(frozen=True)
class PeriodGroup:
    """Periods measured on one part of the pictures, their sums, and the sum of single images' strengths."""

    periods: tuple[int, ...]
    sums: SetSums
    total: float


@dataclass(frozen=True)
class Part:
    """The sums of some images of one shape (C, *spatial)."""

    shape: tuple[int, ...]
    groups: tuple[PeriodGroup, ...]

    def plus(self, other: Part) -> Part:
        """Add another part; UncheckError if their images differ in size."""
        if self.shape != other.shape:
            raise UncheckError(
                f"images of shape {other.shape} do not lie on the grid of those of shape {self.shape}; "
                "give all processes images of one size"
            )
        pairs = zip(self.groups, other.groups, strict=True)
        groups = (PeriodGroup(a.periods, add(a.sums, b.sums), a.total + b.total) for a, b in pairs)
        return Part(self.shape, tuple(groups))

    def values(self, significance: float) -> dict[str, float]:
        """Return `strength`, `mean_strength`, and `strength_P` and `p_value_P` of each period tested."""
        tries, out = len(self.groups), dict[str, float]()
        for group in self.groups:
            found = set_values(group.sums, group.total, group.periods, VISIBLE_IN_SETS, significance / tries)
            found = {k: min(1.0, v * tries) if k.startswith("p_value_") else v for k, v in found.items()}
            whole = hypot(out.get("strength", 0.0), found["strength"])
            out = {**found, **out, "strength": whole}
        return out


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
    groups = tuple(PeriodGroup(given, *batch_sums(one, given, span)) for given, one in parts)
    return Part(tuple(batch.shape[1:]), groups)
