"""Values that hold tensors: lists, tuples, mappings and dataclasses, nested at will."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping

from torch import Tensor


def tensors_in(value: object) -> Iterator[Tensor]:
    """The tensors inside a value, in order.

    Args:
        value: a tensor, or lists, tuples, mappings, slices and dataclasses of them, nested; anything else
            holds none.

    Returns:
        An iterator over the tensors, depth first; one that occurs twice comes twice.
    """
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors_in(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from tensors_in(item)
    elif isinstance(value, slice):
        yield from tensors_in((value.start, value.stop, value.step))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from tensors_in(getattr(value, field.name, None))


def replace_tensors(value: object, replace: Callable[[Tensor], object]) -> object:
    """The same nest of arguments with every tensor replaced.

    Args:
        value: a tensor, or lists, tuples, mappings and slices of them, nested.
        replace: called once for each tensor met, depth first.

    Returns:
        A copy of the nest; values that hold no tensor are passed on as they are.
    """
    if isinstance(value, Tensor):
        return replace(value)
    if isinstance(value, Mapping):
        return {name: replace_tensors(item, replace) for name, item in value.items()}
    if isinstance(value, tuple):
        return tuple(replace_tensors(item, replace) for item in value)
    if isinstance(value, list):
        return [replace_tensors(item, replace) for item in value]
    if isinstance(value, slice):
        start, stop, step = (replace_tensors(item, replace) for item in (value.start, value.stop, value.step))
        return slice(start, stop, step)
    return value


def shape_text(value: object) -> str:
    """The shapes of the tensors inside a value, as a reader would write them: `(1, 3, 8, 8), (1, 16)`."""
    return ", ".join(str(tuple(tensor.shape)) for tensor in tensors_in(value)) or "no tensors"
