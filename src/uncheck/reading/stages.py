"""The upsampling stages in the graph of a forward pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from math import prod

from uncheck.geometry import Layer
from uncheck.reading.calls import (
    arguments,
    convolution,
    main_input,
    pool_sizes,
    resize_factors,
    scales,
    torch_sizes,
)
from uncheck.reading.chains import Chain, read_chains
from uncheck.reading.enlarging import BLOCKS, FRAMES, hop_of
from uncheck.reading.fourier import spectral_scales
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.grid import output_period
from uncheck.reading.kernels import (
    patch_kernel,
    resize_kernel,
    shuffle_kernel,
    source_channels,
    transposed_kernel,
)
from uncheck.reading.loops import Added, read_added
from uncheck.reading.matrices import PRODUCTS, stretched
from uncheck.reading.neighbours import after, before, filter_after
from uncheck.reading.sampled import grid_factors, grid_mode, index_factors
from uncheck.reading.stage import Stage, last_axes, make_stage
from uncheck.reading.tables import (
    CONVOLUTION,
    FOLD,
    FOURIER,
    RESIZE,
    SAMPLING,
    SCALING,
    SHUFFLE,
    TRANSPOSED,
    UNPOOL,
    group_of,
)
from uncheck.reading.taught import taught_by_name

BARE_KERNEL_ENTRIES = 2**20
"""Largest dense kernel made for a resize without a convolution, in entries."""
LINEAR = frozenset({"linear", "bilinear", "trilinear"})


def read_stages(graph: Graph) -> tuple[Stage, ...]:
    """List every upsampling stage of a recorded forward pass, in forward order.

    A stage that does not reach the output has no output period.

    Cost: one pass over the graph for each stage, and one over the weights for its kernel.
    """
    chains = {chain.node.index: chain for chain in read_chains(graph)}
    added = read_added(graph)
    stages: list[Stage] = []
    seen: Counter[str] = Counter()
    signal = any(graph.nodes[output].signal for output in graph.outputs)
    for node in graph.nodes:
        chain = chains.get(node.index)
        if signal and not node.signal and (chain or node.name in FOLD.names or node.index in added):
            continue  # a window, a mask or a table of positions that owes nothing to the input
        reader = (
            _BY_NAME.get(node.name, _READERS.get(group_of(node.key.function)))
            if node.func is not None and node.item == 0
            else None
        )
        stage = _chain(graph, chain) if chain is not None else reader(graph, node) if reader else None
        if stage is None and node.index in added:
            stage = _looped(node, added[node.index])
        if stage is None:
            continue
        if node.func is None and node.parents:  # a tensor that a call wrote to through a view
            call = graph.nodes[node.parents[-1]]
            even_key = call.key if stage.even_key == node.key else stage.even_key
            stage = replace(stage, name=call.label, even_key=even_key)
        stage = replace(stage, node=node.index)
        period = None
        if node.index in graph.leading:
            period = output_period(graph, node.index, stage.axes, stage.own_period)
        stages.append(replace(stage, index=len(stages), call=seen[stage.name], output_period=period))
        seen[stage.name] += 1
    return tuple(stages)


def _transposed(graph: Graph, node: Node) -> Stage | None:
    conv = convolution(node)
    if conv is None or not conv.transposed or max(conv.stride) == 1:
        return None
    sizes = Layer(conv.kernel_size, conv.stride, conv.starts, conv.output_padding, conv.dilation)
    dims, kernel = last_axes(node, conv.ndim), transposed_kernel(conv)
    overlap = "even" if sizes.even else "uneven"
    return make_stage(node, "transposed", conv.stride, dims, conv, overlap=overlap, kernel=kernel)


def _unpool(graph: Graph, node: Node) -> Stage | None:
    kernel, stride = pool_sizes(node)
    if max(stride) == 1:
        return None
    pads = torch_sizes(arguments(node).get("padding"), len(kernel), 0)
    return make_stage(node, "unpool", stride, last_axes(node, len(stride)), kernel_size=kernel, padding=pads)


def _resize(graph: Graph, node: Node) -> Stage | None:
    """Read an interpolation that makes an axis longer as a stage; None for any other."""
    if len(node.shape) < 3 or len(main_input(node).shape) != len(node.shape):
        return None
    factors = resize_factors(node)
    sizes = main_input(node).shape[2:]
    if all(factor <= 1 or size == 1 for factor, size in zip(factors, sizes, strict=True)):
        return None  # a single pixel held, as after global pooling, leaves no lattice
    stride = tuple(int(f) if f.denominator == 1 else float(f) for f in factors)
    given = arguments(node)
    mode = str(given.get("mode") or _mode_in_name(node.name))
    kind = "linear" if mode in LINEAR else "cubic" if mode == "bicubic" else "nearest"
    return _resized(
        graph, node, kind, stride, last_axes(node, len(stride)), aligned=bool(given.get("align_corners"))
    )


def _resized(
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


def _grid_sampled(graph: Graph, node: Node) -> Stage | None:
    """Read a sampling on a regular constant grid that makes an axis longer."""
    factors = grid_factors(graph, node)
    if factors is None or max(factors) <= 1:
        return None
    kind = {"nearest": "nearest", "bicubic": "cubic"}.get(grid_mode(node), "linear")
    stride = tuple(int(f) if f.denominator == 1 else float(f) for f in factors)
    return _resized(graph, node, kind, stride, last_axes(node, len(stride)), aligned=True)


def _stretched(graph: Graph, node: Node) -> Stage | None:
    """Read a product with constant matrices that resize as a stage."""
    found = {one.dim: one for one in stretched(graph, node)}
    ndim = len(node.shape) - 2
    dims = last_axes(node, ndim)
    if not found or ndim > 3 or not set(found) <= set(dims):
        return None
    stride = tuple(found[dim].factor if dim in found else 1 for dim in dims)
    kinds = {one.kind for one in found.values()}
    if "transposed" in kinds:
        return _spread(graph, node, stride, dims)
    return _resized(graph, node, "linear" if "linear" in kinds else "nearest", stride, dims, aligned=True)


def _picked(graph: Graph, node: Node) -> Stage | None:
    """Read a list of positions that repeats some of them as a resize by nearest neighbours."""
    found = index_factors(node)
    if found is None or node.parents[0] not in graph.path:
        return None
    dims, factors = found
    ndim = len(node.shape) - 2 if len(node.shape) > 3 else len(dims)
    given = dict(zip(dims, factors, strict=True))
    dims = last_axes(node, ndim) if set(dims) <= set(last_axes(node, ndim)) else dims
    stride = tuple(float(given.get(dim, 1)) for dim in dims)
    stride = tuple(int(s) if s.is_integer() else s for s in stride)
    return _resized(graph, node, "nearest", stride, dims, aligned=True)


def _shuffle(graph: Graph, node: Node) -> Stage | None:
    """Read a pixel shuffle as a stage; None if its factor is 1."""
    factor = (int(arguments(node)["upscale_factor"]),) * 2
    return None if factor == (1, 1) else _shuffled(graph, node, factor, last_axes(node, 2))


def _shuffled(
    graph: Graph, node: Node, factor: tuple[int, ...], dims: tuple[int, ...], chain: Chain | None = None
) -> Stage:
    """Make a stage of a rearrangement of channels into phases, with the layer that made the channels."""
    feeder, plain = before(graph, node) if chain is None else _feeder(graph, chain)
    conv = None if feeder is None else convolution(feeder)
    if conv is None or conv.ndim != len(factor):
        return make_stage(node, "sub-pixel", factor, dims)
    order = None if chain is None else source_channels(chain.layout, chain.channel, dims, factor)
    known = plain and (chain is None or order is not None)
    kernel = shuffle_kernel(conv, factor, order) if known else None
    return make_stage(node, "sub-pixel", factor, dims, conv, kernel=kernel, exact=plain)


def _feeder(graph: Graph, chain: Chain) -> tuple[Node | None, bool]:
    if convolution(chain.source) is not None or chain.source.name == "linear":
        return chain.source, chain.plain
    feeder, plain = before(graph, chain.source)
    return feeder, plain and chain.plain


def _chain(graph: Graph, chain: Chain) -> Stage | None:
    """Read a run of calls that upsamples as a stage."""
    node, dims, factor = chain.node, chain.dims, chain.factor
    if chain.held:
        return _resized(graph, node, "nearest", factor, dims)
    if chain.spread:
        return _spread(graph, node, factor, dims)
    feeder, plain = _feeder(graph, chain)
    rank = len(chain.source.shape)
    linear = feeder is not None and feeder.name == "linear"
    if not linear and (rank == len(factor) + 2 or convolution(chain.source) is not None):
        found = _shuffled(graph, node, factor, dims, chain)
        if rank > 3 or found.kernel is not None or chain.channel == 1:
            return found
    kernel = None
    order = source_channels(chain.layout, chain.channel, dims, factor)
    if feeder is chain.source and linear and plain and order is not None:
        given = arguments(chain.source)
        weight, bias = given.get("weight"), given.get("bias")
        if isinstance(weight, Slot):
            kernel = patch_kernel(weight.value, bias.value if isinstance(bias, Slot) else None, order)
    return make_stage(node, "un-patchify", factor, dims, kernel=kernel, exact=plain)


def _spread(graph: Graph, node: Node, factor: tuple[int, ...], dims: tuple[int, ...]) -> Stage:
    """Make a stage of values put among zeros: a transposed convolution with the filter that follows."""
    ndim = len(factor)
    follower = filter_after(graph, node, ndim)
    conv = None if follower is None else convolution(follower)
    if follower is None or conv is None:
        sizes = Layer((1,) * ndim, factor, (0,) * ndim, (0,) * ndim, (1,) * ndim)
        return make_stage(
            node,
            "transposed",
            factor,
            dims,
            kernel_size=(1,) * ndim,
            overlap="even" if sizes.even else "uneven",
        )
    sizes = Layer(conv.kernel_size, factor, conv.starts, (0,) * ndim, conv.dilation)
    known = {"even_key": follower.key, "even_axes": last_axes(follower, ndim)}
    return make_stage(
        node, "transposed", factor, dims, conv, overlap="even" if sizes.even else "uneven", **known
    )


def _looped(node: Node, added: Added) -> Stage:
    """Make a stage of blocks that a loop adds up, or puts side by side."""
    still = (0,) * len(added.axes)
    even = Layer(added.lengths, added.hops, still, still, (1,) * len(added.axes)).even
    overlap = "even" if even else "uneven"
    if added.lengths == added.hops:
        return make_stage(node, "un-patchify", added.hops, added.axes)
    return make_stage(node, "transposed", added.hops, added.axes, kernel_size=added.lengths, overlap=overlap)


def _fold(graph: Graph, node: Node) -> Stage | None:
    """Read an overlap-add of blocks, or of the frames of a short-time Fourier transform."""
    given = dict(zip(FRAMES if node.name == "istft" else BLOCKS, node.args, strict=False)) | node.kwargs
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
    overlap = "even" if Layer(kernel, stride, pads, still, dilation).even else "uneven"
    return make_stage(
        node, "transposed", stride, last_axes(node, len(stride)),
        kernel_size=kernel, padding=pads, dilation=dilation, overlap=overlap,
    )  # fmt: skip


def _spectral(graph: Graph, node: Node) -> Stage | None:
    """Read an inverse Fourier transform that is longer than the transform before it as a smooth resize."""
    factors = spectral_scales(graph, node)
    if factors is None or max(factors) <= 1 or len(factors) > 3:
        return None
    stride = tuple(int(f) if f.denominator == 1 else float(f) for f in factors)
    dims = tuple(range(len(node.shape) - len(factors), len(node.shape)))
    return make_stage(node, "cubic", stride, dims, kernel_size=(1,) * len(stride))


def _registered(graph: Graph, node: Node) -> Stage | None:
    """Read a call of what was registered with a scale."""
    taught, factors = taught_by_name(node.key.function), scales(node)
    if taught is None or not factors or max(factors) <= 1:
        return None
    stride = tuple(int(f) if f.denominator == 1 else float(f) for f in factors)
    return make_stage(node, taught.kind, stride, last_axes(node, len(stride)), kernel_size=_whole(stride))


_READERS: dict[object, Callable[[Graph, Node], Stage | None]] = {
    CONVOLUTION: _transposed,
    TRANSPOSED: _transposed,
    SHUFFLE: _shuffle,
    RESIZE: _resize,
    UNPOOL: _unpool,
    SCALING: _registered,
    FOLD: _fold,
    FOURIER: _spectral,
    SAMPLING: _grid_sampled,
}
_BY_NAME = {"getitem": _picked, "index_select": _picked, **dict.fromkeys(PRODUCTS, _stretched)}
