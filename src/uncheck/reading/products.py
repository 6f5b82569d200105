"""Runs through products of tensors."""

from __future__ import annotations

from dataclasses import replace

from uncheck.reading.calls import einsum_letters
from uncheck.reading.constants import phases_of, slots_of
from uncheck.reading.graph import Graph, Node
from uncheck.reading.layout import FIXED, OTHER, Atom, Layout, is_layout_call, joined, sizes
from uncheck.reading.runs import Run, Runs, main_operand, open_run
from uncheck.reading.views import follow_view


def follow_product(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow the rows of a product of two tensors that both depend on the input."""
    if len(node.parents) < 2 or not all(graph.nodes[parent].signal for parent in node.parents[:2]):
        return None
    slots = slots_of(node)[:2]
    left = open_run(runs, slots[0].node)
    if left is None or len(left.layout) != len(node.shape) or len(node.shape) < 3:
        return None
    axes = [*left.layout[:-1], (Atom(OTHER, 0, node.shape[-1]),) if node.shape[-1] > 1 else ()]
    return replace(left, layout=tuple(axes), plain=False) if sizes(tuple(axes)) == node.shape else None


def follow_einsum(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow the axes of a product of tensors, or of a sum over axes of one, by their letters."""
    if is_layout_call(node):
        return follow_view(graph, node, runs)
    slots = slots_of(node)
    letters = einsum_letters(node)
    if letters is None:
        return None
    terms, result = letters
    signal = [graph.nodes[s.node].signal for s in slots if s.node is not None]
    found = main_operand(graph, slots, runs)
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
    found = main_operand(graph, slots, runs)
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


def follow_kron(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Follow a Kronecker product: inside each position of the first tensor all of the second."""
    slots = slots_of(node)
    if len(slots) != 2:
        return None
    run, second = open_run(runs, slots[0].node), slots[1]
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
