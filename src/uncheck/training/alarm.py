"""Warnings of a lattice in training: when, and with which text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from uncheck.reading import Stage
from uncheck.training.measurement import StepMeasurement
from uncheck.training.trend import EARLIEST

#: Measurements in a row that must agree.
IN_A_ROW = 2
#: Measurements before which nothing is said where the end of training is unknown.
FIRST = 5
#: Corrected p-value below which a period is there. It is smaller than that of a test on its own (0.001),
#: because the same inputs make two measurements in a row nearly one sample, and because upsampled noise,
#: whose strength depends on the phase, violates the null hypothesis of the test.
SIGNIFICANCE = 1e-6
#: Share of `visible` that a lattice must fall below before it is warned of again.
GONE = 0.5
#: Gain spread from which unequal gains are the likely cause.
UNEVEN = 0.05


class Alarm:
    """Rule that warns of a period once: when it is present in two measurements in a row.

    Present means a corrected p-value below `significance` and a strength of at least `visible` grey levels. A
    period is warned of again only after two measurements in a row below half of `visible`. There are no
    warnings in the first tenth of training, or in the first five measurements if its end is unknown.
    """

    def __init__(self, visible: float, significance: float) -> None:
        self.visible, self.significance = visible, significance
        self.warned: set[int] = set()

    def periods(self, history: Sequence[StepMeasurement], end: float | None) -> list[int]:
        """Return the periods to warn of after the last measurement."""
        latest = history[-IN_A_ROW:]
        if len(latest) < IN_A_ROW:
            return []
        early = len(history) <= FIRST if end is None else latest[-1].step < EARLIEST * end
        fresh = []
        for period in latest[-1].strengths:
            there = all(
                m.p_values.get(period, 1.0) < self.significance
                and m.strengths.get(period, 0.0) >= self.visible
                for m in latest
            )
            gone = all(m.strengths.get(period, 0.0) < GONE * self.visible for m in latest)
            if there and not early and period not in self.warned:
                self.warned.add(period)
                fresh.append(period)
            elif gone:
                self.warned.discard(period)
        return fresh


def warning_of(period: int, measured: StepMeasurement, stages: Mapping[str, Stage]) -> str:
    """Return one sentence: period, strength, the stage that makes it if known, and what to do."""
    what = f"period {period}: {measured.strengths[period]:.2f} grey levels at step {measured.step}"
    longest = {name: max(stage.output_period or (0,)) for name, stage in stages.items()}
    own = [name for name, one in longest.items() if one == period]
    if not own:
        divided = any(one and one % period == 0 for one in longest.values())
        if stages and not divided and all(longest.values()):
            return (
                f"{what}; no stage of the network has this period, so look at what its padding does at the "
                "border, and at what the images bring with them"
            )
        return f"{what}; uncheck.inspect tells which layer makes it"
    spread = max((measured.spreads.get(name, 0.0) for name in own), default=0.0)
    cure = (
        f"its gain spread is {spread:.2f}: add gain_penalty to the loss, or train with uncheck.swap's layers"
        if spread >= UNEVEN
        else "its gains are even, so it is of second order: add lattice_penalty to the loss"
    )
    return f"{what}, the period of stage {' and '.join(own)}; {cure}"
