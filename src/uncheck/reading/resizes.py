"""Stages that resize: interpolation, sampling, constant matrices, spectra, and what was registered so."""

from __future__ import annotations

from fractions import Fraction
from math import prod

from uncheck.reading.calls import arguments, main_input, resize_factors, scales
from uncheck.reading.fourier import spectral_scales
from uncheck.reading.graph import Graph, Node
from uncheck.reading.kernels import resize_kernel
from uncheck.reading.matrices import stretched
from uncheck.reading.neighbours import after
from uncheck.reading.sampled import grid_factors, grid_mode, index_factors
from uncheck.reading.stage import Stage, last_axes, make_stage, stride_of
from uncheck.reading.taught import taught_by_name
from uncheck.reading.transposed import spread_stage

BARE_KERNEL_ENTRIES = 2**20
"""Largest dense kernel made for a resize without a convolution, in entries."""

LINEAR = frozenset({"linear", "bilinear", "trilinear"})


def read_resize(graph: Graph, node: Node) -> Stage | None:
    """Read an interpolation that makes an axis longer as a stage; None for any other."""
    if len(node.shape) < 3 or len(main_input(node).shape) != len(node.shape):
        return None
    factors = resize_factors(node)
    sizes = main_input(node).shape[2:]
    if all(factor <= 1 or size == 1 for factor, size in zip(factors, sizes, strict=True)):
        return None  # a single pixel held, as after global pooling, leaves no lattice
    stride = stride_of(factors)
    given = arguments(node)
    mode = str(given.get("mode") or _mode_in_name(node.name))
    kind = "linear" if mode in LINEAR else "cubic" if mode == "bicubic" else "nearest"
    return resized_stage(
        graph, node, kind, stride, last_axes(node, len(stride)), aligned=bool(given.get("align_corners"))
    )


def resized_stage(
    graph: Graph,
    node: Node,
    kind: str,
    stride: tuple[int | float, ...],
    dims: tuple[int, ...],
    aligned: bool = False,
) -> Stage:
    """Make a stage of a resize by `stride` along `dims`, with the convolution that follows it."""
    ndim = len(stride)
    whole = tuple(int(s) for s in stride)
    standard = dims == last_axes(node, ndim) and len(node.shape) == ndim + 2
    follower = after(graph, node, ndim) if standard else None
    exact = kind == "nearest" or follower is None or follower.affine
    one_kernel = whole == stride and kind != "cubic" and exact and not aligned and standard
    kernel = None
    if one_kernel and (follower or node.shape[1] ** 2 * prod(2 * f for f in whole) <= BARE_KERNEL_ENTRIES):
        kernel = resize_kernel(node.shape[1], whole, kind, follower)
    if follower is None:
        return make_stage(node, kind, stride, dims, kernel_size=_whole(stride), kernel=kernel)
    known = {"kernel": kernel, "exact": exact, "even_key": follower.node.key}
    return make_stage(node, kind, stride, dims, follower.conv, **known)


def _whole(stride: tuple[int | float, ...]) -> tuple[int, ...]:
    """Return strides rounded up."""
    return tuple(max(1, -(-round(s * 1000) // 1000)) for s in stride)


def _mode_in_name(name: str) -> str:
    return next((mode for mode in ("trilinear", "bilinear", "bicubic", "linear") if mode in name), "nearest")


def read_sampling(graph: Graph, node: Node) -> Stage | None:
    """Read a sampling on a regular constant grid that makes an axis longer."""
    factors = grid_factors(graph, node)
    if factors is None or max(factors) <= 1:
        return None
    kind = {"nearest": "nearest", "bicubic": "cubic"}.get(grid_mode(node), "linear")
    stride = stride_of(factors)
    return resized_stage(graph, node, kind, stride, last_axes(node, len(stride)), aligned=True)


def read_product(graph: Graph, node: Node) -> Stage | None:
    """Read a product with constant matrices that resize as a stage."""
    found = {one.dim: one for one in stretched(graph, node)}
    ndim = len(node.shape) - 2
    dims = last_axes(node, ndim)
    if not found or ndim > 3 or not set(found) <= set(dims):
        return None
    stride = tuple(found[dim].factor if dim in found else 1 for dim in dims)
    kinds = {one.kind for one in found.values()}
    if "transposed" in kinds:
        return spread_stage(graph, node, stride, dims)
    return resized_stage(
        graph, node, "linear" if "linear" in kinds else "nearest", stride, dims, aligned=True
    )


def read_picked(graph: Graph, node: Node) -> Stage | None:
    """Read a list of positions that repeats some of them as a resize by nearest neighbours."""
    found = index_factors(node)
    if found is None or node.parents[0] not in graph.path:
        return None
    dims, factors = found
    ndim = len(node.shape) - 2 if len(node.shape) > 3 else len(dims)
    given = dict(zip(dims, factors, strict=True))
    dims = last_axes(node, ndim) if set(dims) <= set(last_axes(node, ndim)) else dims
    stride = stride_of(given.get(dim, Fraction(1)) for dim in dims)
    return resized_stage(graph, node, "nearest", stride, dims, aligned=True)


def read_spectrum(graph: Graph, node: Node) -> Stage | None:
    """Read an inverse Fourier transform that is longer than the transform before it as a smooth resize."""
    factors = spectral_scales(graph, node)
    if factors is None or max(factors) <= 1 or len(factors) > 3:
        return None
    stride = stride_of(factors)
    dims = tuple(range(len(node.shape) - len(factors), len(node.shape)))
    return make_stage(node, "cubic", stride, dims, kernel_size=(1,) * len(stride))


def read_registered(graph: Graph, node: Node) -> Stage | None:
    """Read a call of what was registered with a scale."""
    taught, factors = taught_by_name(node.key.function), scales(node)
    if taught is None or not factors or max(factors) <= 1:
        return None
    stride = stride_of(factors)
    return make_stage(node, taught.kind, stride, last_axes(node, len(stride)), kernel_size=_whole(stride))
