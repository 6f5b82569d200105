"""The page of an overlap: the map of taps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from uncheck.reporting.overlaps import layer_words
from uncheck.reporting.page import Report, sizes
from uncheck.reporting.pictures import as_image
from uncheck.reporting.web.document import Sheet, Tile
from uncheck.reporting.web.figures import Figure, figure

#: Pixels of the map that are drawn per axis.
MOST = 64


def sheet(report: Report, pixels: Mapping[str, Any]) -> Sheet:
    """Return the page of an overlap."""
    del pixels  # the taps are in the report
    even = report["even"]
    verdict, tone = ("Even", "good") if even else ("Uneven", "bad")
    ratio = "inf" if report["ratio"] is None else f"{report['ratio']:.4g}"
    tiles = [
        Tile(f"{ratio}:1", "most to fewest taps of a pixel", tone, verdict.lower()),
        Tile(sizes(report["period"]), "period, pixels"),
    ]
    more = {"map": _map(report), "layers": [layer_words(one) for one in report["layers"]]}
    return Sheet("overlap.html", f"{verdict} overlap", verdict, tone, tiles, report, more)


def _map(report: Report) -> Figure:
    taps = np.asarray(report["taps"])
    if taps.ndim == 3:
        taps = taps[taps.shape[0] // 2]
    taps = np.atleast_2d(taps)
    starts = [max(0, (n - MOST) // 2) for n in taps.shape]
    cut = taps[tuple(slice(start, start + MOST) for start in starts)]
    grey = (cut * (255.0 / max(1, int(taps.max())))).astype(np.float32)
    if grey.shape[0] == 1:
        grey = np.repeat(grey, 8, axis=0)
    part = "the middle of it; " if cut.size < taps.size else ""
    caption = f"{part}black: no tap; white: {int(taps.max())} taps; fewest {int(taps.min())}"
    return figure(as_image(grey[..., None]), caption, "map of the taps that each output pixel receives")
