"""DICOM: single pictures and volumes of several frames, and series of files, by pydicom."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from uncheck.errors import UncheckError, first_line
from uncheck.signals.formats.nifti import EQUAL, spacing_notes
from uncheck.signals.formats.table import INSTALL, Found
from uncheck.signals.paths import MOST_VALUES, check_values


def read(path: str) -> Iterator[Found]:
    """Read one file: a picture, or all of its frames as a volume; rescaled, as in Hounsfield units.

    Raises:
        UncheckError: without pixels, compressed in a way that nothing installed decodes, or too large.
    """
    import pydicom

    data = pydicom.dcmread(path)
    values = _values(path, data)
    several = values.ndim == 3 and int(data.get("SamplesPerPixel", 1)) == 1
    yield Found(
        values,
        kind="volume" if several else None,
        unit=_unit(data),
        nodata=_padding(data),
        notes=_spacing(data, several),
    )


def read_series(paths: Sequence[str]) -> Iterator[tuple[str, Found]]:
    """Read files of one folder: those of one series and size as one volume, ordered along its axis.

    Yields a path and what it holds: the folder, where it is one series alone, else the first file of each.

    Raises:
        UncheckError: a file of them is damaged. Of a series that is too large the first slices are read.
    """
    import pydicom

    groups: dict[tuple[Any, ...], list[tuple[float, str, Any]]] = {}
    for path in paths:
        try:
            head = pydicom.dcmread(path, stop_before_pixels=True)
        except Exception as error:
            raise UncheckError(
                f"{path}: damaged, truncated or not DICOM ({first_line(error)}); write it again"
            ) from error
        key = tuple(str(head.get(word)) for word in ("SeriesInstanceUID", "Rows", "Columns", "ImageType"))
        groups.setdefault(key, []).append((_position(head), path, head))
    for slices in groups.values():
        slices.sort(key=lambda one: one[:2])
        first = slices[0]
        name = os.path.dirname(first[1]) if len(groups) == 1 else first[1]  # noqa: PTH120
        if len(slices) == 1:
            for found in read(first[1]):
                yield first[1], found
            continue
        plane = (int(first[2].get("Rows") or 1), int(first[2].get("Columns") or 1))
        check_values(name, plane)
        most, count = max(1, MOST_VALUES // math.prod(plane)), len(slices)
        slices = slices[:most]
        values = np.stack([_values(path, pydicom.dcmread(path)) for _, path, _ in slices])
        notes: tuple[str, ...] = (f"{len(slices)} files of one series were taken as one volume.",)
        if count > len(slices):
            notes += (f"These are the first of {count}: more do not fit.",)
        steps = np.diff([one[0] for one in slices])
        if len(steps) and steps.min() > 0 and steps.max() > (1 + EQUAL) * steps.min():
            notes += ("Its slices are not equally far apart: periods in depth are in slices.",)
        step = float(np.median(steps)) if _placed(first[2]) else None
        notes += _spacing(first[2], True, step)
        color = values.ndim == 4
        yield name, Found(values, kind=None if color else "volume", unit=_unit(first[2]), notes=notes)


def _values(path: str, data: Any) -> Any:
    from pydicom.pixels.processing import apply_modality_lut

    shape = tuple(
        int(data.get(word) or 1) for word in ("NumberOfFrames", "Rows", "Columns", "SamplesPerPixel")
    )
    if "PixelData" not in data and "FloatPixelData" not in data:
        raise UncheckError(f"{path}: holds no pixels (DICOM of another kind); name a file with a picture")
    check_values(path, shape)
    try:
        pixels = data.pixel_array
    except Exception as error:
        raise UncheckError(
            f"{path}: its pixels cannot be decoded ({first_line(error)}); install what decodes them with: "
            f"{INSTALL}, or write it without compression"
        ) from error
    return apply_modality_lut(pixels, data) if shape[-1] == 1 else pixels


def _unit(data: Any) -> str | None:
    return str(data.RescaleType) if data.get("RescaleType") not in (None, "", "US") else None


def _padding(data: Any) -> float | None:
    """Return the value of places outside the field of view, rescaled as all others are."""
    padding = data.get("PixelPaddingValue")
    if not isinstance(padding, int | float):
        return None
    return float(padding) * float(data.get("RescaleSlope", 1)) + float(data.get("RescaleIntercept", 0))


def _placed(head: Any) -> bool:
    return head.get("ImagePositionPatient") is not None and head.get("ImageOrientationPatient") is not None


def _position(head: Any) -> float:
    """Return where a slice lies along the normal of its plane, else its number."""
    if _placed(head):
        axes = np.array(head.ImageOrientationPatient, np.float64)
        return float(np.cross(axes[:3], axes[3:]) @ np.array(head.ImagePositionPatient, np.float64))
    return float(head.get("InstanceNumber") or 0)


def _spacing(data: Any, volume: bool, step: float | None = None) -> tuple[str, ...]:
    plane = data.get("PixelSpacing")
    if plane is None:
        return spacing_notes((), "unknown") if volume else ()
    depth = step or data.get("SpacingBetweenSlices") or data.get("SliceThickness") or 0
    sides = tuple(float(side) for side in plane)
    return spacing_notes((float(depth), *sides) if volume else sides, "mm")
