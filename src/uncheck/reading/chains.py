"""Runs of pure layout calls that upsample: hand-written pixel shuffles, un-patchify, repeated values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from uncheck.reading.calls import arguments, convolution
from uncheck.reading.graph import Graph, Node
from uncheck.reading.layout import HELD, Layout, follow, is_layout_call, source_layout
from uncheck.reading.tables import CHANNELS, KEEPING, SHUFFLE


@dataclass(frozen=True)
class Chain:
    """A run of layout calls after which positions of the source are blocks of positions.

    Attributes:
        source: the node whose output is rearranged.
        node: the call after which all blocks are there.
        layout: of that call's output, in axes of the source.
        channel: the channel axis of the source.
        dims: spatial axes of the output.
        factor: block size per spatial axis.
        held: whether the value is constant on each block.
    """

    source: Node
    node: Node
    layout: Layout
    channel: int
    dims: tuple[int, ...]
    factor: tuple[int, ...]
    held: bool


def read_chains(graph: Graph) -> tuple[Chain, ...]:
    """Find every run of layout calls that upsamples, up to the last call it needs."""
    runs = _runs(graph)
    chains = {
        index: chain
        for index, (source, layout) in runs.items()
        if (chain := _chain(graph, graph.nodes[source], graph.nodes[index], layout)) is not None
    }
    found: dict[int, Chain] = {}
    for index, chain in chains.items():
        later = (chains[taker] for taker in graph.consumers[index] if taker in chains)
        if not any(prod(other.factor) >= prod(chain.factor) for other in later):
            first = _earliest(chain, chains)
            found.setdefault(first.node.index, first)
    return tuple(found[index] for index in sorted(found))


def read_interleaves(graph: Graph) -> frozenset[int]:
    """Find the calls after which stacked tensors alternate along positions, which are followed no further."""
    found = set()
    for index, (source, layout) in _runs(graph).items():
        made = graph.nodes[source]
        axis = _stack_axis(made)
        if axis is None:
            continue
        channels = channel_axes(graph, graph.nodes[made.parents[0]])[:1]
        for run in layout:
            outer = [atom.axis - (atom.axis > axis) for atom in run[:-1] if atom.axis != axis]
            if len(run) > 1 and run[-1].axis == axis and outer and outer[-1] not in (*channels, 0, HELD):
                found.add(index)
    return frozenset(i for i in found if graph.nodes[i].parents[0] not in found)


def _stack_axis(node: Node) -> int | None:
    """Return the new axis of a stack, or of a concatenation along an axis of ones."""
    if node.name not in ("stack", "cat") or not node.parents or not node.shape:
        return None
    axis = int(arguments(node).get("dim", 0)) % len(node.shape)
    if node.name == "cat" and (node.shape[axis] != len(node.parents) or len(node.parents) < 2):
        return None
    return axis


def _runs(graph: Graph) -> dict[int, tuple[int, Layout]]:
    """Return for each layout call the node that its run starts from, and its layout in axes of that node."""
    sources: dict[int, tuple[int, Layout]] = {}
    for node in graph.nodes:
        if not is_layout_call(node):
            continue
        parent = node.parents[0]
        source, layout = sources.get(parent, (parent, source_layout(graph.nodes[parent].shape)))
        after = follow(node, layout)
        if after is None:
            continue
        sources[node.index] = (source, after)
    return sources


def _earliest(chain: Chain, chains: dict[int, Chain]) -> Chain:
    """Drop calls from the end that add nothing, such as a crop."""
    while (shorter := chains.get(chain.node.parents[0])) is not None:
        if len(shorter.node.shape) != len(chain.node.shape) or sorted(shorter.factor) != sorted(chain.factor):
            break
        chain = shorter
    return chain


def _chain(graph: Graph, source: Node, node: Node, layout: Layout) -> Chain | None:
    for channel in channel_axes(graph, source):
        chain = _read(source, node, layout, channel)
        if chain is not None and not _feeds_a_matrix(graph, chain):
            return chain
    return None


def _read(source: Node, node: Node, layout: Layout, channel: int) -> Chain | None:
    rank = len(source.shape)
    batch = None if rank == 2 else 0
    dims: list[int] = []
    factor: list[int] = []
    held = True
    for dim, axis in enumerate(layout):
        places = [atom.axis not in (HELD, channel, batch) for atom in axis]
        if not any(places):
            continue
        if not places[0] or any(places[1:]) or any(atom.axis == batch for atom in axis):
            return None  # not positions outside, phases inside
        dims.append(dim)
        factor.append(prod(atom.size for atom in axis[1:]))
        held = held and all(atom.axis == HELD for atom in axis[1:])
    if not 1 <= len(dims) <= 3 or prod(factor) == 1:
        return None
    blocks = sum(f > 1 for f in factor)
    if (rank == 2 and blocks < 2) or (rank >= 4 and blocks < 2) or rank > 5:
        return None  # one block axis of many: heads of an attention, not pixels
    if rank in (4, 5) and len(dims) != rank - 2:
        return None
    return Chain(source, node, layout, channel, tuple(dims), tuple(factor), held)


def _feeds_a_matrix(graph: Graph, chain: Chain) -> bool:
    """Test whether one axis of blocks is a flattening before a fully connected layer."""
    if len(chain.dims) > 1 or len(chain.node.shape) > 2:
        return False
    return any(taker.name in CHANNELS.names for taker in graph.takers(chain.node))


def channel_axes(graph: Graph, source: Node) -> tuple[int, ...]:
    """Return the axes of a tensor that may be its channels, the likeliest first."""
    rank = len(source.shape)
    if rank < 2:
        return ()
    for node in _upstream(graph, source):
        if convolution(node) is not None or node.name in SHUFFLE.names or node.name in _FIRST:
            return (1,) if rank > 2 else (0,)
        if node.name in _LAST:
            return (rank - 1,)
    return (rank - 1, 1) if rank == 3 else (1, rank - 1)


def _upstream(graph: Graph, node: Node) -> Iterator[Node]:
    while True:
        yield node
        same = [p for p in node.parents if graph.nodes[p].shape == node.shape]
        if node.name not in KEEPING or not same:
            return
        node = graph.nodes[same[0]]


_FIRST = frozenset({"batch_norm", "instance_norm", "group_norm", "interpolate"})
_LAST = frozenset({"linear", "layer_norm", "rms_norm", "multi_head_attention_forward"})
