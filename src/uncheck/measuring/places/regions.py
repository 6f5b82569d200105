"""Connected regions of windows that agree, their amplitudes and their lattice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, binary_dilation, find_objects, label

from uncheck.measuring.components import Component, Line
from uncheck.measuring.places.phasors import Boxes, Scan, typical
from uncheck.measuring.places.places import PeriodMap, Region

#: A window belongs to a region if the amplitude around it is at least this share of the usual one: where a
#: box only touches the region, fewer than half of its windows agree and the amplitude falls.
BELONGS = 0.5

#: Two lines closer than this many cycles per window are told apart only by their strength.
RESOLVED = 2.0


def period_map(
    period: tuple[int, ...],
    local: NDArray[Any],
    lines: Sequence[Line],
    found: Scan,
    shape: tuple[int, int],
    size: int,
    significance: float,
    usual: NDArray[Any] | float = 0.0,
) -> PeriodMap:
    """Map one period and its regions.

    `local` (C, rows, columns, F) are the amplitudes of its lines in all windows of `size` pixels; means of
    lines are measured anew. `found` are the boxes that agree; `usual` (C, 1, 1, F) is what the whole picture
    has, where `found` is the excess over it. `period` counts where nothing is significant.

    Cost: O(16 C rows columns F), eight times over.
    """
    boxes, grid = found.boxes, local.shape[1:3]
    index = boxes.around(grid)
    around = _around(local - usual, lines, boxes)[index]
    p_value = found.p_value[index]
    inside = p_value < significance
    if inside.any():
        inside &= around >= BELONGS * np.median(around[inside])
    inside = _closed(inside, boxes)
    numbered, _ = label(inside, structure=np.ones((3, 3)))
    regions = []
    for number, where in enumerate(find_objects(numbered), 1):
        place = numbered == number
        # Too small a place is measured with the boxes that found it.
        small = 2 * place.sum() < prod(boxes.sides)
        measured = binary_dilation(place, np.ones(boxes.sides)) if small else place
        component = _component(local[:, measured], lines, float(p_value[place].min()))
        rest = ~binary_dilation(place, np.ones(boxes.sides))
        elsewhere = _component(local[:, rest], lines, 1.0).amplitude if rest.any() else 0.0
        regions.append(Region(*_extent(where, place, size, shape), component, elsewhere))
    regions.sort(key=lambda r: -r.component.amplitude)
    return PeriodMap(
        period=regions[0].component.period if regions else period,
        amplitude=around.astype(np.float32),
        p_value=p_value,
        significant=inside,
        window=size,
        stride=size // 2,
        scale=boxes.pixels,
        share=sum(region.share for region in regions),
        regions=tuple(regions),
    )


def _around(local: NDArray[Any], lines: Sequence[Line], boxes: Boxes) -> NDArray[np.float64]:
    """Return the amplitude that most windows of each box agree on, in the channel where it is largest."""
    power: NDArray[np.float64] | float = 0.0
    for i, line in enumerate(lines):
        cut = sliding_window_view(local[..., i], boxes.sides, axis=(1, 2))
        cut = cut[:, :: boxes.steps[0], :: boxes.steps[1]]
        middle = typical(cut.reshape(*cut.shape[:3], -1))
        power = power + (np.abs(middle) * (1 if line.real else 2)) ** 2
    return np.asarray(np.sqrt(np.max(power, axis=0)))


def _closed(inside: NDArray[np.bool_], boxes: Boxes) -> NDArray[np.bool_]:
    """Combine fragments less than half a box apart."""
    reach = [side // 4 for side in boxes.sides]
    padded = np.pad(inside, [(r, r) for r in reach])
    closed = binary_closing(padded, np.ones([2 * r + 1 for r in reach]))
    return np.asarray(closed[tuple(slice(r, r + n) for r, n in zip(reach, inside.shape, strict=True))])


def _component(local: NDArray[Any], lines: Sequence[Line], p_value: float) -> Component:
    """Measure the lattice of some windows (C, windows, F)."""
    made = [replace(line, mean=tuple(map(complex, typical(local[..., i])))) for i, line in enumerate(lines)]
    return _of_lines(made, p_value)


def _of_lines(lines: Sequence[Line], p_value: float) -> Component:
    return Component.of(lines, p_value, [p_value] * len(lines[0].mean))


def _extent(
    where: tuple[slice, ...], inside: NDArray[np.bool_], size: int, shape: tuple[int, int]
) -> tuple[tuple[int, int, int, int], float]:
    """Return bounds in pixels and share of the picture.

    Each window stands for its middle half; windows at the border of the picture reach to it.
    """
    half = size // 2
    ends = [
        np.array([0, *(half * np.arange(1, g) + half // 2), n])
        for n, g in zip(shape, inside.shape, strict=True)
    ]
    heights, widths = (np.diff(e) for e in ends)
    y, x = ((int(e[w.start]), int(e[w.stop])) for e, w in zip(ends, where, strict=True))
    share = float(heights @ inside @ widths) / (shape[0] * shape[1])
    return (y[0], x[0], y[1], x[1]), share


def without_leakage(maps: Sequence[PeriodMap]) -> list[PeriodMap]:
    """Remove the leakage of stronger maps into weaker ones, and merge harmonics into their fundamental.

    In a place that a stronger map also has, a weaker line within two cycles per window of one of its lines
    is taken for its leakage; what then remains of a period that divides the stronger one is its harmonic.
    """
    ordered = sorted((m for m in maps if m.regions), key=lambda m: -m.regions[0].component.amplitude)
    kept: list[PeriodMap] = []
    for one in ordered:
        regions = list(_own(one, kept))
        if regions:
            left = np.zeros_like(one.significant)
            for region in regions:
                left |= one.significant & _within(one, region.box)
            share = min(one.share, sum(region.share for region in regions))
            kept.append(replace(one, significant=left, share=share, regions=tuple(regions)))
    return [*kept, *(m for m in maps if not m.regions)]


def _own(one: PeriodMap, stronger: list[PeriodMap]) -> Iterator[Region]:
    for region in one.regions:
        lines, merged = list(region.component.lines), False
        for index, other in enumerate(stronger):
            host = _host(one, region, other)
            if host is None:
                continue
            limit = RESOLVED / one.window
            lines = [a for a in lines if not any(_leaks(a, b, limit) for b in host.component.lines)]
            if lines and region.component.divides(host.component):
                grown = host.component.with_harmonic(_of_lines(lines, region.component.p_value))
                hosts = tuple(replace(h, component=grown) if h is host else h for h in other.regions)
                stronger[index], merged = replace(other, regions=hosts), True
                break
        if lines and not merged:
            yield replace(region, component=_of_lines(lines, region.component.p_value))


def _host(one: PeriodMap, region: Region, other: PeriodMap) -> Region | None:
    """Return the stronger region of another map that holds most of this one."""
    inside = np.argwhere(one.significant & _within(one, region.box))
    centres = (inside + 1) * one.stride
    index = np.clip(np.rint(centres / other.stride).astype(int) - 1, 0, np.array(other.significant.shape) - 1)
    if 2 * other.significant[tuple(index.T)].sum() <= len(inside):
        return None
    y, x = centres.mean(axis=0)
    near = [r for r in other.regions if r.box[0] <= y <= r.box[2] and r.box[1] <= x <= r.box[3]]
    return next((r for r in near if r.component.amplitude >= region.component.amplitude), None)


def _within(one: PeriodMap, box: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """Test which windows are centred in a box of pixels."""
    y, x = ((np.arange(n) + 1) * one.stride for n in one.significant.shape)
    inside = ((y >= box[0]) & (y < box[2]))[:, None] & ((x >= box[1]) & (x < box[3]))
    return np.asarray(inside, np.bool_)


def _leaks(weak: Line, strong: Line, limit: float) -> bool:
    if weak.frequency == strong.frequency or weak.amplitude > strong.amplitude:
        return False
    difference = np.subtract(weak.frequency, strong.frequency)
    total = np.add(weak.frequency, strong.frequency)
    return any(bool((np.abs(d - np.rint(d)) < limit).all()) for d in (difference, total))
