"""The entries of a network's weights that make the kernel of a stage."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from uncheck.reading.calls import arguments, convolution
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.stage import Stage
from uncheck.reading.stages import read_stages
from uncheck.reading.tensors import replace_tensors
from uncheck.reading.trace import WEIGHTED


@dataclass(frozen=True, eq=False)
class Entries:
    """An argument of a call, and where its entries go in the kernel of a stage or in its bias.

    Attributes:
        call: the convolution or linear call.
        argument: position or name of the argument.
        value: the tensor given.
        index: for each entry of the kernel or the bias the entry of `value` that it is, counted row by row
            from 1; 0 where it is zero by construction.
    """

    call: Node
    argument: int | str
    value: Tensor
    index: Tensor


def source_of(graph: Graph, stage: Stage) -> Node | None:
    """Return the convolution or linear call whose weight makes the kernel of a stage."""
    node = next((n for n in graph.nodes if n.key == stage.key and n.item == 0), None)
    while node is not None and convolution(node) is None and node.name != "linear":
        node = graph.nodes[node.parents[0]] if node.parents else None
    return node


def kernel_entries(graph: Graph, stages: Iterable[Stage]) -> dict[int, tuple[Entries | None, Entries | None]]:
    """Find the weight and the bias whose entries are those of each stage's kernel.

    The graph is read again with the entries of these weights counted, so every layout that reading
    understands is followed. A sum of entries may look like a number once, but not when they are counted in
    another order too.

    Returns:
        By index of the stage. None where there is no such tensor, or where an entry of the kernel is not one
        entry of it, as in a resize followed by a convolution.

    Cost: that of reading the graph twice, and float64 copies of the kernels for the time being.
    """
    calls = {
        s.index: node for s in stages if s.kernel is not None and (node := source_of(graph, s)) is not None
    }
    readings = [
        read_stages(_relabelled(graph, {node.index for node in calls.values()}, label))
        for label in (_counted, _shuffled)
    ]
    found: dict[int, tuple[Entries | None, Entries | None]] = {}
    for index, node in calls.items():
        first, second = (reading[index].kernel for reading in readings)
        if first is not None and second is not None:
            found[index] = (
                _entries(node, "weight", first.weight, second.weight),
                _entries(node, "bias", first.bias, second.bias),
            )
    return found


def _entries(node: Node, name: str, first: Tensor | None, second: Tensor | None) -> Entries | None:
    slot = arguments(node).get(name)
    if not isinstance(slot, Slot) or slot.value is None or first is None or second is None:
        return None
    index = first.round().long()
    there = index > 0
    if (
        not torch.equal(index.double(), first)
        or int(index.max()) > slot.value.numel()
        or not torch.equal(_shuffled(slot).flatten()[index[there] - 1], second[there])
        or len(torch.unique(index[there])) != int(there.sum())
        or not bool(there.any())
    ):
        return None
    given: list[tuple[int | str, object]] = [*enumerate(node.args), *node.kwargs.items()]
    argument = next(key for key, value in given if value is slot)
    return Entries(node, argument, slot.value, index)


def _relabelled(graph: Graph, calls: Collection[int], label: Callable[[Slot], Tensor]) -> Graph:
    """Return the graph with the weights of some calls labelled, and all others zero."""

    def swapped(node: Node) -> Node:
        if node.name not in WEIGHTED:
            return node  # its constants say where values go

        def swap(slot: Slot) -> Slot:
            if slot.value is None:
                return slot
            zero = torch.zeros((), dtype=torch.float64)
            return replace(slot, value=label(slot) if node.index in calls else zero.expand(slot.shape))

        args, kwargs = replace_tensors((node.args, node.kwargs), swap, kind=Slot)
        return replace(node, args=args, kwargs=kwargs)

    return replace(graph, nodes=tuple(map(swapped, graph.nodes)))


def _counted(slot: Slot) -> Tensor:
    count = slot.value.numel() if slot.value is not None else 0
    return torch.arange(1, count + 1, dtype=torch.float64).reshape(slot.shape)


def _shuffled(slot: Slot) -> Tensor:
    count = slot.value.numel() if slot.value is not None else 0
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    return (order.double() + 1).reshape(slot.shape)
