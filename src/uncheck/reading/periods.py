"""The period that a lattice made at one call has in the outputs of the network."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm, prod

from uncheck.reading.enlarging import after_call
from uncheck.reading.graph import Graph, Node
from uncheck.reading.grid import OTHER, Grid, new_axis, settled, split


def output_period(
    graph: Graph, index: int, dims: Sequence[int], periods: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Return the period that a lattice made at one node has in the largest output that it reaches.

    It has `periods` along the axes `dims` of the node. Upsampling by s multiplies a period, subsampling by d
    leaves P / gcd(P, d). Where the graph does not tell, the sizes of that node and the output do.

    Returns:
        The period in output pixels per output axis; None where the lattice reaches no output with a grid.

    Cost: one pass over the nodes after `index`.
    """
    made = graph.nodes[index]
    found = grids_after(graph, index, dims, periods)
    reached = sorted((o for o in graph.outputs if o in found), key=lambda o: -prod(graph.nodes[o].shape[2:]))
    for output in reached:
        grid = found[output]
        grid = split(grid) if grid is not None else None
        grid = settled(grid, grid.dims) if grid is not None else None
        if grid is not None and len(grid.dims) == sum(made.shape[dim] > 1 for dim in dims):
            return _in_order(grid, [made.shape[dim] for dim in dims])
        by_size = period_by_size(graph.nodes[output].shape, [made.shape[d] for d in dims], periods)
        if by_size is not None:
            return by_size
    return None


def _in_order(grid: Grid, before: Sequence[int]) -> tuple[int, ...]:
    """Return the periods along the axes of a tensor; one of a single position stands after its neighbour."""
    places = {grid.layout[d][0].axis: d for d in grid.dims}
    place = -1
    order = []
    for axis, size in enumerate(before):
        place = places.get(axis, place)
        order.append((place, grid.periods[axis] if size > 1 else 1))
    return tuple(period for _, period in sorted(order, key=lambda one: one[0]))


def grids_after(
    graph: Graph, index: int, dims: Sequence[int], periods: tuple[int, ...]
) -> dict[int, Grid | None]:
    """Return the grid of the axes `dims` of one node in every node that depends on it.

    None where it is not known; a node without it depends on it without positions, or not at all.

    Cost: one pass over the nodes after `index`, once for each graph.
    """
    asked = (index, tuple(dims), tuple(periods))
    known: dict[int, Grid | None] | None = graph.grids.get(asked)
    if known is None:
        places = {dim: axis for axis, dim in enumerate(dims)}
        shape = graph.nodes[index].shape
        layout = tuple(new_axis(places.get(dim, OTHER), size) for dim, size in enumerate(shape))
        found: dict[int, Grid | None] = {index: Grid(layout, tuple(periods))}
        for node in graph.nodes[index + 1 :]:
            _enter(graph, node, found)
        graph.grids[asked] = known = found
    return known


def _enter(graph: Graph, node: Node, found: dict[int, Grid | None]) -> None:
    """Add the grid after one node to `found`: none where no grid is left, None where it is not known."""
    states = [(parent, found[parent]) for parent in dict.fromkeys(node.parents) if parent in found]
    if not states:
        return
    grids = [
        made
        for parent, grid in states
        if grid is not None
        for made in [after_call(graph, node, parent, grid)]
    ]
    known = [grid for grid in grids if grid is not None and grid.dims]
    if not known:
        if None in grids or any(grid is None for _, grid in states):
            found[node.index] = None
        return
    best = max(known, key=lambda grid: len(grid.dims))
    same = [grid.periods for grid in known if grid.layout == best.layout]
    found[node.index] = Grid(best.layout, tuple(lcm(*column) for column in zip(*same, strict=True)))


def period_by_size(
    shape: tuple[int, ...], before: Sequence[int], periods: Sequence[int]
) -> tuple[int, ...] | None:
    """Return the period by the sizes alone, where the output has as many spatial axes: a guess."""
    ndim = len(before)
    if len(shape) not in (ndim + 1, ndim + 2):
        return None
    factors = [Fraction(size, old) for size, old in zip(shape[-ndim:], before, strict=True)]
    if min(factors) < Fraction(1, 64) or max(factors) / min(factors) > 2:
        return None
    whole = [Fraction(round(f)) if f >= 1 else Fraction(1, round(1 / f)) for f in factors]
    return tuple((p * f).numerator if p > 1 else 1 for p, f in zip(periods, whole, strict=True))
