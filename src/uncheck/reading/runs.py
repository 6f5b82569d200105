"""What a tensor of a forward pass holds: positions of the tensor that its run of calls started from.

A run goes through calls that move values, repeat them, treat them one by one, put tensors side by side, add
zeros or sum over axes. Anything else, such as a convolution, starts a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from uncheck.reading.graph import Graph, Slot
from uncheck.reading.layout import Layout


@dataclass(frozen=True)
class Run:
    """What is known of a tensor.

    Attributes:
        source: the node that its run started from.
        layout: its axes, in axes of that node.
        plain: whether all calls since then treat channels and positions alike.
        ends: whether the calls after it start anew, since positions were cropped in a way atoms cannot say.
    """

    source: int
    layout: Layout
    plain: bool = True
    ends: bool = False


Runs = dict[int, Run]


def open_run(runs: Runs, index: int | None) -> Run | None:
    """Return the run of a node that calls after it can go on with; None where there is none."""
    run = None if index is None else runs.get(index)
    return None if run is None or run.ends else run


def main_operand(graph: Graph, slots: list[Slot], runs: Runs) -> tuple[Slot, Run] | None:
    """Return the operand whose positions are followed: of the signal, split the most, the largest."""
    best: tuple[tuple[bool, bool, int, int], Slot, Run] | None = None
    for slot in slots:
        run = open_run(runs, slot.node)
        if run is None or slot.node is None:
            continue
        key = (graph.nodes[slot.node].signal, run.source != slot.node, _atoms(run.layout), prod(slot.shape))
        if best is None or key > best[0]:
            best = (key, slot, run)
    return None if best is None else best[1:]


def _atoms(layout: Layout) -> int:
    return sum(len(axis) for axis in layout)
