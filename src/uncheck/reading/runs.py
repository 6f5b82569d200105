"""What each tensor of a forward pass holds: positions of the tensor that its run of calls started from.

A run goes through calls that move values, repeat them, treat them one by one, put tensors side by side, add
zeros or sum over axes. Anything else, such as a convolution, starts a new one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod

from uncheck.reading.calls import arguments, einsum_letters, index_parts, main_input, pad_of
from uncheck.reading.constants import is_zero, phases_of, slots_of
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.indices import read_picks, taken
from uncheck.reading.layout import (
    FIXED,
    HELD,
    MIXED,
    OTHER,
    ZERO,
    Atom,
    Axis,
    Layout,
    expanded,
    follow,
    is_layout_call,
    joined,
    reshaped,
    sizes,
    source_layout,
)
from uncheck.reading.loops import LEAST, taken_from, turns
from uncheck.reading.tables import COMPLEX, KEEPING, MOVE, NORM, PAD, RESHAPE, SOFTMAX
from uncheck.reading.written import read_write


@dataclass(frozen=True)
class Run:
    """What is known of a tensor.

    Attributes:
        source: the node that its run started from.
        layout: its axes, in axes of that node.
        plain: whether all calls since then treat channels and positions alike.
        ends: whether the calls after it start anew, since positions were cropped in a way atoms cannot say.
    """

    source: int
    layout: Layout
    plain: bool = True
    ends: bool = False


Runs = dict[int, Run]


def is_write(node: Node) -> bool:
    """Test whether a node is a tensor some positions of which were written."""
    return node.name in _WRITES or node.key.function == "(written)"


def read_runs(graph: Graph) -> Runs:
    """Return the run of every node.

    Cost: one pass over the nodes, once for each graph.
    """
    known: Runs | None = graph.read.get("runs")
    if known is not None:
        return known
    runs: Runs = {}
    graph.read["runs"] = runs
    for node in graph.nodes:
        after = _next(graph, node, runs)
        runs[node.index] = Run(node.index, source_layout(node.shape)) if after is None else after
    return runs


def _next(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Return the run after a call; None where it starts a new one."""
    if not node.parents:
        return None
    if node.func is None or node.name in _WRITES:
        return _written(graph, node, runs)
    if (reader := _SPECIAL.get(node.name)) is not None:
        return reader(graph, node, runs)
    if is_layout_call(node):
        return _viewed(graph, node, runs)
    if node.name in KEEPING | SOFTMAX.names:
        return _pointwise(graph, node, runs)
    return None


def _open(runs: Runs, index: int | None) -> Run | None:
    run = None if index is None else runs.get(index)
    return None if run is None or run.ends else run


def _atoms(layout: Layout) -> int:
    return sum(len(axis) for axis in layout)


def _main(graph: Graph, slots: list[Slot], runs: Runs) -> tuple[Slot, Run] | None:
    """Return the operand whose positions are followed: of the signal, split the most, the largest."""
    best: tuple[tuple[bool, bool, int, int], Slot, Run] | None = None
    for slot in slots:
        run = _open(runs, slot.node)
        if run is None or slot.node is None:
            continue
        key = (graph.nodes[slot.node].signal, run.source != slot.node, _atoms(run.layout), prod(slot.shape))
        if best is None or key > best[0]:
            best = (key, slot, run)
    return None if best is None else best[1:]


def _pointwise(graph: Graph, node: Node, runs: Runs) -> Run | None:
    slots = slots_of(node)
    found = _main(graph, slots, runs)
    if found is None:
        return None
    main, run = found
    others = [slot for slot in slots if slot is not main]
    rank = len(node.shape)
    layout: Layout = ((),) * (rank - len(run.layout)) + run.layout
    if len(layout) != rank or any(
        n not in (1, size) for n, size in zip(sizes(layout), node.shape, strict=True)
    ):
        return None
    axes: list[Axis] = []
    for dim, (axis, size) in enumerate(zip(layout, node.shape, strict=True)):
        along = [s for s in others if len(s.shape) >= rank - dim and s.shape[dim - rank] == size > 1]
        signal = any(s.node is not None and graph.nodes[s.node].signal for s in along)
        if prod(atom.size for atom in axis) != size:
            told = phases_of(along[0], dim - rank, size) if node.name in _MULTIPLY and not signal else None
            axes.append((Atom(OTHER if signal else told or FIXED, 0, size),))
        elif any(atom.axis in (HELD, ZERO) for atom in axis) and along:
            axes.append(_told_apart(node, axis, along, dim - rank, signal))
        else:
            axes.append(axis)
    mixed = any(prod(slot.shape) > 1 for slot in others) or node.name in NORM.names | SOFTMAX.names
    return replace(run, layout=tuple(axes), plain=run.plain and not mixed)


def _told_apart(node: Node, axis: Axis, along: list[Slot], dim: int, signal: bool) -> Axis:
    """Return an axis whose repeated values, or zeros, are told apart by other operands."""
    lone = len(axis) == 1
    inner = axis if lone else axis[1:]
    if node.name not in _MULTIPLY:
        return tuple(
            replace(a, axis=MIXED) if a.axis == ZERO or (lone and a.axis == HELD) else a for a in axis
        )
    if signal and lone:
        return tuple(replace(atom, axis=OTHER) if atom.axis == HELD else atom for atom in axis)
    if all(atom.axis == HELD for atom in inner):
        for slot in along:
            kind = phases_of(slot, dim, prod(atom.size for atom in inner))
            if kind is not None or (lone and not signal):
                return (*axis[: len(axis) - len(inner)], Atom(kind or FIXED, 0, prod(a.size for a in inner)))
    return axis


def _join(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow tensors side by side along a new axis, or along one that a reshape then takes apart."""
    given = arguments(node)
    tensors = given.get("tensors")
    slots = [s for s in tensors if isinstance(s, Slot)] if isinstance(tensors, tuple | list) else []
    if len(slots) >= LEAST and (turn := _in_turn(graph, node, slots, runs)) is not None:
        return turn
    axis = given.get("dim", given.get("axis", 0))
    if len(slots) < 2 or not isinstance(axis, int) or len({s.shape for s in slots}) > 1:
        return None
    found = _main(graph, slots, runs)
    if found is None:
        return None
    run = found[1]
    axis %= len(node.shape)
    inner: Axis = ()
    layout = run.layout
    if node.name == "stack":
        layout = (*layout[:axis], (), *layout[axis:])
    elif slots[0].shape[axis] > 1:
        if axis < 2 or not _taken_apart(graph, node):
            return None
        inner = layout[axis]
    zeros = sum(is_zero(graph, slot) for slot in slots)
    same = len({slot.node for slot in slots}) == 1
    kind = HELD if same else ZERO if zeros == len(slots) - 1 else MIXED
    layout = (*layout[:axis], joined((Atom(kind, 0, len(slots)), *inner)), *layout[axis + 1 :])
    return replace(run, layout=layout, plain=run.plain and same)


def _in_turn(graph: Graph, node: Node, slots: list[Slot], runs: Runs) -> Run | None:
    """Follow tensors taken apart position by position and put together again, some of them several times."""
    taken = [None if slot.node is None else taken_from(graph, slot.node) for slot in slots]
    block = turns(taken)
    first = taken[0]
    if block is None or first is None:
        return None
    run, axis = _open(runs, first.node), int(arguments(node).get("dim", 0)) % len(node.shape)
    if run is None or (node.name != "stack" and slots[0].shape[axis] != 1):
        return None
    rest = [a for d, a in enumerate(run.layout) if d != first.axis]
    kind = HELD if len({one.node for one in taken[:block] if one is not None}) == 1 else MIXED
    count = len(slots) // block
    length = prod(atom.size for atom in run.layout[first.axis])
    whole = run.layout[first.axis] if count == length else (Atom(OTHER, 0, count),)
    layout = (*rest[:axis], joined((*whole, Atom(kind, 0, block))), *rest[axis:])
    return replace(run, layout=layout, plain=False) if sizes(layout) == node.shape else None


def _pad(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow a padding of axes of one position, which puts them among zeros, or one that a reshape undoes."""
    run, read = _open(runs, node.parents[0]), pad_of(node)
    if run is None or read is None or len(node.shape) != len(run.layout):
        return None
    mode, amounts = read
    kind = {"zero": ZERO, "replicate": HELD}.get(mode, MIXED)
    first = len(node.shape) - len(amounts)
    axes = list(run.layout)
    told = False
    for dim, (start, end) in enumerate(amounts, start=first):
        before = prod(atom.size for atom in axes[dim])
        if start == end == 0:
            continue
        whole = start % before == end % before == 0 and min(start, end) >= 0 and mode == "zero"
        if before == 1 and start + end > 0:
            axes[dim] = (Atom(kind, 0, 1 + start + end),)
            told = True
        elif whole and 0 in (start, end) and _taken_apart(graph, node):
            axes[dim] = joined((Atom(ZERO, 0, 1 + (start + end) // before), *axes[dim]))
            told = True
        elif len(axes[dim]) == 1 and axes[dim][0].axis >= 0 and before + start + end > 1:
            axes[dim] = (replace(axes[dim][0], size=before + start + end),)
        else:
            return None
    if not told and run.source == node.parents[0]:
        return None
    return replace(run, layout=tuple(axes), plain=False)


def _taken_apart(graph: Graph, node: Node) -> bool:
    """Test whether a reshape changes the shape of a call's output next."""
    takers = graph.takers(node)
    while takers and all(taker.name in KEEPING and taker.shape == node.shape for taker in takers[:1]):
        takers = graph.takers(takers[0])
    return any(taker.name in RESHAPE.names and taker.shape[2:] != node.shape[2:] for taker in takers)


def _reduced(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow a sum or mean over some axes; the maximum of two tensors is pointwise."""
    given = arguments(node)
    dim, run = given.get("dim"), _open(runs, main_input(node).node)
    if isinstance(dim, Slot) or isinstance(given.get("other"), Slot):
        return _pointwise(graph, node, runs)
    if run is None or dim is None or isinstance(dim, str) or run.source == main_input(node).node:
        return None
    rank = len(run.layout)
    gone = {int(d) % rank for d in (dim if isinstance(dim, tuple | list) else (dim,))}
    if len(node.shape) == rank:
        axes = tuple(() if d in gone else axis for d, axis in enumerate(run.layout))
    else:
        axes = tuple(axis for d, axis in enumerate(run.layout) if d not in gone)
    return replace(run, layout=axes, plain=False) if sizes(axes) == node.shape else None


def _product(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow the rows of a product of two tensors that both depend on the input."""
    if len(node.parents) < 2 or not all(graph.nodes[parent].signal for parent in node.parents[:2]):
        return None
    slots = slots_of(node)[:2]
    left = _open(runs, slots[0].node)
    if left is None or len(left.layout) != len(node.shape) or len(node.shape) < 3:
        return None
    axes = [*left.layout[:-1], (Atom(OTHER, 0, node.shape[-1]),) if node.shape[-1] > 1 else ()]
    return replace(left, layout=tuple(axes), plain=False) if sizes(tuple(axes)) == node.shape else None


def _einsum(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow the axes of a product of tensors, or of a sum over axes of one, by their letters."""
    if is_layout_call(node):
        return _viewed(graph, node, runs)
    slots = slots_of(node)
    letters = einsum_letters(node)
    if letters is None:
        return None
    terms, result = letters
    signal = [graph.nodes[s.node].signal for s in slots if s.node is not None]
    found = _main(graph, slots, runs)
    if found is None or len(terms) != len(slots) or sum(signal) < min(2, len(slots)):
        return _outer(graph, node, runs, terms, result)
    main, run = found
    term = terms[slots.index(main)]
    axes = tuple(
        run.layout[term.index(letter)] if letter in term else ((Atom(OTHER, 0, size),) if size > 1 else ())
        for letter, size in zip(result, node.shape, strict=True)
    )
    return replace(run, layout=axes, plain=False) if sizes(axes) == node.shape else None


def _outer(graph: Graph, node: Node, runs: Runs, terms: list[str], result: str) -> Run | None:
    """Follow an outer product with constants: no letter of the signal is summed over."""
    slots = slots_of(node)
    found = _main(graph, slots, runs)
    if found is None or len(terms) != len(slots):
        return None
    main, run = found
    term = terms[slots.index(main)]
    if not set(term) <= set(result):
        return None
    kinds = {}
    for other, slot in zip(terms, slots, strict=True):
        for dim, letter in enumerate(other):
            if slot is not main and letter not in term:
                kinds[letter] = phases_of(slot, dim, slot.shape[dim]) or FIXED
    axes = tuple(
        run.layout[term.index(letter)] if letter in term else ((Atom(kinds[letter], 0, n),) if n > 1 else ())
        for letter, n in zip(result, node.shape, strict=True)
    )
    return replace(run, layout=axes, plain=False) if sizes(axes) == node.shape else None


def _kron(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow a Kronecker product: inside each position of the first tensor all of the second."""
    slots = slots_of(node)
    if len(slots) != 2:
        return None
    run, second = _open(runs, slots[0].node), slots[1]
    if run is None or (second.node is not None and graph.nodes[second.node].signal):
        return None
    rank = len(node.shape)
    layout: Layout = ((),) * (rank - len(run.layout)) + run.layout
    shape = (1,) * (rank - len(second.shape)) + second.shape
    axes = tuple(
        joined((*axis, Atom((phases_of(second, dim - rank, n) if n > 1 else None) or FIXED, 0, n)))
        for dim, (axis, n) in enumerate(zip(layout, shape, strict=True))
    )
    return replace(run, layout=axes, plain=run.plain)


def _reshaped_as(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow a call that gives one tensor the shape of another."""
    run = _open(runs, main_input(node).node)
    if run is None:
        return None
    layout = expanded(run.layout, node.shape) if "expand" in node.name else reshaped(run.layout, node.shape)
    return None if layout is None else replace(run, layout=layout)


def _pairs(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow pairs of real numbers taken for complex ones, and back."""
    run = _open(runs, node.parents[0])
    if run is None:
        return None
    if node.name == "view_as_complex":
        return replace(run, layout=run.layout[:-1], plain=False)
    return replace(run, layout=(*run.layout, (Atom(MIXED, 0, 2),)), plain=False)


def _moved(graph: Graph, node: Node, runs: Runs) -> Run | None:
    run = _open(runs, node.parents[0])
    if run is None or run.source == node.parents[0] or sizes(run.layout) != node.shape:
        return None
    return replace(run, plain=False)


def _taken(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow positions picked by an index, a list or tensor of constants among it."""
    parts = index_parts(node) if node.name == "getitem" else ()
    if node.name == "getitem" and not any(isinstance(part, Slot | list) for part in parts):
        return _viewed(graph, node, runs)
    run = _open(runs, main_input(node).node)
    if run is None:
        return None
    picks = read_picks(node)
    if picks is None:
        return None
    axes = tuple(() if p.axis is None else taken(run.layout[p.axis], p.positions) for p in picks)
    if any(axis is None for axis in axes):
        return None
    return replace(run, layout=axes, plain=False)  # type: ignore[arg-type]


def _viewed(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow a call that only moves or repeats the values of one tensor."""
    run = _open(runs, node.parents[0]) if is_layout_call(node) else None
    layout = None if run is None else follow(node, run.layout)
    return None if run is None or layout is None else replace(run, layout=layout)


def _written(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow a write of a tensor to positions of another."""
    write = read_write(graph, node)
    if write is None:
        return None
    base, value = _open(runs, write.base), _open(runs, write.value)
    kept = base is not None and write.base is not None and base.source != write.base
    if kept and base is not None and (not write.stepped or write.fits(base.layout)):
        again = tuple(
            tuple(replace(atom, axis=MIXED) if atom.axis == ZERO else atom for atom in axis)
            for axis in base.layout
        )
        return replace(base, layout=again, plain=False)
    if value is None or not write.stepped or not write.onto_constant:
        return None
    read = write.layout(value.layout, ZERO if write.onto_zeros else MIXED)
    return None if read is None else replace(value, layout=read[0], plain=False, ends=read[1])


_MULTIPLY = ("mul", "multiply")
_WRITES = frozenset({"setitem", "index_copy", "index_add", "index_put", "scatter", "scatter_add"})
_SUMS = (
    *("sum", "mean", "amax", "amin", "max", "min", "prod", "any", "all", "logsumexp", "median", "std", "var"),
    *("nansum", "nanmean"),
)
_SPECIAL: dict[str, Callable[[Graph, Node, Runs], Run | None]] = {
    **dict.fromkeys(("stack", "cat", "concat", "concatenate"), _join),
    **dict.fromkeys(PAD.names, _pad),
    **dict.fromkeys(_SUMS, _reduced),
    **dict.fromkeys(("matmul", "bmm"), _product),
    **dict.fromkeys(("expand_as", "view_as", "reshape_as"), _reshaped_as),
    **dict.fromkeys(COMPLEX.names, _pairs),
    **dict.fromkeys(MOVE.names, _moved),
    **dict.fromkeys(("getitem", "index_select"), _taken),
    "einsum": _einsum,
    "kron": _kron,
}
