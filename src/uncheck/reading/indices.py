"""Positions that an index picks, and what is left of an axis that they are taken from or put on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import torch
from torch import Tensor

from uncheck.reading.calls import arguments, index_parts, main_input
from uncheck.reading.constants import known
from uncheck.reading.graph import Node, Slot
from uncheck.reading.layout import HELD, MIXED, Atom, Axis, joined

Positions = Sequence[int]


@dataclass(frozen=True)
class Pick:
    """One axis of `x[index]`: the axis of x it comes from, None for a new one, and the positions picked."""

    axis: int | None
    positions: Positions

    @property
    def step(self) -> int:
        """The distance between positions, 1 where it varies or there is one alone."""
        if isinstance(self.positions, range):
            return abs(self.positions.step)
        gaps = {b - a for a, b in zip(self.positions, self.positions[1:], strict=False)}
        return abs(gaps.pop()) if len(gaps) == 1 else 1


def read_picks(node: Node) -> tuple[Pick, ...] | None:
    """Return the axes of `x[index]`, or of `index_select`; None where they are not known."""
    shape = main_input(node).shape
    if node.name == "getitem":
        return read_index(index_parts(node), shape)
    given = arguments(node)
    index, dim = known(given.get("index")), given.get("dim")
    if index is None or not isinstance(dim, int):
        return None
    parts: list[Any] = [slice(None)] * len(shape)
    parts[dim] = given["index"]
    return read_index(tuple(parts), shape)


def read_index(parts: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[Pick, ...] | None:
    """Return the axes of `x[parts]` for an x of this shape; None where an index is not known or is a mask."""
    vectors = [None if isinstance(p, slice | int) or p in (None, Ellipsis) else vector(p) for p in parts]
    used = sum(p is not None and p is not Ellipsis for p in parts)
    picks: list[Pick] = []
    advanced: dict[int, Pick] = {}
    place: int | None = None
    axis = 0
    for part, given in zip(parts, vectors, strict=True):
        if part is Ellipsis:
            for _ in range(len(shape) - used):
                picks.append(Pick(axis, range(shape[axis])))
                axis += 1
        elif part is None:
            picks.append(Pick(None, range(1)))
        elif isinstance(part, bool):
            return None
        elif isinstance(part, int):
            axis += 1
        elif isinstance(part, slice):
            if any(n is not None and not isinstance(n, int) for n in (part.start, part.stop, part.step)):
                return None
            picks.append(Pick(axis, range(*part.indices(shape[axis]))))
            axis += 1
        else:
            if given is None or (advanced and place != len(picks)):
                return None
            values, where = given
            if where in advanced:
                return None
            place = len(picks)
            size = shape[axis]
            advanced[where] = Pick(axis, [v % size for v in values])
            axis += 1
    picks += [Pick(a, range(shape[a])) for a in range(axis, len(shape))]
    if advanced:
        if any(isinstance(part, int) for part in parts):
            return None
        assert place is not None
        picks[place:place] = [advanced[where] for where in sorted(advanced)]
    return tuple(picks)


def vector(part: object) -> tuple[list[int], int] | None:
    """Return the integers of an index that varies along one axis, and that axis: -1 for the last."""
    if isinstance(part, list | tuple | range) and all(isinstance(n, int) for n in part):
        part = Slot(None, (len(part),), torch.tensor(list(part)))
    value = known(part)
    if value is None or value.is_floating_point() or value.dtype == torch.bool or not value.dim():
        return None
    long = [d for d, n in enumerate(value.shape) if n > 1] or [0]
    if len(long) > 1:
        return None
    return value.flatten().tolist(), long[0] - value.dim()


def along(index: Tensor, dim: int) -> list[int] | None:
    """Return the positions that a scatter takes along an axis, where they are the same for all other axes."""
    rows = index.movedim(dim, -1).reshape(-1, index.shape[dim])
    return rows[0].tolist() if torch.equal(rows, rows[:1].expand_as(rows)) else None


def digits(positions: Positions) -> list[tuple[int, int]] | None:
    """Write positions as sums of digits times steps; return (step, size) of each, the outermost first."""
    found: list[tuple[int, int]] = []
    left = list(positions)
    while len(left) > 1:
        step = left[1] - left[0]
        size = 2
        while size < len(left) and left[size] - left[size - 1] == step:
            size += 1
        if len(left) % size:
            return None
        block = [n - left[0] for n in left[:size]]
        if any([n - left[i] for n in left[i : i + size]] != block for i in range(0, len(left), size)):
            return None
        found.append((step, size))
        left = left[::size]
    return found[::-1]


def taken(axis: Axis, positions: Positions) -> Axis | None:
    """Return the axis after taking positions from it; None where atoms cannot say it."""
    size = prod(atom.size for atom in axis)
    if list(positions) == list(range(size)):
        return axis
    found = digits(positions)
    if len(axis) != 1 or found is None or any(step < 0 for step, _ in found):
        return axis if sorted(positions) == list(range(size)) else None  # moved
    atom = axis[0]
    return joined(
        tuple(Atom(atom.axis, step * atom.step, n) if step else Atom(HELD, 0, n) for step, n in found)
    )


def put(axis: Axis, positions: Positions, length: int, kind: int) -> tuple[Axis, bool] | None:
    """Return an axis of `length` after an axis was put on some of its positions.

    Returns:
        The axis, whose other positions are atoms of this kind, and whether its last block is cut off; None
        where atoms cannot say it.
    """
    if length == 1 or list(positions) == list(range(length)):
        return axis, False
    if not axis:
        return (Atom(kind, 0, length),), False
    values = torch.tensor(list(positions)).reshape([atom.size for atom in axis])
    steps = [int(values.select(d, 1).flatten()[0] - values.flatten()[0]) for d in range(len(axis))]
    sums = torch.zeros_like(values)
    for d, step in enumerate(steps):
        shape = [-1 if d == e else 1 for e in range(len(axis))]
        sums = sums + step * torch.arange(axis[d].size).reshape(shape)
    if min(steps) < 1 or not torch.equal(sums + values.flatten()[0], values):
        return None
    order = sorted(range(len(axis)), key=lambda d: -steps[d])
    if order != list(range(len(axis))):
        return None
    count = -(-length // steps[0])
    if count < axis[0].size:
        return None
    atoms = [replace(axis[0], size=count)]
    span, cut = steps[0], length % steps[0] > 0
    for atom, step in zip(axis[1:], steps[1:], strict=True):
        if span % step:
            return None
        if atom.size * step > span:  # overlapping blocks are summed
            atoms.append(Atom(MIXED, 0, span // step))
        elif span % (atom.size * step):
            return None
        else:
            atoms += [Atom(kind, 0, span // (atom.size * step)), atom]
        span = step
    return joined((*atoms, Atom(kind, 0, span))), cut
