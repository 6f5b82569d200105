"""NIfTI: medical volumes, by nibabel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from uncheck.signals.formats.table import Found, numbers
from uncheck.signals.paths import check_values

#: Voxels whose sides differ by more than this share are said to be anisotropic.
EQUAL = 0.01


def read(path: str) -> Iterator[Found]:
    """Read a volume (x, y, z) as (z, y, x), slope and intercept applied; several in time one by one.

    What the header says of the size of voxels is not needed for periods in voxels; a note says it where the
    sides differ or none are given.
    """
    import nibabel

    image: Any = nibabel.load(path)
    numbers(path, np.dtype(image.get_data_dtype()))
    shape = tuple(int(n) for n in image.shape)
    check_values(path, shape[::-1])
    zooms = tuple(float(z) for z in image.header.get_zooms()[: min(3, len(shape))])
    notes = spacing_notes(zooms[::-1], image.header.get_xyzt_units()[0])
    whole = np.asanyarray(image.dataobj).T
    if whole.ndim <= 3:
        yield Found(whole, kind="volume" if whole.ndim == 3 else None, notes=notes)
        return
    volumes = whole.reshape(-1, *whole.shape[-3:])
    for i, volume in enumerate(volumes):
        yield Found(volume, f"[{i}]" if len(volumes) > 1 else "", kind="volume", notes=notes)


def spacing_notes(sides: tuple[float, ...], unit: str) -> tuple[str, ...]:
    """Return what to say of the sides of voxels (depth, height, width), nothing if all are equal and known.

    >>> spacing_notes((5.0, 0.9, 0.9), "mm")
    ('Its voxels are 5 x 0.9 x 0.9 mm (depth x height x width): periods are in voxels along each axis.',)
    """
    if not all(np.isfinite(s) and s > 0 for s in sides) or unit == "unknown":
        return ("The size of its voxels is not given: periods are in voxels along each axis.",)
    if max(sides) <= (1 + EQUAL) * min(sides):
        return ()
    axes = " x ".join(("depth", "height", "width")[-len(sides) :])
    shown = " x ".join(f"{side:.3g}" for side in sides)
    return (f"Its voxels are {shown} {unit} ({axes}): periods are in voxels along each axis.",)
