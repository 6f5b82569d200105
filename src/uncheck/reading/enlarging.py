"""Where the positions of a grid are after calls that put them among others: writes, blocks, spectra."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import prod

from uncheck.reading.calls import arguments, index_parts, main_input, torch_sizes
from uncheck.reading.fourier import spectral_scales
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.grid import CHANNEL, OTHER, Grid, new_axis, settled
from uncheck.reading.indices import read_picks, taken
from uncheck.reading.layout import Atom
from uncheck.reading.matrices import PRODUCTS, factors_of, stretched
from uncheck.reading.moves import after
from uncheck.reading.tables import FOLD
from uncheck.reading.written import WRITING, read_write


def after_call(graph: Graph, node: Node, parent: int, grid: Grid) -> Grid | None:
    """Return the grid after a call, given that of one of its inputs; None where it cannot be followed."""
    reader = _READERS.get("setitem" if node.key.function == "(written)" else node.name)
    if node.name in PRODUCTS and (found := stretched(graph, node)) and graph.nodes[parent].signal:
        return _kept(grid, node.shape, factors_of(found))
    return after(node, parent, grid) if reader is None else reader(graph, node, parent, grid)


def hop_of(node: Node) -> int:
    """Return the positions between frames of a short-time Fourier transform, or of its inverse."""
    given = arguments(node)
    return int(given.get("hop_length") or int(given["n_fft"]) // 4)


def _written(graph: Graph, node: Node, parent: int, grid: Grid) -> Grid | None:
    write = read_write(graph, node)
    if write is None or parent != write.value or not write.stepped:
        return after(node, parent, grid)
    read = write.layout(grid.layout, OTHER)
    if read is None:
        return None
    made = replace(grid, layout=read[0])
    if not read[1]:
        return made
    merged = settled(replace(made, unread=()), made.dims)
    return None if merged is None else replace(_sized(merged, node.shape), unread=grid.unread)


def _sized(grid: Grid, shape: tuple[int, ...]) -> Grid:
    """Return a settled grid with a last block that is cut off."""
    layout = tuple(
        new_axis(axis[0].axis, size) if axis and axis[0].axis >= 0 else axis
        for axis, size in zip(grid.layout, shape, strict=True)
    )
    return replace(grid, layout=layout)


def _kept(grid: Grid, shape: tuple[int, ...], factors: dict[int, Fraction]) -> Grid | None:
    """Return the grid after a resize of some axes."""
    merged = settled(grid, grid.dims)
    if merged is None or len(merged.layout) != len(shape):
        return None
    periods, layout = list(merged.periods), list(merged.layout)
    for dim, size in enumerate(shape):
        atoms = layout[dim]
        if dim in factors and atoms and atoms[0].axis >= 0:
            if periods[atoms[0].axis] > 1:
                periods[atoms[0].axis] = (periods[atoms[0].axis] * factors[dim]).numerator
            layout[dim] = new_axis(atoms[0].axis, size)
        elif prod(atom.size for atom in atoms) != size:
            layout[dim] = new_axis(CHANNEL, size)
    return Grid(tuple(layout), tuple(periods), merged.unread)


def _by_sizes(graph: Graph, node: Node, parent: int, grid: Grid) -> Grid | None:
    """Follow a call that samples a tensor of as many axes: positions in proportion."""
    main = main_input(node)
    if parent != main.node or len(main.shape) > len(node.shape):
        return replace(grid, layout=())  # where to sample, or by what to multiply
    before = (1,) * (len(node.shape) - len(main.shape)) + main.shape
    pairs = zip(before, node.shape, strict=True)
    factors = {d: Fraction(b, a).limit_denominator(16) for d, (a, b) in enumerate(pairs) if a != b and d > 1}
    padded = replace(grid, layout=((),) * (len(node.shape) - len(main.shape)) + grid.layout)
    return _kept(padded, node.shape, factors)


def _picked(graph: Graph, node: Node, parent: int, grid: Grid) -> Grid | None:
    listed = node.name != "getitem" or any(isinstance(part, Slot | list) for part in index_parts(node))
    picks = read_picks(node) if listed else None
    if picks is None or parent != main_input(node).node or len(picks) != len(node.shape):
        return after(node, parent, grid)
    axes = [() if p.axis is None else taken(grid.layout[p.axis], p.positions) for p in picks]
    if any(axis is None for axis in axes):
        return _by_sizes(graph, node, parent, grid)
    return replace(grid, layout=tuple(axis for axis in axes if axis is not None))


def _spectral(graph: Graph, node: Node, parent: int, grid: Grid) -> Grid | None:
    factors = spectral_scales(graph, node)
    if factors is None:
        return after(node, parent, grid)
    rank = len(node.shape)
    scaled = {rank - len(factors) + place: f for place, f in enumerate(factors)}
    return _kept(grid, node.shape, scaled)


def _folded(graph: Graph, node: Node, parent: int, grid: Grid) -> Grid | None:
    """Follow blocks in rows and columns along the last axis to the rows and columns of their sum."""
    given = arguments(node)
    atoms = grid.layout[-1] if grid.layout else ()
    inner = [atom for atom in atoms if atom.axis >= 0]
    rows, columns = node.shape[-2:]
    if len(inner) != len(atoms) or len(inner) != (1 if rows == 1 else 2):
        return None
    stride = torch_sizes(given.get("stride"), 2)
    periods = list(grid.periods)
    axes = []
    for atom, size, step in zip(inner[::-1], (columns, rows), stride[::-1], strict=False):
        periods[atom.axis] *= step if periods[atom.axis] > 1 else 1
        axes.append(new_axis(atom.axis, size))
    lead = (*grid.layout[:-2], new_axis(CHANNEL, node.shape[-3]))
    return Grid((*lead, *[()] * (2 - len(axes)), *axes[::-1]), tuple(periods), grid.unread)


def _unfolded(graph: Graph, node: Node, parent: int, grid: Grid) -> Grid | None:
    """Follow the rows and columns of a map to those of its blocks, which lie along the last axis."""
    given = arguments(node)
    if len(node.shape) != len(grid.layout) - 1 or "kernel_size" not in given:
        return None
    merged = settled(grid, range(len(grid.layout) - 2, len(grid.layout)))
    if merged is None:
        return None
    words = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
    kernel, stride, pads, gaps = (torch_sizes(given.get(word), 2, least) for word, least in words.items())
    periods = list(merged.periods)
    inner: list[Atom] = []
    for place, axis in enumerate(merged.layout[-2:]):
        size = prod(atom.size for atom in axis) + 2 * pads[place] - gaps[place] * (kernel[place] - 1)
        count = (size - 1) // stride[place] + 1
        label = axis[0].axis if axis else OTHER
        if label >= 0 and periods[label] > 1:
            periods[label] = Fraction(periods[label], stride[place]).numerator
        inner += new_axis(label, count)
    lead = (*merged.layout[:-3], new_axis(CHANNEL, node.shape[-2]))
    return Grid((*lead, tuple(inner)), tuple(periods), merged.unread)


def _frames(graph: Graph, node: Node, parent: int, grid: Grid) -> Grid | None:
    """Follow samples to the frames of a short-time Fourier transform, or back."""
    there = node.name == "stft"
    if len(grid.layout) != len(node.shape) + (-1 if there else 1) or not grid.layout:
        return None
    merged = settled(grid, [len(grid.layout) - 1])
    axis = merged.layout[-1] if merged is not None else ()
    if merged is None or not axis or axis[0].axis < 0:
        return None
    periods, label = list(merged.periods), axis[0].axis
    if periods[label] > 1:
        hop = Fraction(1, hop_of(node)) if there else Fraction(hop_of(node))
        periods[label] = (periods[label] * hop).numerator
    lead = (*merged.layout[:-1], new_axis(CHANNEL, node.shape[-2])) if there else merged.layout[:-2]
    return Grid((*lead, new_axis(label, node.shape[-1])), tuple(periods), merged.unread)


def _overlapped(graph: Graph, node: Node, parent: int, grid: Grid) -> Grid | None:
    return _frames(graph, node, parent, grid) if node.name == "istft" else _folded(graph, node, parent, grid)


_READERS: dict[str, Callable[[Graph, Node, int, Grid], Grid | None]] = {
    **dict.fromkeys(WRITING, _written),
    **dict.fromkeys(("kron", "grid_sample"), _by_sizes),
    **dict.fromkeys(("getitem", "index_select"), _picked),
    **dict.fromkeys(FOLD.names, _overlapped),
    **dict.fromkeys(("unfold", "im2col"), _unfolded),
    **{f"fft_{stem}{n}": _spectral for stem in ("ifft", "irfft") for n in ("", "2", "n")},
    "stft": _frames,
}
