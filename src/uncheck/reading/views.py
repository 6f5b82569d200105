"""Runs through calls that move, repeat, pick or overwrite values."""

from __future__ import annotations

from dataclasses import replace

from uncheck.reading.calls import index_parts, main_input
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.indices import read_picks, taken
from uncheck.reading.layout import MIXED, ZERO, Atom, expanded, follow, is_layout_call, reshaped, sizes
from uncheck.reading.runs import Run, Runs, open_run
from uncheck.reading.written import read_write


def follow_view(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow a call that only moves or repeats the values of one tensor."""
    run = open_run(runs, node.parents[0]) if is_layout_call(node) else None
    layout = None if run is None else follow(node, run.layout)
    return None if run is None or layout is None else replace(run, layout=layout)


def follow_picks(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow positions picked by an index, a list or tensor of constants among it."""
    parts = index_parts(node) if node.name == "getitem" else ()
    if node.name == "getitem" and not any(isinstance(part, Slot | list) for part in parts):
        return follow_view(graph, node, runs)
    run = open_run(runs, main_input(node).node)
    if run is None:
        return None
    picks = read_picks(node)
    if picks is None:
        return None
    axes = tuple(() if p.axis is None else taken(run.layout[p.axis], p.positions) for p in picks)
    if any(axis is None for axis in axes):
        return None
    return replace(run, layout=axes, plain=False)  # type: ignore[arg-type]


def follow_write(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow a write of a tensor to positions of another."""
    write = read_write(graph, node)
    if write is None:
        return None
    base, value = open_run(runs, write.base), open_run(runs, write.value)
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


def follow_shape_of_another(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow a call that gives one tensor the shape of another."""
    run = open_run(runs, main_input(node).node)
    if run is None:
        return None
    layout = expanded(run.layout, node.shape) if "expand" in node.name else reshaped(run.layout, node.shape)
    return None if layout is None else replace(run, layout=layout)


def follow_pairs(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow pairs of real numbers taken for complex ones, and back."""
    run = open_run(runs, node.parents[0])
    if run is None:
        return None
    if node.name == "view_as_complex":
        return replace(run, layout=run.layout[:-1], plain=False)
    return replace(run, layout=(*run.layout, (Atom(MIXED, 0, 2),)), plain=False)


def follow_move(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow a call that moves positions within a run that has begun."""
    run = open_run(runs, node.parents[0])
    if run is None or run.source == node.parents[0] or sizes(run.layout) != node.shape:
        return None
    return replace(run, plain=False)
