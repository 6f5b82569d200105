"""The lattice of the outputs of one network: what all of them share, and what single ones have.

`uncheck.inspect`, the search for faults, the judge of repairs, `measure --set`, the metric and the monitor of
training all ask here, so that they cannot disagree about which periods are there. `Outputs` adds outputs up
batch by batch and keeps none but the first four; `observe` and `batch_lattice` ask of one batch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.components import VISIBLE, Component, Limit
from uncheck.measuring.frequencies import checked_periods, plan
from uncheck.measuring.lattice import PERIODS, completed
from uncheck.measuring.lines import strength_at
from uncheck.measuring.observed import TOGETHER, BatchComponent, Observed, Pictures
from uncheck.measuring.passes import FrequencyPlan
from uncheck.measuring.sets import SINGLES, SetSums, add, set_sums

#: Share of each side kept out, because borders are not lattice.
MARGIN = 1 / 16


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
