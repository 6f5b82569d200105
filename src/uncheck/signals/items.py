"""Inputs of `measure` as items to read: paths, arrays, tensors, or sequences of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.signals.arrays import Raw, split
from uncheck.signals.files import SUFFIXES, read_signals
from uncheck.signals.paths import expand
from uncheck.signals.signal import Given, Signal, tiles


@dataclass(frozen=True)
class Item:
    """One file or array, not read yet: `signals` reads it or raises an UncheckError."""

    name: str
    signals: Callable[[], Iterable[Signal]]


def items(images: Any, given: Given) -> list[Item]:
    """Return an item for each file and array that `images` names, in order.

    Raises:
        UncheckError: an empty list, folder or glob, or arrays of an impossible shape.
    """
    if isinstance(images, str | Path):
        return file_items(expand([images], SUFFIXES), given)
    if not isinstance(images, Sequence):
        return _arrays(images, "array", given)
    if not len(images):
        raise UncheckError("nothing to measure: the list of images is empty")
    out: list[Item] = []
    for i, item in enumerate(images):
        if isinstance(item, str | Path):
            out += file_items(expand([item], SUFFIXES), given)
        else:
            out += _arrays(item, f"[{i}]", given)
    return out


def file_items(paths: Iterable[str], given: Given) -> list[Item]:
    """Return one item per file; a name is taken literally, not as a pattern."""
    return [Item(path, partial(read_signals, path, given)) for path in paths]


def _arrays(item: Any, name: str, given: Given) -> list[Item]:
    return [Item(raw.name, partial(_cut, raw, given)) for raw in split(_on_cpu(item), name, given)]


def _cut(raw: Raw, given: Given) -> list[Signal]:
    signal = raw.signal()
    return [signal] if given.mosaic is None else tiles(signal, given.mosaic, given.gap)


def _on_cpu(item: Any) -> NDArray[Any]:
    if not hasattr(item, "detach"):
        return np.asarray(item)
    tensor = item.detach().cpu()
    # numpy has no bfloat16.
    return np.asarray(tensor.float() if "bfloat16" in str(tensor.dtype) else tensor)
