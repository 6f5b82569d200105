"""The lattice that the pictures of a set share: `measure --set`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.batches import interior
from uncheck.measuring.checks import attribute_harmonics
from uncheck.measuring.components import Component, Lattice
from uncheck.measuring.frequencies import plan
from uncheck.measuring.limits import find_limits
from uncheck.measuring.observed import TOGETHER, WEIGHTED, Observed
from uncheck.measuring.passes import FrequencyPlan
from uncheck.measuring.rivals import jpeg_grid
from uncheck.measuring.rivals.camera import BAYER_MOST, green_against_magenta
from uncheck.measuring.sets import VISIBLE_IN_SETS, SetSums, add, set_sums, share
from uncheck.plain import Brief, as_dict, plain
from uncheck.showing import Plotted
from uncheck.signals.masks import filled
from uncheck.signals.signal import Signal
from uncheck.words import plural

#: Images of a group looked at for a JPEG grid.
LOOKED_AT = 8

#: Share of the amplitude of a set that each half of it must have, in the same phase: one quiet image with a
#: lattice of its own weighs more than many busy ones and would speak for all.
EACH_HALF = 0.3

#: Grey levels above which no JPEG coding of photographs leaves lines of the first order.
JPEG_MOST = 1.5

#: The same for lines that vary along both axes (16 to 64 photographs at quality 10 to 95: at most 0.11).
JPEG_CROSSED = 0.15


@dataclass(frozen=True)
class SetGroup(Brief):
    """Result for the images of one size: shape, count, shared lattice, rival."""

    shape: tuple[int, ...]
    count: int
    found: Lattice
    rival: str | None

    @property
    def verdict(self) -> str:
        """The word "lattice" if they share one, "rival" if a rival explains it, else "clean"."""
        return "rival" if self.rival else "lattice" if self.found.present else "clean"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "shape": list(self.shape[:-1]),
            **as_dict(self, "count", "verdict", "rival"),
            "lattice": plain(self.found.present),
            **as_dict(self.found, "strength", "traces", "not_tested"),
            "limit": plain(self.found.limits),
        }


@dataclass(frozen=True)
class SetMeasurement(Plotted):
    """The lattice shared by many outputs: `groups` by size, largest first; `notes` on images left out."""

    groups: tuple[SetGroup, ...]
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """The worst of the groups: "lattice", then "rival", then "clean"."""
        verdicts = {group.verdict for group in self.groups}
        return next((v for v in ("lattice", "rival") if v in verdicts), "clean")

    @property
    def found(self) -> Lattice:
        """The lattice of the largest group with the verdict of the set."""
        return next(group for group in self.groups if group.verdict == self.verdict).found

    def to_dict(self) -> dict[str, Any]:
        """Return plain values: the group that decided, and all groups."""
        first = next(group for group in self.groups if group.verdict == self.verdict)
        return {
            **first.to_dict(),
            "count": sum(group.count for group in self.groups),
            **as_dict(self, "groups", "notes"),
        }


@dataclass
class _Group:
    """The sums of the images of one size: of all, of every other one and of the rest, and their mean."""

    sums: SetSums
    halves: list[SetSums]
    total: NDArray[np.float64]
    blocky: list[bool] = field(default_factory=list)

    def add(self, sums: SetSums, values: NDArray[np.float32]) -> None:
        """Add an image."""
        self.sums, self.total = add(self.sums, sums), self.total + values
        if len(self.halves) < 2:
            self.halves.append(sums)
        else:
            # Every other image to the same half: the smaller one.
            smaller = int(self.halves[1].count < self.halves[0].count)
            self.halves[smaller] = add(self.halves[smaller], sums)


def unmasked(signal: Signal) -> Signal:
    """Return an output with what is masked filled smoothly, so that what stood there does not count.

    A lattice that only a share of the values holds is that much weaker in the set.
    """
    if signal.mask is None or not signal.mask.any():
        return signal
    return replace(signal, values=filled(signal.values, signal.mask))


def sums_of(signal: Signal, periods: tuple[int, ...]) -> SetSums | None:
    """Return the sums of one output, its borders cut; None of sound."""
    if signal.kind == "audio":
        return None
    inner = interior(signal.values[None])
    return set_sums(inner, plan(inner.shape[1:-1], periods))


@dataclass
class Together:
    """Adds up signals one by one; memory: the sums and one mean image per size."""

    periods: tuple[int, ...]
    significance: float
    threshold: float = VISIBLE_IN_SETS
    _groups: dict[tuple[int, ...], _Group] = field(default_factory=dict)
    _left_out: list[str] = field(default_factory=list)

    def add(self, signal: Signal) -> None:
        """Add one output. Sounds have no common grid to lie on and are left out, which a note says."""
        signal = unmasked(signal)
        self.join(signal, sums_of(signal, self.periods))

    def join(self, signal: Signal, new: SetSums | None) -> None:
        """Add one output whose sums were computed before (`sums_of`), in another process perhaps."""
        values = signal.values
        if new is None:
            self._left_out.append(signal.name)
            return
        shape, inner = values.shape, interior(values[None])[0]
        group = self._groups.get(shape)
        if group is None:
            group = self._groups[shape] = _Group(new, [new], inner.astype(np.float64))
        else:
            group.add(new, inner)
        if values.ndim == 3 and len(group.blocky) < LOOKED_AT:
            group.blocky.append(signal.codec == "JPEG" or jpeg_grid(values) is not None)

    def result(self) -> SetMeasurement | None:
        """Return the verdict on all that was added; None if nothing was.

        Raises:
            UncheckError: only sounds were, which have no common grid.
        """
        if not self._groups and self._left_out:
            raise UncheckError(
                "sounds have no common grid to be measured on together; leave out --set (together=True), and "
                "each is measured by itself"
            )
        if not self._groups:
            return None
        significance = self.significance / len(self._groups)
        groups = []
        for shape, group in self._groups.items():
            found = _found(group, plan(group.sums.shape[:-1], self.periods), self.threshold, significance)
            groups.append(SetGroup(shape, group.sums.count, found, _rival(group, found)))
        groups.sort(key=lambda group: -group.count)
        notes = []
        if len(groups) > 1:
            notes.append(f"{len(groups)} sizes, measured in groups: images of different size share no grid.")
        if min(group.count for group in groups) < 2:
            notes.append("A group of a single image is no set; its verdict has the reach of one image.")
        if self._left_out:
            left_out = plural(len(self._left_out), "sound was", "sounds were")
            notes.append(f"{left_out} left out: only images and volumes form sets.")
        return SetMeasurement(tuple(groups), tuple(notes))


def _found(group: _Group, scheme: FrequencyPlan, threshold: float, significance: float) -> Lattice:
    """Return what counts in the group (`Observed`); present is what all images share, traces the rest."""
    seen = Observed(group.sums, scheme, significance)
    mean = (group.total / group.sums.count).astype(np.float32)
    shared = {p: one.component for p, one in seen.shared().items()}
    nothing = Lattice((), (), scheme.tested, scheme.not_tested, threshold, significance)
    found = attribute_harmonics(mean, nothing.holding(shared.values()))
    if group.sums.count > 1:
        found = found.keeping(lambda c: _is_shared(c, seen, group.halves, scheme))
    view = seen.views.get(WEIGHTED) or seen.views.get(0)
    if view is None:
        return found
    return replace(found, limits=find_limits(view.tests, scheme, view.significance, shared.values()))


def _is_shared(component: Component, seen: Observed, halves: list[SetSums], scheme: FrequencyPlan) -> bool:
    """Test whether a component is one of all images together, and each half of the set has it."""
    together = {TOGETHER, WEIGHTED} & set(seen.where(component.cycle))
    return bool(together) and all(share(component, half, scheme) >= EACH_HALF for half in halves)


def _rival(group: _Group, found: Lattice) -> str | None:
    if not found.present:
        return None
    if 2 * sum(group.blocky) > len(group.blocky) and all(_of_blocks(c) for c in found.present):
        return "jpeg"
    return "bayer" if all(_of_a_camera(component) for component in found.present) else None


def _of_blocks(component: Component) -> bool:
    on_axes = all(sum(p > 1 for p in line.period) == 1 for line in component.lines)
    most = JPEG_MOST if on_axes else JPEG_CROSSED
    return component.amplitude <= most and not any(16 % p for p in component.period)


def _of_a_camera(component: Component) -> bool:
    weak = max(component.period) == 2 and component.amplitude <= BAYER_MOST
    return weak and green_against_magenta(component)
