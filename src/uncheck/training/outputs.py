"""Which of a network's outputs is measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor

from uncheck.errors import UncheckError

Choice = int | str | Callable[[Any], Any] | None
"""The index or key of an output, or what takes it from what the network returned; None: the largest map."""


def chosen(returned: Any, choice: Choice) -> tuple[Tensor, str]:
    """The images (N, C, *spatial), and if several could have been meant, a sentence that says which they are.

    Without a choice as `uncheck.inspect` chooses: the map of most positions, of equal ones the first, real
    numbers before integers; (N, H, W, C) of 1, 3 or 4 channels is turned round.
    """
    what = "the network returned"
    if callable(choice):
        returned, what = choice(returned), "the callable that was given as output returned"
    elif choice is not None:
        if isinstance(choice, str) and hasattr(returned, choice) and not isinstance(returned, Mapping):
            returned = getattr(returned, choice)
        else:
            try:
                returned = returned[choice]
            except (KeyError, IndexError, TypeError):
                raise UncheckError(
                    f"the network returned no output {choice!r}, but a {type(returned).__name__}; "
                    "give the index or key of one of its outputs"
                ) from None
        what = f"output {choice!r} is"
    maps = [(where, _channels_first(t)) for where, t in _named(returned) if _is_map(t)]
    if not maps:
        raise UncheckError(f"{what} no tensor (N, C, *spatial); wrap it to return its images, or name them")
    where, images = max(maps, key=lambda m: (m[1].is_floating_point(), prod(m[1].shape[2:])))
    if len(maps) == 1:
        return images, ""
    others = ", ".join(f"{one} {tuple(t.shape[1:])}" for one, t in maps if one != where)
    return images, (
        f"of several outputs {where} {tuple(images.shape[1:])} is measured, not {others}; "
        "give output, the index or key, for another"
    )


def _is_map(tensor: Tensor) -> bool:
    known = 3 <= tensor.ndim <= 5 and not tensor.is_complex() and tensor.dtype != torch.bool
    return known and tensor.numel() > 0 and max(tensor.shape[2:]) > 1


def _channels_first(tensor: Tensor) -> Tensor:
    turned = tensor.ndim > 3 and tensor.shape[-1] in (1, 3, 4) and tensor.shape[1] > 4
    return tensor.movedim(-1, 1) if turned else tensor


def _named(value: Any, where: str = "output") -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield where, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _named(one, f"{where}[{key!r}]")
    elif isinstance(value, list | tuple):
        for i, one in enumerate(value):
            yield from _named(one, f"{where}[{i}]")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _named(getattr(value, field.name, None), f"{where}.{field.name}")
