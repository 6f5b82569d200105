"""Sites of a recorded network where it resizes and convolves, and why some cannot be fused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

from uncheck.errors import Kind, Refusal, Refused
from uncheck.fusing.rules import Pad, plan_fusing, read_pad, read_resize, total_padding
from uncheck.reading.calls import Convolution, arguments, convolution, main_input, pad_of, slices
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.neighbours import as_plain
from uncheck.reading.tables import RESIZE

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
