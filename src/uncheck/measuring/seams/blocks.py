"""Blocks: patches and tiles that do not quite fit, found by the steps between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.components import SIGNIFICANCE, VISIBLE
from uncheck.measuring.seams.grids import (
    Grid,
    find_grid,
    is_isolated,
    normal_scores,
    on_grid,
    standing,
)
from uncheck.measuring.seams.steps import BESIDE, SCALES, Profiles, Scale, pooled, prominence
from uncheck.plain import Brief

Floats = NDArray[np.float64]

#: Grids looked for at each scale.
MOST = 4

#: Periods up to which the steps of interpolation cannot be told by how they vary with the place, as there
#: are but two to six; those of blocks are then so many times those elsewhere (interpolated photographs: at
#: most 2.0, but where their own detail is below one level).
SHORT = 6
LARGER = 2.5

#: z below which the lines of a shorter period are not there without those of a longer one.
BY_ITSELF = 2.0

#: Periods up to which what repeats with them is taken out, where it is no blocks, to look for others.
EVENED = 16


@dataclass(frozen=True)
class Blocks(Brief):
    """Steps across the lines of a grid.

    Attributes:
        period: pixels from line to line per axis, 1 where no lines cross it.
        offset: the first pixel of a block per axis, from 0 to the period less 1.
        amplitude: grey levels, the mean step across the lines less that across the lines beside them.
        p_value: corrected for all periods, offsets, axes and scales tried.
        ratio: mean step across the lines over that beside them.
        reach: pixels to either side between whose means the step is taken.
        beneath: period at which interpolation made the steps uneven, 1 if it did not.
    """

    period: tuple[int, int]
    offset: tuple[int, int]
    amplitude: float
    p_value: float
    ratio: float = field(default=1.0, repr=False)
    reach: int = field(default=1, repr=False)
    beneath: int = field(default=1, repr=False)

    def moved(self, start: tuple[int, ...]) -> Blocks:
        """Return the same in an array that begins `start` pixels before."""
        offset = [(o + s) % p for o, s, p in zip(self.offset, start, self.period, strict=True)]
        return replace(self, offset=(offset[0], offset[1]))

    def __str__(self) -> str:
        period = "x".join(map(str, self.period))
        return f"blocks of {period} {self.amplitude:.2f} levels (p = {self.p_value:.1g})"

    def to_dict(self) -> dict[str, Any]:
        """Return `period`, `offset`, `amplitude` and `p_value`, ready for JSON."""
        return {
            "period": list(self.period),
            "offset": list(self.offset),
            "amplitude": self.amplitude,
            "p_value": self.p_value,
        }


def find_blocks(
    array: NDArray[np.float32], *, threshold: float = VISIBLE, significance: float = SIGNIFICANCE
) -> tuple[Blocks, ...]:
    """Find grids whose lines have larger steps across them than other lines, strongest first.

    >>> rng = np.random.default_rng(0)
    >>> patches = np.kron(rng.normal(0, 4, (8, 8)), np.ones((16, 16)))
    >>> picture = (rng.normal(128, 3, (128, 128)) + patches).astype(np.float32)[..., None]
    >>> [(one.period, one.offset) for one in find_blocks(picture)]
    [((16, 16), (0, 0))]

    Every line is ranked by how much its steps exceed those beside it (`prominence`), and the ranks are summed
    over the lines of every grid (`find_grid`). Lines of a grid are searched for a longer period in them, the
    others for further grids. What varies smoothly with the place between two samples, as interpolation leaves
    it, is no grid.

    Args:
        array: (H, W, C) grey levels.
        threshold: grey levels from which a grid counts.
        significance: corrected p-value below which it is there.

    Returns:
        Grids of periods 2 to 256, both axes of one grid in one entry.

    Cost: two passes over the picture and 10 ms when nothing is found; five passes and 10 ms for each grid.
    """
    if array.ndim != 3:
        return ()
    found: list[Blocks] = []
    profiles = Profiles(array)
    means = [pooled(array, axis) for axis in (0, 1)]
    for scale in SCALES:
        heights = [prominence(one, scale) for one in means]
        for one in found:
            # A sharp step shows from farther, too.
            starts = [o if p > 1 else None for p, o in zip(one.period, one.offset, strict=True)]
            heights = _without(heights, max(one.period), starts, scale.reach)
        found += _search(profiles, heights, scale, significance / len(SCALES))
    return tuple(sorted((one for one in found if one.amplitude >= threshold), key=lambda one: -one.amplitude))


def _search(profiles: Profiles, heights: list[Floats], scale: Scale, significance: float) -> list[Blocks]:
    """Find grids one after the other, each without the lines of those before it."""
    found: list[Blocks] = []
    beneath = 1
    for _ in range(MOST):
        grid = find_grid(heights, reach=scale.reach)
        if grid is None or grid.p_value >= significance:
            break
        while (longer := _longest(heights, grid, scale, significance)) != grid:
            grid = longer
        one = _measured(profiles, grid, scale)
        alone = is_isolated(heights, grid, scale.reach)
        if alone and (grid.period > SHORT or one.ratio >= LARGER):
            found.append(one)
            heights = _without(heights, grid.period, grid.offset, scale.reach)
        elif grid.period <= EVENED:
            heights = [_evened(values, grid.period) for values in heights]
            beneath = lcm(beneath, grid.period)
        else:
            break
    return [replace(one, beneath=beneath) for one in found]


def _longest(heights: list[Floats], grid: Grid, scale: Scale, significance: float) -> Grid:
    """Return a grid of a multiple of the period, where its lines stand out of the rest, or that not at all.

    A shorter one is found again if it is there without the lines of the longer.
    """
    inside = [
        np.where(on_grid(len(values), grid.period, start), values, np.nan)
        for values, start in zip(heights, grid.offset, strict=True)
    ]
    longer = find_grid(inside, reach=scale.reach, parent=grid.period)
    if longer is None:
        return grid
    if longer.p_value < significance:
        return longer
    both = all((a is None) == (b is None) for a, b in zip(grid.offset, longer.offset, strict=True))
    left = _without(heights, longer.period, longer.offset, scale.reach)
    if both and standing(left, grid) < BY_ITSELF:
        return replace(longer, p_value=grid.p_value)
    return grid


def _without(
    heights: Sequence[Floats], period: int, offset: Sequence[int | None], reach: int
) -> list[Floats]:
    """Hide the lines of a grid, and those that were compared with them where others remain."""
    far = BESIDE * reach
    near = range(-far, far + 1) if period > 2 * far + 1 else range(1 - reach, reach)
    return [
        np.where(np.any([on_grid(len(values), period, start, by) for by in near], axis=0), np.nan, values)
        for values, start in zip(heights, offset, strict=True)
    ]


def _evened(values: Floats, period: int) -> Floats:
    """Return the ranks of the lines among those of the same offset, so that no offset stands out."""
    out = np.empty_like(values)
    for start in range(period):
        out[start::period] = normal_scores(values[start::period])
    return out


def _measured(profiles: Profiles, grid: Grid, scale: Scale) -> Blocks:
    rows, columns = grid.offset
    blocks = Blocks(
        (1 if rows is None else grid.period, 1 if columns is None else grid.period),
        (rows or 0, columns or 0),
        0.0,
        grid.p_value,
        reach=scale.reach,
    )
    amplitude, ratio = excess(profiles, blocks)
    return replace(blocks, amplitude=amplitude, ratio=ratio)


def excess(profiles: Profiles, blocks: Blocks) -> tuple[float, float]:
    """Return by how many grey levels steps across the lines exceed those beside them, and how many times.

    Beside a line are those up to three times the reach away, whatever is a multiple of the period left out.

    Cost: that of the profiles.
    """
    own, beside = [], []
    for axis, (period, offset) in enumerate(zip(blocks.period, blocks.offset, strict=True)):
        if period == 1:
            continue
        profile = profiles(axis, blocks.reach)
        near = [k * blocks.reach for k in range(-BESIDE, BESIDE + 1) if k * blocks.reach % period]
        lines = np.arange(offset, len(profile), period)
        reached = lines[:, None] + np.array(near)
        inside = (reached >= 0) & (reached < len(profile))
        around = np.where(inside, profile[reached.clip(0, len(profile) - 1)], np.nan).mean(axis=1)
        whole = np.isfinite(around) & np.isfinite(profile[lines])
        own.append(profile[lines][whole])
        beside.append(around[whole])
    steps, others = (np.concatenate(one) for one in (own, beside))
    if not len(steps):
        return 0.0, 1.0
    step, other = float(steps.mean()), float(others.mean())
    return step - other, step / max(other, 1e-6)
