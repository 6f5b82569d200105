"""Stages that take channels for positions: pixel shuffles and un-patchify."""

from __future__ import annotations

from uncheck.reading.calls import arguments, convolution
from uncheck.reading.chains import Chain
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.kernels import patch_kernel, shuffle_kernel, source_channels
from uncheck.reading.neighbours import before
from uncheck.reading.stage import Stage, last_axes, make_stage


def read_shuffle(graph: Graph, node: Node) -> Stage | None:
    """Read a pixel shuffle as a stage; None if its factor is 1."""
    factor = (int(arguments(node)["upscale_factor"]),) * 2
    return None if factor == (1, 1) else _shuffled(graph, node, factor, last_axes(node, 2))


def _shuffled(
    graph: Graph, node: Node, factor: tuple[int, ...], dims: tuple[int, ...], chain: Chain | None = None
) -> Stage:
    """Make a stage of a rearrangement of channels into phases, with the layer that made the channels."""
    feeder, plain = before(graph, node) if chain is None else _feeder(graph, chain)
    conv = None if feeder is None else convolution(feeder)
    if conv is None or conv.ndim != len(factor):
        return make_stage(node, "sub-pixel", factor, dims)
    order = None if chain is None else source_channels(chain.layout, chain.channel, dims, factor)
    known = plain and (chain is None or order is not None)
    kernel = shuffle_kernel(conv, factor, order) if known else None
    return make_stage(node, "sub-pixel", factor, dims, conv, kernel=kernel, exact=plain)


def rearranged_stage(graph: Graph, chain: Chain) -> Stage:
    """Make a stage of a run of calls that takes channels for positions: a shuffle, or patches laid out."""
    node, dims, factor = chain.node, chain.dims, chain.factor
    feeder, plain = _feeder(graph, chain)
    rank = len(chain.source.shape)
    linear = feeder is not None and feeder.name == "linear"
    if not linear and (rank == len(factor) + 2 or convolution(chain.source) is not None):
        found = _shuffled(graph, node, factor, dims, chain)
        if rank > 3 or found.kernel is not None or chain.channel == 1:
            return found
    kernel = None
    order = source_channels(chain.layout, chain.channel, dims, factor)
    if feeder is chain.source and linear and plain and order is not None:
        given = arguments(chain.source)
        weight, bias = given.get("weight"), given.get("bias")
        if isinstance(weight, Slot):
            kernel = patch_kernel(weight.value, bias.value if isinstance(bias, Slot) else None, order)
    return make_stage(node, "un-patchify", factor, dims, kernel=kernel, exact=plain)


def _feeder(graph: Graph, chain: Chain) -> tuple[Node | None, bool]:
    if convolution(chain.source) is not None or chain.source.name == "linear":
        return chain.source, chain.plain
    feeder, plain = before(graph, chain.source)
    return feeder, plain and chain.plain
