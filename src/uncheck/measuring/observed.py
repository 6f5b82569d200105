"""The test of a set of outputs by view: all of them together, and single ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf, lcm

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.bounds import upper_ends
from uncheck.measuring.components import SIGNIFICANCE, VISIBLE, Component, Limit
from uncheck.measuring.correction import line_of
from uncheck.measuring.frequencies import plan
from uncheck.measuring.harmonic import LineTests, line_energy, line_fit, line_tapers
from uncheck.measuring.limits import find_limits
from uncheck.measuring.passes import FrequencyPlan
from uncheck.measuring.sets import SetSums, set_sums, spectra_components

Pictures = NDArray[np.float32]
"""(N, *spatial, C) grey levels."""

Frequency = tuple[float, ...]

#: Names of the views of all outputs together, their plain mean and their weighted mean; the others are
#: indices of single outputs.
TOGETHER, WEIGHTED = -1, -2

#: p-value that a lattice too faint to see needs in a single output: contents of photographs reach 1e-4 now
#: and then.
CERTAIN = 1e-6


@dataclass(frozen=True)
class BatchComponent:
    """One component and the view that shows it most: TOGETHER, or the index of a single output."""

    component: Component
    view: int


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
