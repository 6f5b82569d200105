"""A part of a picture that has a lattice of its own, and all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from uncheck.measuring.components import Lattice
from uncheck.measuring.places.places import Region
from uncheck.plain import Brief, as_dict

#: Parts per axis, each half of it long.
PARTS = 3

NAMES = (("upper", "middle", "lower"), ("left", "middle", "right"))


@dataclass(frozen=True)
class Part(Brief):
    """A part of a picture that has a lattice of its own: `name` says where ("upper left"), `region` what."""

    name: str
    region: Region


@dataclass(frozen=True)
class Parts(Brief):
    """What was found in the parts of a picture of `shape` (rows, columns); strongest first.

    As a dictionary it is a `LocalMap` without the maps of windows.
    """

    shape: tuple[int, int]
    parts: tuple[Part, ...]
    periods: tuple[int, ...]
    not_tested: tuple[int, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence on each part."""
        return tuple(
            f"Period {'x'.join(map(str, part.region.component.period))} is in its {part.name} part: "
            f"{part.region.component.amplitude:.2f} grey levels, {part.region.elsewhere:.2f} in the rest."
            for part in self.parts
        )

    def added(self, found: Lattice) -> Lattice:
        """Return the lattice of the whole picture with what its parts have."""
        fresh = tuple(part.region.component for part in self.parts)
        traces = tuple(t for t in found.traces if not any(t.divides(c) for c in fresh))
        present = tuple(sorted((*found.present, *fresh), key=lambda c: -c.amplitude))
        return replace(found, present=present, traces=traces)

    def moved(self, start: tuple[int, ...], shape: tuple[int, ...]) -> Parts:
        """Return the same as parts of a picture of `shape` in which this one begins at `start`."""
        return replace(
            self,
            shape=(shape[0], shape[1]),
            parts=tuple(replace(p, region=p.region.moved(start, self.shape, shape)) for p in self.parts),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; `maps` have `period`, `share` and `regions`."""
        by_period: dict[tuple[int, ...], list[Region]] = {}
        for part in self.parts:
            by_period.setdefault(part.region.component.period, []).append(part.region)
        maps = [
            {"period": list(p), "share": sum(r.share for r in own), "regions": [r.to_dict() for r in own]}
            for p, own in by_period.items()
        ]
        return {
            "shape": list(self.shape),
            "tested": list(self.periods),
            **as_dict(self, "not_tested"),
            "maps": maps,
        }


def name_of_part(index: int) -> str:
    """Return "upper left", "lower middle", "middle" and so on."""
    row, column = divmod(index, PARTS)
    both = [NAMES[0][row], NAMES[1][column]]
    return both[0] if both[0] == both[1] else " ".join(both)
