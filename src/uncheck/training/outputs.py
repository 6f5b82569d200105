"""Which of a network's outputs is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.reading.outputs import largest_maps, maps_in
from uncheck.reading.tensors import Path

Choice = int | str | Callable[[Any], Any] | None
"""The index or key of an output, or what takes it from what the network returned; None: the largest map."""


def chosen(returned: Any, choice: Choice) -> tuple[Tensor, str]:
    """Return the images (N, C, *spatial), and a sentence on which they are where several fit.

    Without a choice as `uncheck.inspect` chooses, see `maps_in`.
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
    maps = maps_in(returned, None, strict=True)
    if not maps:
        raise UncheckError(f"{what} no tensor (N, C, *spatial); wrap it to return its images, or name them")
    path, images = largest_maps(maps)[0]
    if len(maps) == 1:
        return images, ""
    others = ", ".join(f"{_named(one)} {tuple(t.shape[1:])}" for one, t in maps if one != path)
    return images, (
        f"of several outputs {_named(path)} {tuple(images.shape[1:])} is measured, not {others}; "
        "give output, the index or key, for another"
    )


def _named(path: Path) -> str:
    return "output" + "".join(f"[{key!r}]" for key in path)
