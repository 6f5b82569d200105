"""What the axes of every tensor of a forward pass hold: positions, channels, or something else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from uncheck.reading.calls import main_input, scales
from uncheck.reading.enlarging import after_call
from uncheck.reading.graph import INPUT, OPAQUE, Graph, Node
from uncheck.reading.grid import OTHER, Grid, new_axis, settled
from uncheck.reading.moves import SCALED
from uncheck.reading.stage import Stage
from uncheck.reading.tables import KEEPING, REDUCTION, RESHAPE, STRIDED_VIEW, group_of

AXES = 8
"""Labels of axes: the last axis of an input is the last label, so that those of all inputs agree."""
PRODUCTS = frozenset({"matmul", "mm", "bmm", "rmatmul", "baddbmm", "einsum"})


@dataclass(frozen=True)
class Role:
    """What the axes of one tensor hold.

    Attributes:
        grid: its axes in atoms of the input's axes, or of those that a layer took for positions first.
        positions: the labels of axes that a convolution, resize, pooling or stage took for positions.
        lost: whether something before could not be followed, so that `grid.unread` is not known.
        pairs: whether it holds a value for each pair of positions, as the weights of an attention.
    """

    grid: Grid
    positions: frozenset[int] = frozenset()
    lost: bool = False
    pairs: bool = False


def read_roles(graph: Graph, stages: Sequence[Stage]) -> dict[int, Role | None]:
    """Return the role of each tensor that depends on an input or has been through a spatial layer.

    None where it cannot be followed.

    Cost: one pass over the nodes.
    """
    at = {stage.node: stage for stage in stages}
    found: dict[int, Role | None] = {}
    for node in graph.nodes:
        if node.key.function == INPUT:
            found[node.index] = _input(node)
            continue
        states = [(parent, found[parent]) for parent in dict.fromkeys(node.parents) if parent in found]
        role = _joined(graph, node, states)
        stage = at.get(node.index)
        spatial = stage.axes if stage is not None else None
        factors = scales(node) if spatial is None and group_of(node.key.function) in SCALED else None
        if spatial is None and factors:
            spatial = tuple(range(len(node.shape) - len(factors), len(node.shape)))
        if spatial is not None:
            unknown = role is None and any(state is None for _, state in states)
            if unknown and stage is not None:  # reading has followed what `after` does not
                role = _before(graph, node, found)
            role = _declared(node, role, spatial, lost=unknown and role is None)
        if role is not None or states:
            found[node.index] = role
    return found


def _input(node: Node) -> Role | None:
    rank = len(node.shape)
    if rank > AXES:
        return None
    layout = tuple(new_axis(AXES - rank + axis, size) for axis, size in enumerate(node.shape))
    return Role(_plain(layout))


def _plain(layout: tuple[tuple[object, ...], ...]) -> Grid:
    return Grid(layout, (1,) * AXES, (Fraction(1),) * AXES)  # type: ignore[arg-type]


def _joined(graph: Graph, node: Node, states: Iterable[tuple[int, Role | None]]) -> Role | None:
    """Return the role after a call: that of the input with most positions."""
    known: list[Role] = []
    for parent, role in _what_is_written(graph, node, states):
        grid = after_call(graph, node, parent, role.grid) if role is not None else None
        if role is not None and grid is not None:
            known.append(replace(role, grid=grid))
    if not known:
        return None
    best = max(known, key=lambda role: (len(position_dims(role)), len(role.grid.dims)))
    unread = tuple(max(column) for column in zip(*(role.grid.unread for role in known), strict=True))
    positions = frozenset[int]().union(*(role.positions for role in known))
    grid = replace(best.grid, unread=unread)
    return Role(grid, positions, best.lost, _is_of_pairs(node, known))


def _what_is_written(
    graph: Graph, node: Node, states: Iterable[tuple[int, Role | None]]
) -> list[tuple[int, Role | None]]:
    """Leave out the view that a call writes to: its positions go on in the whole tensor."""
    every = list(states)
    whole = (after for after in graph.takers(node) if after.key.function == "(written)")
    if not node.writes or not any(after.parents[-1] == node.index for after in whole):
        return every
    return [(parent, role) for parent, role in every if parent != main_input(node).node] or every


def _before(graph: Graph, node: Node, found: dict[int, Role | None]) -> Role | None:
    """Return the last role that is known on the way to a node, without its axes; None where one is opaque."""
    known: list[Role] = []
    left, seen = list(node.parents), set[int]()
    while left:
        index = left.pop()
        role = found.get(index)
        if graph.nodes[index].key.function == OPAQUE:
            return None
        if role is not None:
            known.append(role)
        elif index not in seen and index in found:
            seen.add(index)
            left += graph.nodes[index].parents
    if not known:
        return None
    unread = tuple(max(column) for column in zip(*(role.grid.unread for role in known), strict=True))
    layout = tuple(new_axis(OTHER, size) for size in node.shape)
    return Role(replace(_plain(layout), unread=unread), lost=any(role.lost for role in known))


def _is_of_pairs(node: Node, known: Sequence[Role]) -> bool:
    if node.name in PRODUCTS and len(known) == 2:
        one, two = known
        rows, columns = set(one.grid.dims) - set(two.grid.dims), set(two.grid.dims) - set(one.grid.dims)
        alike = any(one.grid.layout[r] == two.grid.layout[c] for r in rows for c in columns)
        both = rows & set(position_dims(one)) and columns & set(position_dims(two))
        return alike or bool(both)
    if node.name == "multi_head_attention_forward":
        return node.item == 1
    group = group_of(node.key.function)
    keeps = node.name in KEEPING | {"softmax", "cat", "stack"} or group in (REDUCTION, RESHAPE, STRIDED_VIEW)
    return keeps and any(role.pairs for role in known)


def _declared(node: Node, role: Role | None, dims: Sequence[int], lost: bool) -> Role:
    """Return the role with the axes `dims` for positions; what a stage enlarged is accounted for."""
    rank = len(node.shape)
    if role is None or len(role.grid.layout) != rank:
        grid = _plain(tuple(new_axis(OTHER, size) for size in node.shape))
        role = Role(grid, lost=lost)
    merged = settled(replace(role.grid, unread=()), dims)
    layout = list((merged or role.grid).layout)
    used = {atom.axis for dim, axis in enumerate(layout) if dim not in dims for atom in axis}
    for place, dim in enumerate(dims):
        axes = [atom.axis for atom in layout[dim]]
        free = [AXES - len(dims) + place, *range(AXES - 1, -1, -1)]
        label = axes[0] if len(axes) == 1 and axes[0] >= 0 and axes[0] not in used else None
        if label is None:
            label = next((one for one in free if one not in used), None)
        if label is not None:
            layout[dim] = new_axis(label, node.shape[dim])
            used.add(label)
    labels = {atom.axis for dim in dims for atom in layout[dim]}
    grid = Grid(tuple(layout), role.grid.periods, role.grid.unread)
    return replace(role, grid=grid, positions=role.positions | labels)


def position_dims(role: Role) -> tuple[int, ...]:
    """Return the tensor axes that hold positions."""
    return tuple(
        dim for dim, axis in enumerate(role.grid.layout) if any(atom.axis in role.positions for atom in axis)
    )
