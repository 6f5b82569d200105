"""Cycle spinning: the mean of a network over shifts of its input by less than one lattice period."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.reading.tensors import replace_tensors, tensors_in

Shifts = tuple[tuple[int, ...], ...]

#: Most sets of shifts that are all compared.
MOST_SETS = 10_000


class CycleSpin(nn.Module):
    """The mean of a network over shifts of its input, each shifted back:  y = mean_t S_-t f(S_t x).

    All shifts of a period remove the lattice-locked part exactly and keep content that moves with the input.
    S_t continues the input by reflection, t pixels in front and margin - t behind: all runs have one size,
    and a multiple of the period stays one.

    All tensors of the input's spatial size are shifted, others are passed on; outputs of the same rate (also
    those that lost a border) are shifted back and averaged, other numbers averaged. Of integers other than
    uint8, which is rounded, the first run's are returned: labels have no mean.

    Args:
        network: output pixels match input pixels.
        shifts: input pixels, one per spatial axis, 0 to margin; `full_shifts` or `few_shifts`.
        batch: shifts that run in one call, stacked; 1 for networks whose output depends on the batch.
        margin: pixels by which each axis grows; a multiple of the period, and of what the network's sizes
            must be divisible by. Default: the largest shift and one.

    Raises:
        UncheckError: shifts that are no such pixels; a batch below 1.

    Cost: that of the network, len(shifts) times; `batch` times its memory.
    Source: Coifman and Donoho, "Translation-invariant de-noising", 1995.

    >>> grid = torch.tensor([1.0, -1.0]).repeat(4)
    >>> class Gridded(nn.Module):
    ...     def forward(self, x):
    ...         return x + grid.repeat(2)[: x.shape[-1]]
    >>> CycleSpin(Gridded(), full_shifts((2,)))(torch.zeros(1, 1, 8)).tolist()
    [[[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]]
    """

    def __init__(
        self, network: nn.Module, shifts: Shifts, batch: int = 1, margin: tuple[int, ...] | None = None
    ) -> None:
        super().__init__()
        largest = [max(each) for each in zip(*shifts, strict=True)] if shifts else []
        margin = tuple(most + 1 for most in largest) if margin is None else tuple(margin)
        if not largest or len(margin) != len(largest) or min(min(t) for t in shifts) < 0 or batch < 1:
            raise UncheckError(
                f"CycleSpin takes shifts of 0 or more pixels per axis and a batch, not {shifts}"
            )
        if any(most > room for most, room in zip(largest, margin, strict=True)):
            raise UncheckError(f"CycleSpin: a margin of {margin} pixels has no room for shifts by {largest}")
        self.network = network
        self.shifts, self.batch, self.margin = tuple(map(tuple, shifts)), batch, margin
        self.training = network.training  # its submodules keep the modes they have

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Return the mean, in the network's own structure of outputs."""
        size, rows, batch = self._plan((inputs, kwargs))
        share = 1 / len(self.shifts)
        first: Any = None
        mean: Any = None
        for start in range(0, len(self.shifts), batch):
            chosen = self.shifts[start : start + batch]
            ahead = partial(self._ahead, size=size, rows=rows, shifts=chosen)
            args, named = replace_tensors((inputs, kwargs), ahead)
            output = self.network(*args, **named)
            for index, shift in enumerate(chosen):
                own = (len(chosen) * rows, slice(index * rows, (index + 1) * rows))
                part = replace_tensors(output, partial(self._back, size=size, shift=shift, own=own))
                term = replace_tensors(part, lambda y: _wide(y) * share if _averaged(y) else y)
                if mean is None:
                    first, mean = part, term
                else:
                    mean = replace_tensors(part, lambda y, m, t: m + t if _averaged(y) else m, mean, term)
        return replace_tensors(mean, _as, first)

    def _plan(self, given: Any) -> tuple[tuple[int, ...], int, int]:
        """Return the spatial size of the first map, its batch size, and how many shifts run at a time."""
        n = len(self.margin)
        spatial = [x for x in tensors_in(given) if x.dim() > n]
        if not spatial:
            raise UncheckError(
                f"cycle spinning needs an input with {n} spatial axes to shift: this one is driven by codes"
            )
        first = spatial[0]
        last = first.dim() == n + 2 and n > 1 and first.shape[-1] in (1, 3, 4) and first.shape[1] > 4
        size = tuple(first.shape[1 : 1 + n] if last else first.shape[-n:])
        maps = [x for x in tensors_in(given) if _axis(x, size) is not None]
        stacks = all(x.dim() == n + 2 and _rows(x) == _rows(first) for x in maps)
        return size, _rows(first), self.batch if stacks else 1

    def _ahead(self, x: Tensor, size: tuple[int, ...], rows: int, shifts: Shifts) -> Tensor:
        axis = _axis(x, size)
        if axis is not None:
            return torch.cat([_shifted(x, axis, t, self.margin) for t in shifts])
        return torch.cat([x] * len(shifts)) if _rows(x) == rows and len(shifts) > 1 else x

    def _back(
        self, y: Tensor, size: tuple[int, ...], shift: tuple[int, ...], own: tuple[int, slice]
    ) -> Tensor:
        if _rows(y) == own[0]:
            y = y[own[1]]
        axis = _axis(y, tuple(n + room for n, room in zip(size, self.margin, strict=True)), 0.25)
        if axis is not None:
            for a, (t, room) in enumerate(zip(shift, self.margin, strict=True)):
                y = y.narrow(axis + a, t, y.shape[axis + a] - room)
        return y

    def extra_repr(self) -> str:
        """Name how many shifts, and by how much."""
        return f"shifts={len(self.shifts)}, margin={self.margin}, batch={self.batch}"


def full_shifts(period: tuple[int, ...]) -> Shifts:
    """Return all shifts within a period, pixels per axis: prod(period) of them, (0, ...) first."""
    return tuple(itertools.product(*(range(s) for s in period)))


def usual_strength(period: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the strengths expected of an unknown lattice, shape `period`; 1 along an axis.

    Falls by 3 with every further axis along which they vary, as the overlaps of kernel 3 at stride 2 do.
    """
    varies = sum(np.meshgrid(*(np.arange(s) > 0 for s in period), indexing="ij"), np.zeros(period))
    return np.asarray(3.0 ** (1 - np.maximum(varies, 1)))


def few_shifts(period: tuple[int, ...], count: int, strength: NDArray[np.floating] | None = None) -> Shifts:
    """Return the `count` shifts that leave least of the lattice:  min sum_f strength_f^2 left_f^2.

    Fewer than all shifts always leave something: sum_f left_f^2 = prod(period) / count. All sets are tried
    where there are at most 10000; else, from each rank-one rule i z mod period, shifts are exchanged while
    that helps.

    Args:
        period: pixels per axis.
        count: 1 to prod(period).
        strength: of each lattice frequency, of shape `period`. Default: `usual_strength`.

    Raises:
        UncheckError: a count outside that, or a strength of another shape.

    Cost: prod(period)^2 operations for each set, or prod(period)^2 * count for each round of exchanges.
    """
    points = full_shifts(period)
    if not 1 <= count <= len(points):
        raise UncheckError(f"few_shifts: a period of {period} has 1 to {len(points)} shifts, not {count}")
    if strength is None:
        strength = usual_strength(period)
    if np.shape(strength) != tuple(period):
        raise UncheckError(f"few_shifts: the strength must have shape {period}, not {np.shape(strength)}")
    weight = np.asarray(strength, np.float64).ravel().copy()
    weight[0] = 0.0
    # waves[t, f], weighted, so that the squared norm of a sum of rows is what that set leaves
    grid = np.asarray(points) / np.asarray(period)
    waves = np.exp(2j * np.pi * grid @ np.asarray(points).T) * weight
    if math.comb(len(points) - 1, count - 1) <= MOST_SETS:
        # moving all shifts together changes nothing, so the first may stay
        rest = list(itertools.combinations(range(1, len(points)), count - 1))
        rows = np.zeros((len(rest), len(points)))
        np.put_along_axis(rows, np.asarray(rest, np.intp).reshape(len(rest), -1), 1.0, axis=1)
        rows[:, 0] = 1.0
        # of equal ones the first, which rounding must not decide
        best = np.flatnonzero(rows[int(np.round(_energy(rows @ waves), 9).argmin())])
    else:
        sets = [_exchanged(rule, waves) for rule in _rules(period, count)]
        best = np.asarray(min(sets, key=lambda rows: float(_energy(waves[rows].sum(0)))))
    return tuple(points[row] for row in sorted(best))


def _exchanged(chosen: list[int], waves: NDArray[np.complex128]) -> list[int]:
    """Exchange one shift at a time for the best other one, until none is better."""
    chosen, least = list(chosen), float(_energy(waves[chosen].sum(0)))
    improved = True
    while improved:
        improved = False
        for place in range(1, len(chosen)):
            energies = _energy(waves[chosen].sum(0) - waves[chosen[place]] + waves)
            energies[chosen] = np.inf
            best = int(energies.argmin())
            if energies[best] < least * (1 - 1e-9) - 1e-12:
                chosen[place], least, improved = best, float(energies[best]), True
    return chosen


def _rules(period: tuple[int, ...], count: int) -> Iterator[list[int]]:
    """Yield sets of distinct shifts i z mod period, as rows of `full_shifts`."""
    yield list(range(count))
    for z in full_shifts(period):
        rows = [int(np.ravel_multi_index([i * a % s for a, s in zip(z, period, strict=True)], period))
                for i in range(count)]  # fmt: skip
        if len(set(rows)) == count:
            yield rows


def _energy(sums: NDArray[np.complex128]) -> NDArray[np.float64]:
    return np.asarray((np.abs(sums) ** 2).sum(-1))


def _axis(x: Tensor, size: tuple[int, ...], slack: float = 0.0) -> int | None:
    """Return where the spatial axes of this size (within that share) begin: last, or before the channels."""
    n = len(size)
    for first in (x.dim() - n, 1):
        if 0 <= first <= x.dim() - n and (first == x.dim() - n or x.dim() == n + 2):
            there = x.shape[first : first + n]
            if all(abs(a - b) <= slack * b for a, b in zip(there, size, strict=True)):
                return first
    return None


def _shifted(x: Tensor, axis: int, shift: tuple[int, ...], margin: tuple[int, ...]) -> Tensor:
    """Continue by reflection, `shift` pixels in front and the rest of `margin` behind; short sides repeat."""
    for a, (t, room) in enumerate(zip(shift, margin, strict=True)):
        n = x.shape[axis + a]
        index = torch.arange(-t, n + room - t, device=x.device).abs()
        index = (n - 1 - (n - 1 - index).abs()).clamp(min=0)
        x = x.index_select(axis + a, index)
    return x


def _rows(x: Tensor) -> int:
    return x.shape[0] if x.dim() else 0


def _averaged(y: Tensor) -> bool:
    return y.is_floating_point() or y.is_complex() or y.dtype == torch.uint8


def _wide(y: Tensor) -> Tensor:
    return y.float() if y.dtype in (torch.float16, torch.bfloat16, torch.uint8) else y


def _as(mean: Tensor, like: Tensor) -> Tensor:
    return mean.round().to(like.dtype) if like.dtype == torch.uint8 else mean.to(like.dtype)
