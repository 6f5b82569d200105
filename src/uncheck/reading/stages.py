"""The upsampling stages in the graph of a forward pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from uncheck.reading.chains import Chain, read_chains
from uncheck.reading.graph import Graph, Node
from uncheck.reading.loops import read_added
from uncheck.reading.matrices import PRODUCTS
from uncheck.reading.periods import output_period
from uncheck.reading.resizes import (
    read_picked,
    read_product,
    read_registered,
    read_resize,
    read_sampling,
    read_spectrum,
    resized_stage,
)
from uncheck.reading.stage import Stage
from uncheck.reading.subpixel import read_shuffle, rearranged_stage
from uncheck.reading.tables import (
    CONVOLUTION,
    FOLD,
    FOURIER,
    RESIZE,
    SAMPLING,
    SCALING,
    SHUFFLE,
    TRANSPOSED,
    UNPOOL,
    group_of,
)
from uncheck.reading.transposed import looped_stage, read_fold, read_transposed, read_unpool, spread_stage


def read_stages(graph: Graph) -> tuple[Stage, ...]:
    """List every upsampling stage of a recorded forward pass, in forward order.

    A stage that does not reach the output has no output period.

    Cost: one pass over the graph for each stage, and one over the weights for its kernel.
    """
    chains = {chain.node.index: chain for chain in read_chains(graph)}
    added = read_added(graph)
    stages: list[Stage] = []
    seen: Counter[str] = Counter()
    signal = any(graph.nodes[output].signal for output in graph.outputs)
    for node in graph.nodes:
        chain = chains.get(node.index)
        if signal and not node.signal and (chain or node.name in FOLD.names or node.index in added):
            continue  # a window, a mask or a table of positions that owes nothing to the input
        reader = (
            _BY_NAME.get(node.name, _READERS.get(group_of(node.key.function)))
            if node.func is not None and node.item == 0
            else None
        )
        stage = _chain(graph, chain) if chain is not None else reader(graph, node) if reader else None
        if stage is None and node.index in added:
            stage = looped_stage(node, added[node.index])
        if stage is None:
            continue
        if node.func is None and node.parents:  # a tensor that a call wrote to through a view
            call = graph.nodes[node.parents[-1]]
            even_key = call.key if stage.even_key == node.key else stage.even_key
            stage = replace(stage, name=call.label, even_key=even_key)
        stage = replace(stage, node=node.index)
        period = None
        if node.index in graph.leading:
            period = output_period(graph, node.index, stage.axes, stage.own_period)
        stages.append(replace(stage, index=len(stages), call=seen[stage.name], output_period=period))
        seen[stage.name] += 1
    return tuple(stages)


def _chain(graph: Graph, chain: Chain) -> Stage:
    """Read a run of calls that upsamples as a stage."""
    if chain.held:
        return resized_stage(graph, chain.node, "nearest", chain.factor, chain.dims)
    if chain.spread:
        return spread_stage(graph, chain.node, chain.factor, chain.dims)
    return rearranged_stage(graph, chain)


_READERS: dict[object, Callable[[Graph, Node], Stage | None]] = {
    CONVOLUTION: read_transposed,
    TRANSPOSED: read_transposed,
    SHUFFLE: read_shuffle,
    RESIZE: read_resize,
    UNPOOL: read_unpool,
    SCALING: read_registered,
    FOLD: read_fold,
    FOURIER: read_spectrum,
    SAMPLING: read_sampling,
}

_BY_NAME = {
    "getitem": read_picked,
    "index_select": read_picked,
    **dict.fromkeys(PRODUCTS, read_product),
}
