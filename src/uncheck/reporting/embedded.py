"""The pictures of a result in a notebook, from its pixels alone."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from uncheck.reporting.html import Picture
from uncheck.reporting.page import Report, sizes
from uncheck.reporting.pictures import CROP, ENLARGED, MID_GREY, amplification, as_image, as_png
from uncheck.reporting.where import map_png

#: Sides of a drawn map of taps, pixels at least; and taps drawn per axis at most.
TAPS, MOST_TAPS = 160, 64

#: Widest picture, and colours of a map.
WIDEST, COLOURS = 640, 64

Pixels = Mapping[str, Any]


def pictures_of(kind: str, report: Report, pixels: Pixels) -> tuple[Picture, ...]:
    """Return the pictures of a result; none where its pixels do not make one."""
    if kind == "Overlap":
        return _taps(pixels["taps"])
    if "picture" in pixels:
        png = map_png(_map_of(kind, report, pixels), pixels["picture"])
        if png is None:
            return ()
        image = Image.open(io.BytesIO(png))
        # Notebooks keep it in their files: fewer colours are a third of the bytes.
        caption = "where the lattice is, from weak to strong"
        return (Picture(as_png(image.quantize(COLOURS)), caption, min(WIDEST, image.width)),)
    if kind == "Repair" and "repaired" in pixels and pixels["repaired"].ndim == 3:
        change = pixels["repaired"] - pixels["original"]
        crops = {"before": pixels["original"], "repaired": pixels["repaired"]}
        return _crops(crops, change, "what the repair changed", pixels["place"])
    if kind == "Inspection" and "output" in pixels and pixels["lattice"].any():
        output, lattice = pixels["output"], pixels["lattice"]
        crops = {"its output": output, "without its mean lattice": output - lattice}
        return _crops(crops, lattice, "the lattice alone", pixels["place"])
    return ()


def _map_of(kind: str, report: Report, pixels: Pixels) -> Report:
    if kind == "LocalMap":
        return report
    where: Report = report["images"][pixels.get("index", 0)]["where"]
    return where


def _crops(
    crops: Mapping[str, NDArray[np.float32]], gap: NDArray[np.float32], what: str, place: tuple[int, int]
) -> tuple[Picture, ...]:
    """Return crops at a place, enlarged, and a difference around mid-grey."""
    cut = (slice(place[0], place[0] + CROP), slice(place[1], place[1] + CROP))
    factor = amplification(gap[cut])
    named = {**crops, f"{what}{f', {factor} times as strong' if factor > 1 else ''}": MID_GREY + factor * gap}
    bottom, right = (start + n - 1 for start, n in zip(place, gap[cut].shape, strict=False))
    where = f" (rows {place[0]} to {bottom}, columns {place[1]} to {right})"
    return tuple(
        Picture(as_png(as_image(one[cut])), name + (where if i == 0 else ""), one[cut].shape[1] * ENLARGED)
        for i, (name, one) in enumerate(named.items())
    )


def _taps(taps: NDArray[Any]) -> tuple[Picture, ...]:
    """Return a map of taps in grey, white where there are most."""
    shown = np.atleast_2d(taps)
    cut = tuple(
        slice(max(0, (n - MOST_TAPS) // 2), max(0, (n - MOST_TAPS) // 2) + MOST_TAPS) for n in shown.shape
    )
    shown = shown[cut]
    rows = 8 if taps.ndim == 1 else 1
    grey = np.repeat(shown * (255.0 / max(1, int(shown.max()))), rows, axis=0)[..., None]
    most, least = int(taps.max()), int(taps.min())
    middle = "middle of the map of " if shown.size < taps.size else "map of "
    caption = f"{middle}{sizes(taps.shape)} output pixels: {least} taps (dark) to {most} (white)"
    width = max(TAPS, grey.shape[1] * max(1, TAPS // grey.shape[1]))
    return (Picture(as_png(as_image(np.asarray(grey, np.float32))), caption, width),)
