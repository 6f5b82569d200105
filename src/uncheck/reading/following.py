"""The run of every tensor of a forward pass, followed from call to call."""

from __future__ import annotations

from collections.abc import Callable

from uncheck.reading.graph import Graph, Node
from uncheck.reading.joins import follow_join, follow_padding
from uncheck.reading.layout import is_layout_call, source_layout
from uncheck.reading.pointwise import follow_pointwise, follow_reduction
from uncheck.reading.products import follow_einsum, follow_kron, follow_product
from uncheck.reading.runs import Run, Runs
from uncheck.reading.tables import COMPLEX, KEEPING, MOVE, PAD, SOFTMAX
from uncheck.reading.views import (
    follow_move,
    follow_pairs,
    follow_picks,
    follow_shape_of_another,
    follow_view,
    follow_write,
)
from uncheck.reading.written import WRITING


def read_runs(graph: Graph) -> Runs:
    """Return the run of every node.

    Cost: one pass over the nodes, once for each graph.
    """
    known: Runs | None = graph.read.get("runs")
    if known is not None:
        return known
    runs: Runs = {}
    graph.read["runs"] = runs
    for node in graph.nodes:
        after = _next(graph, node, runs)
        runs[node.index] = Run(node.index, source_layout(node.shape)) if after is None else after
    return runs


def _next(graph: Graph, node: Node, runs: Runs) -> Run | None:
    """Return the run after a call; None where it starts a new one."""
    if not node.parents:
        return None
    if node.func is None or node.name in WRITING:
        return follow_write(graph, node, runs)
    if (follow := _FOLLOWERS.get(node.name)) is not None:
        return follow(graph, node, runs)
    if is_layout_call(node):
        return follow_view(graph, node, runs)
    if node.name in KEEPING | SOFTMAX.names:
        return follow_pointwise(graph, node, runs)
    return None


_SUMS = (
    *("sum", "mean", "amax", "amin", "max", "min", "prod", "any", "all", "logsumexp", "median", "std", "var"),
    *("nansum", "nanmean"),
)

_FOLLOWERS: dict[str, Callable[[Graph, Node, Runs], Run | None]] = {
    **dict.fromkeys(("stack", "cat", "concat", "concatenate"), follow_join),
    **dict.fromkeys(PAD.names, follow_padding),
    **dict.fromkeys(_SUMS, follow_reduction),
    **dict.fromkeys(("matmul", "bmm"), follow_product),
    **dict.fromkeys(("expand_as", "view_as", "reshape_as"), follow_shape_of_another),
    **dict.fromkeys(COMPLEX.names, follow_pairs),
    **dict.fromkeys(MOVE.names, follow_move),
    **dict.fromkeys(("getitem", "index_select"), follow_picks),
    "einsum": follow_einsum,
    "kron": follow_kron,
}
