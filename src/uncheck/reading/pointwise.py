"""Runs through calls that treat positions one by one, and through sums over axes."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from uncheck.reading.calls import arguments, axes_of, main_input
from uncheck.reading.constants import phases_of, slots_of
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.layout import FIXED, HELD, MIXED, OTHER, ZERO, Atom, Axis, Layout, sizes
from uncheck.reading.runs import Run, Runs, main_operand, open_run
from uncheck.reading.tables import NORM, SOFTMAX

_MULTIPLY = ("mul", "multiply")


def follow_pointwise(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow the positions of the main operand; others may tell repeated values apart."""
    slots = slots_of(node)
    found = main_operand(graph, slots, runs)
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


def follow_reduction(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow a sum or mean over some axes; the maximum of two tensors is pointwise."""
    given = arguments(node)
    dim, run = given.get("dim"), open_run(runs, main_input(node).node)
    if isinstance(dim, Slot) or isinstance(given.get("other"), Slot):
        return follow_pointwise(graph, node, runs)
    if run is None or dim is None or isinstance(dim, str) or run.source == main_input(node).node:
        return None
    rank = len(run.layout)
    gone = axes_of(dim, rank)
    if len(node.shape) == rank:
        axes = tuple(() if d in gone else axis for d, axis in enumerate(run.layout))
    else:
        axes = tuple(axis for d, axis in enumerate(run.layout) if d not in gone)
    return replace(run, layout=axes, plain=False) if sizes(axes) == node.shape else None
