"""The steps at which a network reads fewer positions than there are: what its gradients see as upsampling."""

from __future__ import annotations

from dataclasses import dataclass

from uncheck.reading.calls import (
    arguments,
    convolution,
    main_input,
    per_axis,
    pool_kernel,
    pool_stride,
    resize_factors,
    scales,
)
from uncheck.reading.graph import Graph, Node
from uncheck.reading.padding import call_name
from uncheck.reading.tables import POOL, RESIZE, UNSHUFFLE
from uncheck.reading.watch import CallKey


@dataclass(frozen=True)
class Strided:
    """One subsampling step on the signal path.

    Attributes:
        name: the layer or function.
        kind: "convolution", "max pooling", "average pooling", "norm pooling", "adaptive pooling",
            "pixel unshuffle", "slicing" or "resize".
        stride: input positions per output position, per axis; a float where that is no integer.
        kernel_size: window per axis.
        padding: zeros before each axis.
        key: the call.
        position: which positional argument of the call is the input.
    """

    name: str
    kind: str
    stride: tuple[int | float, ...]
    kernel_size: tuple[int, ...]
    padding: tuple[int, ...]
    key: CallKey
    position: int = 0


def read_strided(graph: Graph) -> tuple[Strided, ...]:
    """Every subsampling step on the signal path, in forward order."""
    found = (_strided(graph.nodes[index]) for index in sorted(graph.path) if graph.nodes[index].item == 0)
    return tuple(step for step in found if step is not None)


def slice_steps(node: Node) -> tuple[int, ...]:
    """The steps of the slices in `x[...]` or `x[...] = y`, without those that drop or add an axis."""
    index = arguments(node).get("index")
    parts = index if isinstance(index, tuple) else (index,)
    steps = [part.step for part in parts if isinstance(part, slice)]
    return tuple(step if isinstance(step, int) else 1 for step in steps)


def _strided(node: Node) -> Strided | None:
    name, key = call_name(node), node.key
    conv = convolution(node)
    if conv is not None:
        if conv.transposed or max(conv.stride) == 1:
            return None
        before = tuple(pad for pad, _ in conv.padding)
        return Strided(name, "convolution", conv.stride, conv.kernel_size, before, key)
    if node.name in POOL.names:
        kind = _pool_kind(node.name)
        stride, kernel = pool_stride(node), pool_kernel(node)
        factors = scales(node)
        if factors is not None and set(factors) == {0}:
            return None  # global pooling leaves no grid
        padding = per_axis(arguments(node).get("padding"), len(kernel), 0)
        return Strided(name, kind, stride, kernel, padding, key) if max(stride) > 1 else None
    if node.name in UNSHUFFLE.names:
        factor = (int(arguments(node)["downscale_factor"]),) * 2
        return Strided(name, "pixel unshuffle", factor, factor, (0, 0), key)
    if node.name in RESIZE.names and len(main_input(node).shape) > 2:
        steps = [1 / f for f in resize_factors(node)]
        if max(steps) <= 1:
            return None
        spacing = tuple(int(s) if s.denominator == 1 else float(s) for s in steps)
        window = tuple(max(1, -(-s.numerator // s.denominator)) for s in steps)
        return Strided(name, "resize", spacing, window, (0,) * len(window), key)
    if node.name == "getitem" and max(slice_steps(node), default=1) > 1:
        found = tuple(step for step in slice_steps(node))
        while found and found[0] == 1:  # batch and channels
            found = found[1:]
        return Strided(name, "slicing", found, (1,) * len(found), (0,) * len(found), key)
    return None


def _pool_kind(name: str) -> str:
    if name.startswith("adaptive"):
        return "adaptive pooling"
    return {"max": "max pooling", "avg": "average pooling", "lp_": "norm pooling"}[name[:3]]
