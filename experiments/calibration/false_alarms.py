"""How often a lattice is reported where no upsampling ever was."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from math import lcm
from typing import Any

import numpy as np
from intervals import rate
from pictures import (
    LEFT_OUT,
    Picture,
    drawn,
    enlarged_pictures,
    noise_pictures,
    photograph_pictures,
    photographs,
    texture_pictures,
)
from progress import shown
from second import second_order_periods

import uncheck
from uncheck.measuring import Lattice, find_lattice

#: Kinds that the target of 1 % is about; the others are rivals beyond it.
TARGET = ("photograph", "noise", "screenshot", "woven", "brick")
NOMINAL = (1e-3, 1e-2, 1e-1)
LONG = tuple(range(2, 65))


def main(share: float = 1.0) -> dict[str, Any]:
    """All pictures, or a random share, at the default setting and without the threshold; periods to 64."""
    found = photographs()
    every = chain(photograph_pictures(found), noise_pictures(), texture_pictures(), enlarged_pictures(found))
    pictures = (p for p in every if drawn(f"{p.kind} {p.treatment} {p.name}", share))
    tables: dict[tuple[str, str], Tally] = defaultdict(Tally)
    curve: dict[str, Curve] = defaultdict(Curve)
    alarms: list[dict[str, Any]] = []
    for picture in shown("false alarms", pictures):
        image = uncheck.measure(picture.pixels).images[0]
        tables[picture.kind, picture.treatment].count(picture, image.verdict, image.found)
        if image.verdict == "lattice" or image.rival:
            alarms.append(described(picture, image))
        if picture.kind in ("photograph", "noise"):
            levels = picture.pixels.reshape(*picture.pixels.shape[:2], -1).astype(np.float32)
            traces = {n: find_lattice(levels, threshold=0.0, significance=n) for n in NOMINAL}
            second = second_order_periods(picture.pixels, image)
            curve[group(picture)].count(picture, traces, image.found, second)
    rows = [
        {"kind": kind, "treatment": treatment, **tally.to_dict()}
        for (kind, treatment), tally in tables.items()
    ]
    return {
        "share": share,
        "photographs": {p.name: [p.history, *p.pixels.shape] for p in found},
        "kodak_missing": not any(p.history == "scan" for p in found),
        "left_out": LEFT_OUT,
        "default": rows,
        "total": totals(tables),
        "nominal": {name: c.to_dict() for name, c in curve.items()},
        "long": long_periods([p for p in found if drawn(p.name, share)]),
        "alarms": [a for a in alarms if a["verdict"] == "lattice"],
        "rivals": Counter(f"{a['kind']}: {a['rival']}" for a in alarms if a["rival"]),
    }


class Tally:
    """Verdicts of one kind and treatment."""

    def __init__(self) -> None:
        self.verdicts: Counter[str] = Counter()
        self.periods: Counter[int] = Counter()
        self.sources: dict[str, bool] = {}

    def count(self, picture: Picture, verdict: str, found: Lattice) -> None:
        """One more picture."""
        self.verdicts[verdict] += 1
        alarm = verdict == "lattice"
        self.sources[picture.source] = self.sources.get(picture.source, False) or alarm
        if alarm:
            self.periods.update({lcm(*c.period) for c in found.present})

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        total = self.verdicts.total()
        return {
            "lattice": rate(self.verdicts["lattice"], total),
            "by_source": rate(sum(self.sources.values()), len(self.sources)),
            "rival": self.verdicts["rival"],
            "clean": self.verdicts["clean"],
            "periods": {str(p): n for p, n in sorted(self.periods.items())},
        }


class Curve:
    """How many pictures have a component at each nominal significance, at any period and at each."""

    def __init__(self) -> None:
        self.pictures = 0
        self.any: Counter[float] = Counter()
        self.elsewhere: Counter[float] = Counter()
        self.periods: dict[float, Counter[int]] = defaultdict(Counter)
        self.reported = 0
        self.examples: list[str] = []
        self.second: Counter[str] = Counter()
        self.expected: dict[float, Counter[int]] = defaultdict(Counter)

    def count(
        self,
        picture: Picture,
        traces: dict[float, Lattice],
        reported: Lattice,
        second: list[tuple[int, ...]] | None,
    ) -> None:
        """One more picture.

        `traces` of the test alone at each nominal significance; `reported` by `measure` at its default; the
        periods of `second` order.
        """
        self.pictures += 1
        self.reported += bool(periods_of(reported) - expected_periods(picture))
        if second is not None:
            periods = {lcm(*p) for p in second}
            self.second["tested"] += 1
            self.second["any"] += bool(periods)
            self.second["elsewhere"] += bool(periods - expected_periods(picture))
            self.second.update(f"period {p}" for p in periods)
        for nominal, found in traces.items():
            periods = periods_of(found)
            self.any[nominal] += bool(periods)
            elsewhere = periods - expected_periods(picture)
            self.elsewhere[nominal] += bool(elsewhere)
            if nominal == NOMINAL[0] and elsewhere:
                self.examples.append(f"{picture.name}, {picture.treatment}: {sorted(elsewhere)}")
            self.periods[nominal].update(periods)
            total = sum(1 / p**2 for p in found.tested)
            self.expected[nominal].update({p: nominal / p**2 / total for p in found.tested})

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; keys of `any` and `elsewhere` are the nominal rates."""
        return {
            "pictures": self.pictures,
            "any": {f"{n:g}": rate(self.any[n], self.pictures) for n in NOMINAL},
            "elsewhere": {f"{n:g}": rate(self.elsewhere[n], self.pictures) for n in NOMINAL},
            "reported_elsewhere": rate(self.reported, self.pictures),
            "elsewhere_at_0.001": self.examples,
            "second_order": self.second_to_dict(),
            "periods": {
                f"{n:g}": {
                    str(p): {"observed": self.periods[n][p], "allowed": round(e, 4)}
                    for p, e in sorted(self.expected[n].items())
                }
                for n in NOMINAL
            },
        }

    def second_to_dict(self) -> dict[str, Any] | None:
        """Rates of any second-order component at p < 0.001; None where not tested."""
        if not self.second["tested"]:
            return None
        return {
            "any": rate(self.second["any"], self.second["tested"]),
            "elsewhere": rate(self.second["elsewhere"], self.second["tested"]),
            "periods": {k.split()[1]: n for k, n in sorted(self.second.items()) if k.startswith("period")},
        }


def periods_of(found: Lattice) -> set[int]:
    """Of all components, present or traces."""
    return {lcm(*c.period) for c in (*found.present, *found.traces)}


def expected_periods(picture: Picture) -> set[int]:
    """Periods at which a picture is known to have a line: JPEG's 2, 4, 8 and 16, a scanner's 2."""
    if picture.history in ("jpeg", "unknown"):
        return {2, 4, 8, 16}
    return {2} if picture.history == "scan" else set()


def group(picture: Picture) -> str:
    """The line of the nominal table that a picture belongs to."""
    if picture.kind == "noise":
        return f"noise {picture.treatment}"
    origin = {"scan": "scanned", "jpeg": "JPEG", "unknown": "of unknown history"}[picture.history]
    return f"photographs, {origin}"


def described(picture: Picture, image: Any) -> dict[str, Any]:
    """One picture that is not clean."""
    return {
        "kind": picture.kind,
        "treatment": picture.treatment,
        "name": picture.name,
        "verdict": image.verdict,
        "rival": image.rival,
        "present": [
            [list(c.period), round(c.amplitude, 3), float(f"{c.p_value:.1e}")] for c in image.found.present
        ],
    }


def totals(tables: dict[tuple[str, str], Tally]) -> dict[str, Any]:
    """Sums over treatments for each kind, and over the kinds of the target."""
    out: dict[str, Any] = {}
    for kind in dict.fromkeys(k for k, _ in tables):
        out[kind] = _sum(t for (k, _), t in tables.items() if k == kind)
    out["target"] = _sum(t for (k, _), t in tables.items() if k in TARGET)
    return out


def _sum(tallies: Iterable[Tally]) -> dict[str, Any]:
    every = Tally()
    for tally in tallies:
        every.verdicts.update(tally.verdicts)
        every.periods.update(tally.periods)
        for source, alarm in tally.sources.items():
            every.sources[source] = every.sources.get(source, False) or alarm
    return every.to_dict()


def long_periods(found: list[Any]) -> dict[str, Any]:
    """Periods 2 to 64, and parts of the picture looked at, on the first crop of every photograph."""
    tables: dict[str, Tally] = defaultdict(Tally)
    for picture in shown("periods to 64, and the map", _some(photograph_pictures(found))):
        for name, options in (("periods 2 to 64", {"periods": LONG}), ("with the map", {"where": True})):
            image = uncheck.measure(picture.pixels, **options).images[0]
            tables[f"{picture.treatment}, {name}"].count(picture, image.verdict, image.found)
    return {name: tally.to_dict() for name, tally in tables.items()}


def _some(pictures: Iterable[Picture]) -> Iterator[Picture]:
    chosen = ("original", "JPEG 75", "sharpened 100 %")
    return (p for p in pictures if p.treatment in chosen and p.name.endswith("[0]"))
