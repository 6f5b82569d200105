"""Resizes as stages: interpolation calls and repeated values, with the convolution that follows."""

from __future__ import annotations

from uncheck.reading.calls import arguments, main_input, resize_factors
from uncheck.reading.graph import Graph, Node
from uncheck.reading.kernels import resize_kernel
from uncheck.reading.neighbours import After, after
from uncheck.reading.stage import Found, last_axes, make_stage

BARE_KERNEL_ENTRIES = 2**20
"""Largest dense kernel made for a resize without a convolution, in entries."""
LINEAR = frozenset({"linear", "bilinear", "trilinear"})


def read_resize(graph: Graph, node: Node) -> Found | None:
    """Read an interpolation that makes an axis longer as a stage; None for any other."""
    if len(node.shape) < 3 or len(main_input(node).shape) != len(node.shape):
        return None
    factors = resize_factors(node)
    if max(factors) <= 1:
        return None
    stride = tuple(int(f) if f.denominator == 1 else float(f) for f in factors)
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
) -> Found:
    """Make a stage of a resize by `stride` along `dims`, with the convolution that follows it."""
    ndim = len(stride)
    whole = tuple(int(s) for s in stride)
    standard = dims == last_axes(node, ndim) and len(node.shape) == ndim + 2
    follower: After | None = after(graph, node, ndim) if standard else None
    exact = kind == "nearest" or follower is None or follower.affine
    known = whole == stride and kind != "cubic" and exact and not aligned and standard
    kernel = None
    if known and (follower is not None or _is_small(node, whole)):
        kernel = resize_kernel(node.shape[1], whole, kind, follower)
    if follower is None:
        size = tuple(max(1, -(-round(s * 1000) // 1000)) for s in stride)
        return make_stage(node, kind, stride, dims, kernel_size=size, kernel=kernel)
    return make_stage(
        node,
        kind,
        stride,
        dims,
        follower.conv,
        kernel=kernel,
        exact=exact,
        even_key=follower.node.key,
        even_axes=last_axes(follower.node, ndim),
    )


def _is_small(node: Node, factor: tuple[int, ...]) -> bool:
    entries = node.shape[1] ** 2
    for f in factor:
        entries *= 2 * f
    return entries <= BARE_KERNEL_ENTRIES


def _mode_in_name(name: str) -> str:
    return next((mode for mode in ("trilinear", "bilinear", "bicubic", "linear") if mode in name), "nearest")
