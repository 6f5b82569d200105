"""Runs of calls that upsample: hand-written pixel shuffles, un-patchify, repeated values, inserted zeros."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from uncheck.reading.calls import convolution
from uncheck.reading.following import read_runs
from uncheck.reading.graph import Graph, Node
from uncheck.reading.layout import FIXED, HELD, MIXED, OTHER, ZERO, Layout
from uncheck.reading.runs import Run, Runs
from uncheck.reading.tables import CHANNELS, KEEPING, RESHAPE, SHUFFLE
from uncheck.reading.written import is_write


@dataclass(frozen=True)
class Chain:
    """A run of calls after which positions of the source are blocks of positions.

    Attributes:
        source: the node whose output is rearranged.
        node: the call after which all blocks are there.
        layout: of that call's output, in axes of the source.
        channel: the channel axis of the source.
        dims: spatial axes of the output.
        factor: block size per spatial axis.
        kinds: what tells the phases apart: HELD, MIXED, ZERO, FIXED, OTHER, or an axis of the source.
        plain: whether the calls treat channels and positions alike.
    """

    source: Node
    node: Node
    layout: Layout
    channel: int
    dims: tuple[int, ...]
    factor: tuple[int, ...]
    kinds: frozenset[int]
    plain: bool = True

    @property
    def held(self) -> bool:
        """Whether the value is constant on each block."""
        return self.kinds == {HELD}

    @property
    def spread(self) -> bool:
        """Whether each value is put among zeros, or multiplied by a table of constants."""
        return not self.held and self.kinds <= {HELD, ZERO, FIXED}


def read_chains(graph: Graph) -> tuple[Chain, ...]:
    """Find every run of calls that upsamples, up to the last call it needs."""
    return _read_all(graph)[0]


def read_interleaves(graph: Graph) -> frozenset[int]:
    """Find the calls after which tensors alternate along positions in a way that is read as no stage."""
    return _read_all(graph)[1]


def _read_all(graph: Graph) -> tuple[tuple[Chain, ...], frozenset[int]]:
    """Return the chains, and the calls that interleave positions of no chain."""
    known: tuple[tuple[Chain, ...], frozenset[int]] | None = graph.read.get("chains")
    if known is None:
        known = graph.read["chains"] = _read_runs_of(graph)
    return known


def _read_runs_of(graph: Graph) -> tuple[tuple[Chain, ...], frozenset[int]]:
    runs = read_runs(graph)
    chains: dict[int, Chain] = {}
    leads: dict[int, tuple[int, ...]] = {}
    found: dict[int, Chain] = {}
    alternating: list[int] = []
    for index, run in runs.items():
        node = graph.nodes[index]
        before = (
            tuple(dict.fromkeys(n for p in node.parents for n in leads[p])) if run.source != index else ()
        )
        chain = _chain(graph, runs, index)
        leads[index] = before
        if chain is None:
            if not before and _alternates(graph, run):
                alternating.append(index)
            continue
        chains[index] = chain
        same = [first for first in before if _size(chains[first]) >= _size(chain)]
        if same and not is_write(node) and not _drops_axes(chains[same[0]], chain):
            leads[index] = (same[0],)
            continue
        for first in before:
            found.pop(first, None)
        leads[index] = (index,)
        found[index] = chain
    served = set(chains)
    for node in reversed(graph.nodes):
        if node.index in served and runs[node.index].source != node.index:
            served.update(node.parents)
    unread = [index for index in alternating if index not in served]
    begun = frozenset(i for i in unread if not set(unread) & set(graph.nodes[i].parents))
    return tuple(found[index] for index in sorted(found)), begun


def _drops_axes(before: Chain, chain: Chain) -> bool:
    """Test whether axes beside batch, channels and positions are merged away."""
    return len(before.node.shape) > max(len(chain.node.shape), len(before.dims) + 2)


def _size(chain: Chain) -> tuple[int, bool]:
    return prod(chain.factor), chain.spread


def _alternates(graph: Graph, run: Run) -> bool:
    """Test whether an axis holds positions with phases of other tensors inside."""
    channels = channel_axes(graph, graph.nodes[run.source])
    fixed = (0, *channels[:1])
    for axis in run.layout if channels else ():
        places = [atom for atom in axis if atom.axis >= 0 and atom.axis not in fixed]
        inner = prod(atom.size for atom in axis[1:] if atom.axis < HELD and atom.axis != OTHER)
        least = places[0].step if places and len(channels) > 1 else 1
        if places and axis[0] is places[0] and inner > least:
            return True
    return False


def _chain(graph: Graph, runs: Runs, index: int) -> Chain | None:
    run, node = runs[index], graph.nodes[index]
    if run.source == index:
        return None
    source = graph.nodes[run.source]
    channels = channel_axes(graph, source)
    best: Chain | None = None
    for channel in channels:
        read = _positions(source, node, run, channel, len(channels) > 1)
        if read is None:
            continue
        chain = _read(source, node, run, channel, *read, unsure=len(channels) > 1)
        if chain is None and best is None:
            return None  # the likeliest channel axis leaves positions where they are
        if chain is not None and (best is None or prod(chain.factor) > prod(best.factor)):
            best = chain
    return None if best is None or _feeds_a_matrix(graph, best) else best


def _positions(
    source: Node, node: Node, run: Run, channel: int, unsure: bool
) -> tuple[tuple[int, ...], tuple[int, ...], frozenset[int], int] | None:
    """Return the axes of positions, the block of each, the kinds of phases, and how many axes are folded.

    None where positions are not outside and phases inside.
    """
    batch = None if len(source.shape) == 2 else 0
    dims: list[int] = []
    factor: list[int] = []
    kinds: set[int] = set()
    folded = 0
    for dim, axis in enumerate(run.layout):
        places = [atom.axis >= 0 and atom.axis not in (channel, batch) for atom in axis]
        if not any(places):
            lone = len(source.shape) == len(node.shape) == 5 and dim > 0 and node.name in RESHAPE.names
            if lone and source.shape[dim] == 1 and axis and all(atom.axis == MIXED for atom in axis):
                dims.append(dim)  # one frame that becomes several
                factor.append(prod(atom.size for atom in axis))
                kinds.add(MIXED)
            continue
        pure = all(place or a.axis == batch for place, a in zip(places, axis, strict=True))
        if pure and (axis[0].axis == batch or (dim == 0 and source.shape[0] == 1 and len(node.shape) > 3)):
            folded += 1  # frames of a video that lie in the batch
            continue
        if not places[0] or any(places[1:]) or any(atom.axis == batch for atom in axis):
            return None
        block = prod(atom.size for atom in axis[1:])
        if unsure and block > 1 and block == axis[0].step:
            block = 1  # pairs taken apart and put together again, as rotary embeddings do
        dims.append(dim)
        factor.append(block)
        kinds |= {atom.axis for atom in axis[1:]} if block > 1 else set()
    return tuple(dims), tuple(factor), frozenset(kinds), folded


def _read(
    source: Node,
    node: Node,
    run: Run,
    channel: int,
    dims: tuple[int, ...],
    factor: tuple[int, ...],
    kinds: frozenset[int],
    folded: int,
    unsure: bool,
) -> Chain | None:
    rank = len(source.shape)
    if not 1 <= len(dims) <= 3 or prod(factor) == 1 or rank > 5:
        return None
    alike = len(node.shape) == rank > 3 and dims == tuple(range(dims[0], dims[0] + len(dims)))
    lone = not alike or (unsure and max(kinds) >= 0)
    if (rank == 2 or (rank > 3 and lone)) and sum(f > 1 for f in factor) < 2:
        return None  # one block axis of many: heads of an attention, not pixels
    if OTHER in kinds and not alike:
        return None  # a map of one position against another
    if rank in (4, 5) and len(dims) + folded != rank - 2:
        return None
    return Chain(source, node, run.layout, channel, dims, factor, kinds, run.plain)


def _feeds_a_matrix(graph: Graph, chain: Chain) -> bool:
    """Test whether one axis of blocks is a flattening before a fully connected layer."""
    if len(chain.dims) > 1 or len(chain.node.shape) > 2:
        return False
    reached, new = set(), [chain.node]
    while new:
        node = new.pop()
        for taker in graph.takers(node):
            if taker.name in CHANNELS.names:
                return True
            if taker.name in KEEPING and taker.index not in reached:
                reached.add(taker.index)
                new.append(taker)
    return False


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
