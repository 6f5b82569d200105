"""A local map drawn over its picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo
from scipy.ndimage import map_coordinates

from uncheck.reporting.page import Report, levels, sizes
from uncheck.reporting.pictures import as_png

#: From weak to strong: yellow to red, over the picture in grey.
WEAK, STRONG = np.array([255.0, 225.0, 60.0]), np.array([215.0, 0.0, 40.0])
#: Opacity of the weakest and the strongest place.
OPACITY = (0.25, 0.65)

#: Pictures narrower than this are enlarged by a whole factor, so that the legend can be read.
NARROWEST = 320
LEGEND = 26

#: Periods that one picture shows, below each other.
MOST_PERIODS = 3

#: What the file itself says of where it is from.
MARK = ("Software", "uncheck --map")


def map_png(report: Report, picture: NDArray[np.uint8]) -> bytes | None:
    """Return a PNG of the maps of the strongest periods, three at most, below each other; None without any.

    `report` is the dictionary of a `LocalMap`, and `picture` is (H, W) grey levels.
    """
    shown = [one for one in report["maps"] if one["regions"]][:MOST_PERIODS]
    if not shown:
        return None
    drawn = np.concatenate([overlay(picture, one) for one in shown])
    mark = PngInfo()
    mark.add_text(*MARK)
    return as_png(Image.fromarray(drawn), mark)


def is_map_file(path: Path) -> bool:
    """Test whether a file is a map that this package drew."""
    try:
        return path.is_file() and "\0".join(MARK).encode() in path.read_bytes()[:200]
    except OSError:
        return False


def overlay(picture: NDArray[np.uint8], found: Report) -> NDArray[np.uint8]:
    """Draw the strength of one period in colour over the picture, its regions framed, and a legend below.

    The drawing is (H + 26, W, 3); small pictures are enlarged first.
    """
    amplitude, inside = _on_pixels(found, picture.shape)
    most = float(amplitude[inside].max(initial=0.0))
    share = np.clip(amplitude / (most or 1.0), 0, 1)[..., None]
    opacity = np.where(inside[..., None], OPACITY[0] + (OPACITY[1] - OPACITY[0]) * share, 0.0)
    drawn = (1 - opacity) * picture[..., None] + opacity * (WEAK + (STRONG - WEAK) * share)
    whole = np.clip(np.rint(drawn), 0, 255).astype(np.uint8)
    factor = -(-NARROWEST // whole.shape[1])
    return _labelled(whole.repeat(factor, axis=0).repeat(factor, axis=1), found, most, factor)


def _on_pixels(found: Report, shape: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return amplitude and significance per pixel, the amplitude interpolated between windows."""
    amplitude, significant = np.asarray(found["amplitude"], np.float64), np.asarray(found["significant"])
    at = [np.arange(n) / found["stride"] - 1 for n in shape]
    grid = np.meshgrid(*at, indexing="ij")
    nearest = [np.clip(np.rint(a), 0, n - 1).astype(int) for a, n in zip(at, amplitude.shape, strict=True)]
    return map_coordinates(amplitude, grid, order=1, mode="nearest"), significant[np.ix_(*nearest)]


def _labelled(pixels: NDArray[np.uint8], found: Report, most: float, factor: int) -> NDArray[np.uint8]:
    """Frame the regions, and draw a bar of colours from weak to strong and its meaning below."""
    height, width = pixels.shape[:2]
    canvas = Image.new("RGB", (width, height + LEGEND), "white")
    canvas.paste(Image.fromarray(pixels))
    draw = ImageDraw.Draw(canvas)
    for region in found["regions"]:
        y0, x0, y1, x1 = (factor * edge for edge in region["box"])
        draw.rectangle((x0, y0, x1 - 1, y1 - 1), outline="white")
    font = ImageFont.load_default()
    middle, bar, left = height + LEGEND // 2, 80, 8
    draw.text((left, middle), "0", fill="black", font=font, anchor="lm")
    for x in range(bar):
        colour = WEAK + (STRONG - WEAK) * x / (bar - 1)
        draw.line((left + 12 + x, middle - 6, left + 12 + x, middle + 6), fill=tuple(map(round, colour)))
    share = f"{100 * found['share']:.0f} % of the picture"
    text = f"{levels(most)} levels   period {sizes(found['period'])}, {share}"
    draw.text((left + 18 + bar, middle), text, fill="black", font=font, anchor="lm")
    return np.asarray(canvas)
