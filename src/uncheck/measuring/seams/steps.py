"""How much every line between two rows or columns of a picture stands out of those beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Lines to either side that a line is compared with, times the reach of its steps.
BESIDE = 3

#: Grey levels, for one pixel; below it steps are rounding. Averages over a stretch have less.
FLOOR = 0.25


@dataclass(frozen=True)
class Scale:
    """How steps are taken: between the means of `reach` pixels to either side of a line, and of `stretch`
    pixels along it, whose noise averages out where a step of one block does not.
    """

    reach: int
    stretch: int


#: Sharp steps, and those that are blended over a few pixels.
SCALES = (Scale(1, 8), Scale(4, 32))

#: Rows worked on at a time.
ROWS = 48

#: Stretches of all scales are multiples of this.
POOLED = 8


def pooled(array: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Return the means over stretches of 8 pixels along the lines across `axis`: (stretches, C, length).

    Cost: one pass over the array.
    """
    rows, columns, channels = array.shape
    mean = np.full(POOLED, 1 / POOLED, np.float32)
    if axis == 1:
        kept = array[: rows // POOLED * POOLED].reshape(-1, POOLED, columns * channels)
        return np.ascontiguousarray((mean @ kept).reshape(-1, columns, channels).transpose(0, 2, 1))
    kept = array[:, : columns // POOLED * POOLED].reshape(rows, -1, POOLED * channels)
    each = np.kron(mean[:, None], np.eye(channels, dtype=np.float32))
    return np.ascontiguousarray((kept.reshape(-1, len(each)) @ each).reshape(rows, -1).T).reshape(
        -1, channels, rows
    )


def prominence(means: NDArray[np.float32], scale: Scale) -> NDArray[np.float64]:
    """Return how much each line stands out, between 0 and 1; NaN where it has no neighbours.

    Line n lies between the pixels n - 1 and n. Its step in stretch j and one channel is
    a_j[n] = |mean(x[n : n + r]) - mean(x[n - r : n])|, r the reach, and

        t[n] = mean over j of a_j[n] / (a_j[n] + sum of a_j[n + k r], k = -3 to 3 but 0, less the largest),

    so busy stretches count no more than quiet ones, and no line hides one beside it. If neighbouring lines
    can be exchanged, as in pictures without a grid, all t have the same distribution, whatever the content.

    Args:
        means: (stretches, C, length) of `pooled`.
        scale: reach and stretch.

    Returns:
        t of shape (length,).

    Cost: twenty passes over the means.
    """
    reach, length, more = scale.reach, means.shape[-1], scale.stretch // POOLED
    out = np.full(length, np.nan)
    # Of n lines those too close to a border have no neighbours there.
    first = reach * (1 + BESIDE)
    if length <= 2 * first or len(means) < more:
        return out
    if more > 1:
        means = means[: len(means) // more * more].reshape(-1, more, *means.shape[1:]).mean(axis=1)
    rows = means.reshape(-1, length)
    shares = np.zeros(length - 2 * first + 1)
    # Some rows at a time stay in the cache.
    for start in range(0, len(rows), ROWS):
        shares += _shares(rows[start : start + ROWS], scale)
    out[first : length - first + 1] = shares / len(rows)
    return out


def _shares(rows: NDArray[np.float32], scale: Scale) -> NDArray[np.float64]:
    """Return the sums over rows of the share that each step has of those around it."""
    reach = scale.reach
    steps = step_sizes(rows, reach)
    steps += FLOOR / np.sqrt(scale.stretch)
    count = steps.shape[1] - 2 * BESIDE * reach

    def at(values: NDArray[np.float32], k: int) -> NDArray[np.float32]:
        return values[:, k * reach : k * reach + count]

    # Sums and maxima of two, then of three, serve both sides.
    two = steps[:, :-reach] + steps[:, reach:]
    most = np.maximum(steps[:, :-reach], steps[:, reach:])
    most = np.maximum(most[:, :-reach], steps[:, 2 * reach :])
    total = at(two, 0) + at(two, 2)
    total += at(two, 4)
    total += at(steps, 6)
    total -= np.maximum(at(most, 0), at(most, 4))
    return np.asarray(np.ones(len(rows), np.float32) @ (at(steps, BESIDE) / total), np.float64)


def step_sizes(values: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """Return the steps along the last axis of (S, N): those across the lines `reach` to N - `reach`."""
    if reach == 1:
        return np.abs(np.diff(values, axis=1))
    sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1, dtype=np.float64)
    both = sums[:, 2 * reach :] - 2 * sums[:, reach:-reach] + sums[:, : -2 * reach]
    return np.asarray(np.abs(both) / reach, np.float32)


class Profiles:
    """The mean size of the steps across each line of a picture (H, W, C), made when first asked for.

    Cost: three passes over the array for an axis at a reach of 1, ten above.
    """

    def __init__(self, array: NDArray[np.float32]) -> None:
        self.array = array
        self._known: dict[tuple[int, int], NDArray[np.float64]] = {}

    def __call__(self, axis: int, reach: int) -> NDArray[np.float64]:
        """Return (length,) grey levels, over pixels and channels; lines closer to a border are NaN."""
        if (axis, reach) not in self._known:
            self._known[axis, reach] = _profile(self.array, axis, reach)
        return self._known[axis, reach]


def _profile(array: NDArray[np.float32], axis: int, reach: int) -> NDArray[np.float64]:
    length, channels = array.shape[axis], array.shape[-1]
    out = np.full(length, np.nan)
    if reach > 1:
        rows = np.moveaxis(array, axis, -1).reshape(-1, length)
        out[reach : 1 - reach] = step_sizes(rows, reach).mean(axis=0, dtype=np.float64)
        return out
    steps = np.abs(np.diff(array, axis=axis))
    if axis == 0:
        sums = steps.reshape(length - 1, -1).sum(axis=1, dtype=np.float64)
    else:
        columns = steps.reshape(len(steps), -1).sum(axis=0, dtype=np.float64)
        sums = columns.reshape(-1, channels).sum(axis=1)
    out[1:] = sums / (steps.size // (length - 1))
    return out
