"""The files and arrays that were given, each to be read when its turn comes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.signals.arrays import split
from uncheck.signals.files import SUFFIXES, check_no_sound, cut, read_signals, signals_of_format
from uncheck.signals.folders import list_files
from uncheck.signals.formats.dicom import read_series
from uncheck.signals.formats.table import (
    check_installed,
    format_of,
    guarded,
)
from uncheck.signals.paths import check_file
from uncheck.signals.signal import Given, Signal


def _read_series(paths: Sequence[str], given: Given) -> Iterator[Signal]:
    """Read DICOM files of one folder, those of a series as one volume."""
    known = format_of(paths[0])
    assert known is not None
    check_no_sound(paths[0], given)
    check_installed(paths[0], known)
    for path in paths:
        check_file(path)
    with guarded(os.path.dirname(paths[0]) or ".", known):  # noqa: PTH120
        for name, found in read_series(paths):
            yield from signals_of_format(name, known, found, given)


@dataclass(frozen=True)
class Item:
    """One file or array, not read yet: `signals` reads it or raises an UncheckError."""

    name: str
    signals: Callable[[], Iterable[Signal]]


class Items(list[Item]):
    """Items in order, and how many names in folders were `skipped` (`folders.SKIPPED`)."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped: Counter[str] = Counter()


def items(images: Any, given: Given, *, recurse: bool = True) -> Items:
    """Return an item for each file and array that `images` names, in order.

    Raises:
        UncheckError: an empty list, folder or glob, or arrays of an impossible shape.
    """
    out = Items()
    several = isinstance(images, Sequence) and not isinstance(images, str)
    if several and not len(images):
        raise UncheckError("nothing to measure: the list of images is empty")
    for i, item in enumerate(images if several else [images]):
        if isinstance(item, str | Path):
            found = list_files([item], SUFFIXES, recurse=recurse)
            out.skipped += found.skipped
            out += file_items(found.files, given)
        else:
            out += _arrays(item, f"[{i}]" if several else "array", given)
    return out


def file_items(paths: Iterable[str], given: Given) -> list[Item]:
    """Return one item per file; a name is taken literally, not as a pattern.

    Several DICOM files of one folder are one item, for a volume has a file for each slice; not so where the
    planes are to be pictures.
    """
    alone = given.kind not in (None, "volume") or given.mosaic is not None
    groups: dict[str, list[str]] = {}
    for path in paths:
        known = format_of(path)
        together = not alone and known is not None and known.name == "DICOM"
        key = os.path.join(os.path.dirname(path), "") if together else f"\0{len(groups)}"  # noqa: PTH118, PTH120
        groups.setdefault(key, []).append(path)
    return [
        Item(files[0], partial(read_signals, files[0], given))
        if len(files) == 1
        else Item(os.path.dirname(files[0]) or ".", partial(_read_series, files, given))  # noqa: PTH120
        for files in groups.values()
    ]


def _arrays(item: Any, name: str, given: Given) -> list[Item]:
    return [Item(raw.name, partial(cut, raw, given)) for raw in split(as_array(item), name, given)]


def as_array(item: Any) -> NDArray[Any]:
    """Return an array or tensor of any device as an array; what a masked array hides is NaN."""
    if isinstance(item, np.ma.MaskedArray):
        if not np.ma.is_masked(item):
            return np.asarray(item.data)
        values = np.array(item.data, item.dtype if item.dtype.kind == "f" else np.float64)
        values[np.ma.getmaskarray(item)] = np.nan
        return values
    if not hasattr(item, "detach"):
        return np.asarray(item)
    tensor = item.detach().cpu()
    # numpy has no bfloat16.
    return np.asarray(tensor.float() if "bfloat16" in str(tensor.dtype) else tensor)
