"""Writes of one tensor to positions of another, read from the calls that make them."""

from __future__ import annotations

from dataclasses import dataclass

from uncheck.reading.calls import arguments, index_parts
from uncheck.reading.constants import is_zero, known
from uncheck.reading.graph import Graph, Node, Slot
from uncheck.reading.indices import Pick, Positions, along, put, read_index
from uncheck.reading.layout import Axis, Layout, sizes

WRITING = frozenset({"setitem", "index_copy", "index_add", "index_put", "scatter", "scatter_add"})
"""Calls that write to some positions of a tensor."""


@dataclass(frozen=True)
class Write:
    """A write of one tensor to positions of another.

    Attributes:
        base: the node of the tensor written to, None for one without.
        value: the node of the tensor written, likewise.
        shape: of the tensor written to.
        picks: the axes written, see `read_index`.
        onto_constant: whether the tensor written to owes nothing to the input.
        onto_zeros: whether it holds zeros.
    """

    base: int | None
    value: int | None
    shape: tuple[int, ...]
    picks: tuple[Pick, ...]
    onto_constant: bool
    onto_zeros: bool

    @property
    def stepped(self) -> bool:
        """Whether positions between those written are left out."""
        dropped = set(range(len(self.shape))) - {pick.axis for pick in self.picks}
        return any(self.shape[d] > 1 for d in dropped) or any(
            pick.axis is not None and _leaves_out(pick.positions, self.shape[pick.axis])
            for pick in self.picks
        )

    def fits(self, layout: Layout) -> bool:
        """Test whether the blocks of a layout are as long as the steps of this write."""
        for pick in self.picks:
            if pick.axis is None or pick.step == 1:
                continue
            inner = 1
            for atom in layout[pick.axis][1:]:
                inner *= atom.size
            if inner % pick.step and pick.step % inner:
                return False
        return True

    def layout(self, value: Layout, kind: int) -> tuple[Layout, bool] | None:
        """Return the layout after the write, given that of the value, and whether a block was cut off.

        The positions left out are atoms of this kind.
        """
        value = ((),) * (len(self.picks) - len(value)) + value
        if len(value) > len(self.picks):
            if any(value[: len(value) - len(self.picks)]):
                return None
            value = value[len(value) - len(self.picks) :]
        axes: dict[int, Axis] = {}
        ends = False
        for pick, axis, size in zip(self.picks, value, sizes(value), strict=True):
            if pick.axis is None:
                continue
            if size not in (1, len(pick.positions)):
                return None
            length = self.shape[pick.axis]
            after = put(axis, range(1) if size == 1 else pick.positions, length, kind)
            if after is None:
                return None
            axes[pick.axis] = after[0]
            ends = ends or after[1]
        dropped = {d: put((), range(1), n, kind) for d, n in enumerate(self.shape) if d not in axes}
        return tuple(axes[d] if d in axes else dropped[d][0] for d in range(len(self.shape))), ends  # type: ignore[index]


def _leaves_out(positions: Positions, length: int) -> bool:
    listed = list(positions)
    run = listed == list(range(listed[0], listed[0] + len(listed)))
    return len(listed) == 1 < length if run else True


def is_write(node: Node) -> bool:
    """Test whether a node is a tensor some positions of which were written."""
    return node.name in WRITING or node.key.function == "(written)"


def read_write(graph: Graph, node: Node) -> Write | None:
    """Read a call that writes to some positions of a tensor; None where it is none or they are not known."""
    if node.key.function == "(written)":
        return _through_view(graph, node)
    given = [*node.args, *node.kwargs.values()]
    slots = [value for value in given if isinstance(value, Slot)]
    if not slots or not isinstance(given[0], Slot):
        return None
    target = given[0]
    if node.name in ("setitem", "index_put"):
        parts = index_parts(node) if node.name == "setitem" else tuple(given[1])
        value = arguments(node).get("value") if node.name == "setitem" else given[2]
        picks = read_index(parts, target.shape)
    else:
        dim, index, value = _scattered(node)
        if not isinstance(dim, int) or index is None:
            return None
        picks = tuple(
            Pick(d, index if d == dim % len(target.shape) else range(n)) for d, n in enumerate(target.shape)
        )
    return None if picks is None else _write(graph, target, value, picks)


def _scattered(node: Node) -> tuple[object, list[int] | None, object]:
    """Return axis, positions and value of an indexed write along one axis."""
    given = arguments(node)
    value = given.get("source", given.get("src"))
    index, dim = known(given.get("index")), given.get("dim")
    if index is None or not isinstance(dim, int):
        return dim, None, value
    if node.name.startswith("scatter"):
        return dim, along(index, dim), value
    return dim, index.flatten().tolist(), value


def _through_view(graph: Graph, node: Node) -> Write | None:
    """Read a write to a slice of a tensor, `x[...].copy_(y)`, at the node of the whole tensor."""
    if not node.parents:
        return None
    call = graph.nodes[node.parents[-1]]
    view = graph.nodes[call.parents[0]] if call.func is not None and call.parents else None
    if view is None or view.name != "getitem" or not isinstance(view.args[0], Slot):
        return None
    whole = view.args[0]
    if whole.shape != node.shape:
        return None
    picks = read_index(index_parts(view), whole.shape)
    return None if picks is None else _write(graph, whole, Slot(call.index, call.shape), picks)


def _write(graph: Graph, target: Slot, value: object, picks: tuple[Pick, ...]) -> Write:
    constant = target.node is None or not graph.nodes[target.node].signal
    zeros = constant and is_zero(graph, target, or_empty=True)
    source = value.node if isinstance(value, Slot) else None
    return Write(target.node, source, target.shape, picks, constant, zeros)
