"""The lattice of the outputs of one network: what all of them share, and what single ones have.

`uncheck.inspect`, the search for faults, the judge of repairs, `measure --set`, the metric and the monitor of
training all ask here, so that they cannot disagree about which periods are there. `Outputs` adds outputs up
batch by batch and keeps none but the first four; `observe` and `batch_lattice` ask of one batch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.bounds import upper_ends
from uncheck.measuring.components import SIGNIFICANCE, VISIBLE, Component, Limit
from uncheck.measuring.correction import line_of
from uncheck.measuring.frequencies import FrequencyPlan, checked_periods, plan
from uncheck.measuring.harmonic import LineTests, line_energy, line_fit, line_tapers
from uncheck.measuring.lattice import PERIODS, completed
from uncheck.measuring.limits import find_limits
from uncheck.measuring.lines import strength_at
from uncheck.measuring.sets import SINGLES, SetSums, add, set_sums, spectra_components
from uncheck.signals.levels import infer_range, to_levels

Pictures = NDArray[np.float32]
"""(N, *spatial, C) grey levels."""

Frequency = tuple[float, ...]

#: Names of the views of all outputs together, their plain mean and their weighted mean; the others are
#: indices of single outputs.
TOGETHER, WEIGHTED = -1, -2

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


@dataclass(frozen=True)
class BatchLattice:
    """What is seen in outputs: components from the threshold on and traces, strongest first.

    `limits` has, for each period tested and not found, the amplitude of a lattice of all outputs that would
    have been found with 95 % probability; `not_tested` the periods too long for them.
    """

    present: tuple[BatchComponent, ...] = ()
    traces: tuple[BatchComponent, ...] = ()
    limits: tuple[Limit, ...] = ()
    tested: tuple[int, ...] = ()
    not_tested: tuple[int, ...] = ()

    @property
    def everything(self) -> tuple[BatchComponent, ...]:
        """Components present and traces."""
        return (*self.present, *self.traces)


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


@dataclass(frozen=True, eq=False)
class BatchView:
    """The harmonic test of one output, or of all together; `found` holds what counts, by least period.

    `spectra` are its eigencoefficients, `tests` the tests of what is left when all that was found is taken
    out, `significance` the p-value they must stay below.
    """

    spectra: NDArray[np.complex128]
    plan: FrequencyPlan
    found: dict[int, Component]
    tests: LineTests
    significance: float

    def amplitude(self, lines: Collection[Frequency]) -> float:
        """Return the root of the summed squares of the amplitudes of some lines, in the strongest channel.

        The multitaper estimate of the power, |mu|^2, less what the spectrum around the line gives it by
        chance, sum_k |Y_k - mu U_k|^2 / ((K - 1) sum_k U_k^2): right in the mean also where contents are
        stronger than the lattice, and zero where they explain all of it.
        """
        sums = self.plan.sums
        index = [self._index(f) for f in lines]
        known = sums[index] if len(sums) > 1 else sums
        mean, _, rest = line_fit(self.spectra[None, index], known)
        chance = rest[0] / (line_energy(known) * np.maximum(1, line_tapers(known) - 1))[:, None]
        gain = np.where(self.plan.real[index], 1, 4)[:, None]
        power = gain * np.maximum(np.abs(mean[0]) ** 2 - chance, 0.0)
        return float(np.sqrt(power.sum(axis=0).max()))

    def at(self, component: Component) -> Component:
        """Return what this view has at the lines of a component, whether it counts here or not."""
        index = [self._index(line.frequency) for line in component.lines]
        lines = [line_of(self.plan, i, self.tests) for i in index]
        made = Component.of(lines, component.p_value, component.channel_p_values)
        return replace(made, period=component.period)

    def _index(self, frequency: Frequency) -> int:
        return int(np.abs(self.plan.frequencies - np.asarray(frequency)).sum(axis=1).argmin())


@dataclass(frozen=True, eq=False)
class Observed:
    """The test of a set of outputs, by view: TOGETHER, WEIGHTED, and 0, 1, ... for the first ones alone.

    The plain mean shows a lattice that comes with the contents, the weighted mean the faintest that all
    share, and single outputs what they do not share. One output alone is no set and has the view 0 only. A
    period counts in a view at p < SIGNIFICANCE, corrected for all lines, channels, periods and views; in a
    single output one too faint to see needs p < CERTAIN.

    Cost: that of the harmonic test of each output, once, and O(F C K) for each view.
    """

    sums: SetSums
    plan: FrequencyPlan
    significance: float = SIGNIFICANCE

    @cached_property
    def views(self) -> dict[int, BatchView]:
        """The test of each view."""
        return {view: self._test(view, self.significance) for view in self._spectra}

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

    def strongest(self) -> dict[int, BatchComponent]:
        """Return each period in the view that shows most of it: the mean or a single output.

        It is the weighted mean only where neither has the period. The p-value is the smallest of all views.
        """
        out = {}
        for period in sorted(self.periods):
            where = self.where(period)
            shown = {i: c for i, c in where.items() if i != WEIGHTED} or where
            out[period] = _shown(where, max(shown, key=lambda i: shown[i].amplitude))
        return out

    def shared(self) -> dict[int, BatchComponent]:
        """Return each period as all outputs share it: in the plain mean, else in the weighted one.

        Of one that counts in single outputs alone the mean has what it has at these lines. The p-value is the
        smallest of all views.
        """
        out = {}
        for period, most in self.strongest().items():
            where = self.where(period)
            view = next((v for v in (TOGETHER, WEIGHTED) if v in where), None)
            if view is None and TOGETHER in self.views:
                out[period] = BatchComponent(self.views[TOGETHER].at(most.component), TOGETHER)
            else:
                out[period] = most if view is None else _shown(where, view)
        return out

    def limits(self) -> tuple[Limit, ...]:
        """Return the limit of every period that the mean of all outputs does not show.

        Periods that are visible in another view have none; of those that are faint there, the mean may hold
        more.
        """
        view = self.views.get(TOGETHER) or self.views.get(0)
        if view is None:
            return ()
        known = [
            c
            for one in self.views.values()
            for c in one.found.values()
            if one is view or c.amplitude >= VISIBLE
        ]
        least = view.significance if TOGETHER in self.views else view.significance * CERTAIN / SIGNIFICANCE
        return find_limits(view.tests, self.plan, least, known)

    def population_limits(self, threshold: float = VISIBLE) -> tuple[Limit, ...]:
        """Return `limits` of all outputs that there could be, not only of those at hand, ascending.

        Each is at least the upper end of what the mean of them all may hold (`upper_ends`); the periods of
        traces have one too where nothing reaches the threshold.
        """
        together, shown = self.views.get(TOGETHER), self.strongest()
        ends = {} if together is None else upper_ends(self.sums, self.plan, together.found)
        out = {lcm(*one.period): one for one in self.limits()}
        if all(one.component.amplitude < threshold for one in shown.values()):
            # Beside a trace more of its period may hide, as much as what is left would show.
            beside = find_limits(together.tests, self.plan, together.significance) if together else ()
            for one in beside:
                p = lcm(*one.period)
                if p in ends and p in shown and p not in out:
                    known = shown[p].component.amplitude
                    out[p] = Limit(one.period, known + one.amplitude)
        return tuple(
            replace(one, amplitude=max(one.amplitude, ends[p].amplitude)) if p in ends else one
            for p, one in sorted(out.items())
        )

    def p_values(self) -> dict[int, float]:
        """Return the p-value of every period tested, whether it counts or not."""
        every = [self._test(view, inf).found for view in self._spectra]
        return {
            p: min([1.0, *(found[p].p_value for found in [*every, *self._found] if p in found)])
            for p in self.plan.tested
        }

    @property
    def _found(self) -> list[dict[int, Component]]:
        return [view.found for view in self.views.values()]

    @cached_property
    def _spectra(self) -> dict[int, NDArray[np.complex128]]:
        sums = self.sums
        if not self.plan.tested or not sums.singles:
            return {}
        singles = dict(enumerate(sums.singles))
        return {TOGETHER: sums.plain_mean, WEIGHTED: sums.mean, **singles} if sums.count > 1 else singles

    def _test(self, view: int, significance: float) -> BatchView:
        """Test one view; p-values of what is found are corrected for the views."""
        spectra, count = self._spectra[view], len(self._spectra)
        found, tests = spectra_components(spectra, self.plan, significance / count)
        kept = {}
        for component in found:
            # Where nothing is asked for, all lines count, and their sum says nothing of what can be seen.
            faint = view >= 0 and (component.amplitude < VISIBLE or significance == inf)
            p_value = component.p_value * count * (SIGNIFICANCE / CERTAIN if faint else 1.0)
            if p_value < significance:
                kept[component.cycle] = replace(component, p_value=min(1.0, p_value))
        return BatchView(spectra, self.plan, kept, tests, significance / count)


def _shown(where: dict[int, Component], view: int) -> BatchComponent:
    least = min(c.p_value for c in where.values())
    return BatchComponent(replace(where[view], p_value=least), TOGETHER if view == WEIGHTED else view)


def observe(batch: Pictures, periods: Iterable[int], *, within: tuple[int, ...] | None = None) -> Observed:
    """Test a batch, all outputs together and the first few alone; see `Observed`.

    Borders must be cut before; periods too long for the outputs are left out.
    """
    scheme = plan(batch.shape[1:-1], periods, within=within)
    return Observed(set_sums(batch, scheme), scheme)


class Outputs:
    """The outputs of one network, added batch by batch; a sixteenth of each side is left out.

    Args:
        periods: pixels, from 2; those that do not fit are listed as not tested.
        within: pixels per axis; only periods that divide it along every axis are tested. None: all.

    Attributes:
        count: outputs so far.

    Memory: the sums, the mean output and the first four.

    Example:
        >>> batch = np.zeros((2, 64, 64, 1), np.float32)
        >>> batch[:, ::2] = 10.0
        >>> outputs = Outputs((2, 4))
        >>> outputs.add(batch)
        >>> outputs.lattice().present[0].component.period
        (2, 1)
    """

    def __init__(self, periods: Iterable[int] = PERIODS, *, within: tuple[int, ...] | None = None) -> None:
        self.periods, self.within = checked_periods(periods), within
        self.count = 0
        self._sums: SetSums | None = None
        self._plan: FrequencyPlan | None = None
        self._total: NDArray[np.float64] | None = None
        self._first: list[NDArray[np.float32]] = []

    def add(self, batch: Pictures) -> None:
        """Add a batch (N, *spatial, C) of grey levels, of the size of the others.

        Cost: that of the harmonic test of each output, once.
        """
        cut = interior(batch)
        self._plan = scheme = plan(cut.shape[1:-1], self.periods, within=self.within)
        fresh = set_sums(cut, scheme)
        self._sums = fresh if self._sums is None else add(self._sums, fresh)
        total = cut.sum(axis=0, dtype=np.float64)
        self._total = total if self._total is None else self._total + total
        self._first += [one for one in cut[: SINGLES - len(self._first)] if np.ptp(one) > 0]
        self.count += len(batch)

    def observed(self) -> Observed:
        """Return the test of all outputs so far."""
        if self._sums is None or self._plan is None:
            raise UncheckError("there are no outputs to test; add some first")
        return Observed(self._sums, self._plan)

    def lattice(
        self, threshold: float = VISIBLE, *, limits: bool = True, population: bool = False
    ) -> BatchLattice:
        """Return what is seen in all outputs so far; components from `threshold` grey levels are present.

        Each period is listed once, in the view that shows most of it (`Observed`). Without `limits` those are
        left out; with `population` they are about all outputs that there could be.

        Cost: not of the outputs; again that of the test of one for a period so long that only its lowest
        harmonics are tested.
        """
        seen = self.observed()
        found = [replace(one, component=self._completed(one)) for one in seen.strongest().values()]
        found.sort(key=lambda one: -one.component.amplitude)
        return BatchLattice(
            present=tuple(one for one in found if one.component.amplitude >= threshold),
            traces=tuple(one for one in found if one.component.amplitude < threshold),
            limits=() if not limits else seen.population_limits(threshold) if population else seen.limits(),
            tested=seen.plan.tested,
            not_tested=seen.plan.not_tested,
        )

    def _completed(self, one: BatchComponent) -> Component:
        if self._total is None or self._plan is None:
            return one.component
        shown = self._total / self.count if one.view == TOGETHER else self._first[one.view]
        return completed(np.asarray(shown, np.float32), one.component, self._plan)


def batch_lattice(
    batch: Pictures,
    periods: Iterable[int],
    threshold: float = VISIBLE,
    *,
    within: tuple[int, ...] | None = None,
    limits: bool = True,
) -> BatchLattice:
    """Find what is seen in a batch of outputs of one network: see `Outputs`."""
    outputs = Outputs(periods, within=within)
    outputs.add(batch)
    return outputs.lattice(threshold, limits=limits)


def amplitude_of(batch: Pictures, found: BatchComponent) -> float:
    """Return the amplitude that a component's lines have in another batch of the same shape, grey levels."""
    return strength_at(_view(interior(batch), found.view), found.component)


def _view(cut: Pictures, view: int) -> NDArray[np.float32]:
    return np.asarray(cut.mean(axis=0) if view == TOGETHER else cut[view])


def certain_periods(
    batch: Pictures,
    inputs: NDArray[np.floating] | None,
    periods: Sequence[int],
    *,
    within: tuple[int, ...] | None = None,
) -> tuple[int, ...]:
    """Return the periods of a lattice that outputs show and inputs did not bring, ascending.

    These are the periods that count in some view (`Observed`), also those too faint to see. Inputs are
    channels last, in any unit; None for codes.
    """
    found = batch_lattice(batch, periods, within=within, limits=False).everything
    brought = Inputs(inputs).brought(batch, found) if inputs is not None and found else []
    return tuple(sorted({one.component.cycle for one in found if one not in brought}))


class Inputs:
    """Inputs of a network, and the lattice that they bring with them, which is looked for when first asked.

    Args:
        inputs: (N, *spatial, C) in any unit, finite.
    """

    def __init__(self, inputs: NDArray[np.floating]) -> None:
        self._levels = to_levels(inputs, infer_range(inputs))

    @cached_property
    def _own(self) -> tuple[BatchComponent, ...]:
        try:
            return batch_lattice(self._levels, PERIODS, 0.0, limits=False).everything
        except UncheckError:
            return ()  # too small an input to carry a lattice

    def brought(self, batch: Pictures, found: Sequence[BatchComponent]) -> list[BatchComponent]:
        """Return those found in the outputs on these inputs that came with them.

        Cameras and codecs leave lattices of up to a few tenths of a level in photographs; a network that
        enlarges by r turns their period P into r P.
        """
        given = self._levels
        if given.ndim != batch.ndim or not found:
            return []
        # Against the contrast of either, because their grey levels may stand for different ranges.
        contrast = float(batch.std()) / max(float(given.std()), 1e-6)
        ratio = [o / i for o, i in zip(batch.shape[1:-1], given.shape[1:-1], strict=True)]
        most = {
            tuple(round(p * r) if p > 1 else 1 for p, r in zip(c.component.period, ratio, strict=True)): GAIN
            * contrast
            * c.component.amplitude
            for c in self._own
        }
        return [one for one in found if one.component.amplitude <= most.get(one.component.period, 0.0)]
