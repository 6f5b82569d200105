"""What a batch adds to the set test, and what the set test says: common to the metric and the tracker."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Any

import torch

from uncheck.errors import UncheckError
from uncheck.measuring.frequencies import plan
from uncheck.measuring.sets import SetSums, set_lattice, set_sums
from uncheck.training.images import Span, as_batch, grey_levels, scheme_of
from uncheck.training.strength import lattice_strength


def batch_sums(images: Any, periods: Iterable[int], span: Span | None) -> tuple[SetSums, float]:
    """Sum a batch (N, C, *spatial) for the set test, and the strengths of its single images.

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
    return sums, float(total)


def set_values(
    sums: SetSums, total: float, periods: tuple[int, ...], threshold: float, significance: float
) -> dict[str, float]:
    """Return `strength`, `mean_strength`, and `strength_P` and `p_value_P` of each period P."""
    scheme = plan(sums.shape[:-1], periods)
    found = set_lattice(sums, scheme, threshold=threshold, significance=significance)
    # What is not significant has a p-value too.
    every = set_lattice(sums, scheme, threshold=0.0, significance=inf)
    p_values = {c.cycle: c.p_value for c in (*every.present, *found.everything)}
    strengths = {c.cycle: c.amplitude for c in found.everything}
    out = {"strength": found.strength, "mean_strength": total / sums.count}
    for period in scheme.tested:
        out[f"strength_{period}"] = strengths.get(period, 0.0)
        out[f"p_value_{period}"] = min(1.0, p_values.get(period, 1.0))
    return {name: float(value) for name, value in out.items()}  # no NumPy numbers in checkpoints
