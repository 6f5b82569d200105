"""The source position that each output position of a layout call holds, found without any data.

Each axis of a tensor is written as a run of atoms, outermost first, like the inside of an einops pattern:
after a hand-written pixel shuffle by 2 the rows are (rows of the source, phase taken from the channels).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import torch
from torch import Tensor

from uncheck.reading.calls import einsum_letters
from uncheck.reading.graph import Node, Slot
from uncheck.reading.tables import PASSING, REPEAT, RESHAPE, STRIDED_VIEW
from uncheck.reading.tensors import replace_tensors

HELD = -1
"""The axis of an atom along which one value is repeated. These atoms have step 0."""
MIXED = -3
"""The axis of an atom along which several tensors take turns, as after a stack."""
ZERO = -4
"""The axis of an atom along which all values but one are zero."""
FIXED = -5
"""The axis of an atom along which a constant tells the values apart, as in an outer product."""
OTHER = -6
"""The axis of an atom that is an axis of another tensor than the source."""
FOLLOWED = RESHAPE.names | STRIDED_VIEW.names | REPEAT.names | {"contiguous", "clone", "einsum"}


@dataclass(frozen=True)
class Atom:
    """A run of `size` positions that moves `step` at a time along axis `axis` of the source."""

    axis: int
    step: int
    size: int


Axis = tuple[Atom, ...]
Layout = tuple[Axis, ...]


def source_layout(shape: tuple[int, ...]) -> Layout:
    """Return the layout of a tensor in terms of itself."""
    return tuple(joined((Atom(axis, 1, size),)) for axis, size in enumerate(shape))


def sizes(layout: Layout) -> tuple[int, ...]:
    """Return the shape that a layout describes."""
    return tuple(prod(atom.size for atom in axis) for axis in layout)


def is_layout_call(node: Node) -> bool:
    """Test whether a node only moves or repeats values of one tensor."""
    if node.func is None or node.writes or len(node.parents) != 1:
        return False
    if node.name == "einsum":
        slots: list[Slot] = []
        replace_tensors(node.args, slots.append, kind=Slot)
        letters = einsum_letters(node)
        return len(slots) == 1 and (letters is None or set(letters[0][0]) == set(letters[1]))
    return node.name in FOLLOWED


def follow(node: Node, layout: Layout) -> Layout | None:
    """Return the layout of a layout call's output, given that of its input.

    It is None where it cannot be written in atoms, such as a crop through a phase.

    Cost: one call of the function on a tensor without data.
    """
    if node.name in PASSING.names:
        return layout
    if node.name in REPEAT.names:
        return _repeated(node, layout)
    shape = sizes(layout)
    result = _replay(node, shape)
    if result is None or tuple(result.shape) != node.shape:
        return None
    if node.name in RESHAPE.names:
        return reshaped(layout, node.shape)
    return _viewed(layout, shape, result)


def reshaped(layout: Layout, shape: tuple[int, ...]) -> Layout | None:
    """Split and merge a layout, in memory order, to another shape; None where atoms do not split."""
    atoms = [atom for axis in layout for atom in axis if atom.size > 1][::-1]
    axes: list[Axis] = []
    for size in shape:
        taken: list[Atom] = []
        while (left := size // prod(atom.size for atom in taken)) > 1:
            if not atoms:
                return None
            atom = atoms.pop()
            if atom.size > left:
                if atom.size % left:
                    return None
                inner = atom.size // left
                atoms.append(replace(atom, size=inner))
                atom = replace(atom, step=atom.step * inner, size=left)
            elif left % atom.size:
                return None
            taken.append(atom)
        axes.append(joined(tuple(taken)))
    return tuple(axes) if not atoms else None


def joined(atoms: Axis) -> Axis:
    """Write neighbours that make one run as one atom."""
    result: list[Atom] = []
    for atom in atoms:
        if atom.size == 1:
            continue
        outer = result[-1] if result else None
        if outer is not None and outer.axis == atom.axis and outer.step == atom.step * atom.size:
            result[-1] = replace(atom, size=outer.size * atom.size)
        else:
            result.append(atom)
    return tuple(result)


def expanded(layout: Layout, shape: tuple[int, ...]) -> Layout:
    """Return the layout of a tensor that broadcasts to a larger shape."""
    padded: Layout = ((),) * (len(shape) - len(layout)) + layout
    return tuple(
        axis if size == before else (Atom(HELD, 0, size),)
        for axis, before, size in zip(padded, sizes(padded), shape, strict=True)
    )


def _viewed(layout: Layout, shape: tuple[int, ...], view: Tensor) -> Layout | None:
    """Read the layout of a view off its strides, given the shape of the contiguous tensor it views."""
    strides = [prod(shape[axis + 1 :]) for axis in range(len(shape))]
    offset = int(view.storage_offset())
    starts = []
    for stride in strides:
        start, offset = divmod(offset, stride) if stride else (0, offset)
        starts.append(start)
    axes: list[Axis] = []
    for size, stride in zip(view.shape, view.stride(), strict=True):
        if size == 1:
            axes.append(())
        elif stride == 0:
            axes.append((Atom(HELD, 0, size),))
        else:
            axis = max((a for a in range(len(shape)) if shape[a] > 1 and strides[a] <= stride), default=None,
                       key=lambda a: strides[a])  # fmt: skip
            if axis is None or stride % strides[axis]:
                return None
            cut = _cut(layout[axis], shape[axis], starts[axis], stride // strides[axis], size)
            if cut is None:
                return None
            axes.append(cut)
    return tuple(axes)


def _cut(axis: Axis, length: int, start: int, step: int, size: int) -> Axis | None:
    """Return the positions start, start + step, ... of an axis."""
    if step == 1 and size == length:
        return axis
    if len(axis) == 1:
        atom = axis[0]
        return (replace(atom, step=atom.step * step, size=size),)
    inner = prod(atom.size for atom in axis[1:])
    if step == 1 and start % inner == 0 and size % inner == 0:
        return (replace(axis[0], size=size // inner), *axis[1:])
    return None


def _repeated(node: Node, layout: Layout) -> Layout | None:
    """Return the layout after repeat, tile or repeat_interleave with a whole number of repeats."""
    before, after = sizes(layout), node.shape
    if node.name == "repeat_interleave":
        same = len(before) == len(after)
        changed = [axis for axis, n in enumerate(after) if same and before[axis] != n]
        repeats = node.args[1] if len(node.args) > 1 else node.kwargs.get("repeats")
        if not isinstance(repeats, int) or len(changed) != 1:
            return None
        axis = changed[0]
        return (*layout[:axis], joined((*layout[axis], Atom(HELD, 0, repeats))), *layout[axis + 1 :])
    padded: Layout = ((),) * (len(after) - len(before)) + layout
    counts = [n // max(1, prod(a.size for a in axis)) for n, axis in zip(after, padded, strict=True)]
    return tuple(joined((Atom(HELD, 0, n), *axis)) for n, axis in zip(counts, padded, strict=True))


def _replay(node: Node, shape: tuple[int, ...]) -> Tensor | None:
    """Make the call on a contiguous tensor without data; None where it gives no view of that."""
    source = torch.empty(shape, device="meta")

    def stand_in(slot: Slot) -> Tensor:
        return source if slot.node is not None else torch.empty(slot.shape, device="meta")

    assert node.func is not None
    try:
        args, kwargs = replace_tensors((node.args, node.kwargs), stand_in, kind=Slot)
        result = node.func(*args, **kwargs)
    except Exception:  # whatever a call cannot do without data (a mask, an index tensor) is not a layout
        return None
    if not isinstance(result, Tensor):
        result = result[node.item] if isinstance(result, tuple | list) else None
    if result is None:
        return None
    same = result.untyped_storage()._cdata == source.untyped_storage()._cdata
    return result if same else None
