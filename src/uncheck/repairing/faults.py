"""The periods that the stages of a network can leave."""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm

from uncheck.measuring.frequencies import plan
from uncheck.measuring.lattice import PERIODS
from uncheck.probing.inspect import LONGEST
from uncheck.reading import Stage


def periods_left(stages: Sequence[Stage], ndim: int, size: Sequence[int]) -> tuple[int, ...]:
    """Return the periods that the stages leave and their divisors, as far as they fit an output of this size.

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
    """Return the least common period of all axes, output pixels; 0 where it reaches no output grid."""
    return lcm(*stage.output_period) if stage.output_period else 0
