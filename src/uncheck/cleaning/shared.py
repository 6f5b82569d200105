"""Which periods to clean: the tests of `measuring/` decide, of one picture or of a set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from uncheck.cleaning.pattern import periods_of
from uncheck.measuring.lattice import PERIODS
from uncheck.measuring.one_signal import measure_signal
from uncheck.measuring.result import ImageMeasurement
from uncheck.measuring.sets import VISIBLE_IN_SETS
from uncheck.measuring.settings import Settings, some_periods
from uncheck.measuring.together import Together
from uncheck.signals.signal import Signal


def measured(signal: Signal, periods: Iterable[int] | None = None) -> ImageMeasurement:
    """Measure one picture as `uncheck.measure` does, without what explains a lattice."""
    settings = Settings(some_periods(PERIODS if periods is None else periods), brief=True)
    return measure_signal(signal, settings)


def shared_periods(signals: Sequence[Signal], periods: Iterable[int] | None = None) -> list[tuple[int, ...]]:
    """Return the periods of the lattice that pictures share; a single one is measured by itself."""
    if len(signals) == 1:
        one = measured(signals[0], periods)
        return periods_of(one.found.present) if one.verdict == "lattice" else []
    settings = Settings(some_periods(PERIODS if periods is None else periods))
    together = Together(settings.periods, settings.significance, VISIBLE_IN_SETS)
    for signal in signals:
        together.add(signal)
    result = together.result()
    if result is None or result.verdict != "lattice":
        return []
    return periods_of(c for group in result.groups if group.verdict == "lattice" for c in group.found.present)
