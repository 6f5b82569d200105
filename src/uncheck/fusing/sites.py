"""Where a recorded network resizes and convolves, and why some of these places cannot be fused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from uncheck.errors import Kind, Refusal, Refused
from uncheck.reading.calls import Convolution, arguments, convolution, main_input, pad_of, slices
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.neighbours import as_plain
from uncheck.reading.tables import PASSING, RESIZE

MODES = {
    "nearest": "nearest",
    "linear": "linear",
    "bilinear": "linear",
    "trilinear": "linear",
}
NAMES = {"zero": "zeros"}
Pad = tuple[str, tuple[tuple[int, int], ...]]
"""Kind of padding as torch's convolutions name it, and (start, end) per axis."""


@dataclass(frozen=True)
class Site:
    """A resize, and the convolution that alone takes what it makes.

    Attributes:
        resize: its call.
        between: calls of padding and copying between them, but for those the convolution's layer makes.
        conv: the convolution's call.
        norm: the batch norm's call that alone takes what the convolution makes.
        factor: of the resize, per axis.
        mode: as torch names it.
        sized: whether the resize was told a size, so that the factor may be another on another input.
        pads: what `between` pads, in order.
        own: what the convolution's layer pads.
        plain: the convolution's arguments; `padding` counts for nothing, `own` has it.
    """

    resize: Node
    between: tuple[Node, ...]
    conv: Node
    norm: Node | None
    factor: tuple[int, ...]
    mode: str
    sized: bool
    pads: tuple[Pad, ...]
    own: Pad
    plain: Convolution

    @property
    def kind(self) -> str:
        """The mode as the algebra names it: nearest or linear."""
        return MODES[self.mode]

    @property
    def name(self) -> str:
        """Label of the resize."""
        return self.resize.label

    @property
    def calls(self) -> tuple[Node, ...]:
        """All its calls, in order."""
        return (self.resize, *self.between, self.conv, *([self.norm] if self.norm else []))


def find_sites(graph: Graph, layers: Collection[str]) -> tuple[Site | Refused, ...]:
    """Every call that makes an axis longer by interpolation: to be fused, or refused with the reason.

    Args:
        graph: of a recording.
        layers: paths of the modules that run torch's own forward.
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
        except Refusal as reason:
            found.append(Refused(Kind.unsupported, str(reason), node.label))
    return tuple(found)


def _site(graph: Graph, node: Node, layers: Collection[str]) -> Site:
    mode, factor, sized = _resize(node)
    ndim = len(factor)
    between: list[Node] = []
    pads: list[Pad] = []
    current = node
    while True:
        taker = _only_taker(graph, current)
        conv = convolution(taker)
        if conv is not None:
            break
        if taker.name in PASSING.names and taker.name == "contiguous":
            between.append(taker)
        else:
            pads.append(_pad(taker, ndim))
            between.append(taker)
        current = taker
    own, plain = _convolution(graph, taker, conv, current, ndim)
    # A layer with padding_mode="reflect" pads by a call of its own.
    inner = [n for n in between if n.key.module == taker.key.module and taker.key.module in layers]
    for inside in inner:
        if inside is not between[-1] or max(map(max, own[1])) > 0:
            raise Refusal(f"{taker.layer} pads twice")
        between.remove(inside)
        if inside.name != "contiguous":
            own = pads.pop()
    return Site(
        node,
        tuple(between),
        taker,
        _norm(graph, taker),
        factor,
        mode,
        sized,
        tuple(pads),
        own,
        plain,
    )


def _resize(node: Node) -> tuple[str, tuple[int, ...], bool]:
    """Mode, factor per axis, and whether a size was given."""
    if node.name not in ("interpolate", "upsample"):
        raise Refusal(f"{node.name} is a call of torch's inside; write F.interpolate")
    given = arguments(node)
    mode = str(given.get("mode") or "nearest")
    if mode == "nearest-exact":
        # floor((j + 1/2) / s) = floor(j / s) for whole s; by a size or another factor it is another resize
        raise Refusal(
            "mode 'nearest-exact' is left as it is: by whole factors it takes the same pixels as 'nearest': "
            "write mode='nearest' to have it fused"
        )
    if mode not in MODES:
        raise Refusal(f"mode {mode!r} followed by a convolution is no single small convolution")
    if given.get("align_corners"):
        raise Refusal("align_corners=True gives every position its own weights; no convolution does that")
    if given.get("antialias"):
        raise Refusal("antialias=True is not read; it changes nothing when enlarging, so leave it out")
    sized = given.get("size") is not None
    factors = _factors(node, sized)
    if any(f.denominator != 1 or f < 1 for f in factors):
        text = " x ".join(f"{float(f):.4g}" for f in factors)
        what = "the size asked for is" if sized else "the scale factor is"
        raise Refusal(f"{what} {text} times the input's, not a whole number on every axis")
    return mode, tuple(int(f) for f in factors), sized


def _factors(node: Node, sized: bool) -> tuple[Fraction, ...]:
    """Return the exact factors asked for: 2.0001 on 8 positions makes 16, but samples them elsewhere."""
    before = main_input(node).shape[2:]
    if sized:
        return tuple(Fraction(b, a) for a, b in zip(before, node.shape[2:], strict=True))
    scale: Any = arguments(node).get("scale_factor")
    scales = scale if isinstance(scale, Sequence) else [scale] * len(before)
    try:
        return tuple(Fraction(float(one)) for one in scales)
    except (TypeError, ValueError, OverflowError) as error:
        raise Refusal("its scale factor is no number") from error


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
    mode, amount = read
    if mode == "constant":
        raise Refusal(f"{name} pads with a value other than zero")
    if len(amount) > ndim or node.writes:
        raise Refusal(f"{name} pads the channels or the batch")
    if min(n for pair in amount for n in pair) < 0:
        raise Refusal(f"{name} crops by negative padding")
    return NAMES.get(mode, mode), ((0, 0),) * (ndim - len(amount)) + amount


def _convolution(
    graph: Graph, node: Node, conv: Convolution, taken: Node, ndim: int
) -> tuple[Pad, Convolution]:
    name = node.label
    given = arguments(node)
    value = given["input"]
    if not isinstance(value, Slot) or value.node != taken.index or conv.weight is None:
        raise Refusal(f"{name} takes what it makes as a weight")
    if conv.ndim != ndim or node.name.startswith("_") or node.name == "convolution":
        raise Refusal(f"{name} is not an ordinary convolution on as many axes")
    if len(taken.shape) != ndim + 2:
        raise Refusal(f"{name} takes what it makes without a batch axis")
    if max(conv.stride) > 1:
        raise Refusal(f"{name} has stride {max(conv.stride)}; only stride 1 can be fused")
    for word in ("weight", "bias"):
        slot = given.get(word)
        if isinstance(slot, Slot) and slot.node is not None and graph.nodes[slot.node].signal:
            raise Refusal(f"the {word} of {name} is made from the input")
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


def whole_padding(pads: Sequence[Pad], ndim: int) -> Pad:
    """Several paddings after each other as one.

    Raises:
        Refusal: paddings of different kinds, or several that reflect or wrap around.
    """
    real = [pad for pad in pads if max(n for pair in pad[1] for n in pair) > 0]
    if not real:
        return "zeros", ((0, 0),) * ndim
    kinds = {mode for mode, _ in real}
    if len(real) > 1 and (len(kinds) > 1 or not kinds <= {"zeros", "replicate"}):
        raise Refusal(f"it is padded twice, by {' and then '.join(mode for mode, _ in real)}")
    total = tuple(
        (sum(pad[axis][0] for _, pad in real), sum(pad[axis][1] for _, pad in real)) for axis in range(ndim)
    )
    return real[0][0], total
