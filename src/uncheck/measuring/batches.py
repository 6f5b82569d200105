"""The lattice of a batch of outputs of one network: what all of them share, and what single ones have.

`uncheck.inspect`, the search for faults, the judge of repairs and the training monitor all ask here. There
are two questions. `batch_lattice` lists what is seen: all that is significant in the mean output or a
single one. `observe` lists what is certain: it tests the weighted mean (`measuring.sets`), which finds
fainter lattices, and asks more of a single output whose lattice is too faint to see. Whatever is seen and
visible is certain too (`certain_periods`). Training and `measure --set` see outputs one by one and keep none;
they add up the same weighted mean.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.components import SIGNIFICANCE, VISIBLE, Component
from uncheck.measuring.eigenspectra import window_sums
from uncheck.measuring.frequencies import FrequencyPlan, plan
from uncheck.measuring.harmonic import line_fit
from uncheck.measuring.lattice import PERIODS, find_lattice
from uncheck.measuring.lines import strength_at
from uncheck.measuring.sets import SetSums, add, set_lattice, set_sums
from uncheck.signals.levels import infer_range, to_levels

Pictures = NDArray[np.float32]
"""(N, *spatial, C) grey levels."""

Frequency = tuple[float, ...]

#: Name of the view of all outputs together; the others are indices of single outputs.
TOGETHER = -1

#: Outputs looked at one by one, beside all together.
SINGLES = 4

#: Share of each side kept out, because borders are not lattice.
MARGIN = 1 / 16

#: p-value that a lattice too faint to see needs in a single output: contents of photographs reach 1e-4 now
#: and then.
CERTAIN = 1e-6

#: An output lattice at most this many times as strong as the input's own, relative to contrast, came with it.
GAIN = 3.0


@dataclass(frozen=True)
class BatchComponent:
    """One component and the view that shows it most: TOGETHER, or the index of a single output."""

    component: Component
    view: int


def interior(batch: Any, step: int = 1) -> Any:
    """Cut a sixteenth of each spatial axis off at either end of (N, *spatial, C), an array or a tensor.

    The first pixel left stays phase 0 of period `step`, unless an output too small for it would lose more
    than an eighth.
    """
    index: list[slice] = [slice(None)]
    for n in batch.shape[1:-1]:
        skip = int(n * MARGIN)
        start = -(-skip // step) * step
        index.append(slice(start if start <= n // 8 else skip, n - skip))
    return batch[tuple(index)]


def batch_lattice(
    batch: Pictures, periods: Iterable[int], threshold: float = VISIBLE
) -> tuple[tuple[BatchComponent, ...], tuple[BatchComponent, ...]]:
    """Find what is seen in a batch: its components from `threshold` on and its traces, strongest first.

    A network leaves its lattice at the same place in all outputs, and their contents differ, so the mean
    output shows it best. A few outputs are tested alone as well, for what they do not share. Borders are cut
    off. Each period is listed once, in the view that shows most of it; p-values are corrected for the views.

    Cost: one harmonic test of the mean and one of each of the first four outputs.
    """
    cut, periods = interior(batch), tuple(periods)
    best: dict[int, BatchComponent] = {}
    count = _views(len(cut))
    for view in [*([TOGETHER] if count > 1 else []), *range(min(len(cut), SINGLES))]:
        if max(cut.shape[1:-1]) < 4:
            continue
        lattice = find_lattice(
            _view(cut, view), periods=periods, threshold=threshold, significance=SIGNIFICANCE / count
        )
        for component in lattice.everything:
            found = replace(component, p_value=min(1.0, component.p_value * count))
            known = best.get(component.cycle)
            if known is None or component.amplitude > known.component.amplitude:
                best[component.cycle] = BatchComponent(found, view)
    ranked = sorted(best.values(), key=lambda one: -one.component.amplitude)
    present = tuple(one for one in ranked if one.component.amplitude >= threshold)
    return present, tuple(ranked[len(present) :])


def amplitude_of(batch: Pictures, found: BatchComponent) -> float:
    """Return the amplitude that a component's lines have in another batch of the same shape, grey levels."""
    return strength_at(_view(interior(batch), found.view), found.component)


def _view(cut: Pictures, view: int) -> NDArray[np.float32]:
    return np.asarray(cut.mean(axis=0) if view == TOGETHER else cut[view])


def _views(count: int) -> int:
    """Return how many views a batch of so many outputs has; a single output is no set."""
    return 1 if count == 1 else 1 + min(count, SINGLES)


@dataclass(frozen=True, eq=False)
class BatchView:
    """The harmonic test of one output, or of all together; `found` holds what counts, by least period."""

    sums: SetSums
    plan: FrequencyPlan
    found: dict[int, Component]

    def amplitude(self, lines: Collection[Frequency]) -> float:
        """Return the root of the summed squares of the amplitudes of some lines, in the strongest channel.

        The multitaper estimate of the power, |mu|^2, less what the spectrum around the line gives it by
        chance, sum_k |Y_k - mu U_k|^2 / ((K - 1) sum_k U_k^2): right in the mean also where contents are
        stronger than the lattice, and zero where they explain all of it.
        """
        known = window_sums(self.sums.shape[:-1])
        index = [int(np.abs(self.plan.frequencies - np.asarray(f)).sum(axis=1).argmin()) for f in lines]
        mean, _, rest = line_fit(self.sums.mean[None, index], known)
        chance = rest[0] / (float((known**2).sum()) * max(1, len(known) - 1))
        gain = np.where(self.plan.real[index], 1, 4)[:, None]
        power = gain * np.maximum(np.abs(mean[0]) ** 2 - chance, 0.0)
        return float(np.sqrt(power.sum(axis=0).max()))


@dataclass(frozen=True, eq=False)
class Observed:
    """The lattice that counts in a batch, by view: TOGETHER, and 0, 1, ... for single outputs."""

    views: dict[int, BatchView] = field(default_factory=dict)

    @property
    def periods(self) -> set[int]:
        """Least common periods that count in some view."""
        return {period for view in self.views.values() for period in view.found}

    def where(self, period: int) -> dict[int, Component]:
        """Return the component of a period in each view in which it counts."""
        return {i: view.found[period] for i, view in self.views.items() if period in view.found}

    def lines(self, period: int) -> set[Frequency]:
        """Return the lines of a period that count in some view."""
        return {line.frequency for c in self.where(period).values() for line in c.lines}

    def strongest(self) -> dict[int, Component]:
        """Return the strongest component of each period."""
        return {p: max(self.where(p).values(), key=lambda c: c.amplitude) for p in self.periods}


def observe(batch: Pictures, periods: Iterable[int]) -> Observed:
    """Find what is certain in a batch, in all outputs together and in the first few alone.

    A period counts in all together at p < SIGNIFICANCE. In a single output it counts there if it is visible;
    a fainter one needs p < CERTAIN. Limits are corrected for the views. Borders must be cut before; periods
    too long for the outputs are left out.

    Cost: the harmonic test of each output, once.
    """
    shape = batch.shape[1:-1]
    scheme = plan(shape, periods) if max(shape) >= 4 else None
    if scheme is None or not scheme.tested:
        return Observed()
    singles = [set_sums(one[None], scheme) for one in batch[:SINGLES]]
    total = reduce(add, [*singles, *([set_sums(batch[SINGLES:], scheme)] if len(batch) > SINGLES else [])])
    count, views = _views(len(batch)), {}
    if len(batch) > 1:
        shared = set_lattice(total, scheme, significance=SIGNIFICANCE / count)
        views[TOGETHER] = BatchView(total, scheme, {c.cycle: c for c in shared.everything})
    for i, sums in enumerate(singles):
        visible = set_lattice(sums, scheme, threshold=VISIBLE, significance=SIGNIFICANCE / count)
        certain = set_lattice(sums, scheme, significance=CERTAIN / count)
        both = (*certain.everything, *visible.present)  # of a period in both, all its lines count
        views[i] = BatchView(sums, scheme, {c.cycle: c for c in both})
    return Observed(views)


def certain_periods(
    batch: Pictures, inputs: NDArray[np.floating] | None, periods: Sequence[int]
) -> tuple[int, ...]:
    """Return the periods of a lattice that outputs show and inputs did not bring, ascending.

    These are the periods that `observe` counts, also those too faint to see, and all that `batch_lattice`
    sees and that are visible. Inputs are channels last, in any unit; None for codes.

    Cost: two harmonic tests of the first outputs, and one of each other one.
    """
    certain = [BatchComponent(c, TOGETHER) for c in observe(interior(batch), periods).strongest().values()]
    found = [*certain, *batch_lattice(batch, periods)[0]]
    brought = from_inputs(batch, inputs, found) if inputs is not None and found else []
    return tuple(sorted({one.component.cycle for one in found if one not in brought}))


def from_inputs(
    batch: Pictures, inputs: NDArray[np.floating], found: Sequence[BatchComponent]
) -> list[BatchComponent]:
    """Return those found in outputs that came with the inputs.

    Cameras and codecs leave lattices of up to a few tenths of a level in photographs; a network that enlarges
    by r turns their period P into r P. Inputs are (N, *spatial, C) in any unit, finite.
    """
    given = to_levels(inputs, infer_range(inputs))
    if given.ndim != batch.ndim:
        return []
    try:
        present, traces = batch_lattice(given, PERIODS, 0.0)
    except UncheckError:
        return []  # too small an input to carry a lattice
    # Against the contrast of either, because their grey levels may stand for different ranges.
    contrast = float(batch.std()) / max(float(given.std()), 1e-6)
    ratio = [o / i for o, i in zip(batch.shape[1:-1], given.shape[1:-1], strict=True)]
    most = {
        tuple(round(p * r) if p > 1 else 1 for p, r in zip(c.component.period, ratio, strict=True)): GAIN
        * contrast
        * c.component.amplitude
        for c in (*present, *traces)
    }
    return [one for one in found if one.component.amplitude <= most.get(one.component.period, 0.0)]
