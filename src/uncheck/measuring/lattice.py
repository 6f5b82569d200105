"""The lattice of arrays: its periods, their amplitudes and p-values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import ArrayLike, NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.components import SIGNIFICANCE, VISIBLE, Component, Lattice
from uncheck.measuring.correction import signed_components
from uncheck.measuring.eigenspectra import eigenspectra
from uncheck.measuring.frequencies import ALL_HARMONICS, checked_periods, plan
from uncheck.measuring.harmonic import line_test, to_numpy
from uncheck.measuring.limits import find_limits
from uncheck.measuring.passes import FrequencyPlan
from uncheck.measuring.search import complete, search
from uncheck.measuring.support import Support, restricted
from uncheck.signals.levels import channel_means, not_finite

PERIODS = tuple(range(2, 17))

#: How much stronger than the trace of one sign a lattice of changing sign must be.
CLEARLY = 2

#: Arrays tested at a time on a device other than the processor.
AT_ONCE = 16


def find_lattice(
    array: ArrayLike,
    *,
    periods: Iterable[int] = PERIODS,
    threshold: float = VISIBLE,
    significance: float = SIGNIFICANCE,
    signed: bool = False,
    within: tuple[int, ...] | None = None,
    limits: bool = False,
    support: Support | None = None,
) -> Lattice:
    """Find every period of `periods` that has significant lines at exactly its frequencies.

    Args:
        array: (*spatial, C) in grey levels 0..255, one to three spatial axes, channels last, finite; a NumPy
            array, or a tensor of a library of the array API standard, on any device.
        periods: pixels; those with fewer than three and a half cycles along every axis (two and a half
            in volumes, thirteen and a half in sound) are listed as not tested.
        threshold: grey levels below which a significant component is a trace.
        significance: corrected p-value below which a component counts as there.
        signed: where nothing is present, look for lattices whose sign changes with brightness too.
        within: pixels per axis; only periods that divide it along every axis are tested. None: all.
        limits: say of each period what would have been found (`measuring.limits`).
        support: where the array is measured; outside it is to be smooth (`signals.masks.filled`), and
            amplitudes are those inside. None: all of it.

    Returns:
        A `Lattice`. A period is reported by its own lines only: the harmonics that a period-4 pattern
        has at period 2 are reported as period 2; `attribute_harmonics` lays them to their fundamental.
        Patterns of unequal periods per axis are found where their common multiple is tested, or where
        both periods also show as stripes.

    Raises:
        UncheckError: array not finite, of wrong rank, or shorter than two periods of 2 along every axis;
            a period that is not a whole number of at least 2.

    Cost: for periods 2 to 16 less than decoding the picture from PNG; once more for every period
    found, because what was found is taken out before its neighbours are judged.
    """
    data = _checked(array)
    return find_lattices(
        data[None],
        periods=periods,
        threshold=threshold,
        significance=significance,
        signed=signed,
        within=within,
        limits=limits,
        support=support,
    )[0]


def find_lattices(
    arrays: Any,
    *,
    periods: Iterable[int] = PERIODS,
    threshold: float = VISIBLE,
    significance: float = SIGNIFICANCE,
    signed: bool = False,
    within: tuple[int, ...] | None = None,
    limits: bool = False,
    support: Support | None = None,
) -> list[Lattice]:
    """Test a batch (N, *spatial, C) as `find_lattice` does, together and on the device it is on."""
    periods = checked_periods(periods)
    scheme = plan(tuple(arrays.shape[1:-1]), periods, within=within)
    out = []
    step = 1 if isinstance(arrays, np.ndarray) else AT_ONCE
    for start in range(0, len(arrays), step):
        batch = arrays[start : start + step]
        working, varies = centred(batch)
        spectra = eigenspectra(working, scheme)
        tests = line_test(*restricted(spectra, scheme, support), scheme.real)
        for i, lines in enumerate(tests):
            one = slice(i, i + 1)
            found: list[Component] = []
            rest = lines
            if varies[i]:
                found, rest = search(working[one], spectra[one], lines, scheme, significance, support)
            if signed and varies[i] and not any(c.amplitude >= threshold for c in found):
                alone = {c.cycle: c.amplitude for c in found}
                also = signed_components(working[one], spectra[one], scheme, significance, support)
                least = {p: max(threshold, CLEARLY * alone.get(p, 0.0)) for p in also}
                found += [c for p, c in also.items() if c.amplitude >= least[p]]
            nothing = Lattice((), (), scheme.tested, scheme.not_tested, threshold, significance)
            if limits:
                nothing = replace(nothing, limits=find_limits(rest, scheme, significance))
            out.append(nothing.holding(found))
    return out


def completed(array: NDArray[np.float32], component: Component, scheme: FrequencyPlan) -> Component:
    """Return a component with all of its harmonics, where the plan it was found with had few of them."""
    if component.cycle <= ALL_HARMONICS[array.ndim - 1]:
        return component
    return complete(centred(array[None])[0], component, component.cycle, scheme, None)


def centred(batch: Any) -> tuple[Any, list[bool]]:
    """Take the mean of each channel out of each array, and say which arrays vary at all."""
    if not isinstance(batch, np.ndarray):
        xp = array_namespace(batch)
        axes = tuple(range(1, batch.ndim - 1))
        batch = xp.astype(batch, xp.float32)
        mean = xp.mean(batch, axis=axes, keepdims=True)
        if not bool(xp.all(xp.isfinite(mean))):
            raise not_finite(to_numpy(batch))
        centred = batch - mean
        return centred, [bool(v) for v in xp.max(xp.abs(centred), axis=tuple(range(1, batch.ndim))) > 0]
    # Rows of one channel contiguous, as `folds.planar` wants them.
    out = np.moveaxis(np.empty((*batch.shape[:2], batch.shape[-1], *batch.shape[2:-1]), np.float32), 2, -1)
    varies = []
    for data, centred in zip(batch, out, strict=True):
        mean = channel_means(data).astype(np.float32)
        # The sums are finite whenever all values are (barring overflow), which is much cheaper than a mask.
        if not np.isfinite(mean).all():
            raise not_finite(data)
        planes = np.moveaxis(centred, -1, 1)
        planes[...] = np.moveaxis(data, -1, 1)
        planes -= mean.reshape(-1, *[1] * (data.ndim - 2))
        # Most pictures show in their first row that they vary.
        varies.append(bool(np.ptp(data[0]) > 0 or np.ptp(data) > 0))
    return out, varies


def _checked(array: Any) -> Any:
    data = array
    if isinstance(array, np.ndarray) or not hasattr(array, "detach"):
        data = np.asarray(array, np.float32)
    if not 2 <= data.ndim <= 4:
        raise UncheckError(
            f"expected an array (*spatial, channels) with one to three spatial axes, "
            f"got shape {tuple(data.shape)}"
        )
    if 0 in data.shape:
        raise UncheckError(f"expected numbers, got an array of shape {tuple(data.shape)}")
    if max(data.shape[:-1]) < 4:
        size = " x ".join(map(str, data.shape[:-1]))
        raise UncheckError(
            f"an image of {size} pixels is smaller than two periods of 2; give at least 4 pixels"
        )
    return data
