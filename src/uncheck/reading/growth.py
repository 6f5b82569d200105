"""What was not understood on the way to an output: calls, lost lattices, growth that no stage explains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from uncheck.reading.graph import INPUT, Graph, Node
from uncheck.reading.maps import OutputGrid
from uncheck.reading.record import Recording
from uncheck.reading.stage import Stage
from uncheck.reading.steps import Strided
from uncheck.reading.tables import CONVOLUTION, JOIN, PAD, TRANSPOSED, group_of
from uncheck.reading.watch import CallKey

#: An output this much larger than its stages explain, and by so many pixels, was enlarged by something else.
UNREAD_GROWTH, UNREAD_PIXELS = 1.3, 16

Sizes = tuple[float, ...]


def not_understood(recording: Recording, grid: OutputGrid) -> str:
    """Name what was not understood on the way to an output, in words; empty if nothing.

    That are calls that reading does not support, stages whose positions were lost on the way, and whatever
    makes the output larger than the recorded steps explain.

    Cost: one pass over the graph.
    """
    if grid.unsupported:
        return ", ".join(grid.unsupported)
    if grid.unknown:
        names = ", ".join(dict.fromkeys(recording.stages[i].name for i in grid.unknown))
        return f"what becomes of the positions of {names}"
    for known, size in zip(grid.explained, grid.size, strict=True):
        if known is not None and known < size:
            return f"what enlarges {float(known):g} pixels to {size}"
    if grid.index is None or len(grid.shape) != grid.ndim + 2:
        return ""
    explained = explained_size(recording.graph, recording.stages, recording.strided, grid.index, grid.ndim)
    return unread_growth(grid.size, explained, input_size(recording.graph, grid.ndim))


def input_size(graph: Graph, ndim: int) -> tuple[int, ...]:
    """Return the pixels of the first input per axis, where it is a map of so many axes; else ()."""
    first = next((node for node in graph.nodes if node.key.function == INPUT), None)
    return first.shape[2:] if first is not None and len(first.shape) == ndim + 2 else ()


def explained_size(
    graph: Graph, stages: Iterable[Stage], strided: Iterable[Strided], output: int, ndim: int
) -> Sizes | None:
    """Return the pixels per spatial axis that recorded steps explain of one output of a graph.

    Sizes start at the inputs of as many spatial axes; in networks driven by codes at the first map: a linear
    layer and a reshape, a transposed convolution of a single pixel, a learned constant. Stages multiply
    them, subsampling divides, borders are added; where paths meet, the largest counts.

    Returns:
        None where the output stems from no map of such a rank.

    Cost: one pass over the graph.
    """
    grown = {stage.key: tuple(map(float, stage.stride)) for stage in stages}
    shrunk = {step.key: tuple(1 / s for s in step.stride) for step in strided}
    found: dict[int, Sizes] = {}
    given: set[int] = set()  # nodes that owe something to an input
    for node in graph.nodes[: output + 1]:
        if node.key.function == INPUT or any(parent in given for parent in node.parents):
            given.add(node.index)
        before = [p for p in dict.fromkeys(node.parents) if p in found]
        before = [p for p in before if p in given] or before
        if before:
            largest = max(before, key=lambda p: prod(found[p]))
            found[node.index] = _after(graph, node, found[largest], grown, shrunk)
        elif len(node.shape) == ndim + 2 and max(node.shape[2:]) > 1:
            found[node.index] = tuple(map(float, node.shape[2:]))
    return found.get(output)


def _after(
    graph: Graph, node: Node, size: Sizes, grown: dict[CallKey, Sizes], shrunk: dict[CallKey, Sizes]
) -> Sizes:
    for factors in (grown.get(node.key), shrunk.get(node.key)):
        if factors is not None:
            used = (1.0,) * (len(size) - len(factors)) + factors[-len(size) :]
            return tuple(s * f for s, f in zip(size, used, strict=True))
    parent = graph.nodes[node.parents[0]]
    group, ndim = group_of(node.key.function), len(size)
    if (
        group not in (CONVOLUTION, TRANSPOSED, PAD, JOIN)
        or not len(node.shape) == len(parent.shape) == ndim + 2
    ):
        return size
    # What they add or cut is a border: of a convolution its padding, of a concatenation what is put beside.
    pairs = zip(size, node.shape[2:], parent.shape[2:], strict=True)
    return tuple(s + max(after - before, 0) for s, after, before in pairs)


def unread_growth(size: tuple[int, ...], explained: Sizes | None, before: Sequence[int] = ()) -> str:
    """Say what enlarges an output, `before` so large, beyond what was explained; empty if nothing does.

    >>> unread_growth((128, 128), (65.0, 65.0), (64, 64))
    'what enlarges 64 pixels to 128'
    """
    for axis, (after, known) in enumerate(zip(size, explained or (), strict=False)):
        if after > UNREAD_GROWTH * known + UNREAD_PIXELS:
            start = before[axis] if len(before) == len(size) and before[axis] < after else known
            return f"what enlarges {start:g} pixels to {after}"
    return ""
