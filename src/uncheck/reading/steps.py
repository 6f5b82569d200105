"""The subsampling steps and the paddings on the signal path of a network."""

from __future__ import annotations

from dataclasses import dataclass

from uncheck.reading.calls import (
    arguments,
    convolution,
    main_input,
    pad_of,
    pool_sizes,
    resize_factors,
    scales,
    slice_steps,
    slices,
    torch_sizes,
)
from uncheck.reading.chains import channel_axes
from uncheck.reading.graph import Graph, Node
from uncheck.reading.stage import stride_of
from uncheck.reading.tables import POOL, RESIZE, UNSHUFFLE
from uncheck.reading.watch import CallKey

_POOLS = {"max": "max pooling", "avg": "average pooling", "lp_": "norm pooling", "ada": "adaptive pooling"}


@dataclass(frozen=True)
class Strided:
    """One subsampling step on the signal path.

    Attributes:
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
    """List every subsampling step on the signal path, in forward order."""
    found = (
        _strided(graph, graph.nodes[index]) for index in sorted(graph.path) if graph.nodes[index].item == 0
    )
    return tuple(step for step in found if step is not None)


def _strided(graph: Graph, node: Node) -> Strided | None:
    name, key = node.label, node.key
    conv = convolution(node)
    if conv is not None:
        if conv.transposed or max(conv.stride) == 1:
            return None
        return Strided(name, "convolution", conv.stride, conv.kernel_size, conv.starts, key)
    if node.name in POOL.names:
        kind = _POOLS[node.name[:3]]
        kernel, stride = pool_sizes(node)
        factors = scales(node)
        if factors is not None and set(factors) == {0}:
            return None  # global pooling leaves no grid
        padding = torch_sizes(arguments(node).get("padding"), len(kernel), 0)
        return Strided(name, kind, stride, kernel, padding, key) if max(stride) > 1 else None
    if node.name in UNSHUFFLE.names:
        factor = (int(arguments(node)["downscale_factor"]),) * 2
        return Strided(name, "pixel unshuffle", factor, factor, (0, 0), key)
    if node.name in RESIZE.names and len(main_input(node).shape) > 2:
        steps = [1 / f for f in resize_factors(node)]
        if max(steps) <= 1:
            return None
        spacing = stride_of(steps)
        window = tuple(max(1, -(-s.numerator // s.denominator)) for s in steps)
        return Strided(name, "resize", spacing, window, (0,) * len(window), key)
    if node.name == "getitem" and max(slice_steps(node)) > 1:
        return _sliced(graph, node)
    return None


def _sliced(graph: Graph, node: Node) -> Strided | None:
    """Read a slice with a step along positions; along the batch or the channels it subsamples no grid."""
    steps = slice_steps(node)
    parts = slices(node)
    if parts is not None:
        channel = channel_axes(graph, graph.nodes[node.parents[0]])[:1] if len(parts) > 2 else ()
        steps = tuple(part.step or 1 for axis, part in enumerate(parts) if axis not in (0, *channel))
    if max(steps, default=1) == 1:
        return None
    still = (0,) * len(steps)
    return Strided(node.label, "slicing", steps, (1,) * len(steps), still, node.key)


@dataclass(frozen=True)
class Padding:
    """One padding on the signal path.

    Attributes:
        mode: "zero", "reflect", "replicate", "circular" or "constant" (another value than zero).
        amount: positions added at the start and the end of each axis, the last axes of the tensor, (h, w)
            order; negative where it crops.
        key: the call.
    """

    name: str
    mode: str
    amount: tuple[tuple[int, int], ...]
    key: CallKey


def read_paddings(graph: Graph) -> tuple[Padding, ...]:
    """List every padding on the signal path, in forward order: by convolutions and by padding calls."""
    found = (_padding(graph.nodes[index]) for index in sorted(graph.path))
    return tuple(padding for padding in found if padding is not None)


def _padding(node: Node) -> Padding | None:
    conv = convolution(node)
    plain = conv is not None and not conv.transposed
    mode, amount = ("zero", conv.padding) if conv and plain else pad_of(node) or ("none", ())
    largest = max((n for pair in amount for n in pair), default=0)
    return Padding(node.label, mode, amount, node.key) if largest > 0 else None
