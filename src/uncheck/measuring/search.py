"""The search for components: the strongest is taken out before its neighbours are judged."""

from __future__ import annotations

from itertools import combinations
from math import lcm
from typing import Any

import numpy as np

from uncheck.measuring.components import SIGNIFICANCE, Component, synthesise, without
from uncheck.measuring.correction import combined, component_of, components
from uncheck.measuring.eigenspectra import eigenspectra, like
from uncheck.measuring.frequencies import ALL_HARMONICS, pair_plan, plan
from uncheck.measuring.harmonic import LineTests, line_test
from uncheck.measuring.leakage import few_lines, line_spectra
from uncheck.measuring.passes import FrequencyPlan
from uncheck.measuring.support import Support, restricted

#: Strongest components of which pairs are tried as the stripes of one pattern.
PAIRED = 4


def search(
    working: Any,
    spectra: Any,
    lines: LineTests,
    scheme: FrequencyPlan,
    significance: float,
    support: Support | None,
) -> tuple[list[Component], LineTests]:
    """Find the significant components of one array (1, *spatial, C), taking the strongest out first.

    Returns the tests of what is left, too.
    """
    found: dict[int, Component] = {}
    rest = _Rest(working, spectra, scheme, support)
    for _ in range(len(scheme.tested)):
        fresh = [c for p, c in components(lines, scheme, significance).items() if p not in found]
        if not fresh:
            break
        # That of the strongest line first: weaker lines inside its band may be its leakage, and a period that
        # is not there can catch several such.
        best = max(fresh, key=lambda c: c.lines[0].amplitude)
        period = best.cycle
        found[period] = (
            best if _is_whole(period, scheme) else complete(rest.array, best, period, scheme, support)
        )
        if len(fresh) == 1:
            break
        lines = rest.without(period, lines)
    pairs = _pairs(rest, found, scheme, significance, support) if len(found) > 1 else []
    return [*found.values(), *pairs], lines


def _is_whole(period: int, scheme: FrequencyPlan) -> bool:
    """Test whether a plan has all lines of a period."""
    return period <= ALL_HARMONICS[len(scheme.shape)]


class _Rest:
    """One array (1, *spatial, C) and its eigencoefficients (1, F, C, K), of which components are taken out.

    The eigencoefficients of lines are known without the array, so that is made when it is asked for.
    """

    def __init__(self, working: Any, spectra: Any, scheme: FrequencyPlan, support: Support | None) -> None:
        self._array, self._spectra, self._scheme, self._support = working, spectra, scheme, support
        self._pending: list[Component] = []

    @property
    def array(self) -> Any:
        """The array without what was taken out."""
        if isinstance(self._array, np.ndarray) and self._support is None:
            self._array, self._pending = without(self._array[0], self._pending)[None], []
        for component in self._pending:
            drawn = synthesise(component, tuple(self._array.shape[1:]))
            drawn = drawn if self._support is None else drawn * self._support.plane
            self._array = self._array - like(drawn, self._array)
        self._pending = []
        return self._array

    def without(self, period: int, lines: LineTests) -> LineTests:
        """Take out the lines of exactly this period, significant or not, and test what is left."""
        scheme = self._scheme
        if _is_whole(period, scheme):
            own = np.flatnonzero(scheme.family == period)
            component = component_of(lines, scheme, own, 0.0, [], np.inf)
        else:
            component = _everything(self.array, period, scheme, self._support)
        self._pending.append(component)
        known = isinstance(self._spectra, np.ndarray) and len(scheme.shape) == 2 and self._support is None
        if known and few_lines(component.lines):
            self._spectra = self._spectra - line_spectra(component.lines, scheme)
        else:
            self._spectra = eigenspectra(self.array, scheme)
        return line_test(*restricted(self._spectra, scheme, self._support), scheme.real)[0]


def complete(
    working: Any, component: Component, period: int, scheme: FrequencyPlan, support: Support | None
) -> Component:
    """Add the harmonics of a component that the plan did not have."""
    shape = tuple(working.shape[1:-1])
    if period <= ALL_HARMONICS[len(shape)]:
        return component
    whole = plan(shape, (period,), every=True, within=scheme.within)
    lines = _tests(working, whole, support)[0]
    own, limit = np.arange(len(whole.family)), component.p_value * len(scheme.tested)
    return component_of(
        lines, whole, own, component.p_value, list(component.channel_p_values), max(limit, SIGNIFICANCE)
    )


def _everything(working: Any, period: int, scheme: FrequencyPlan, support: Support | None) -> Component:
    """Measure all lines of exactly this period, significant or not, without shorter periods."""
    whole = plan(tuple(working.shape[1:-1]), (period,), every=True, within=scheme.within)
    lines, own = _tests(working, whole, support)[0], np.arange(len(whole.family))
    return component_of(lines, whole, own, 0.0, [], np.inf)


def _pairs(
    rest: _Rest,
    found: dict[int, Component],
    scheme: FrequencyPlan,
    significance: float,
    support: Support | None,
) -> list[Component]:
    """Find patterns of unequal periods p x q, not tested, of which two components are stripes."""
    if scheme.within is not None:
        return []
    shape = scheme.shape
    strongest = sorted(found.values(), key=lambda c: -c.amplitude)[:PAIRED]
    pairs = {tuple(map(int, np.lcm(one.period, two.period))) for one, two in combinations(strongest, 2)}
    done = [p for p in scheme.tested if p <= ALL_HARMONICS[len(shape)]]
    pairs = {p for p in pairs if lcm(*p) not in done and max(p) <= max(scheme.tested)}
    out: list[Component] = []
    measured = {*done, *found}
    for pair in sorted(pairs):
        crossed = pair_plan(shape, pair)
        # Lines of a period found, or of another pair, are in that already.
        own = np.flatnonzero(~np.isin(crossed.family, list(measured)))
        if not len(own):
            continue
        lines = _tests(rest.array, crossed, support)[0]
        p_value = len(pairs) * combined(lines.p_joint[own], apart=False)
        if p_value < significance:
            channels = [min(1.0, len(pairs) * combined(p[own], apart=False)) for p in lines.p_channel.T]
            out.append(component_of(lines, crossed, own, p_value, channels, significance / len(pairs)))
            measured |= {lcm(*line.period) for line in out[-1].lines}
    return out


def _tests(working: Any, scheme: FrequencyPlan, support: Support | None) -> list[LineTests]:
    return line_test(*restricted(eigenspectra(working, scheme), scheme, support), scheme.real)
