"""Whatever `measure` is given, paths, arrays, tensors or sequences of them, becomes signals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.levels import infer_range, to_levels
from uncheck.measuring.pictures import expand, read_picture
from uncheck.measuring.signals import Signal

Span = tuple[float, float]


@dataclass(frozen=True)
class Item:
    """One file or array, not read yet: `signals` reads it, or raises the `UncheckError` that says why not."""

    name: str
    signals: Callable[[], Iterable[Signal]]


def items(images: Any, span: Span | None) -> list[Item]:
    """Everything named by `images`, in order, as `measure` takes it.

    Raises:
        UncheckError: an empty list, folder or glob, or arrays that are no pictures.
    """
    if isinstance(images, str | Path):
        return [_file(path, span) for path in expand([images])]
    if not isinstance(images, Sequence):
        return _arrays(images, "array", span)
    if not len(images):
        raise UncheckError("nothing to measure: the list of images is empty")
    out: list[Item] = []
    for i, item in enumerate(images):
        if isinstance(item, str | Path):
            out += [_file(path, span) for path in expand([item])]
        else:
            out += _arrays(item, f"[{i}]", span)
    return out


def _file(path: str, span: Span | None) -> Item:
    def read() -> list[Signal]:
        picture = read_picture(path, span)
        return [Signal(path, picture.pixels, codec=picture.codec)]

    return Item(path, read)


def _arrays(item: Any, name: str, span: Span | None) -> list[Item]:
    array = np.asarray(item.detach().cpu() if hasattr(item, "detach") else item)
    if array.ndim != 4:
        return [_array(_picture(array, name), name, span)]
    # Pictures of one batch share one range: a dark one must not get its own unit.
    known = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    shared = infer_range(known) if known.size and known.dtype.kind in "buif" else None
    shared = shared if shared and shared[0] < shared[1] else None
    return [_array(_picture(a, f"{name}[{i}]"), f"{name}[{i}]", span or shared) for i, a in enumerate(array)]


def _array(picture: NDArray[np.generic], name: str, span: Span | None) -> Item:
    return Item(name, lambda: [Signal(name, to_levels(picture, span))])


def _picture(array: NDArray[np.generic], name: str) -> NDArray[np.generic]:
    if array.ndim == 2:
        return array[..., None]
    if array.ndim == 3 and array.shape[-1] > 4 and array.shape[0] <= 4:
        array = np.moveaxis(array, 0, -1)
    if array.ndim != 3 or array.shape[-1] > 4:
        raise UncheckError(
            f"{name}: shape {array.shape} is not a picture; give (H, W), (H, W, C) or (C, H, W), C at most 4"
        )
    return array[..., :3]
