"""The lattice of a network's outputs by the harmonic test: of all together, and of single ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from math import lcm

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.components import SIGNIFICANCE, Component
from uncheck.measuring.frequencies import Plan, plan
from uncheck.measuring.harmonic import window_sums
from uncheck.measuring.sets import SetSums, add, set_lattice, set_sums

Pictures = NDArray[np.float32]
"""(N, *spatial, C) grey levels."""

Frequency = tuple[float, ...]

#: Outputs looked at one by one, beside all together.
SINGLES = 4

#: p-value asked of a single output: the contents of photographs alone reach 1e-4 now and then.
SINGLE_SIGNIFICANCE = 1e-6

#: Share of each side kept out, because borders are not lattice.
MARGIN = 1 / 16


@dataclass(frozen=True, eq=False)
class View:
    """The harmonic test of one output, or of several together; `found` by least common period."""

    sums: SetSums
    plan: Plan
    found: dict[int, Component]

    def amplitude(self, lines: Collection[Frequency]) -> float:
        """Root of the summed squares of the peak amplitudes of some lines, in the strongest channel.

        The multitaper estimate of the power, |mu|^2, less what the spectrum around the line gives it by
        chance, sum_k |Y_k - mu U_k|^2 / ((K - 1) sum_k U_k^2): right in the mean also where contents are
        stronger than the lattice, and zero where they explain all of it.
        """
        known = window_sums(self.sums.shape[:-1])
        energy = float((known**2).sum())
        total = np.zeros(self.sums.shape[-1])
        for line in lines:
            index = int(np.abs(self.plan.frequencies - np.asarray(line)).sum(axis=1).argmin())
            each = self.sums.spectra[index] / np.maximum(self.sums.weight[index], 1e-300)[:, None]
            mean = each @ known / energy
            rest = (np.abs(each - mean[:, None] * known) ** 2).sum(axis=-1)
            chance = rest / (energy * max(1, len(known) - 1))
            power = np.maximum(np.abs(mean) ** 2 - chance, 0.0)
            total += power * (1 if self.plan.real[index] else 4)
        return float(np.sqrt(total.max()))


@dataclass(frozen=True, eq=False)
class Observed:
    """Views by output: -1 all together, 0, 1, ... single ones."""

    views: dict[int, View] = field(default_factory=dict)

    @property
    def periods(self) -> set[int]:
        """Least common periods that are significant in some view."""
        return {period for view in self.views.values() for period in view.found}

    def where(self, period: int) -> dict[int, Component]:
        """The views in which a period is significant."""
        return {i: view.found[period] for i, view in self.views.items() if period in view.found}

    def lines(self, period: int) -> set[Frequency]:
        """The lines of a period that are significant in some view."""
        return {line.frequency for c in self.where(period).values() for line in c.lines}


def observe(pictures: Pictures, periods: Sequence[int]) -> Observed:
    """Test outputs for a lattice of these periods, together and the first few alone.

    Args:
        pictures: of one size, borders cut.
        periods: output pixels; those too long for the outputs are left out.

    Returns:
        A period counts in all together at p < SIGNIFICANCE, in single ones at p < SINGLE_SIGNIFICANCE,
        corrected for the views.

    Cost: the harmonic test of each picture, once.
    """
    shape = pictures.shape[1:-1]
    if not periods or max(shape) < 4:
        return Observed()
    scheme = plan(shape, periods)
    if not scheme.tested:
        return Observed()
    few = min(SINGLES, len(pictures))
    parts = {i: set_sums(pictures[i : i + 1], scheme) for i in range(few)}
    total = parts[0]
    for i in range(1, few):
        total = add(total, parts[i])
    if len(pictures) > few:
        total = add(total, set_sums(pictures[few:], scheme))
    count = 1 + few
    views = {-1: _view(total, scheme, SIGNIFICANCE / count)}
    if len(pictures) > 1:
        views |= {i: _view(sums, scheme, SINGLE_SIGNIFICANCE / count) for i, sums in parts.items()}
    return Observed(views)


def _view(sums: SetSums, scheme: Plan, significance: float) -> View:
    found = set_lattice(sums, scheme, threshold=0.0, significance=significance).present
    return View(sums, scheme, {lcm(*c.period): c for c in found})


def interior(pictures: Pictures, step: int) -> Pictures:
    """Without a sixteenth of each axis at either end; the first pixel left stays phase 0 of period `step`.

    Outputs too small to lose so much keep less than a whole period out: amplitudes do not ask for the phase.
    """
    index: list[slice] = [slice(None)]
    for n in pictures.shape[1:-1]:
        skip = int(n * MARGIN)
        start = -(-skip // step) * step
        index.append(slice(start if start <= n // 8 else skip, n - skip))
    return pictures[tuple(index)]
