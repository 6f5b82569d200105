"""Sites of a recorded network where it resizes and convolves, and the rules of what can be fused.

The rules are read from the recorded calls, and again at every call of the fused network.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeVar

from uncheck.errors import Kind, Refusal, Refused, UncheckError
from uncheck.layers.algebra import Fusing, fusing
from uncheck.reading.calls import Convolution, arguments, convolution, main_input, pad_of, slices
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.neighbours import as_plain
from uncheck.reading.tables import RESIZE

MODES = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "trilinear": "linear"}
Pad = tuple[str, tuple[tuple[int, int], ...]]
"""Kind of padding as torch's convolutions name it, and (start, end) per axis."""


def read_resize(given: Mapping[str, Any], before: Sequence[int]) -> tuple[str, tuple[int, ...]] | str:
    """Return the kind, nearest or linear, and the factors of a resize; the reason where it cannot be fused.

    `given` has the arguments of F.interpolate by name, `before` the sizes of its input's spatial axes.
    """
    mode = given.get("mode") or "nearest"
    if mode == "nearest-exact":
        # floor((j + 1/2) / s) = floor(j / s) for whole s; by a size or another factor it is another resize
        return (
            "mode 'nearest-exact' is left as it is: by whole factors it takes the same pixels as 'nearest': "
            "write mode='nearest' to have it fused"
        )
    if mode not in MODES:
        return f"mode {mode!r} followed by a convolution is no single small convolution"
    if given.get("align_corners"):
        return "align_corners=True gives every position its own weights; no convolution does that"
    if given.get("antialias"):
        return "antialias=True is not read; it changes nothing when enlarging, so leave it out"
    size, scale = given.get("size"), given.get("scale_factor")
    asked = scale if size is None else size
    values: list[Any] = list(asked) if isinstance(asked, tuple | list) else [asked] * len(before)
    if not all(isinstance(value, int | float) for value in values):
        return "its scale factor or size is no number"
    ratios = (
        values if size is None else [value / length for value, length in zip(values, before, strict=True)]
    )
    if any(ratio < 1 or ratio % 1 for ratio in ratios):
        text = " x ".join(f"{ratio:.4g}" for ratio in ratios)
        what = "the scale factor is" if size is None else "the size asked for is"
        return f"{what} {text} times the input's, not a whole number on every axis"
    return MODES[mode], tuple(int(ratio) for ratio in ratios)


def read_pad(mode: str, amount: tuple[tuple[int, int], ...], ndim: int) -> Pad | str:
    """Return a padding by `ndim` axes, or the reason where it cannot be fused.

    `mode` is "zero", "constant" (another value), or as F.pad names it; `amount` (start, end) of the last
    axes.
    """
    if mode == "constant":
        return "pads with a value other than zero"
    if len(amount) > ndim:
        return "pads the channels or the batch"
    if min(n for pair in amount for n in pair) < 0:
        return "crops by negative padding"
    return "zeros" if mode == "zero" else mode, ((0, 0),) * (ndim - len(amount)) + amount


def total_padding(pads: Sequence[Pad], ndim: int) -> Pad | str:
    """Return several paddings after each other as one, or the reason why they are not one."""
    real = [pad for pad in pads if any(n > 0 for pair in pad[1] for n in pair)]
    if not real:
        return "zeros", ((0, 0),) * ndim
    kinds = {mode for mode, _ in real}
    if len(real) > 1 and (len(kinds) > 1 or not kinds <= {"zeros", "replicate"}):
        return f"it is padded twice, by {' and then '.join(mode for mode, _ in real)}"
    amounts = [amount for _, amount in real]
    sums = [(sum(a[axis][0] for a in amounts), sum(a[axis][1] for a in amounts)) for axis in range(ndim)]
    return real[0][0], tuple(sums)


def plan_fusing(
    kernel_size: Sequence[int],
    factor: Sequence[int],
    kind: str,
    padding: Pad,
    dilation: Sequence[int],
    name: str = "the convolution",
) -> Fusing | str:
    """Return the fused form of a resize and a convolution, or the reason why none saves work."""
    try:
        plan = fusing(kernel_size, factor, kind, padding[1], padding[0], dilation)
    except UncheckError as reason:
        return str(reason)
    before = prod(factor) * prod(kernel_size)
    if prod(plan.taps) > before:
        return (
            f"fused with {name} it would take {prod(plan.taps)} multiplications per input position and pair "
            f"of channels, instead of {before}"
        )
    return plan


T = TypeVar("T")


@dataclass(frozen=True)
class Site:
    """A resize, and the convolution that is the only one to take its output.

    Attributes:
        resize: its call.
        between: calls of padding and copying between them, but for those the convolution's layer makes.
        conv: the convolution's call.
        norm: the batch norm's call that alone takes what the convolution makes.
        factor: of the resize, per axis.
        kind: nearest or linear.
        sized: whether the resize was told a size, so that the factor may be another on another input.
        pads: what `between` pads, in order.
        own: what the convolution's layer pads.
        padding: everything it is padded by, taken together.
        plain: the convolution's arguments; its `padding` counts for nothing, `own` has it.
        live: whether weight or bias are made from the input or from noise.
    """

    resize: Node
    between: tuple[Node, ...]
    conv: Node
    norm: Node | None
    factor: tuple[int, ...]
    kind: str
    sized: bool
    pads: tuple[Pad, ...]
    own: Pad
    padding: Pad
    plain: Convolution
    live: bool

    @property
    def calls(self) -> tuple[Node, ...]:
        """Its calls, in order, without the norm's."""
        return (self.resize, *self.between, self.conv)


def find_sites(graph: Graph, layers: Collection[str]) -> list[Site | Refused]:
    """Return every call that makes an axis longer by interpolation: to be fused, or refused with the reason.

    `layers` are the paths of the modules that run torch's own forward.
    """
    found: list[Site | Refused] = []
    for node in graph.nodes:
        if node.name not in RESIZE.names or node.func is None or len(node.shape) < 3:
            continue
        before = main_input(node).shape[2:]
        if all(b <= a for a, b in zip(before, node.shape[2:], strict=True)):
            continue  # makes nothing larger
        try:
            found.append(_site(graph, node, layers))
        except Refusal as refusal:
            found.append(Refused(Kind.unsupported, refusal.refused.reason, node.label))
    return found


def _site(graph: Graph, node: Node, layers: Collection[str]) -> Site:
    if node.name not in ("interpolate", "upsample"):
        raise Refusal(f"{node.name} is a call of torch's inside; write F.interpolate")
    given = arguments(node)
    kind, factor = _checked(read_resize(given, main_input(node).shape[2:]))
    ndim = len(factor)
    between: list[Node] = []
    pads: list[Pad] = []
    taker = _only_taker(graph, node)
    while (conv := convolution(taker)) is None:
        if taker.name != "contiguous":
            pads.append(_pad(taker, ndim))
        between.append(taker)
        taker = _only_taker(graph, taker)
    own, plain = _convolution(taker, conv, between[-1] if between else node, ndim)
    # A layer with padding_mode="reflect" pads by a call of its own.
    for inside in [n for n in between if n.key.module == taker.key.module and taker.key.module in layers]:
        if inside is not between[-1] or max(map(max, own[1])) > 0:
            raise Refusal(f"{taker.layer} pads twice")
        between.remove(inside)
        if inside.name != "contiguous":
            own = pads.pop()
    padding = _checked(total_padding((*pads, own), ndim))
    name = taker.label
    _checked(plan_fusing(plain.kernel_size, factor, kind, padding, plain.dilation, name))
    for other in graph.nodes[node.index + 1 : taker.index]:
        if other.writes:
            raise Refusal(f"{other.label} writes to a tensor before {name} takes what it makes")
    weights = [arguments(taker).get(word) for word in ("weight", "bias")]
    made = [graph.nodes[w.node] for w in weights if isinstance(w, Slot) and w.node is not None]
    return Site(
        node,
        tuple(between),
        taker,
        _norm(graph, taker),
        factor,
        kind,
        given.get("size") is not None,
        tuple(pads),
        own,
        padding,
        plain,
        any(one.signal for one in made),
    )


def _checked(read: T | str) -> T:
    """Return the value read; raise Refusal if it is a reason."""
    if isinstance(read, str):
        raise Refusal(read)
    return read


def _only_taker(graph: Graph, node: Node) -> Node:
    takers = graph.takers(node)
    if node.index in graph.outputs:
        raise Refusal("the model returns what it makes" + (", and other calls take it" if takers else ""))
    if not takers:
        raise Refusal("no call takes what it makes")
    if len(takers) > 1:
        names = ", ".join(dict.fromkeys(taker.label for taker in takers[:3]))
        more = ", ..." if len(takers) > 3 else ""
        raise Refusal(f"{len(takers)} calls take what it makes ({names}{more})")
    return takers[0]


def _pad(node: Node, ndim: int) -> Pad:
    read = pad_of(node)
    name = node.label
    if read is None:
        if node.func is None:
            raise Refusal(f"{name} takes what it makes, and cannot be followed")
        if node.name in ("getitem", "narrow") and (node.name == "narrow" or slices(node) is not None):
            raise Refusal(f"{name} crops what it makes before a convolution could take it")
        raise Refusal(f"{name} takes what it makes, and is no convolution and no padding")
    pad = read_pad(*read, ndim)
    if isinstance(pad, str):
        raise Refusal(f"{name} {pad}")
    return pad


def _convolution(node: Node, conv: Convolution, taken: Node, ndim: int) -> tuple[Pad, Convolution]:
    name = node.label
    value = arguments(node)["input"]
    if not isinstance(value, Slot) or value.node != taken.index or conv.weight is None:
        raise Refusal(f"{name} takes what it makes as a weight")
    if conv.ndim != ndim or node.name.startswith("_") or node.name == "convolution":
        raise Refusal(f"{name} is not an ordinary convolution on as many axes")
    if len(taken.shape) != ndim + 2:
        raise Refusal(f"{name} takes what it makes without a batch axis")
    if max(conv.stride) > 1:
        raise Refusal(f"{name} has stride {max(conv.stride)}; only stride 1 can be fused")
    plain = as_plain(conv)
    if plain is None:
        raise Refusal(f"{name} is no plain convolution")
    if min(n for pair in plain.padding for n in pair) < 0:
        raise Refusal(f"{name} crops its output")
    return ("zeros", plain.padding), plain


def _norm(graph: Graph, conv: Node) -> Node | None:
    takers = graph.consumers[conv.index]
    if len(takers) != 1 or conv.index in graph.outputs:
        return None
    node = graph.nodes[takers[0]]
    return node if node.name == "batch_norm" and node.layer else None
