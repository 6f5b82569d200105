"""Runs through tensors put side by side, and through paddings."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from uncheck.reading.calls import arguments, pad_of
from uncheck.reading.constants import is_zero
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.layout import HELD, MIXED, OTHER, ZERO, Atom, Axis, joined, sizes
from uncheck.reading.loops import LEAST, taken_from, turns
from uncheck.reading.runs import Run, Runs, main_operand, open_run
from uncheck.reading.tables import KEEPING, RESHAPE


def follow_join(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow tensors side by side along a new axis, or along one that a reshape then takes apart."""
    given = arguments(node)
    tensors = given.get("tensors")
    slots = [s for s in tensors if isinstance(s, Slot)] if isinstance(tensors, tuple | list) else []
    if len(slots) >= LEAST and (turn := _in_turn(graph, node, slots, runs)) is not None:
        return turn
    axis = given.get("dim", given.get("axis", 0))
    if len(slots) < 2 or not isinstance(axis, int) or len({s.shape for s in slots}) > 1:
        return None
    found = main_operand(graph, slots, runs)
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
    run, axis = open_run(runs, first.node), int(arguments(node).get("dim", 0)) % len(node.shape)
    if run is None or (node.name != "stack" and slots[0].shape[axis] != 1):
        return None
    rest = [a for d, a in enumerate(run.layout) if d != first.axis]
    kind = HELD if len({one.node for one in taken[:block] if one is not None}) == 1 else MIXED
    count = len(slots) // block
    length = prod(atom.size for atom in run.layout[first.axis])
    whole = run.layout[first.axis] if count == length else (Atom(OTHER, 0, count),)
    layout = (*rest[:axis], joined((*whole, Atom(kind, 0, block))), *rest[axis:])
    return replace(run, layout=layout, plain=False) if sizes(layout) == node.shape else None


def follow_padding(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow a padding of axes of one position, which puts them among zeros, or one that a reshape undoes."""
    run, read = open_run(runs, node.parents[0]), pad_of(node)
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
