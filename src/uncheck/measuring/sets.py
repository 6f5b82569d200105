"""Many outputs of one network: the lattice adds coherently on their common grid, content does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.checks import attribute_harmonics
from uncheck.measuring.components import SIGNIFICANCE, Component, Lattice, Line
from uncheck.measuring.correction import components
from uncheck.measuring.eigenspectra import eigenspectra, window_sums
from uncheck.measuring.frequencies import FrequencyPlan, plan
from uncheck.measuring.harmonic import ROUNDING_POWER, line_test, to_numpy
from uncheck.measuring.lattice import centred
from uncheck.measuring.rivals import jpeg_grid
from uncheck.measuring.rivals.camera import BAYER_MOST, green_against_magenta
from uncheck.measuring.tapers import tapers
from uncheck.plain import as_dict, plain
from uncheck.signals.signal import Signal

#: Grey levels from which a significant lattice of a set counts as present: a sixth of what counts in one
#: picture, for a set averages over contents.
VISIBLE_IN_SETS = 0.05

#: Images of a set tested at a time.
AT_ONCE = 8


@dataclass(frozen=True, eq=False)
class SetSums:
    """Sums of N images at F lattice frequencies of C channels; sums of sets are sums of these.

    With Y_ik the eigencoefficients of image i and s_i^2 the power of its residual per eigencoefficient there:
    `weight` (F, C) = sum_i 1 / s_i^2, `spectra` (F, C, K) = sum_i Y_ik / s_i^2, `count` = N. `shape` is that
    of the images, (*spatial, C).
    """

    weight: NDArray[np.float64]
    spectra: NDArray[np.complex128]
    count: int
    shape: tuple[int, ...]

    @property
    def mean(self) -> NDArray[np.complex128]:
        """(F, C, K) eigencoefficients of the weighted mean of the images."""
        return self.spectra / np.maximum(self.weight, 1e-300)[..., None]


def set_sums(arrays: Any, scheme: FrequencyPlan) -> SetSums:
    """Sum a batch (N, *spatial, C) of grey levels, of NumPy or a tensor on any device.

    An image without any variation counts, but weighs nothing.

    Cost: that of the harmonic test of each image, once.
    """
    shape = tuple(arrays.shape[1:])
    sums = window_sums(shape[:-1])
    energy, freedom = float((sums**2).sum()), len(sums)
    weight = np.zeros((len(scheme.frequencies), shape[-1]))
    total = np.zeros((*weight.shape, freedom), np.complex128)
    for start in range(0, len(arrays), AT_ONCE):
        working, varies = centred(arrays[start : start + AT_ONCE])
        for one, spectra in zip(varies, eigenspectra(working, scheme), strict=True):
            if not one:
                continue
            y = to_numpy(spectra).astype(np.complex128)
            whole = (np.abs(y) ** 2).sum(axis=-1)
            spread = (whole - np.abs(y @ sums) ** 2 / energy) / (freedom - 1)
            # A floor, so that an image that is nothing but lattice does not weigh infinitely.
            spread = np.maximum(spread, 1e-6 * whole.mean() + ROUNDING_POWER)
            weight += 1 / spread
            total += y / spread[..., None]
    return SetSums(weight, total, len(arrays), shape)


def add(one: SetSums, two: SetSums) -> SetSums:
    """Add the sums of two sets; UncheckError if their images differ in size."""
    if one.shape != two.shape:
        raise UncheckError(
            f"images of shape {two.shape} do not lie on the grid of those of shape {one.shape}; "
            "measure them as sets of their own"
        )
    return SetSums(one.weight + two.weight, one.spectra + two.spectra, one.count + two.count, one.shape)


def set_lattice(
    sums: SetSums,
    scheme: FrequencyPlan,
    *,
    threshold: float = VISIBLE_IN_SETS,
    significance: float = SIGNIFICANCE,
) -> Lattice:
    """Find the lattice that all images of a set share.

    The harmonic test of the weighted mean sum_i Y_ik / s_i^2 / sum_i 1 / s_i^2 over the images. Contents and
    lattices of no common sign average out; what all images share without being a lattice, such as a face in
    the middle or borders, is judged by its own spectrum around the line, as in one image. What was found is
    taken out of its neighbours by the known response of the tapers. The amplitude is that of the part all
    images share, sign included.

    Cost: O(F C K), not of the images.
    """
    known = window_sums(sums.shape[:-1])
    working = sums.mean
    found: dict[int, Component] = {}
    for _ in range(len(scheme.tested) if sums.weight.any() else 0):
        lines = line_test(working[None], known, scheme.real)[0]
        fresh = [c for p, c in components(lines, scheme, significance).items() if p not in found]
        if not fresh:
            break
        best = max(fresh, key=lambda c: c.lines[0].amplitude)
        found[best.cycle] = best
        if len(fresh) == 1:
            break
        for one in best.lines:
            working = working - _response(scheme, sums.shape[:-1], one)
    nothing = Lattice((), (), scheme.tested, scheme.not_tested, threshold, significance)
    return nothing.holding(found.values())


def share(component: Component, sums: SetSums, scheme: FrequencyPlan) -> float:
    """Return how much of a component another set has, in its phase, as a share of its amplitude."""
    line = max(component.lines, key=lambda line: line.amplitude)
    index = int(np.abs(scheme.frequencies - line.frequency).sum(axis=1).argmin())
    channel = int(np.argmax(line.amplitudes))
    known = window_sums(sums.shape[:-1])
    there = sums.mean[index, channel] @ known / (known**2).sum()
    own = line.mean[channel]
    return float((there * np.conj(own)).real / abs(own) ** 2) if own else 0.0


def _response(scheme: FrequencyPlan, shape: tuple[int, ...], line: Line) -> NDArray[np.complex128]:
    """Return the eigencoefficients of one line at every frequency of the plan, (F, C, K)."""
    out = np.zeros((len(scheme.frequencies), len(line.mean), len(window_sums(shape))), np.complex128)
    for sign in (1,) if line.real else (1, -1):
        each = np.ones((len(scheme.frequencies), 1), np.complex128)
        for axis, n in enumerate(shape):
            offsets = scheme.frequencies[:, axis] - sign * line.frequency[axis]
            unique, where = np.unique(offsets, return_inverse=True)
            turned = np.exp(-2j * np.pi * np.outer(unique, np.arange(n))) @ tapers(n, len(shape)).values.T
            each = (each[:, :, None] * turned[where][:, None, :]).reshape(len(offsets), -1)
        mean = np.asarray(line.mean)
        out += (mean if sign > 0 else mean.conj())[:, None] * each[:, None, :]
    return out


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
class SetGroup:
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
        }


@dataclass(frozen=True)
class SetMeasurement:
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
class Together:
    """Adds up signals one by one; memory: the sums and one mean image per size."""

    periods: tuple[int, ...]
    significance: float
    threshold: float = VISIBLE_IN_SETS
    _halves: dict[tuple[int, ...], list[SetSums]] = field(default_factory=dict)
    _totals: dict[tuple[int, ...], NDArray[np.float64]] = field(default_factory=dict)
    _blocky: dict[tuple[int, ...], list[bool]] = field(default_factory=dict)
    _left_out: list[str] = field(default_factory=list)

    def add(self, signal: Signal) -> None:
        """Add one output. Sounds have no common grid to lie on and are left out, which a note says."""
        values = signal.values
        if signal.kind == "audio":
            self._left_out.append(signal.name)
            return
        shape = values.shape
        new = set_sums(values[None], plan(shape[:-1], self.periods))
        halves = self._halves.setdefault(shape, [])
        if len(halves) < 2:
            halves.append(new)
        else:
            # Every other image to the same half: the smaller one.
            smaller = int(halves[1].count < halves[0].count)
            halves[smaller] = add(halves[smaller], new)
        self._totals[shape] = self._totals.get(shape, 0) + values.astype(np.float64)
        looked = self._blocky.setdefault(shape, [])
        if values.ndim == 3 and len(looked) < LOOKED_AT:
            looked.append(signal.codec == "JPEG" or jpeg_grid(values) is not None)

    def result(self) -> SetMeasurement | None:
        """Return the verdict on all that was added; None if nothing was."""
        if not self._halves:
            return None
        groups = []
        for shape, halves in self._halves.items():
            scheme, sums = plan(shape[:-1], self.periods), reduce(add, halves)
            found = set_lattice(
                sums, scheme, threshold=self.threshold, significance=self.significance / len(self._halves)
            )
            mean = (self._totals[shape] / sums.count).astype(np.float32)
            found = _in_both(attribute_harmonics(mean, found), halves, scheme)
            groups.append(SetGroup(shape, sums.count, found, self._rival(shape, found)))
        groups.sort(key=lambda group: -group.count)
        notes = []
        if len(groups) > 1:
            notes.append(f"{len(groups)} sizes, measured in groups: images of different size share no grid.")
        if min(group.count for group in groups) < 2:
            notes.append("A group of a single image is no set; its verdict has the reach of one image.")
        if self._left_out:
            notes.append(f"{len(self._left_out)} sounds were left out: only images and volumes form sets.")
        return SetMeasurement(tuple(groups), tuple(notes))

    def _rival(self, shape: tuple[int, ...], found: Lattice) -> str | None:
        if not found.present:
            return None
        looked = self._blocky[shape]
        if 2 * sum(looked) > len(looked) and all(_of_blocks(component) for component in found.present):
            return "jpeg"
        return "bayer" if all(_of_a_camera(component) for component in found.present) else None


def _in_both(found: Lattice, halves: list[SetSums], scheme: FrequencyPlan) -> Lattice:
    """Demote components that one half of the set lacks to traces."""
    return found.keeping(lambda c: all(share(c, half, scheme) >= EACH_HALF for half in halves))


def _of_blocks(component: Component) -> bool:
    on_axes = all(sum(p > 1 for p in line.period) == 1 for line in component.lines)
    most = JPEG_MOST if on_axes else JPEG_CROSSED
    return component.amplitude <= most and not any(16 % p for p in component.period)


def _of_a_camera(component: Component) -> bool:
    weak = max(component.period) == 2 and component.amplitude <= BAYER_MOST
    return weak and green_against_magenta(component)
