"""What is known of the constants among the arguments of recorded calls: zeros, masks, lists of positions."""

from __future__ import annotations

import torch
from torch import Tensor

from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.layout import FIXED, HELD, ZERO
from uncheck.reading.tables import KEEPING, RESHAPE, STRIDED_VIEW
from uncheck.reading.tensors import replace_tensors

_ZEROS = frozenset({"zeros", "zeros_like", "new_zeros", "zero"})
_EMPTY = frozenset({"empty", "empty_like", "new_empty", "empty_strided"})
_FULL = {"full": 1, "full_like": 1, "new_full": 2, "fill": 1}
_VIEWS = RESHAPE.names | STRIDED_VIEW.names | KEEPING


def slots_of(node: Node) -> list[Slot]:
    """Return the tensors among the arguments of a call, in order."""
    slots: list[Slot] = []
    replace_tensors((node.args, node.kwargs), slots.append, kind=Slot)
    return slots


def known(slot: object) -> Tensor | None:
    """Return the values of a constant, where they were kept and there are any."""
    value = slot.value if isinstance(slot, Slot) else None
    return None if value is None or value.device.type == "meta" else value


def is_zero(graph: Graph, slot: Slot, *, or_empty: bool = False) -> bool:
    """Test whether a tensor holds nothing but zeros; one never written to counts if `or_empty`."""
    if slot.node is None or not graph.nodes[slot.node].signal:
        value = known(slot)
        if value is not None:
            return not bool(value.any())
    if slot.node is None:
        return False
    node = graph.nodes[slot.node]
    if node.name in _ZEROS or (or_empty and node.name in _EMPTY):
        return True
    if node.name in _FULL:
        place = _FULL[node.name]
        given = node.args[place] if len(node.args) > place else node.kwargs.get("fill_value")
        return isinstance(given, int | float) and given == 0
    slots = slots_of(node)
    if node.name in ("mul", "multiply") and any(
        isinstance(a, int | float) and a == 0 for a in (*node.args, *node.kwargs.values())
    ):
        return True
    one = len(slots) == 1 and node.func is not None and node.name in _VIEWS
    return (
        one and node.name not in ("add", "sub", "exp", "cos") and is_zero(graph, slots[0], or_empty=or_empty)
    )


def phases_of(slot: Slot, dim: int, phases: int) -> int | None:
    """Say how a constant tells apart the phases along an axis.

    Returns:
        HELD where it does not, ZERO where all but one are zero, else FIXED; None where it does not repeat
        every `phases` positions, or is not known.
    """
    value = known(slot)
    if value is None or not value.numel() or value.shape[dim] % phases or phases < 2:
        return None
    rows = value.movedim(dim, -1).reshape(-1, value.shape[dim] // phases, phases)
    if not torch.equal(rows, rows[:, :1].expand_as(rows)):
        return None
    if torch.equal(rows, rows[..., :1].expand_as(rows)):
        return HELD
    used = int((rows != 0).any(0).any(0).sum())
    return ZERO if used == 1 else FIXED
