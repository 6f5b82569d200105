"""Every output of a network: which of its axes hold positions, and which lattices can be there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import gcd, prod

import torch
from torch import Tensor

from uncheck.reading.graph import Graph
from uncheck.reading.grid import CHANNEL, enlarged_by, parts
from uncheck.reading.layout import Axis, Layout, reshaped
from uncheck.reading.ledger import read_ledger
from uncheck.reading.maps import OutputGrid
from uncheck.reading.outputs import LEAST_SIDE
from uncheck.reading.periods import grids_after, period_by_size
from uncheck.reading.roles import Role, position_dims, read_roles
from uncheck.reading.stage import Stage
from uncheck.reading.tensors import NestPath

Made = tuple[NestPath, Tensor, int | None]
"""An output: its path in the nest, the tensor, and the index of the node that made it."""


def read_outputs(
    graph: Graph, stages: Sequence[Stage], made: Iterable[Made], ndim: int, understood: bool = False
) -> tuple[OutputGrid, ...]:
    """Read every tensor that the network returned, each once.

    Args:
        graph: of the pass.
        stages: of the graph.
        made: the outputs.
        ndim: axes that a map is taken to have where the graph does not tell.
        understood: whether the ledger is known to have no unsupported calls.

    Cost: one pass over the graph for each stage, and one more.
    """
    roles = read_roles(graph, stages)
    seen: set[int] = set()
    found = []
    for path, tensor, index in made:
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        grid = _read(graph, stages, roles, tensor, index, ndim)
        names: tuple[str, ...] = ()
        if not understood and index is not None:
            names = tuple(read_ledger(replace(graph, outputs=(index,))).unsupported)
        name = ".".join(map(str, path)) or "output"
        found.append(
            replace(grid, name=name, path=path, shape=tuple(tensor.shape), unsupported=names, index=index)
        )
    return tuple(_without_latents(graph, stages, found))


def _read(
    graph: Graph,
    stages: Sequence[Stage],
    roles: dict[int, Role | None],
    tensor: Tensor,
    index: int | None,
    ndim: int,
) -> OutputGrid:
    shape = tuple(tensor.shape)
    blank = OutputGrid("", (), shape)
    if tensor.is_nested or tensor.layout != torch.strided:
        return replace(blank, reason="is sparse or nested")
    if tensor.dtype == torch.bool:
        return replace(blank, reason="holds true and false only")
    if not tensor.numel():
        return replace(blank, reason="is empty")
    if not shape or tensor.numel() == 1:
        return replace(blank, reason="is a single number")
    role = roles.get(index) if index is not None else None
    if role is not None and role.pairs:
        return replace(blank, reason="holds a value for each pair of positions, as attention does")
    lattices = _lattices(graph, stages, index)
    layouts = [layout for _, layout, _ in lattices if layout is not None]
    if not layouts and role is not None and position_dims(role):
        layouts = [_only(role.grid.layout, role.positions)]
    split = _split(layouts, shape)
    axes = () if split is None else _axes(layouts, split)
    if split is None or not axes:
        guessed = _by_shape(shape, ndim)
        if guessed is None or _holds_tokens(role):
            return replace(blank, reason=_no_map(shape))
        axes, channel = guessed
        grid = replace(blank, parts=tuple((n,) for n in shape), axes=axes, channel=channel, known=False)
    else:
        grid = replace(blank, parts=split, axes=axes, channel=_channel(role, split, axes))
    if max(grid.size) < LEAST_SIDE:
        return replace(grid, reason=f"is too small to hold a lattice ({'x'.join(map(str, grid.size))})")
    periods, unknown = _periods(graph, stages, lattices, grid)
    return replace(grid, periods=periods, unknown=unknown, explained=_explained(role, grid))


Lattice = tuple[int, Layout | None, tuple[int, ...]]
"""A stage that reaches an output: its index, the output's axes in atoms of its grid, and the periods."""


def _lattices(graph: Graph, stages: Sequence[Stage], index: int | None) -> list[Lattice]:
    found: list[Lattice] = []
    for stage in stages:
        grids = grids_after(graph, stage.node, stage.axes, stage.own_period)
        if index is not None and index in grids:
            grid = grids[index]
            found.append((stage.index, *((None, ()) if grid is None else (grid.layout, grid.periods))))
    return found


def _only(layout: Layout, labels: Iterable[int]) -> Layout:
    """Return a layout with all axes but those of `labels` as no part of a grid."""
    kept = frozenset(labels)
    return tuple(
        tuple(atom if atom.axis in kept else replace(atom, axis=CHANNEL) for atom in axis) for axis in layout
    )


def _split(layouts: Sequence[Layout], shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...] | None:
    """Return the sizes that each axis is split into; None where the layouts do not agree on them."""
    found: list[tuple[int, ...]] = []
    for dim, size in enumerate(shape):
        cuts = {cut for layout in layouts for cut in _cuts(layout[dim])}
        sizes = [size, *sorted(cuts, reverse=True), 1]
        if any(a % b for a, b in pairwise(sizes)):
            return None
        found.append(tuple(a // b for a, b in pairwise(sizes)))
    return tuple(found) if layouts else None


def _cuts(axis: Axis) -> Iterator[int]:
    inner = 1
    for part in parts(axis)[:0:-1]:
        inner *= prod(atom.size for atom in part)
        yield inner


def _axes(layouts: Iterable[Layout], split: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    shape = _flat(split)
    held = set()
    for layout in layouts:
        fine = reshaped(layout, shape) or ()
        held |= {d for d, axis in enumerate(fine) if any(atom.axis >= 0 for atom in axis)}
    return tuple(sorted(held))


def _flat(split: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(size for sizes in split for size in sizes)


def _channel(role: Role | None, split: tuple[tuple[int, ...], ...], axes: Sequence[int]) -> int | None:
    """Return the innermost axis of channels, else the axis before the positions, else the last left."""
    shape = _flat(split)
    left = [axis for axis in range(len(shape)) if axis not in axes]
    layout = reshaped(role.grid.layout, shape) if role is not None else None
    if layout is not None:
        held = [axis for axis in left if any(atom.axis == CHANNEL for atom in layout[axis])]
        if held:
            return held[-1]
    inner = [axis for axis in left if axis > 0]
    before = axes[0] - 1
    return before if before in inner else inner[-1] if inner else None


def _by_shape(shape: tuple[int, ...], ndim: int) -> tuple[tuple[int, ...], int] | None:
    """Return positions and channel by the shape alone: (N, C, *spatial), or (N, *spatial, C) of 1, 3 or 4."""
    if len(shape) != ndim + 2:
        return None
    last = ndim >= 2 and shape[-1] in (1, 3, 4) and shape[1] > 4
    return (tuple(range(1, ndim + 1)), ndim + 1) if last else (tuple(range(2, ndim + 2)), 1)


def _holds_tokens(role: Role | None) -> bool:
    """Test whether it is known to be (N, tokens, features)."""
    if role is None or not role.grid.layout:
        return False
    *_, last = role.grid.layout
    return any(atom.axis == CHANNEL for atom in last) and any(dim > 0 for dim in role.grid.dims)


def _no_map(shape: tuple[int, ...]) -> str:
    if len(shape) <= 2:
        return "has no positions, as scores or codes"
    return "has no axes that a spatial layer took for positions, as tokens or boxes"


def _periods(
    graph: Graph, stages: Sequence[Stage], lattices: Iterable[Lattice], grid: OutputGrid
) -> tuple[tuple[tuple[int, ...] | None, ...], tuple[int, ...]]:
    shape = _flat(grid.parts)
    periods: list[tuple[int, ...] | None] = [None] * len(stages)
    unknown = []
    for index, layout, along in lattices:
        fine = reshaped(layout, shape) if layout is not None else None
        found = [_period(fine[axis], along) for axis in grid.axes] if fine is not None else [None]
        if None not in found:
            periods[index] = tuple(p for p in found if p is not None)
            continue
        unknown.append(index)
        stage = stages[index]
        before = [graph.nodes[stage.node].shape[dim] for dim in stage.axes]
        if len(before) == grid.ndim:
            periods[index] = period_by_size((1, 1, *grid.size), before, stage.own_period)
    return tuple(periods), tuple(unknown)


def _period(axis: Axis, periods: Sequence[int]) -> int | None:
    """Return the period that a lattice has along an axis; None where its positions are mixed with others."""
    if all(atom.axis < 0 for atom in axis):
        return 1
    first = axis[0]
    if first.axis < 0 or any(atom.axis >= 0 for atom in axis[1:]):
        return None
    left = periods[first.axis] // gcd(periods[first.axis], first.step)
    return left * prod(atom.size for atom in axis[1:]) if left > 1 else 1


def _explained(role: Role | None, grid: OutputGrid) -> tuple[Fraction | None, ...]:
    layout = reshaped(role.grid.layout, _flat(grid.parts)) if role is not None and not role.lost else None
    found: list[Fraction | None] = []
    for axis, size in zip(grid.axes, grid.size, strict=True):
        atoms = layout[axis] if layout is not None else None
        if role is None or atoms is None:
            found.append(None)
            continue
        factor = Fraction(1)  # features of codes laid out as a map start one
        if atoms and atoms[0].axis >= 0:
            factor = role.grid.unread[atoms[0].axis] * enlarged_by(atoms)
        found.append(size / factor)
    return tuple(found)


def _without_latents(
    graph: Graph, stages: Sequence[Stage], found: Sequence[OutputGrid]
) -> Iterator[OutputGrid]:
    """Say which maps lie before all upsampling that follows: the latents of an autoencoder."""
    reached = {grid.index for grid in found if any(grid.periods) or grid.unknown}
    for grid in found:
        before = (
            grid.is_map
            and grid.index is not None
            and grid.index not in reached
            and not grid.unsupported
            and not _enlarged(grid)
            and _leads_to(graph, grid.index, reached)
        )
        yield replace(grid, reason="lies before the upsampling") if before else grid


def _enlarged(grid: OutputGrid) -> bool:
    return any(e is not None and e < n for e, n in zip(grid.explained, grid.size, strict=True))


def _leads_to(graph: Graph, index: int, others: Iterable[int | None]) -> bool:
    later = {index}
    for node in graph.nodes[index + 1 :]:
        if any(parent in later for parent in node.parents):
            later.add(node.index)
    return any(other in later for other in others if other != index)
