"""The paddings a network uses on its way: where it sees its borders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from uncheck.reading.calls import arguments, convolution
from uncheck.reading.graph import Graph, Node
from uncheck.reading.tables import PAD
from uncheck.reading.watch import CallKey


@dataclass(frozen=True)
class Padding:
    """One padding on the signal path.

    Attributes:
        name: the layer or function that pads.
        mode: "zero", "reflect", "replicate", "circular" or "constant" (another value than zero).
        amount: positions added at the start and the end of each axis, the last axes of the tensor, (h, w)
            order; negative where it crops.
        key: the call.
    """

    name: str
    mode: str
    amount: tuple[tuple[int, int], ...]
    key: CallKey


def call_name(node: Node) -> str:
    """Return the name of a call: the path of its torch.nn layer, else its caller's path and its function."""
    return node.layer or f"{node.key.module}.{node.key.function}".lstrip(".")


def pad_of(node: Node) -> tuple[str, tuple[tuple[int, int], ...]] | None:
    """Return mode and amount of a call that pads; None for other calls."""
    if node.name not in PAD.names:
        return None
    given = arguments(node)
    flat = given.get("pad")
    if not isinstance(flat, tuple | list) or not all(isinstance(n, int) for n in flat):
        return None
    amount = tuple((flat[i], flat[i + 1]) for i in range(0, len(flat) - 1, 2))[::-1]
    if node.name.startswith("reflection"):
        return "reflect", amount
    if node.name.startswith("replication"):
        return "replicate", amount
    mode = str(given.get("mode", "constant"))
    if mode == "constant":
        return ("constant" if given.get("value") else "zero"), amount
    return mode, amount


def read_paddings(graph: Graph) -> tuple[Padding, ...]:
    """List every padding on the signal path, in forward order: by convolutions and by padding calls."""
    found = (_padding(graph.nodes[index]) for index in sorted(graph.path))
    return tuple(padding for padding in found if padding is not None)


def _padding(node: Node) -> Padding | None:
    conv = convolution(node)
    read: Any = None
    if conv is not None and not conv.transposed:
        read = ("zero", conv.padding)
    elif conv is None:
        read = pad_of(node)
    if read is None or max((n for pair in read[1] for n in pair), default=0) < 1:
        return None
    return Padding(call_name(node), read[0], read[1], node.key)
