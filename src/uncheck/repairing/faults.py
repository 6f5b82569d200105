"""What there is to repair: the periods that a network can leave, and those at which it shows a lattice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from math import lcm

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring import to_levels
from uncheck.measuring.components import SIGNIFICANCE, Component
from uncheck.measuring.frequencies import plan
from uncheck.measuring.lattice import PERIODS, find_lattice
from uncheck.measuring.sets import add, set_lattice, set_sums
from uncheck.probing.inspect import LONGEST
from uncheck.probing.lattices import SINGLES, interior
from uncheck.probing.origin import GAIN
from uncheck.reading import Stage
from uncheck.signals.levels import infer_range

#: Significance that a single output needs: contents of one picture can look periodic, those of a set do not.
ALONE = 1e-6

Batches = Sequence[NDArray[np.float32]]
"""Outputs or inputs of the calls, each (N, *spatial, C)."""


def periods_left(stages: Sequence[Stage], ndim: int, size: Sequence[int]) -> tuple[int, ...]:
    """The periods that the stages leave and all their divisors, as far as an output of this size can tell.

    Args:
        stages: of the network.
        ndim: spatial axes of the output.
        size: of the output, pixels per axis.

    Returns:
        Ascending, at least 2; 2 to 16 where no stage has a known period.
    """
    own = {period for stage in stages if (period := _period(stage))}
    left = {d for period in own for d in range(2, min(period, LONGEST[ndim]) + 1) if period % d == 0}
    return plan(tuple(size), left or set(PERIODS)).tested


def _period(stage: Stage) -> int:
    """The least common period of all axes, output pixels; 0 where it reaches no output grid."""
    return lcm(*stage.output_period) if stage.output_period else 0


def faulty_periods(outputs: Batches, inputs: Batches | None, periods: Sequence[int]) -> tuple[int, ...]:
    """The periods at which the outputs show a lattice that the inputs did not bring, ascending.

    Args:
        outputs: grey levels 0..255, of one spatial size.
        inputs: what they were made from, in any unit; None for codes.
        periods: to test, output pixels.

    Returns:
        Those that all outputs share (p below 1e-3), or one shows by itself (p below 1e-6); also lattices too
        faint to see.

    Cost: one pass of the harmonic test over all outputs and inputs, and one more over the first four.
    """
    found = lattice_of(outputs, periods)
    came = _brought(outputs, inputs) if inputs is not None and found else {}
    return tuple(sorted(p for p, c in found.items() if c.amplitude > came.get(c.period, 0.0)))


def lattice_of(batches: Batches, periods: Iterable[int]) -> dict[int, Component]:
    """Components shared by all, or certain in one of the first few, by period; the stronger of both."""
    scheme = plan(interior(batches[0]).shape[1:-1], periods)
    if not scheme.tested:
        return {}
    cut = [interior(batch) for batch in batches]
    sums = reduce(add, (set_sums(batch, scheme) for batch in cut))
    found: list[Component] = []
    if sums.count > 1:
        shared = set_lattice(sums, scheme)
        found += [*shared.present, *shared.traces]
    singles = [one for batch in cut for one in batch[:SINGLES]][:SINGLES]
    for one in singles:
        alone = find_lattice(one, periods=scheme.tested, significance=min(SIGNIFICANCE, ALONE / len(singles)))
        found += [*alone.present, *alone.traces]
    best: dict[int, Component] = {}
    for component in found:
        period = lcm(*component.period)
        if period not in best or component.amplitude > best[period].amplitude:
            best[period] = component
    return best


def _brought(outputs: Batches, inputs: Batches) -> dict[tuple[int, ...], float]:
    """Amplitude up to which a lattice of the output, by period, may be one that the inputs brought."""
    low, high = infer_range(np.concatenate([batch.ravel() for batch in inputs]))
    levels = [to_levels(batch, (low, high)) for batch in inputs]
    if max(levels[0].shape[1:-1]) < 4 or levels[0].ndim != outputs[0].ndim:
        return {}
    # Against the contrast of either, because their grey levels may stand for different ranges.
    contrast = _deviation(outputs) / max(_deviation(levels), 1e-6)
    ratio = [o / i for o, i in zip(outputs[0].shape[1:-1], levels[0].shape[1:-1], strict=True)]
    return {
        tuple(round(p * r) if p > 1 else 1 for p, r in zip(c.period, ratio, strict=True)): GAIN
        * contrast
        * c.amplitude
        for c in lattice_of(levels, PERIODS).values()
    }


def _deviation(batches: Batches) -> float:
    """Root of the mean variance of the batches."""
    return float(np.sqrt(np.mean([float(batch.var()) for batch in batches])))
