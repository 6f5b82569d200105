"""What repeats in a network beside its upsampling: windows, patches, dilated and strided layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from uncheck.reading.calls import convolution
from uncheck.reading.graph import INPUT, Graph, Node, Slot
from uncheck.reading.grid import Grid
from uncheck.reading.maps import OutputGrid
from uncheck.reading.periods import grids_after
from uncheck.reading.record import Recording
from uncheck.reading.tables import POINTWISE, RESHAPE, STRIDED_VIEW, group_of
from uncheck.reading.tensors import replace_tensors

#: Sides of a learned map below this are gains, not positions.
LEAST_MAP = 4


@dataclass(frozen=True)
class Repeat:
    """Something that treats positions of one output unlike, again and again.

    Attributes:
        period: output pixels per axis; 1 where it makes no difference.
        what: in words, with the layer that does it.
    """

    period: tuple[int, ...]
    what: str

    def explains(self, period: tuple[int, ...]) -> bool:
        """Test whether a pattern of this period can come from it."""
        return all(own % p == 0 for own, p in zip(self.period, period, strict=True))


def read_repeats(recording: Recording, grid: OutputGrid) -> tuple[Repeat, ...]:
    """List what repeats in one output beside the lattices of stages, in forward order of each kind.

    Windows and patches come first: axes of positions that were split into places and places within. Then
    dilated convolutions, of their dilation, and subsampling, of its stride.

    Cost: one pass over the graph for the input and one for each stage.
    """
    found = [
        *_windows(recording, grid),
        *_dilated(recording.graph, grid),
        *_strided(recording, grid),
    ]
    return tuple(dict.fromkeys(one for one in found if lcm(*one.period) > 1))


def learned_maps(recording: Recording, grid: OutputGrid) -> tuple[str, ...]:
    """Name the calls that add learned or constant maps to positions, such as position encodings."""
    names = []
    for node in recording.graph.nodes:
        if group_of(node.key.function) is not POINTWISE or node.index not in recording.graph.leading:
            continue
        constants: list[Slot] = []
        replace_tensors((node.args, node.kwargs), constants.append, kind=Slot)
        for slot in constants:
            axes = zip(slot.shape[::-1], node.shape[::-1], strict=False)
            inside = [n for n, whole in list(axes)[: max(2, grid.ndim)] if n == whole and n >= LEAST_MAP]
            if slot.node is None and len(slot.shape) > 1 and inside and _varies_in_place(slot, node):
                names.append(node.label)
    return tuple(dict.fromkeys(names))


def _varies_in_place(slot: Slot, node: Node) -> bool:
    """Test whether a constant has more places than the last axis alone, which may be channels."""
    return sum(n > 1 for n in slot.shape[-len(node.shape) :]) > 1


def _starts(recording: Recording, grid: OutputGrid) -> Iterator[tuple[Node, tuple[int, ...]]]:
    """Yield the nodes from which positions are followed, with their axes."""
    for node in recording.graph.nodes:
        if node.key.function == INPUT and len(node.shape) == grid.ndim + 2:
            yield node, tuple(range(2, len(node.shape)))
    nodes = {node.key: node for node in recording.graph.nodes if node.item == 0}
    for stage in recording.stages:
        if stage.ndim == grid.ndim and stage.key in nodes:
            yield nodes[stage.key], stage.even_axes


def _windows(recording: Recording, output: OutputGrid) -> Iterator[Repeat]:
    for start, dims in _starts(recording, output):
        grids = grids_after(recording.graph, start.index, dims, (1,) * output.ndim)
        for node in recording.graph.nodes[start.index + 1 :]:
            grid = grids.get(node.index)
            moves = group_of(node.key.function) in (RESHAPE, STRIDED_VIEW)
            if grid is None or not moves:
                continue
            period = tuple(_window(grid, axis, output.size[axis]) for axis in range(output.ndim))
            if lcm(*period) > 1:
                width = "x".join(map(str, dict.fromkeys(period)))
                yield Repeat(period, f"windows or patches of {width} pixels ({node.label})")


def _window(grid: Grid, axis: int, size: int) -> int:
    """Return the output pixels that a window along one axis covers; 1 where the axis is whole."""
    atoms = [atom for run in grid.layout for atom in run if atom.axis == axis]
    steps = [atom.step for atom in atoms if atom.step > 1]
    if not steps or len(atoms) < 2:
        return 1
    whole = max(atom.step * atom.size for atom in atoms)
    covered = Fraction(max(steps) * size, whole)
    return int(covered) if covered.denominator == 1 else 1


def _dilated(graph: Graph, output: OutputGrid) -> Iterator[Repeat]:
    for node in graph.nodes:
        conv = convolution(node)
        if (
            conv is None
            or node.index not in graph.path
            or max(conv.dilation) == 1
            or conv.ndim != output.ndim
        ):
            continue
        pairs = zip(conv.dilation, output.size, node.shape[-conv.ndim :], strict=True)
        period = tuple(round(d * after / max(1, n)) if d > 1 else 1 for d, after, n in pairs)
        yield Repeat(period, f"the dilation of {node.label}")


def _strided(recording: Recording, output: OutputGrid) -> Iterator[Repeat]:
    nodes = {node.key: node for node in recording.graph.nodes if node.item == 0}
    for step in recording.strided:
        node = nodes.get(step.key)
        if node is None or len(step.stride) != output.ndim or len(node.shape) < output.ndim:
            continue
        pairs = zip(step.stride, output.size, node.shape[-output.ndim :], strict=True)
        period = tuple(round(after / max(1, n)) if s > 1 else 1 for s, after, n in pairs)
        patch = step.kind == "convolution" and step.kernel_size == step.stride
        what = "patches of" if patch else f"the {step.kind} of"
        yield Repeat(period, f"{what} {step.name}")
