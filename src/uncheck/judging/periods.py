"""The significant periods before a repair and after it."""

from __future__ import annotations

from uncheck.judging.judgement import Strength
from uncheck.measuring.batches import TOGETHER, Frequency, Observed
from uncheck.measuring.components import Component
from uncheck.measuring.sets import VISIBLE_IN_SETS

#: A period that was not there counts from so many grey levels on (times the unit of the second order).
NEW = VISIBLE_IN_SETS


def at_first(seen: Observed, unit: float = 1.0) -> tuple[Strength, ...]:
    """Return the significant periods, strongest first: of all outputs, else of the one that shows it most.

    Amplitudes are multiplied by `unit`.
    """
    found = [_best(seen, period)[0] for period in seen.periods]
    out = [Strength(one.period, one.amplitude * unit, one.p_value, True) for one in found]
    return tuple(sorted(out, key=lambda s: -s.amplitude))


def compared(before: Observed, after: Observed, gap: Observed, unit: float = 1.0) -> tuple[Strength, ...]:
    """Return every period that was significant and every new one, strongest first, as it is now.

    A period that was significant keeps its view and its lines, so that equal is compared with equal: its
    amplitude is the multitaper estimate at these lines and those significant now, less what the contents
    add to it by chance (`BatchView.amplitude`).

    A new period is listed if it is significant in the difference `gap` of the outputs in the same view, is
    stronger than the original at its lines, and the difference has at least NEW there; its
    amplitude is that of the difference, in which contents cancel. Amplitudes are multiplied by `unit`.
    """
    out = []
    for period in before.periods:
        was, view = _best(before, period)
        now = after.where(period)
        lines = _lines(was) | (_lines(now[view]) if view in now else set())
        amplitude = after.views[view].amplitude(lines)
        if now:
            p_value = min(c.p_value for c in now.values())
            amplitude = max([amplitude, *(c.amplitude for i, c in now.items() if view not in now)])
            out.append(Strength(was.period, amplitude * unit, p_value, True))
        else:
            out.append(Strength(was.period, amplitude * unit, 1.0, False))
    for period in after.periods - before.periods:
        for view, component in after.where(period).items():
            lines = _lines(component)
            if view not in gap.where(period):
                continue
            added = gap.views[view].amplitude(lines)
            if component.amplitude > before.views[view].amplitude(lines) and added >= NEW:
                amplitude = min(added, component.amplitude) * unit
                out.append(Strength(component.period, amplitude, component.p_value, True))
                break
    return tuple(sorted(out, key=lambda s: -s.amplitude))


def _best(seen: Observed, period: int) -> tuple[Component, int]:
    """Return the component of a period and its view: all together before single ones."""
    where = seen.where(period)
    view = TOGETHER if TOGETHER in where else max(where, key=lambda i: where[i].amplitude)
    return where[view], view


def _lines(component: Component) -> set[Frequency]:
    return {line.frequency for line in component.lines}
