"""Loops written out in a graph: tensors taken apart position by position, put side by side or added again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from uncheck.reading.calls import arguments, index_parts, main_input
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.indices import read_index
from uncheck.reading.tables import KEEPING, RESHAPE, STRIDED_VIEW
from uncheck.reading.written import Write, read_write

LEAST = 3
"""Turns of a loop from which on it is taken for one."""
_SPLITS = frozenset({"unbind", "chunk", "split", "tensor_split", "split_with_sizes", "unsafe_chunk"})
_VIEWS = KEEPING | RESHAPE.names | STRIDED_VIEW.names


@dataclass(frozen=True)
class Taken:
    """One position of a tensor: the node it is of, the axis, the position."""

    node: int
    axis: int
    position: int


def taken_from(graph: Graph, index: int, without: Iterable[int] = ()) -> Taken | None:
    """Walk back over pointwise calls to the call that took one position out of a tensor; None without one.

    Nodes of `without` are not walked into.
    """
    left = set(without)
    node = graph.nodes[index]
    for _ in range(len(graph.nodes)):
        found = _takes(node)
        if found is not None and found.node not in left:
            return found
        parents = [p for p in dict.fromkeys(node.parents) if graph.nodes[p].signal and p not in left]
        parents = [p for p in parents if not left & set(graph.nodes[p].parents)]
        if node.name not in _VIEWS or len(parents) != 1:
            return None
        node = graph.nodes[parents[0]]
    return None


def _takes(node: Node) -> Taken | None:
    if node.func is None or not node.parents:
        return None
    source, shape = node.parents[0], main_input(node).shape
    given = arguments(node)
    if node.name in _SPLITS:
        dim = given.get("dim", 0)
        if not isinstance(dim, int):
            return None
        one = node.name == "unbind" or node.shape[dim] == 1 < shape[dim]
        return Taken(source, dim % len(shape), node.item) if one else None
    if node.name in ("select", "narrow"):
        dim, start = given.get("dim"), given.get("start", given.get("index"))
        one = node.name == "select" or given.get("length") == 1
        if isinstance(dim, int) and isinstance(start, int) and one:
            return Taken(source, dim % len(shape), start % shape[dim])
        return None
    return _indexed(node, source, shape) if node.name == "getitem" else None


def _indexed(node: Node, source: int, shape: tuple[int, ...]) -> Taken | None:
    parts = index_parts(node)
    if any(isinstance(part, Slot | list) for part in parts):
        return None
    picks = read_index(parts, shape)
    if picks is None:
        return None
    kept = {pick.axis: pick.positions for pick in picks if pick.axis is not None}
    lone = [a for a, n in enumerate(shape) if n > 1 and (a not in kept or len(kept[a]) == 1)]
    if len(lone) != 1 or any(len(kept[a]) != shape[a] for a in kept if a != lone[0]):
        return None
    axis = lone[0]
    if axis in kept:
        return Taken(source, axis, kept[axis][0])
    place = [part for part in parts if part is not Ellipsis and part is not None]
    if Ellipsis in parts:
        after = [part for part in parts[parts.index(Ellipsis) + 1 :] if part is not None]
        position = after[axis - len(shape)] if axis >= len(shape) - len(after) else place[axis]
    else:
        position = place[axis]
    return Taken(source, axis, position % shape[axis]) if isinstance(position, int) else None


def turns(taken: Sequence[Taken | None]) -> int | None:
    """Return how many of a row of tensors share each position, where positions come in order; else None."""
    if len(taken) < 2 or any(one is None for one in taken):
        return None
    known = [one for one in taken if one is not None]
    sources = {(one.node, one.axis) for one in known}
    positions = [one.position for one in known]
    block = next((i for i, p in enumerate(positions) if p != positions[0]), len(positions))
    if len(positions) % block or len(positions) // block < LEAST or len({axis for _, axis in sources}) > 1:
        return None
    first = positions[0]
    if any(p != first + i // block for i, p in enumerate(positions)):
        return None
    return block if all(known[i].node == known[i % block].node for i in range(len(known))) else None


@dataclass(frozen=True)
class Added:
    """Blocks added up, or put side by side, in a loop: the last write, its axes, length and hop of blocks."""

    node: Node
    axes: tuple[int, ...]
    lengths: tuple[int, ...]
    hops: tuple[int, ...]


def read_added(graph: Graph) -> dict[int, Added]:
    """Find loops that write one position of a tensor after the other to blocks of another."""
    rows: dict[int, list[tuple[int, Write]]] = {}
    root: dict[int, int] = {}
    for node in graph.nodes:
        write = (
            read_write(graph, node) if node.name == "setitem" or node.key.function == "(written)" else None
        )
        if write is None or write.base is None:
            continue
        first = root.get(write.base, write.base)
        root[node.index] = first
        rows.setdefault(first, []).append((node.index, write))
    found = {}
    for first, writes in rows.items():
        if len(writes) >= LEAST:
            own = {first, *(index for index, _ in writes)}
            added = _added(graph, writes, own)
            if added is not None:
                found[added.node.index] = added
    return found


def _added(graph: Graph, writes: Sequence[tuple[int, Write]], own: set[int]) -> Added | None:
    shape = writes[0][1].shape
    axes, lengths, hops = [], [], []
    for axis in range(len(shape)):
        places = [pick.positions for _, w in writes for pick in w.picks if pick.axis == axis]
        starts = sorted({p[0] for p in places if len(p)})
        sizes = {len(p) for p in places}
        gaps = {b - a for a, b in pairwise(starts)}
        if len(starts) >= LEAST and len(gaps) == 1 and len(sizes) == 1 and max(gaps) > 1:
            axes.append(axis)
            lengths.append(sizes.pop())
            hops.append(gaps.pop())
    if not 1 <= len(axes) <= 3:
        return None
    taken = [None if w.value is None else taken_from(graph, w.value, own) for _, w in writes]
    positions = {(one.node, one.axis): one for one in taken if one is not None}
    count = len({one.position for one in taken if one is not None})
    if None in taken or len(positions) != 1 or count < LEAST:
        return None
    return Added(graph.nodes[writes[-1][0]], tuple(axes), tuple(lengths), tuple(hops))
