"""Many outputs of one network: the lattice adds coherently on their common grid, content does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.components import SIGNIFICANCE, Component, Lattice, Line, synthesise
from uncheck.measuring.correction import components
from uncheck.measuring.eigenspectra import eigenspectra
from uncheck.measuring.harmonic import (
    ROUNDING_POWER,
    LineTests,
    line_energy,
    line_tapers,
    line_test,
    to_numpy,
)
from uncheck.measuring.lattice import centred
from uncheck.measuring.passes import FrequencyPlan

#: Grey levels from which a significant lattice of a set counts as present: a sixth of what counts in one
#: picture, for a set averages over contents.
VISIBLE_IN_SETS = 0.05

#: Images of a set tested at a time.
AT_ONCE = 8

#: Images of a set that are looked at one by one, beside all together.
SINGLES = 4


@dataclass(frozen=True, eq=False)
class SetSums:
    """Sums of N images at F lattice frequencies of C channels; sums of sets are sums of these.

    With Y_ik the eigencoefficients of image i and s_i^2 the power of its residual per eigencoefficient there:
    `weight` (F, C) = sum_i 1 / s_i^2, `spectra` (F, C, K) = sum_i Y_ik / s_i^2, `plain` (F, C, K) =
    sum_i Y_ik, `count` = N. `singles` are the Y_ik of the first images that vary at all. `shape` is that of
    the images, (*spatial, C). `squares` (F, C) = sum_i (|mu_i|^2 - s_i^2 / sum_k U_k^2), of the
    amplitudes mu_i of the lines in single images less what the spectrum around them gives by chance; None
    where not kept.
    """

    weight: NDArray[np.float64]
    spectra: NDArray[np.complex128]
    plain: NDArray[np.complex128]
    singles: tuple[NDArray[np.complex128], ...]
    count: int
    shape: tuple[int, ...]
    squares: NDArray[np.float64] | None = None

    @property
    def mean(self) -> NDArray[np.complex128]:
        """(F, C, K) eigencoefficients of the weighted mean of the images."""
        return self.spectra / np.maximum(self.weight, 1e-300)[..., None]

    @property
    def plain_mean(self) -> NDArray[np.complex128]:
        """(F, C, K) eigencoefficients of the mean of the images."""
        return self.plain / max(1, self.count)


def set_sums(arrays: Any, scheme: FrequencyPlan) -> SetSums:
    """Sum a batch (N, *spatial, C) of grey levels, of NumPy or a tensor on any device.

    An image without any variation counts, but weighs nothing.

    Cost: that of the harmonic test of each image, once.
    """
    shape = tuple(arrays.shape[1:])
    sums = np.nan_to_num(scheme.sums)
    energy, freedom = line_energy(scheme.sums)[:, None], line_tapers(scheme.sums)[:, None]
    weight = np.zeros((len(scheme.frequencies), shape[-1]))
    total = np.zeros((*weight.shape, sums.shape[1]), np.complex128)
    plain, squares = np.zeros_like(total), np.zeros_like(weight)
    singles: list[NDArray[np.complex128]] = []
    for start in range(0, len(arrays) if len(weight) else 0, AT_ONCE):
        working, varies = centred(arrays[start : start + AT_ONCE])
        for one, spectra in zip(varies, eigenspectra(working, scheme), strict=True):
            if not one:
                continue
            y = to_numpy(spectra).astype(np.complex128)
            whole = (np.abs(y) ** 2).sum(axis=-1)
            along = np.abs((y * sums[:, None]).sum(axis=-1)) ** 2 / energy
            spread = (whole - along) / (freedom - 1)
            squares += (along - spread) / energy
            # A floor, so that an image that is nothing but lattice does not weigh infinitely.
            spread = np.maximum(spread, 1e-6 * whole.mean() + ROUNDING_POWER)
            weight += 1 / spread
            total += y / spread[..., None]
            plain += y
            if len(singles) < SINGLES:
                singles.append(y)
    return SetSums(weight, total, plain, tuple(singles), len(arrays), shape, squares)


def add(one: SetSums, two: SetSums) -> SetSums:
    """Add the sums of two sets; UncheckError if their images differ in size."""
    if one.shape != two.shape:
        raise UncheckError(
            f"images of shape {two.shape} do not lie on the grid of those of shape {one.shape}; "
            "measure them as sets of their own"
        )
    return SetSums(
        one.weight + two.weight,
        one.spectra + two.spectra,
        one.plain + two.plain,
        (*one.singles, *two.singles)[:SINGLES],
        one.count + two.count,
        one.shape,
        None if one.squares is None or two.squares is None else one.squares + two.squares,
    )


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
    found, _ = spectra_components(sums.mean, scheme, significance)
    nothing = Lattice((), (), scheme.tested, scheme.not_tested, threshold, significance)
    return nothing.holding(found)


def spectra_components(
    spectra: NDArray[np.complex128], scheme: FrequencyPlan, significance: float
) -> tuple[list[Component], LineTests]:
    """Find the significant components of eigencoefficients (F, C, K) at the lines of a plan.

    The strongest is taken out of its neighbours first. Returns the tests of what is left, too.
    """
    found: dict[int, Component] = {}
    lines = line_test(spectra[None], scheme.sums, scheme.real)[0]
    for _ in range(len(scheme.tested) if spectra.any() else 0):
        fresh = [c for p, c in components(lines, scheme, significance).items() if p not in found]
        if not fresh:
            break
        best = max(fresh, key=lambda c: c.lines[0].amplitude)
        found[best.cycle] = best
        if len(fresh) == 1:
            break
        spectra = spectra - _response(scheme, best.lines)
        lines = line_test(spectra[None], scheme.sums, scheme.real)[0]
    return list(found.values()), lines


def share(component: Component, sums: SetSums, scheme: FrequencyPlan) -> float:
    """Return how much of a component another set has, in its phase, as a share of its amplitude."""
    line = max(component.lines, key=lambda line: line.amplitude)
    index = int(np.abs(scheme.frequencies - line.frequency).sum(axis=1).argmin())
    channel = int(np.argmax(line.amplitudes))
    known = scheme.sums[index if len(scheme.sums) > 1 else 0]
    there = np.nansum(sums.mean[index, channel] * known) / np.nansum(known**2)
    own = line.mean[channel]
    return float((there * np.conj(own)).real / abs(own) ** 2) if own else 0.0


def _response(scheme: FrequencyPlan, lines: Sequence[Line]) -> NDArray[np.complex128]:
    """Return the eigencoefficients of some lines together at every frequency of the plan, (F, C, K).

    They are drawn and tested like an output: a long sound has hundreds of lines of many samples.
    """
    drawn = synthesise(Component.of(lines, 0.0), (*scheme.shape, len(lines[0].mean)))
    return np.asarray(to_numpy(eigenspectra(drawn[None], scheme))[0], np.complex128)
