"""The convolution before a rearrangement, and the convolution after a resize."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from uncheck.reading.calls import Convolution, convolution, pad_of, slices
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.tables import DROPOUT, KEEPING, NORM, PAD, PASSING, POINTWISE, RESHAPE, STRIDED_VIEW

AFFINE = frozenset(
    {"add", "sub", "subtract", "mul", "multiply", "div", "divide", "truediv", "true_divide", "neg"}
)
_BETWEEN = PAD.names | RESHAPE.names | STRIDED_VIEW.names | KEEPING


@dataclass(frozen=True)
class After:
    """The convolution that reads a resize, and nothing else does.

    Attributes:
        node: its call.
        conv: its arguments, as a plain convolution.
        shift: zeros added minus positions cropped in between, at the start and end of each axis.
        affine: whether what lies between is affine at each position.
    """

    node: Node
    conv: Convolution
    shift: tuple[tuple[int, int], ...]
    affine: bool


def before(graph: Graph, node: Node) -> tuple[Node | None, bool]:
    """Walk back from a rearrangement over activations to the convolution or linear layer that feeds it.

    Returns:
        The layer, None if there is none, and whether what lies between treats all its channels alike, so that
        it may be done afterwards.
    """
    plain = True
    current = _parent(graph, node)
    while current is not None:
        if current.name == "linear" or convolution(current) is not None:
            return current, plain
        if not _keeps_positions(current):
            break
        plain = plain and current.name not in NORM.names and _constants(current) <= 1
        current = _parent(graph, current)
    return None, True


def after(graph: Graph, node: Node, ndim: int) -> After | None:
    """Walk on from a resize over padding, slices, activation, norm and dropout to a convolution."""
    shift = [(0, 0)] * ndim
    affine = True
    current = node
    while True:
        if current.index in graph.outputs or len(graph.consumers[current.index]) != 1:
            return None
        taker = graph.nodes[graph.consumers[current.index][0]]
        conv = convolution(taker)
        if conv is not None:
            if max(conv.stride) > 1 or conv.ndim != ndim or taker.parents[0] != current.index:
                return None
            plain = as_plain(conv)
            return None if plain is None else After(taker, plain, tuple(shift), affine)
        moved = _shift(taker, current.shape, ndim)
        if moved is not None:
            shift = [(a + c, b + d) for (a, b), (c, d) in zip(shift, moved, strict=True)]
        elif not _keeps_positions(taker) or taker.shape != current.shape or _tells_apart(taker, ndim):
            return None
        else:
            affine = affine and _is_affine(taker)
        current = taker


def filter_after(graph: Graph, node: Node, ndim: int) -> Node | None:
    """Walk on from inserted zeros over paddings, crops and rearrangements to the convolution after them."""
    while node.index not in graph.outputs and len(graph.consumers[node.index]) == 1:
        node = graph.takers(node)[0]
        conv = convolution(node)
        if conv is not None:
            return node if conv.ndim == ndim and not conv.transposed and max(conv.stride) == 1 else None
        if node.func is None or len(set(node.parents)) > 1 or node.name not in _BETWEEN:
            return None
    return None


def as_plain(conv: Convolution) -> Convolution | None:
    """Return the plain convolution that a transposed one of stride 1 equals; a plain one as it is."""
    if not conv.transposed:
        return conv
    reach = [d * (k - 1) for d, k in zip(conv.dilation, conv.kernel_size, strict=True)]
    padding = tuple(
        (r - start, r - end + extra)
        for r, (start, end), extra in zip(reach, conv.padding, conv.output_padding, strict=True)
    )
    weight = conv.weight
    if weight is not None:
        rows, columns, *kernel = weight.shape
        groups = weight.reshape(conv.groups, rows // conv.groups, columns, *kernel)
        weight = groups.transpose(1, 2).reshape(conv.groups * columns, rows // conv.groups, *kernel)
        weight = weight.flip(list(range(2, weight.ndim)))
    still = (0,) * conv.ndim
    return Convolution(
        weight, conv.bias, conv.kernel_size, conv.stride, padding, still, conv.dilation, conv.groups, False
    )


def _parent(graph: Graph, node: Node) -> Node | None:
    return graph.nodes[node.parents[0]] if len(set(node.parents)) == 1 else None


def _keeps_positions(node: Node) -> bool:
    one = len(set(node.parents)) == 1 and node.func is not None
    return one and node.name in KEEPING and node.name != "glu"


def _constants(node: Node) -> int:
    """Count the entries of the largest constant tensor among the arguments."""
    slots = (value for value in (*node.args, *node.kwargs.values()) if isinstance(value, Slot))
    return max((prod(slot.shape) for slot in slots if slot.node is None), default=0)


def _tells_apart(node: Node, ndim: int) -> bool:
    """Test whether a constant with spatial axes makes a pointwise call treat positions unlike."""
    return node.name in POINTWISE.names - {"prelu"} and any(
        max(value.shape[-ndim:], default=1) > 1
        for value in (*node.args, *node.kwargs.values())
        if isinstance(value, Slot) and value.node is None
    )


def _is_affine(node: Node) -> bool:
    if node.name in DROPOUT.names | PASSING.names | {"batch_norm"}:
        return True
    constant = all(
        prod(value.shape) <= 1 or prod(value.shape[2:]) == 1
        for value in node.args
        if isinstance(value, Slot) and value.node is None
    )
    slots = sum(isinstance(value, Slot) and value.node is not None for value in node.args)
    return node.name in AFFINE and slots == 1 and constant


def _shift(node: Node, shape: tuple[int, ...], ndim: int) -> tuple[tuple[int, int], ...] | None:
    """Return the positions that a padding or slice adds at both ends of each axis; None for other calls."""
    still = ((0, 0),) * ndim
    if node.name in PAD.names:
        read = pad_of(node)
        if read is None or len(read[1]) > ndim:
            return None
        return still[: ndim - len(read[1])] + read[1]
    if node.name == "narrow" and len(node.args) == 4:
        dim, begin, length = (int(n) for n in node.args[1:])
        parts = [slice(None)] * len(shape)
        parts[dim] = slice(begin, begin + length)
    elif node.name == "getitem":
        given = slices(node)
        if given is None:
            return None
        parts = list(given)
    else:
        return None
    ranges = [part.indices(size) for part, size in zip(parts, shape, strict=True)]
    if any(step != 1 for _, _, step in ranges) or any(
        (begin, end) != (0, size) for (begin, end, _), size in zip(ranges[:-ndim], shape[:-ndim], strict=True)
    ):
        return None
    pairs = zip(ranges[-ndim:], shape[-ndim:], strict=True)
    return tuple((-begin, max(begin, end) - size) for (begin, end, _), size in pairs)
