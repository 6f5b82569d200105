"""Where the positions of a grid are after one call, and the period that a lattice on it has then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

from uncheck.reading.calls import arguments, axes_of, einsum_letters, main_input, scales, slice_steps
from uncheck.reading.constants import slots_of
from uncheck.reading.graph import OPAQUE, Node, Slot
from uncheck.reading.grid import CHANNEL, OTHER, Grid, new_axis, settled
from uncheck.reading.layout import Atom, Axis, follow, is_layout_call, sizes
from uncheck.reading.tables import (
    CONVOLUTION,
    CREATION,
    POOL,
    REDUCTION,
    RESIZE,
    SCALING,
    SHUFFLE,
    TRANSPOSED,
    UNPOOL,
    UNSHUFFLE,
    group_of,
)

SCALED = (CONVOLUTION, TRANSPOSED, RESIZE, SHUFFLE, UNSHUFFLE, UNPOOL, POOL, SCALING)


def after(node: Node, parent: int, grid: Grid) -> Grid | None:
    """Return the grid after a call, given that of one of its inputs; None where it cannot be followed.

    Cost: at most one call of the function on a tensor without data.
    """
    group = group_of(node.key.function)
    if node.key.function == OPAQUE:
        return None
    if node.func is not None and group is None and (node.name != "setitem" or max(slice_steps(node)) > 1):
        return None
    if is_layout_call(node):
        return _followed(node, grid)
    if group in SCALED:
        return _scaled(node, grid)
    if group is CREATION and node.name != "diagonal":
        return Grid((), grid.periods, grid.unread)  # zeros_like(x) takes the shape only
    special = _SPECIAL.get(node.name) or (_reduced if group is REDUCTION else None)
    if special is not None:
        return special(node, parent, grid)
    return _resized(grid, node.shape)


def _followed(node: Node, grid: Grid) -> Grid | None:
    layout = follow(node, grid.layout)
    if layout is not None:
        return replace(grid, layout=layout)
    merged = settled(grid, grid.dims)
    layout = follow(node, merged.layout) if merged is not None else None
    if merged is not None and layout is not None:
        return replace(merged, layout=layout)
    return _resized(grid, node.shape)


def _scaled(node: Node, grid: Grid) -> Grid | None:
    factors = scales(node)
    if factors is None:
        return None
    first = len(node.shape) - len(factors)
    if len(grid.layout) != len(node.shape):
        return None
    merged = settled(grid, range(first, len(node.shape)))
    if merged is None:
        return None
    periods = list(merged.periods)
    layout = list(merged.layout)
    if first > 0:
        layout[first - 1] = new_axis(CHANNEL, node.shape[first - 1])
    for dim, factor in enumerate(factors, start=first):
        atoms = merged.layout[dim]
        if atoms and atoms[0].axis >= 0:
            axis = atoms[0].axis
            if periods[axis] > 1:
                periods[axis] = (periods[axis] * factor).numerator or 1
            layout[dim] = new_axis(axis, node.shape[dim])
        else:
            layout[dim] = new_axis(OTHER, node.shape[dim])
    if any(sizes((layout[dim],))[0] != node.shape[dim] for dim in range(max(0, first - 1))):
        return None
    return Grid(tuple(layout), tuple(periods), merged.unread)


def _resized(grid: Grid, shape: tuple[int, ...]) -> Grid | None:
    """Return the grid after a call that keeps, crops or pads positions, or changes channels."""
    layout = ((),) * (len(shape) - len(grid.layout)) + grid.layout
    if len(layout) != len(shape):
        return None
    axes: list[Axis] = []
    for axis, before, size in zip(layout, sizes(layout), shape, strict=True):
        if before == size:
            axes.append(axis)
        elif all(atom.axis < 0 for atom in axis):
            axes.append(new_axis(CHANNEL if any(a.axis == CHANNEL for a in axis) else OTHER, size))
        elif len(axis) == 1:
            axes.append(() if size == 1 else (Atom(axis[0].axis, axis[0].step, size),))
        else:
            merged = settled(grid, grid.dims)
            return None if merged is None or merged == grid else _resized(merged, shape)
    return replace(grid, layout=tuple(axes))


def _linear(node: Node, parent: int, grid: Grid) -> Grid | None:
    return replace(grid, layout=(*grid.layout[:-1], new_axis(CHANNEL, node.shape[-1])))


def _product(node: Node, parent: int, grid: Grid) -> Grid | None:
    if len(grid.layout) < 2 or len(grid.layout) > len(node.shape):
        return None
    grid = replace(grid, layout=((),) * (len(node.shape) - len(grid.layout)) + grid.layout)
    left = (main_input(node).node == parent) != (node.name == "rmatmul")
    kept = -2 if left else -1  # rows of the first matrix, columns of the second
    axes = [
        axis if n == prod(a.size for a in axis) else ()
        for axis, n in zip(grid.layout, node.shape, strict=True)
    ]
    axes[-1 if left else -2] = new_axis(CHANNEL, node.shape[-1 if left else -2])
    axes[kept] = grid.layout[kept]
    return replace(grid, layout=tuple(axes))


def _einsum(node: Node, parent: int, grid: Grid) -> Grid | None:
    letters = einsum_letters(node)
    if letters is None:
        return _resized(grid, node.shape)
    terms, result = letters
    for term, operand in zip(terms, slots_of(node), strict=True):
        if operand.node == parent and len(term) == len(grid.layout):
            axes = [
                grid.layout[term.index(letter)] if letter in term else new_axis(CHANNEL, size)
                for letter, size in zip(result, node.shape, strict=True)
            ]
            return replace(grid, layout=tuple(axes))
    return None


def _embedded(node: Node, parent: int, grid: Grid) -> Grid | None:
    if len(node.shape) != len(grid.layout) + 1:
        return None
    return replace(grid, layout=(*grid.layout, new_axis(CHANNEL, node.shape[-1])))


def _attended(node: Node, parent: int, grid: Grid) -> Grid | None:
    """Attention returns something for each query; keys and values leave no grid of their own."""
    if parent == main_input(node).node and node.item == 0:
        return _resized(grid, node.shape)
    return replace(grid, layout=())


def _paired(node: Node, parent: int, grid: Grid) -> Grid | None:
    """Real and imaginary part become one number, or are the last axis again."""
    if node.name == "view_as_complex":
        return replace(grid, layout=grid.layout[:-1])
    return replace(grid, layout=(*grid.layout, new_axis(CHANNEL, 2)))


def _stack(node: Node, parent: int, grid: Grid) -> Grid | None:
    dim = int(arguments(node).get("dim", 0)) % len(node.shape)
    return replace(grid, layout=(*grid.layout[:dim], new_axis(OTHER, node.shape[dim]), *grid.layout[dim:]))


def _reduced(node: Node, parent: int, grid: Grid) -> Grid | None:
    if len(node.shape) == len(grid.layout):
        return _resized(grid, node.shape)
    dim = arguments(node).get("dim")
    if dim is None or isinstance(dim, Slot):
        return replace(grid, layout=())
    gone = axes_of(dim, len(grid.layout))
    return replace(grid, layout=tuple(axis for d, axis in enumerate(grid.layout) if d not in gone))


_SPECIAL: dict[str, Callable[[Node, int, Grid], Grid | None]] = {
    "linear": _linear,
    "einsum": _einsum,
    "stack": _stack,
    **dict.fromkeys(("view_as_complex", "view_as_real"), _paired),
    **dict.fromkeys(("embedding", "one_hot"), _embedded),
    **dict.fromkeys(("scaled_dot_product_attention", "multi_head_attention_forward"), _attended),
    **dict.fromkeys(("matmul", "mm", "bmm", "rmatmul"), _product),
}
