"""TIFF that Pillow cannot open, such as many bands, deep planes, stacks of microscopes; by tifffile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from uncheck.errors import UncheckError
from uncheck.signals.formats.table import Found, numbers
from uncheck.signals.paths import check_values

#: More channels than a picture has are pictures of their own.
COLOURS = 4

#: The tag in which GDAL writes the value that marks no data.
GDAL_NODATA = 42113


def read(path: str) -> Iterator[Found]:
    """Read each series: of three axes a volume, of more axes several volumes; bands one by one.

    Raises:
        UncheckError: truncated: it names places that it does not hold.
    """
    import tifffile

    with tifffile.TiffFile(path) as file:
        ends = [
            max((o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False)), default=0)
            for series in file.series
            for page in series.pages
            if page is not None
        ]
        if max(ends, default=0) > Path(path).stat().st_size or not ends:
            raise UncheckError(f"{path}: damaged or truncated TIFF file; write it again")
        for i, series in enumerate(file.series):
            numbers(path, series.dtype)
            check_values(path, series.shape)
            values, axes = series.asarray(), series.axes
            colours = next((axes.index(one) for one in "SC" if one in axes), None)
            several = colours is not None and values.shape[colours] <= COLOURS
            if colours is not None:
                values = np.moveaxis(values, colours, -1 if several else 0)
            planes = values.ndim - several
            inner = min(planes, 2 if colours is not None and not several else 3)
            shape = values.shape[planes - inner :]
            label = f"[{i}]" if len(file.series) > 1 else ""
            nodata = None
            with suppress(KeyError, ValueError, AttributeError):
                nodata = float(series.keyframe.tags[GDAL_NODATA].value)
            parts = values.reshape(-1, *shape)
            for j, part in enumerate(parts):
                yield Found(
                    part,
                    label + (f"[{j}]" if len(parts) > 1 else ""),
                    kind="volume" if inner == 3 else None,
                    nodata=nodata,
                )
