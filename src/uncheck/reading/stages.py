"""The upsampling stages in the graph of a forward pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from uncheck.geometry import Layer
from uncheck.reading.calls import arguments, convolution, pool_kernel, pool_stride
from uncheck.reading.chains import read_chains
from uncheck.reading.graph import Graph, Node
from uncheck.reading.grid import output_period
from uncheck.reading.kernels import transposed_kernel
from uncheck.reading.resize import read_resize
from uncheck.reading.shuffle import read_chain, read_shuffle
from uncheck.reading.stage import Found, Stage, last_axes, make_stage
from uncheck.reading.tables import CONVOLUTION, RESIZE, SHUFFLE, TRANSPOSED, UNPOOL, group_of


def read_stages(graph: Graph) -> tuple[Stage, ...]:
    """List every upsampling stage of a recorded forward pass.

    Args:
        graph: the recorded graph.

    Returns:
        The stages in forward order; one that does not reach the output has no output period.

    Cost: one pass over the graph for each stage, and one over the weights for its kernel.
    """
    chains = {chain.node.index: chain for chain in read_chains(graph)}
    stages: list[Stage] = []
    seen: Counter[str] = Counter()
    for node in graph.nodes:
        chain = chains.get(node.index)
        reader = (
            _READERS.get(group_of(node.key.function)) if node.func is not None and node.item == 0 else None
        )
        found = read_chain(graph, chain) if chain is not None else reader(graph, node) if reader else None
        if found is None:
            continue
        stage, dims = found
        period = None
        if node.index in graph.leading:
            first = tuple(Fraction(s).limit_denominator(1000).numerator for s in stage.stride)
            period = output_period(graph, node.index, dims, first)
        stages.append(replace(stage, index=len(stages), call=seen[stage.name], output_period=period))
        seen[stage.name] += 1
    return tuple(stages)


def _transposed(graph: Graph, node: Node) -> Found | None:
    conv = convolution(node)
    if conv is None or not conv.transposed or max(conv.stride) == 1:
        return None
    sizes = Layer(conv.kernel_size, conv.stride, conv.starts, conv.output_padding, conv.dilation)
    return make_stage(
        node,
        "transposed",
        conv.stride,
        last_axes(node, conv.ndim),
        conv,
        overlap="even" if sizes.even else "uneven",
        kernel=transposed_kernel(conv),
    )


def _unpool(graph: Graph, node: Node) -> Found | None:
    stride, kernel = pool_stride(node), pool_kernel(node)
    if max(stride) == 1:
        return None
    padding = arguments(node).get("padding", 0)
    pads = tuple(padding) if isinstance(padding, tuple | list) else (int(padding),) * len(kernel)
    return make_stage(node, "unpool", stride, last_axes(node, len(stride)), kernel_size=kernel, padding=pads)


_READERS: dict[object, Callable[[Graph, Node], Found | None]] = {
    CONVOLUTION: _transposed,
    TRANSPOSED: _transposed,
    SHUFFLE: read_shuffle,
    RESIZE: read_resize,
    UNPOOL: _unpool,
}
