"""The ledger of all calls: handled, ignored on purpose, or unsupported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from uncheck.plain import Brief, as_dict
from uncheck.reading.calls import index_parts, main_input, slice_steps
from uncheck.reading.chains import read_interleaves
from uncheck.reading.following import read_runs
from uncheck.reading.graph import OPAQUE, Graph, Node, Slot
from uncheck.reading.runs import Runs
from uncheck.reading.sampled import grid_factors, index_factors
from uncheck.reading.tables import STRIDED_VIEW, TAUGHT, group_of
from uncheck.reading.written import is_write
from uncheck.words import plural

Known = tuple[str, tuple[bool, str] | None]
"""The name a call is counted by; whether it is handled and why; None where it is unsupported."""
OFF_PATH = "off the signal path"
ONE_HOT = "writes a constant where the content says, as one-hot codes do"
OFF_PATH_CRITERION = "does not lie between the input and the output"


@dataclass(frozen=True)
class Ledger(Brief):
    """Counts of the torch calls of one forward pass, by function name.

    Attributes:
        handled: reading follows what they do to the grid of positions.
        ignored: there is nothing to follow; `criteria` says why for each.
        unsupported: calls on the signal path that reading does not understand.
        criteria: for each ignored name the reason, in a sentence.
        where: for each unsupported name the paths of the modules that make the calls.
    """

    handled: Mapping[str, int]
    ignored: Mapping[str, int]
    unsupported: Mapping[str, int]
    criteria: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, dict[str, int]]:
        """Return the three counts as plain dictionaries."""
        return as_dict(self, "handled", "ignored", "unsupported")

    def __str__(self) -> str:
        handled = plural(sum(self.handled.values()), "call")
        text = f"{handled} handled, {sum(self.ignored.values())} ignored on purpose"
        if not self.unsupported:
            return f"{text}, none unsupported"
        parts = (
            f"{name} ({count}, in {', '.join(where or 'the model itself' for where in self.where[name])})"
            for name, count in self.unsupported.items()
        )
        return f"{text}; unsupported on the signal path: {', '.join(parts)}"


def read_ledger(graph: Graph) -> Ledger:
    """Sort every call of a recorded forward pass into the three buckets, one of several tensors once."""
    handled, ignored, unsupported = Counter[str](), Counter[str](), Counter[str]()
    criteria: dict[str, str] = {}
    where: dict[str, dict[str, None]] = {}
    interleaved = read_interleaves(graph)
    runs = read_runs(graph)
    on_path = {graph.nodes[index].key for index in graph.path}
    counted: set[object] = set()
    for node in graph.nodes:
        if node.key in counted or (node.func is None and node.key.function != OPAQUE):
            continue
        counted.add(node.key)
        name, group = ("interleave", None) if node.index in interleaved else _known(graph, runs, node)
        if group is None and node.key not in on_path:
            name, group = OFF_PATH, (False, OFF_PATH_CRITERION)
        if group is None:
            unsupported[name] += 1
            where.setdefault(name, {})[node.key.module] = None
        elif group[0]:
            handled[name] += 1
        else:
            ignored[name] += 1
            criteria[name] = group[1]
    paths = {name: tuple(modules) for name, modules in where.items()}
    return Ledger(dict(handled), dict(ignored), dict(unsupported), criteria, paths)


def _known(graph: Graph, runs: Runs, node: Node) -> Known:
    """Return the name that a call is counted by, and whether and why it is understood."""
    if node.key.function == OPAQUE:
        return "opaque", None
    if is_write(node):
        return _known_write(graph, runs, node)
    if node.writes and node.parents:
        view = graph.nodes[node.parents[0]]
        if view.name == "getitem" and max(slice_steps(view)) > 1 and not _is_read(graph, runs, node):
            return f"{node.name} with a step", None
    if node.name in ("getitem", "index_select") and main_input(node).node is not None:
        otherwise = (node.name, (True, STRIDED_VIEW.criterion))
        read = runs[node.index].source != node.index or index_factors(node) is not None
        return otherwise if read else _indexed(node, otherwise)
    if node.name == "grid_sample" and grid_factors(graph, node) is None:
        return node.name, None
    group = group_of(node.key.function)
    if node.key.function in TAUGHT and group is not None:
        return node.key.function, (True, "was registered")
    return node.name, None if group is None else (group.handled, f"{group.name}: {group.criterion}")


def _known_write(graph: Graph, runs: Runs, node: Node) -> Known:
    """Return how a write to some positions of a tensor is counted."""
    if runs[node.index].source != node.index:
        return node.name, (True, "writes to positions that are followed")
    if node.name != "setitem":
        constant = not any(s.node is not None and graph.nodes[s.node].signal for s in _values(node))
        return node.name, (False, ONE_HOT) if constant else None
    if max(slice_steps(node)) > 1:
        return "setitem with a step", None
    return _indexed(node, ("setitem", (True, "writes to a block of positions")))


def _values(node: Node) -> list[Slot]:
    """Return the tensors that a scattering call writes."""
    given = [
        *node.args[3 if node.name != "index_put" else 2 :],
        node.kwargs.get("src"),
        node.kwargs.get("source"),
    ]
    return [value for value in given if isinstance(value, Slot)]


def _is_read(graph: Graph, runs: Runs, node: Node) -> bool:
    """Test whether the tensor that a written view is a part of has been followed."""
    return any(is_write(t) and runs[t.index].source != t.index for t in graph.takers(node))


def _indexed(node: Node, otherwise: Known) -> Known:
    """Return None as the reason where a list or tensor of integers picks positions; a mask keeps them."""
    name = f"{node.name} with an index"
    if node.name == "index_select":
        return name, None
    for part in index_parts(node):
        if isinstance(part, list) or (isinstance(part, Slot) and part.dtype is not torch.bool and part.shape):
            return name, None
    return otherwise
