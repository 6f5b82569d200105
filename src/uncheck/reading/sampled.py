"""Resizes by sampling: `grid_sample` on a regular constant grid, and constant lists of positions."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import torch

from uncheck.reading.calls import arguments, main_input
from uncheck.reading.constants import known
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.indices import Pick, digits, read_picks

MOST = 1000
"""Largest denominator of a factor."""


def index_factors(node: Node) -> tuple[tuple[int, ...], tuple[Fraction, ...]] | None:
    """Return the axes that `x[index]` resizes by nearest neighbours, and output over input positions of each.

    None where no axis is, or where the positions are those of whole repeats, which are followed as such.
    """
    picks = read_picks(node)
    if picks is None:
        return None
    shape = main_input(node).shape
    found = [
        (dim, Fraction(len(pick.positions), shape[pick.axis]).limit_denominator(MOST))
        for dim, pick in enumerate(picks)
        if pick.axis is not None and _is_nearest(pick, shape[pick.axis])
    ]
    return tuple(zip(*found, strict=True)) if found else None  # type: ignore[return-value]


def _is_nearest(pick: Pick, size: int) -> bool:
    """Test whether positions are those of an enlargement that `digits` cannot say."""
    listed = list(pick.positions)
    steps = [b - a for a, b in pairwise(listed)]
    rising = set(steps) <= {0, 1} and listed[:1] == [0] and listed[-1] == size - 1
    return rising and len(listed) > size and digits(listed) is None


def grid_factors(graph: Graph, node: Node) -> tuple[Fraction, ...] | None:
    """Return output over input pixels per axis of a `grid_sample` on a regular constant grid, else None."""
    given = arguments(node)
    grid, before = given.get("grid"), main_input(node).shape
    if not isinstance(grid, Slot) or (grid.node is not None and graph.nodes[grid.node].signal):
        return None
    value = known(grid)
    if value is None:
        return None
    corners = bool(given.get("align_corners"))
    ndim = value.shape[-1]
    factors = []
    for axis in range(ndim):
        size, count = before[-1 - axis], value.shape[-2 - axis]
        places = value[..., axis].movedim(-1 - axis, -1).reshape(-1, count).double()
        line = torch.linspace(0, 1, count, dtype=torch.float64)
        first, last = places[0, 0], places[0, -1]
        if count < 2 or not torch.allclose(places, first + (last - first) * line, rtol=0.0, atol=1e-4):
            return None
        step = float((last - first) / (count - 1)) * (size - 1 if corners else size) / 2
        if step <= 0:
            return None
        if corners and torch.allclose(places[0, [0, -1]].abs(), torch.ones(2).double(), rtol=0.0, atol=1e-4):
            factors.append(Fraction(count, size))  # as an interpolation that keeps the corners
            continue
        factors.append(Fraction(1 / step).limit_denominator(16))
    return tuple(factors[::-1])


def grid_mode(node: Node) -> str:
    """Return the mode of a `grid_sample`."""
    return str(arguments(node).get("mode", "bilinear"))
