"""NetCDF and Zarr: gridded fields of weather, climate and others, by xarray."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from uncheck.errors import UncheckError
from uncheck.signals.formats.table import Found
from uncheck.signals.paths import MOST_VALUES, caught_warnings, check_values

#: Fields with a shorter side, such as bounds of cells, are no pictures.
SHORTEST = 8

#: Names of axes of colours.
COLOURS = ("band", "bands", "channel", "channels", "rgb", "color", "colour")


def read(path: str) -> Iterator[Found]:
    """Read each variable over two axes or more: of three a volume, of more several of those.

    Scale, offset and fill values are applied; what is filled is NaN, and masked. Zarr that names the codec
    `pickle` is not opened.

    Of a variable that is too large the first planes are read, as many as fit.

    Raises:
        UncheckError: no such variable, or one with planes that are too large.
    """
    import xarray

    zarr = Path(path).is_dir()
    if zarr:
        _check_codecs(path)
    options: dict[str, Any] = {"engine": "zarr", "consolidated": None} if zarr else {}
    with caught_warnings():
        opened = xarray.open_dataset(path, decode_times=False, cache=False, **options)
    with opened as data:
        fields = [name for name, one in data.data_vars.items() if _is_field(one)]
        if not fields:
            held = ", ".join(map(str, list(data.variables)[:5])) or "nothing"
            raise UncheckError(
                f"{path}: holds no field of at least {SHORTEST} x {SHORTEST} numbers (it holds {held}); "
                "name a file with one"
            )
        left = len(data.data_vars) - len(fields)
        notes = (
            (f"Left out, being no fields: {left} of its {len(data.data_vars)} variables.",) if left else ()
        )
        for name in fields:
            yield from _read(path, str(name), data[name], notes)


def _read(path: str, name: str, field: Any, notes: tuple[str, ...]) -> Iterator[Found]:
    field = field.squeeze(drop=True)
    shape = field.shape
    colours = len(shape) == 3 and str(field.dims[-1]).lower() in COLOURS and shape[-1] <= 4
    inner = 2 if len(shape) == 2 else 3
    plane = shape[-2:] if not colours else shape[-3:]
    check_values(f"{path}:{name}", plane)
    most = max(1, MOST_VALUES // max(1, math.prod(plane)))
    if inner == 3 and not colours and shape[-3] > most:
        notes += (f"The first {most} of {shape[-3]} along {field.dims[-3]} were measured: more do not fit.",)
        field = field.isel({field.dims[-3]: slice(0, most)})
    unit = str(field.attrs.get("units", "")).strip()
    before = list(np.ndindex(shape[:-inner]))
    for i, place in enumerate(before):  # one at a time in memory
        yield Found(
            np.asarray(field[place].values),
            f":{name}" + (f"[{i}]" if len(before) > 1 else ""),
            kind=None if inner == 2 or colours else "volume",
            unit=unit if unit not in ("", "1", "none", "unitless", "dimensionless") else None,
            notes=notes,
        )


def _is_field(one: Any) -> bool:
    shape = sorted((n for n in one.shape if n > 1), reverse=True)
    return one.dtype.kind in "buif" and len(shape) >= 2 and shape[1] >= SHORTEST


def _check_codecs(path: str) -> None:
    for folder, _, names in os.walk(path):
        for name in {".zarray", ".zmetadata", "zarr.json"} & set(names):
            if b"pickle" in Path(folder, name).read_bytes():
                raise UncheckError(
                    f"{path}: holds pickled objects, not opened; write its arrays of numbers without them"
                )
