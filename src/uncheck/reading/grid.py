"""The period that a lattice made at one call has in the output of the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from math import gcd, lcm, prod

from uncheck.reading.calls import arguments, scales, slice_steps
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.layout import Atom, Axis, Layout, follow, is_layout_call, sizes
from uncheck.reading.tables import (
    CONVOLUTION,
    CREATION,
    POOL,
    REDUCTION,
    RESIZE,
    SHUFFLE,
    TRANSPOSED,
    UNPOOL,
    UNSHUFFLE,
    group_of,
)

CHANNEL = -2
"""The axis of atoms that are no part of the grid: batch, channels."""
SCALED = (CONVOLUTION, TRANSPOSED, RESIZE, SHUFFLE, UNSHUFFLE, UNPOOL, POOL)


@dataclass(frozen=True)
class Grid:
    """Where the positions of a grid are in a tensor, and the period of a lattice on it.

    Attributes:
        layout: the tensor's axes in atoms; axes 0, 1, ... are the axes of the grid.
        periods: of the lattice, in positions of the grid, per axis; 1 where none is left.
    """

    layout: Layout
    periods: tuple[int, ...]

    @property
    def dims(self) -> tuple[int, ...]:
        """The tensor axes that hold positions of the grid."""
        return tuple(d for d, axis in enumerate(self.layout) if any(atom.axis >= 0 for atom in axis))


def output_period(
    graph: Graph, index: int, dims: Sequence[int], periods: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Return the period that a lattice made at one node has in the output of the network.

    It has `periods` along the axes `dims` of the node. Upsampling by s multiplies a period, subsampling by d
    leaves P / gcd(P, d). Where the graph does not tell, the sizes of that node and the output do.

    Returns:
        The period in output pixels per output axis; None where the lattice reaches no output with a grid.

    Cost: one pass over the nodes after `index`.
    """
    made = graph.nodes[index]
    places = {dim: axis for axis, dim in enumerate(dims)}
    layout = tuple(_axis(places.get(dim, CHANNEL), size) for dim, size in enumerate(made.shape))
    found: dict[int, Grid | None] = {index: Grid(layout, periods)}
    for node in graph.nodes[index + 1 :]:
        _enter(node, found)
    reached = sorted((o for o in graph.outputs if o in found), key=lambda o: -prod(graph.nodes[o].shape[2:]))
    for output in reached:
        grid = found[output]
        grid = _settled(grid, grid.dims) if grid is not None else None
        if grid is not None and len(grid.dims) == len(dims):
            return tuple(grid.periods[grid.layout[d][0].axis] for d in grid.dims)
        by_size = _by_size(graph.nodes[output].shape, [made.shape[d] for d in dims], periods)
        if by_size is not None:
            return by_size
    return None


def _enter(node: Node, found: dict[int, Grid | None]) -> None:
    """Add the grid after one node to `found`: none where no grid is left, None where it is not known."""
    states = [(parent, found[parent]) for parent in dict.fromkeys(node.parents) if parent in found]
    if not states:
        return
    grids = [after for parent, grid in states if grid is not None for after in [_after(node, parent, grid)]]
    known = [grid for grid in grids if grid is not None and grid.dims]
    if not known:
        if None in grids or any(grid is None for _, grid in states):
            found[node.index] = None
        return
    best = max(known, key=lambda grid: len(grid.dims))
    same = [grid.periods for grid in known if grid.layout == best.layout]
    found[node.index] = Grid(best.layout, tuple(lcm(*column) for column in zip(*same, strict=True)))


def _after(node: Node, parent: int, grid: Grid) -> Grid | None:
    group = group_of(node.key.function)
    if node.func is not None and group is None and (node.name != "setitem" or max(slice_steps(node)) > 1):
        return None
    if is_layout_call(node):
        return _followed(node, grid)
    if group in SCALED:
        return _scaled(node, grid)
    if group is CREATION and node.name != "diagonal":
        return Grid((), grid.periods)  # zeros_like(x) takes the shape only
    special = _SPECIAL.get(node.name) or (_reduced if group is REDUCTION else None)
    if special is not None:
        return special(node, parent, grid)
    return _resized(grid, node.shape)


def _followed(node: Node, grid: Grid) -> Grid | None:
    layout = follow(node, grid.layout)
    if layout is not None:
        return Grid(layout, grid.periods)
    settled = _settled(grid, grid.dims)
    layout = follow(node, settled.layout) if settled is not None else None
    if settled is not None and layout is not None:
        return Grid(layout, settled.periods)
    return _resized(grid, node.shape)


def _scaled(node: Node, grid: Grid) -> Grid | None:
    factors = scales(node)
    if factors is None:
        return None
    first = len(node.shape) - len(factors)
    settled = _settled(grid, range(first, len(node.shape)))
    if settled is None or len(settled.layout) != len(node.shape):
        return None
    periods = list(settled.periods)
    layout = [_axis(CHANNEL, size) for size in node.shape]
    for dim, factor in enumerate(factors, start=first):
        for atom in settled.layout[dim][:1]:
            if atom.axis >= 0:
                if periods[atom.axis] > 1:
                    periods[atom.axis] = (periods[atom.axis] * factor).numerator or 1
                layout[dim] = _axis(atom.axis, node.shape[dim])
    return Grid(tuple(layout), tuple(periods))


def _resized(grid: Grid, shape: tuple[int, ...]) -> Grid | None:
    """Return the grid after a call that keeps, crops or pads positions, or changes channels."""
    layout = ((),) * (len(shape) - len(grid.layout)) + grid.layout
    if len(layout) != len(shape):
        return None
    axes: list[Axis] = []
    for axis, before, after in zip(layout, sizes(layout), shape, strict=True):
        if before == after:
            axes.append(axis)
        elif all(atom.axis < 0 for atom in axis):
            axes.append(_axis(CHANNEL, after))
        elif len(axis) == 1:
            axes.append(() if after == 1 else (Atom(axis[0].axis, axis[0].step, after),))
        else:
            settled = _settled(grid, grid.dims)
            return None if settled is None or settled == grid else _resized(settled, shape)
    return Grid(tuple(axes), grid.periods)


def _settled(grid: Grid, dims: Sequence[int]) -> Grid | None:
    """Return the grid with phases merged into positions, and axes outside `dims` taken for channels."""
    periods = list(grid.periods)
    layout: list[Axis] = []
    for dim, axis in enumerate(grid.layout):
        size = prod(atom.size for atom in axis)
        if dim not in dims or all(atom.axis < 0 for atom in axis):
            layout.append(_axis(CHANNEL, size))
            continue
        first = axis[0]
        lead = len(list(takewhile(lambda atom, first=first: atom.axis == first.axis, axis)))  # type: ignore[misc]
        if first.axis < 0 or lead > 1 or any(atom.axis >= 0 for atom in axis[1:]):
            return None
        left = periods[first.axis] // gcd(periods[first.axis], first.step)
        periods[first.axis] = left * prod(atom.size for atom in axis[1:]) if left > 1 else 1
        layout.append(_axis(first.axis, size))
    return Grid(tuple(layout), tuple(periods))


def _axis(axis: int, size: int) -> Axis:
    return (Atom(axis, 1, size),) if size > 1 else ()


def _by_size(shape: tuple[int, ...], before: Sequence[int], periods: Sequence[int]) -> tuple[int, ...] | None:
    """Return the period by the sizes alone, where the output has as many spatial axes."""
    ndim = len(before)
    if len(shape) not in (ndim + 1, ndim + 2):
        return None
    factors = [Fraction(after, size) for after, size in zip(shape[-ndim:], before, strict=True)]
    if min(factors) < Fraction(1, 64) or max(factors) / min(factors) > 2:
        return None
    whole = [Fraction(round(f)) if f >= 1 else Fraction(1, round(1 / f)) for f in factors]
    return tuple((p * f).numerator if p > 1 else 1 for p, f in zip(periods, whole, strict=True))


def _linear(node: Node, parent: int, grid: Grid) -> Grid | None:
    return Grid((*grid.layout[:-1], _axis(CHANNEL, node.shape[-1])), grid.periods)


def _product(node: Node, parent: int, grid: Grid) -> Grid | None:
    if len(grid.layout) != len(node.shape):
        return None
    left = node.parents[0] == parent
    kept = -2 if left else -1  # rows of the first matrix, columns of the second
    axes = [
        axis if n == prod(a.size for a in axis) else ()
        for axis, n in zip(grid.layout, node.shape, strict=True)
    ]
    axes[-1 if left else -2] = _axis(CHANNEL, node.shape[-1 if left else -2])
    axes[kept] = grid.layout[kept]
    return Grid(tuple(axes), grid.periods)


def _einsum(node: Node, parent: int, grid: Grid) -> Grid | None:
    equation, *operands = node.args
    if not isinstance(equation, str) or "." in equation or "->" not in equation:
        return _resized(grid, node.shape)
    terms, result = equation.replace(" ", "").split("->")
    for term, operand in zip(terms.split(","), operands, strict=False):
        if isinstance(operand, Slot) and operand.node == parent and len(term) == len(grid.layout):
            axes = [
                grid.layout[term.index(letter)] if letter in term else _axis(CHANNEL, size)
                for letter, size in zip(result, node.shape, strict=True)
            ]
            return Grid(tuple(axes), grid.periods)
    return None


def _stack(node: Node, parent: int, grid: Grid) -> Grid | None:
    dim = int(arguments(node).get("dim", 0)) % len(node.shape)
    return Grid((*grid.layout[:dim], _axis(CHANNEL, node.shape[dim]), *grid.layout[dim:]), grid.periods)


def _reduced(node: Node, parent: int, grid: Grid) -> Grid | None:
    if len(node.shape) == len(grid.layout):
        return _resized(grid, node.shape)
    dim = arguments(node).get("dim")
    if dim is None or isinstance(dim, Slot):
        return Grid((), grid.periods)
    gone = {int(d) % len(grid.layout) for d in (dim if isinstance(dim, tuple | list) else (dim,))}
    return Grid(tuple(axis for d, axis in enumerate(grid.layout) if d not in gone), grid.periods)


_SPECIAL: dict[str, Callable[[Node, int, Grid], Grid | None]] = {
    "linear": _linear,
    "einsum": _einsum,
    "stack": _stack,
    **dict.fromkeys(("matmul", "mm", "bmm", "rmatmul"), _product),
}
