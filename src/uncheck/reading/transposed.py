"""Stages that add up blocks: transposed convolutions, values among zeros, overlap-add and unpooling."""

from __future__ import annotations

from uncheck.geometry import Layer
from uncheck.reading.calls import arguments, convolution, pool_sizes, torch_sizes
from uncheck.reading.enlarging import hop_of
from uncheck.reading.graph import Graph, Node
from uncheck.reading.kernels import transposed_kernel
from uncheck.reading.loops import Added
from uncheck.reading.neighbours import filter_after
from uncheck.reading.stage import Stage, last_axes, make_stage, overlap_of


def read_transposed(graph: Graph, node: Node) -> Stage | None:
    """Read a transposed convolution that enlarges as a stage."""
    conv = convolution(node)
    if conv is None or not conv.transposed or max(conv.stride) == 1:
        return None
    sizes = Layer(conv.kernel_size, conv.stride, conv.starts, conv.output_padding, conv.dilation)
    dims, kernel = last_axes(node, conv.ndim), transposed_kernel(conv)
    overlap = overlap_of(sizes)
    return make_stage(node, "transposed", conv.stride, dims, conv, overlap=overlap, kernel=kernel)


def spread_stage(graph: Graph, node: Node, factor: tuple[int, ...], dims: tuple[int, ...]) -> Stage:
    """Make a stage of values put among zeros: a transposed convolution with the filter that follows."""
    ndim = len(factor)
    follower = filter_after(graph, node, ndim)
    conv = None if follower is None else convolution(follower)
    if follower is None or conv is None:
        sizes = Layer((1,) * ndim, factor, (0,) * ndim, (0,) * ndim, (1,) * ndim)
        overlap = overlap_of(sizes)
        return make_stage(node, "transposed", factor, dims, kernel_size=(1,) * ndim, overlap=overlap)
    sizes = Layer(conv.kernel_size, factor, conv.starts, (0,) * ndim, conv.dilation)
    known = {"even_key": follower.key, "even_axes": last_axes(follower, ndim)}
    return make_stage(node, "transposed", factor, dims, conv, overlap=overlap_of(sizes), **known)


def looped_stage(node: Node, added: Added) -> Stage:
    """Make a stage of blocks that a loop adds up, or puts side by side."""
    still = (0,) * len(added.axes)
    if added.lengths == added.hops:
        return make_stage(node, "un-patchify", added.hops, added.axes)
    overlap = overlap_of(Layer(added.lengths, added.hops, still, still, (1,) * len(added.axes)))
    return make_stage(node, "transposed", added.hops, added.axes, kernel_size=added.lengths, overlap=overlap)


def read_fold(graph: Graph, node: Node) -> Stage | None:
    """Read an overlap-add of blocks, or of the frames of a short-time Fourier transform."""
    given = arguments(node)
    if node.name == "istft":
        sizes: list[tuple[int, ...]] = [(int(given["n_fft"]),), (hop_of(node),), (0,), (1,)]
    else:
        words = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1}
        sizes = [torch_sizes(given.get(word), 2, default) for word, default in words.items()]
    kernel, stride, pads, dilation = sizes
    if max(stride) == 1:
        return None
    if len(stride) == 2 and node.shape[-2] == 1:  # a signal of one axis, as its only row
        kernel, stride, pads, dilation = (size[1:] for size in (kernel, stride, pads, dilation))
    still = (0,) * len(stride)
    overlap = overlap_of(Layer(kernel, stride, pads, still, dilation))
    return make_stage(
        node, "transposed", stride, last_axes(node, len(stride)),
        kernel_size=kernel, padding=pads, dilation=dilation, overlap=overlap,
    )  # fmt: skip


def read_unpool(graph: Graph, node: Node) -> Stage | None:
    """Read an unpooling that enlarges as a stage."""
    kernel, stride = pool_sizes(node)
    if max(stride) == 1:
        return None
    pads = torch_sizes(arguments(node).get("padding"), len(kernel), 0)
    return make_stage(node, "unpool", stride, last_axes(node, len(stride)), kernel_size=kernel, padding=pads)
