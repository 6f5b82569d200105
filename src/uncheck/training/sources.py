"""Which entry of which weight goes into which phase gain: found once, by reading numbered weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod

import torch
from torch import Tensor

from uncheck.phases import PhaseKernel
from uncheck.reading import CallKey, Stage
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.stages import read_stages

#: Kinds whose gains are equal whatever the weights: they resize first.
EVEN_KINDS = frozenset({"nearest", "linear"})

Place = tuple[int, int | str]
"""A node of the graph, and the position or name of one of its arguments."""


@dataclass(frozen=True, eq=False)
class Source:
    """One argument of one call, and where each of its entries goes in a table (rows, phases).

    Attributes:
        key: the call that takes it.
        argument: its position among the arguments, or its name.
        value: the tensor as it was when read.
        target: for each entry the index into the flat table; `rows * phases` for an entry that is not used.
        rows: a row for each pair of channels.
        phases: how many there are.
    """

    key: CallKey
    argument: int | str
    value: Tensor
    target: Tensor
    rows: int
    phases: int

    def table(self, value: Tensor) -> Tensor:
        """(rows, phases) in float64: each entry of `value` added where it goes. Differentiable."""
        flat = value.flatten()
        flat = flat.float() if flat.device.type == "mps" else flat.double()  # which has no float64
        sums = flat.new_zeros(self.rows * self.phases + 1).index_add(0, self.target.to(flat.device), flat)
        return sums[:-1].reshape(self.rows, self.phases)


def find_sources(graph: Graph, stages: tuple[Stage, ...]) -> dict[int, tuple[Source, Source | None]]:
    """The weight of each stage whose gains depend on it, and its bias where there is one per phase.

    The graph is read twice more: with each weight filled by a number of its own, which tells which weight a
    kernel is made of; and with the entries of those counted from 1, which tells where each of them went. So
    every layout that `reading` understands is followed, without a second account of it here.

    Args:
        graph: the recorded graph.
        stages: what was read in it.

    Returns:
        By index of the stage; stages of unknown kernel and those that resize are left out.

    Cost: twice that of reading the graph, and float64 copies of the kernels for the time being.
    """
    wanted = [s.index for s in stages if s.kernel is not None and s.kind not in EVEN_KINDS]
    places = [
        (node.index, name)
        for node in graph.nodes
        for name, slot in _arguments(node)
        if isinstance(slot, Slot) and slot.value is not None
    ]
    code = {place: number for number, place in enumerate(places, start=1)}
    coded = read_stages(_refilled(graph, lambda place, slot: _filled(slot, code[place])))
    used: dict[int, tuple[Place, Place | None]] = {}
    for index in wanted:
        kernel = coded[index].kernel
        assert kernel is not None
        bias = kernel.bias if kernel.bias is not None and kernel.bias.ndim > 1 else None
        of_bias = None if bias is None else places[int(bias.max()) - 1]
        used[index] = places[int(kernel.weight.max()) - 1], of_bias
    chosen = {place for pair in used.values() for place in pair}
    counted = read_stages(
        _refilled(graph, lambda place, slot: _counted(slot) if place in chosen else _filled(slot, 0))
    )
    found: dict[int, tuple[Source, Source | None]] = {}
    for index in wanted:
        kernel = counted[index].kernel
        assert kernel is not None
        weight, place = used[index]
        phases = prod(kernel.stride)
        taps = _source(graph, weight, kernel.weight, _phase_of_taps(kernel), phases)
        of_phases = None
        if place is not None and kernel.bias is not None:
            of_phases = _source(graph, place, kernel.bias[:, None], torch.arange(phases), phases)
        found[index] = (taps, of_phases)
    return found


def _source(graph: Graph, place: Place, numbers: Tensor, phase: Tensor, phases: int) -> Source:
    """From (out, in, *positions) of numbers of entries, 0 for none, and the phase of each position."""
    node, name = graph.nodes[place[0]], place[1]
    slot = dict(_arguments(node))[name]
    assert isinstance(slot, Slot)
    assert slot.value is not None
    flat = numbers.round().long().flatten(2).flatten(0, 1).cpu()
    filled = flat.any(dim=1)  # blocks between groups are empty
    rows = int(filled.sum())
    row = torch.full((len(flat),), -1).masked_scatter(filled, torch.arange(rows))[:, None]
    cell = (row * phases + phase.flatten()).expand_as(flat)
    target = torch.full((slot.value.numel() + 1,), rows * phases)
    target[flat[flat > 0]] = cell[flat > 0]
    return Source(node.key, name, slot.value, target[1:].to(slot.value.device), rows, phases)


def _phase_of_taps(kernel: PhaseKernel) -> Tensor:
    """The phase of the output index that each position of the kernel adds to, (*k), counted row by row."""
    phase = torch.zeros((), dtype=torch.int64)
    for k, s, o in zip(kernel.kernel_size, kernel.stride, kernel.offset, strict=True):
        phase = phase[..., None] * s + (torch.arange(k) - o) % s
    return phase


def _arguments(node: Node) -> list[tuple[int | str, object]]:
    return [*enumerate(node.args), *node.kwargs.items()]


def _refilled(graph: Graph, make: Callable[[Place, Slot], Tensor]) -> Graph:
    """The graph with other values in the weights that it keeps."""

    def slot(index: int, name: int | str, value: object) -> object:
        if isinstance(value, Slot) and value.value is not None:
            return replace(value, value=make((index, name), value))
        return value

    nodes = tuple(
        replace(
            node,
            args=tuple(slot(node.index, i, value) for i, value in enumerate(node.args)),
            kwargs={name: slot(node.index, name, value) for name, value in node.kwargs.items()},
        )
        for node in graph.nodes
    )
    return replace(graph, nodes=nodes)


def _filled(slot: Slot, number: int) -> Tensor:
    return torch.full((), float(number), dtype=torch.float64).expand(slot.shape)


def _counted(slot: Slot) -> Tensor:
    count = slot.value.numel() if slot.value is not None else 0
    return torch.arange(1, count + 1, dtype=torch.float64).reshape(slot.shape)
