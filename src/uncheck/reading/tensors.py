"""Nests of tensors: whatever networks take and return.

torch.utils._pytree opens neither data classes nor foreign mappings, sequences and slices unless their types
are registered for the whole process, so it is not used here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass, replace
from typing import Any

from torch import Tensor

NestPath = tuple[Any, ...]
"""Keys, indices and names of fields that lead from a nest to one of its tensors."""


def parts_of(value: object) -> list[tuple[Any, Any]] | None:
    """Return the parts of a nest with their keys, names or indices; None for anything else."""
    if is_dataclass(value) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name, None)) for field in fields(value)]
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, slice):
        return [("start", value.start), ("stop", value.stop), ("step", value.step)]
    # Tuples of types: torch 2.6 does not trace unions.
    if isinstance(value, (Sequence, Set)) and not isinstance(value, (str, bytes, range)):
        return list(zip(getattr(value, "_fields", range(len(value))), value, strict=True))
    return None


def named_tensors(value: object, path: NestPath = ()) -> Iterator[tuple[NestPath, Tensor]]:
    """Yield the tensors inside a value with their paths, depth first; one that occurs twice comes twice.

    >>> import torch
    >>> [(path, len(x)) for path, x in named_tensors({"a": torch.ones(2), "b": [3, torch.ones(1)]})]
    [(('a',), 2), (('b', 1), 1)]
    """
    if isinstance(value, Tensor):
        yield path, value
    else:
        for key, part in parts_of(value) or ():
            yield from named_tensors(part, (*path, key))


def tensors_in(value: object) -> Iterator[Tensor]:
    """Yield the tensors inside a value, depth first; one that occurs twice comes twice."""
    if isinstance(value, Tensor):
        yield value
    else:
        for _, part in parts_of(value) or ():
            yield from tensors_in(part)


def replace_tensors(
    value: Any, change: Callable[..., Any], *others: Any, kind: type | tuple[type, ...] = Tensor
) -> Any:
    """Replace every tensor of a nest; other values are kept.

    Args:
        value: a tensor, or a nest of them; sets and their tensors stay as they are.
        change: called for each tensor met, depth first, with the tensors in its place in `others`.
        *others: nests of the same structure.
        kind: what is replaced in the place of tensors.

    >>> import torch
    >>> replace_tensors([torch.ones(2), (3, torch.ones(1))], len)
    [2, (3, 1)]
    """
    if isinstance(value, kind):
        return change(value, *others)
    parts = parts_of(value)
    if parts is None or isinstance(value, Set):
        return value
    beside = [dict(parts_of(other) or ()) for other in others]
    new = {
        key: replace_tensors(part, change, *(other[key] for other in beside), kind=kind)
        for key, part in parts
    }
    if is_dataclass(value) and not isinstance(value, type):
        old = dict(parts)
        own = {field.name: new[field.name] for field in fields(value) if field.init}
        changed = {name: part for name, part in own.items() if part is not old[name]}
        return replace(value, **changed) if changed else value
    if isinstance(value, slice):
        return slice(*new.values())
    if hasattr(value, "_fields"):
        return type(value)(*new.values())
    plain: Any = new if isinstance(value, Mapping) else list(new.values())
    try:
        return type(value)(plain)
    except (TypeError, ValueError):  # a kind that is not made of its items, such as a defaultdict
        return tuple(plain) if isinstance(value, tuple) else plain


def shape_text(value: object) -> str:
    """Return the shapes of the tensors inside a value as a reader writes them: `(1, 3, 8, 8), (1, 16)`."""
    return ", ".join(str(tuple(tensor.shape)) for tensor in tensors_in(value)) or "no tensors"
