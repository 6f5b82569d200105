"""Grids: where positions are in a tensor, and the period of a lattice on them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import takewhile
from math import gcd, prod

from uncheck.reading.layout import Atom, Axis, Layout

CHANNEL = -2
"""The axis of atoms that are channels."""

OTHER = -3
"""The axis of atoms that are no part of the grid and no channels, such as stacked frames."""


@dataclass(frozen=True)
class Grid:
    """Where the positions of a grid are in a tensor, and the period of a lattice on it.

    Attributes:
        layout: the tensor's axes in atoms; axes 0, 1, ... are the axes of the grid.
        periods: of the lattice, in positions of the grid, per axis; 1 where none is left.
        unread: by how much an axis of the grid was enlarged that nothing accounts for: channels became
            positions, without a stage.
    """

    layout: Layout
    periods: tuple[int, ...]
    unread: tuple[Fraction, ...] = ()

    @property
    def dims(self) -> tuple[int, ...]:
        """The tensor axes that hold positions of the grid."""
        return tuple(d for d, axis in enumerate(self.layout) if any(atom.axis >= 0 for atom in axis))


def new_axis(axis: int, size: int) -> Axis:
    """Return an axis of a tensor that is one run of positions."""
    return (Atom(axis, 1, size),) if size > 1 else ()


def settled(grid: Grid, dims: Iterable[int]) -> Grid | None:
    """Return the grid with phases merged into positions along `dims`; None where they cannot be."""
    periods, unread = list(grid.periods), list(grid.unread)
    layout = list(grid.layout)
    for dim in dims:
        axis = layout[dim]
        if not axis or all(atom.axis < 0 for atom in axis):
            continue
        first = axis[0]
        lead = len(list(takewhile(lambda atom, first=first: atom.axis == first.axis, axis)))  # type: ignore[misc]
        if first.axis < 0 or lead > 1 or any(atom.axis >= 0 for atom in axis[1:]):
            return None
        phases = prod(atom.size for atom in axis[1:])
        left = periods[first.axis] // gcd(periods[first.axis], first.step)
        periods[first.axis] = left * phases if left > 1 else 1
        if unread:
            unread[first.axis] *= enlarged_by(axis)
        layout[dim] = new_axis(first.axis, first.size * phases)
    return Grid(tuple(layout), tuple(periods), tuple(unread))


def enlarged_by(axis: Axis) -> Fraction:
    """Return how much longer phases make an axis; taking every other position and filling in does not."""
    return max(Fraction(1), Fraction(prod(atom.size for atom in axis[1:]), axis[0].step))


def split(grid: Grid) -> Grid:
    """Return the grid with a tensor axis for each run of positions: (N, H W, C) as (N, H, W, C)."""
    return replace(grid, layout=tuple(part for axis in grid.layout for part in parts(axis)))


def parts(axis: Axis) -> tuple[Axis, ...]:
    """Split an axis before each atom that starts an axis of the grid; phases stay with their positions."""
    starts = [0]
    for place, atom in enumerate(axis):
        seen = {other.axis for other in axis[:place]}
        if place and atom.axis >= 0 and atom.axis not in seen:
            starts.append(place)
    ends = [*starts[1:], len(axis)]
    return tuple(axis[start:end] for start, end in zip(starts, ends, strict=True))
