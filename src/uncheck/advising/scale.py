"""Words for sizes and strengths: pixels and grey levels, or samples and decibels where a result is sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from uncheck.advising.fault import Report
from uncheck.words import MOST_NAMED, levels, listed_some, sizes

#: What the sections of a report call it: lists of entries that have a period.
_ENTRIES = ("lattice", "limit", "traces", "other", "from_input")


@dataclass(frozen=True)
class Scale:
    """How lengths and strengths are said.

    Attributes:
        sound: whether the output has one axis: samples, decibels relative to the rest of it, and hertz.
        rate: samples per second; None if it was not said, and frequencies are in cycles per sample.
    """

    sound: bool = False
    rate: float | None = None

    @property
    def lengths(self) -> str:
        """Plural of the unit of lengths."""
        return "samples" if self.sound else "pixels"

    @property
    def column(self) -> str:
        """Heading of strengths in a table."""
        return "dB" if self.sound else "grey levels"

    def strength(self, one: Report, digits: int = 0) -> str:
        """Return the strength of an entry as a number of `column`."""
        if self.sound and one.get("db") is not None:
            return f"{one['db']:.{digits}f}"
        return levels(one["amplitude"] if "amplitude" in one else one["strength"])

    def strong(self, one: Report) -> str:
        """Return the strength of an entry with its unit, "-32 dB" or "1.20 grey levels"."""
        unit = "dB" if self.sound and one.get("db") is not None else "grey levels"
        return f"{self.strength(one)} {unit}"

    def period(self, one: Report) -> str:
        """Return the period of an entry; of sound at a known rate with a frequency, as "16 (1000 Hz)"."""
        return (
            f"{sizes(one['period'])} ({self.frequencies(one, 1)} Hz)" if self.rate else sizes(one["period"])
        )

    @property
    def pitch(self) -> str:
        """Heading of frequencies in a table; empty where there are none."""
        return "" if not self.sound else "Hz" if self.rate else "cycles/sample"

    def frequencies(self, one: Report, most: int = MOST_NAMED) -> str:
        """Return the frequencies of an entry of sound, strongest first; the lowest if none is known."""
        found = one.get("frequency_hz") or [(self.rate or 1) / one["period"][0]]
        shown = [f"{f:.0f}" if self.rate else f"{f:.3g}" for f in found[:most]]
        return ", ".join([*shown, *(["..."] if len(found) > most > 1 else [])])

    def components(self, lattice: Sequence[Report] | None, nothing: str = "none", most: int = 2) -> str:
        """Return a lattice in a cell, as "period 4: 1.20, 2: 0.45"."""
        named = listed_some([f"{sizes(c['period'])}: {self.strength(c)}" for c in lattice or ()], most)
        return f"period {named}" if named else nothing


def scale_of(report: Report) -> Scale:
    """Return how the lengths and strengths of an inspection are said."""
    return Scale(any(length == 1 for length in _axes(report)), report.get("rate"))


def _axes(report: Report) -> Iterator[int]:
    """Return the number of axes of the first thing that tells it."""
    for name in _ENTRIES:
        for one in report.get(name) or ():
            yield len(one["period"])
            return
    for stage in report["stages"][-1:]:
        yield len(stage["stride"])
