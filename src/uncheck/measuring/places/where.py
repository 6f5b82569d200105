"""The map of a lattice: places in a picture where windows agree on the phase of its lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.coherence import inside
from uncheck.measuring.components import SIGNIFICANCE, VISIBLE, Component, Lattice, Line
from uncheck.measuring.correction import line_of
from uncheck.measuring.frequencies import checked_periods, plan
from uncheck.measuring.lattice import PERIODS
from uncheck.measuring.places.phasors import (
    FEWEST,
    PhasorLines,
    agreement,
    phasors,
    scan,
    typical,
    window_size,
    windowed,
)
from uncheck.measuring.places.places import LOCAL, LocalMap, PeriodMap, Region
from uncheck.measuring.places.regions import period_map, without_leakage
from uncheck.measuring.support import Support
from uncheck.signals.levels import check_finite


def local_map(
    array: ArrayLike,
    *,
    periods: Iterable[int] = PERIODS,
    window: int | None = None,
    significance: float = SIGNIFICANCE,
    threshold: float = VISIBLE,
    components: Sequence[Component] | None = None,
    support: Support | None = None,
) -> LocalMap:
    """Map where in a picture each period of a lattice is, also where it fills only a part of it.

    Every line is demodulated in half-overlapping Hann windows, channels decorrelated; u_w is the phase of
    window w. A box of n independent windows agrees by chance with p = exp(-n |mean u|^2) (erfc for a real
    line). Boxes of 64, 128 and 256 pixels all over the picture are tested, each by the smallest p of its
    lines and channels and by Fisher's sum of logarithms. Bonferroni corrects for lines, channels, boxes,
    scales and periods (with shares that go as 1/P^2), so `significance` holds for the whole map. Each period
    is mapped at the smallest scale at which it is found.

    Args:
        array: (H, W, C) grey levels 0..255, or (H, W).
        periods: pixels, 2 to 64; those too long for the picture are listed as not tested.
        window: side of the windows, pixels, even; by the period if None: 16 to period 4, 32 to 16, ...
        significance: corrected p-value below which a box has a lattice.
        threshold: grey levels below which a region's lattice does not count as present.
        components: map these, from the test of the whole picture, instead of looking for periods.
        support: where the picture is measured; windows beside it have no phase.

    Returns:
        A `LocalMap`; moving the picture against the grid of windows moves the map with it.

    Raises:
        UncheckError: not a picture, not finite, or smaller than four windows by four.

    Cost: 25 to 45 times `find_lattice` for periods 2 to 16 (0.2 to 0.4 s at 768 x 512); memory of about five
    float32 copies of the picture.
    """
    data = _checked(array)
    shape = (data.shape[0], data.shape[1])
    if window is not None and (window < 8 or window % 2):
        raise UncheckError(f"window {window} is not possible; give an even number of pixels, at least 8")
    wanted = checked_periods(periods)
    if components is not None:
        wanted = tuple(sorted({c.cycle for c in components}))
    sizes = {p: window or window_size(p) for p in wanted}
    fits = [p for p in wanted if min(shape) >= (FEWEST + 1) * sizes[p] // 2 and 2 * p <= sizes[p]]
    if wanted and not fits:
        least = (FEWEST + 1) * min(sizes.values()) // 2
        raise UncheckError(
            f"a picture of {shape[0]} x {shape[1]} pixels is too small for a local map; it needs at least "
            f"{least} x {least}, and windows of two periods"
        )
    planes = np.ascontiguousarray(np.moveaxis(data, -1, 0))
    total = sum(1 / p**2 for p in fits)
    maps = []
    for family in _families(shape, fits) if components is None else _given(components, fits):
        weight = total * family.period**2 if components is None else 1.0
        size = sizes[family.period]
        known = None if support is None else inside(support, size)
        made = _mapped(planes, family, size, weight, significance, components is not None, known)
        if made is not None:
            maps.append(made)
    if components is None:
        maps = without_leakage(maps)
    left = tuple(p for p in wanted if p not in fits)
    grey = np.clip(np.rint(planes[:3].mean(axis=0)), 0, 255).astype(np.uint8)
    return LocalMap(shape, tuple(maps), tuple(fits), left, threshold, significance, grey)


@dataclass(frozen=True)
class _Family:
    """The lines of one period, ascending in their first frequency; `place` is the period per axis."""

    period: int
    place: tuple[int, ...]
    lines: tuple[Line, ...]


def _mapped(
    planes: NDArray[np.float32],
    family: _Family,
    size: int,
    tried: float,
    significance: float,
    always: bool,
    known: NDArray[np.bool_] | None,
) -> PeriodMap | None:
    """Map one period; None if it is nowhere significant, unless `always`."""
    frequencies = np.array([line.frequency for line in family.lines])
    lines = PhasorLines(frequencies, np.array([line.real for line in family.lines]))
    local = windowed(planes, frequencies, size)
    if known is not None:
        local[:, ~known] = 0
    found = scan(local.copy(), lines, size, 2 * tried, significance)
    if found.p_value.min() >= significance and not always:
        return None
    # All lines that the windows found agree on, together or in one box.
    where = found.p_value[found.boxes.around(local.shape[1:3])] < significance
    together = agreement(phasors(local.copy(), lines.real)[:, where].sum(axis=1), where.sum(), lines)
    p_lines = np.minimum(found.p_lines, together.size * np.exp(-together.max(axis=0).astype(float)))
    keep = (p_lines < significance) | (p_lines == p_lines.min()) | always
    kept = [replace(a, p_value=float(p)) for a, p, k in zip(family.lines, p_lines, keep, strict=True) if k]
    local, lines = local[..., keep], PhasorLines(frequencies[keep], lines.real[keep])
    shape = (planes.shape[1], planes.shape[2])
    whole = period_map(family.place, local, kept, found, shape, size, significance)
    # A trace of the camera may be all over the picture: is there more of it somewhere?
    usual = np.stack([typical(local[..., i].reshape(len(local), -1)) for i in range(len(kept))], axis=-1)
    usual = usual[:, None, None]
    excess = scan((local - usual).astype(np.complex64), lines, size, 2 * tried, significance)
    more = period_map(family.place, local, kept, excess, shape, size, significance, usual)
    fresh = [r for r in more.regions if r.share <= LOCAL and all(_adds(r, known) for known in whole.regions)]
    ordered = sorted((*whole.regions, *fresh), key=lambda r: -r.component.amplitude)
    return replace(whole, regions=tuple(ordered))


def _adds(region: Region, known: Region) -> bool:
    """Test whether a region says more than a known one: it lies elsewhere, or is twice as strong."""
    y, x = ((region.box[i] + region.box[i + 2]) / 2 for i in (0, 1))
    inside = known.box[0] <= y < known.box[2] and known.box[1] <= x < known.box[3]
    return not inside or region.component.amplitude >= 2 * known.component.amplitude


def _families(shape: tuple[int, int], periods: Sequence[int]) -> list[_Family]:
    scheme = plan(shape, periods)
    out = []
    for period in scheme.tested:
        lines = [line_of(scheme, int(i)) for i in np.flatnonzero(scheme.family == period)]
        if lines:
            lines.sort(key=lambda line: line.frequency)
            out.append(_Family(period, (period, period), tuple(lines)))
    return out


def _given(components: Sequence[Component], fits: Sequence[int]) -> list[_Family]:
    out = []
    for component in components:
        period = component.cycle
        if period in fits:
            lines = tuple(sorted(component.lines, key=lambda line: line.frequency))
            out.append(_Family(period, component.period, lines))
    return out


def _checked(array: ArrayLike) -> NDArray[np.float32]:
    data = np.asarray(array, np.float32)
    if data.ndim == 2:
        data = data[..., None]
    if data.ndim != 3:
        raise UncheckError(
            f"a local map needs a picture (rows, columns, channels); got an array of {data.ndim} axes"
        )
    check_finite(data)
    return data


def locate(
    array: ArrayLike,
    found: Lattice,
    *,
    periods: Iterable[int] = PERIODS,
    significance: float = SIGNIFICANCE,
    support: Support | None = None,
) -> tuple[Lattice, LocalMap]:
    """Add local lattices that the test of the whole picture missed, and map all of them.

    The error rate is shared: `significance` is the half of the windows, `found` had the other one.

    Returns:
        The lattice: a place counts if it is at least `found.threshold` strong, five times as strong as the
        rest of the picture, and no component present has its period. And the map: what was present in the
        whole picture but in no window of its own is mapped by its lines.

    Raises:
        UncheckError: as `local_map`.
    """
    mapped_at = partial(
        local_map, array, significance=significance, threshold=found.threshold, support=support
    )
    places = mapped_at(periods=periods)
    fresh: list[Component] = []
    for component in places.present:
        # The strongest place speaks for its period, and for those that it is a multiple of.
        if not any(component.divides(known) for known in (*found.present, *fresh)):
            fresh.append(component)
    if fresh:
        traces = tuple(t for t in found.traces if not any(t.divides(c) for c in fresh))
        present = tuple(sorted((*found.present, *fresh), key=lambda c: -c.amplitude))
        found = replace(found, present=present, traces=traces)
    mapped = [m.period for m in places.maps]
    rest = [c for c in found.present if c.period not in mapped and max(c.period) in places.periods]
    if rest:
        more = mapped_at(components=rest)
        places = replace(places, maps=(*places.maps, *more.maps))
    return found, places
