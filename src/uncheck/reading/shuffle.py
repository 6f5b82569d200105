"""Rearrangements as stages: pixel shuffles and un-patchify, with the layer that makes the channels."""

from __future__ import annotations

from uncheck.reading.calls import arguments, convolution
from uncheck.reading.chains import Chain
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.kernels import patch_kernel, shuffle_kernel, source_channels
from uncheck.reading.neighbours import Before, before
from uncheck.reading.resize import resized_stage
from uncheck.reading.stage import Found, last_axes, make_stage


def read_shuffle(graph: Graph, node: Node) -> Found | None:
    """Read a pixel shuffle as a stage; None if its factor is 1."""
    factor = (int(arguments(node)["upscale_factor"]),) * 2
    return None if factor == (1, 1) else _shuffled(graph, node, node, factor, last_axes(node, 2), None)


def _shuffled(
    graph: Graph,
    node: Node,
    first: Node,
    factor: tuple[int, ...],
    dims: tuple[int, ...],
    chain: Chain | None,
) -> Found:
    """Make a stage of a rearrangement of channels into phases, with the layer that made the channels."""
    feeder = before(graph, first) if chain is None else _feeder(graph, chain)
    conv = convolution(feeder.node) if feeder is not None else None
    if feeder is None or conv is None or conv.ndim != len(factor):
        return make_stage(node, "sub-pixel", factor, dims)
    order = None
    if chain is not None:
        order = source_channels(chain.layout, chain.channel, dims, factor)
    known = feeder.plain and (chain is None or order is not None)
    return make_stage(
        node,
        "sub-pixel",
        factor,
        dims,
        conv,
        kernel=shuffle_kernel(conv, factor, order) if known else None,
        exact=feeder.plain,
    )


def _feeder(graph: Graph, chain: Chain) -> Before | None:
    if convolution(chain.source) is not None or chain.source.name == "linear":
        return Before(chain.source, True)
    return before(graph, chain.source)


def read_chain(graph: Graph, chain: Chain) -> Found | None:
    """Read a run of layout calls that upsamples as a stage."""
    node, dims, factor = chain.node, chain.dims, chain.factor
    if chain.held:
        return resized_stage(graph, node, "nearest", factor, dims)
    feeder = _feeder(graph, chain)
    rank = len(chain.source.shape)
    linear = feeder is not None and feeder.node.name == "linear"
    if not linear and rank == len(factor) + 2:
        found = _shuffled(graph, node, chain.source, factor, dims, chain)
        if rank > 3 or found[0].kernel is not None or chain.channel == 1:
            return found
    kernel = None
    order = source_channels(chain.layout, chain.channel, dims, factor)
    if feeder is not None and feeder.node is chain.source and linear and order is not None:
        given = arguments(feeder.node)
        weight, bias = given.get("weight"), given.get("bias")
        if isinstance(weight, Slot):
            kernel = patch_kernel(weight.value, bias.value if isinstance(bias, Slot) else None, order)
    return make_stage(node, "un-patchify", factor, dims, kernel=kernel, exact=feeder is None or feeder.plain)
