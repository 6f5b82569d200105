"""A local map drawn over its picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from uncheck.errors import UncheckError
from uncheck.measuring.places.places import LocalMap, PeriodMap
from uncheck.reporting.pictures import as_png
from uncheck.reporting.words import levels as in_words
from uncheck.reporting.words import sizes

#: From weak to strong: yellow to red, over the picture in grey.
WEAK, STRONG = np.array([255.0, 225.0, 60.0]), np.array([215.0, 0.0, 40.0])
#: Opacity of the weakest and the strongest place.
OPACITY = (0.25, 0.65)

#: Pictures narrower than this are enlarged by a whole factor, so that the legend can be read.
NARROWEST = 320
LEGEND = 26


#: Periods that one picture shows, below each other.
MOST = 3


def map_png(local_map: LocalMap) -> bytes | None:
    """A PNG of the maps of the strongest periods, three at most, below each other; None if there is none."""
    shown = [m.period for m in local_map.maps if m.regions][:MOST]
    if not shown:
        return None
    grey = local_map.picture[..., None]
    drawn = np.concatenate([overlay(grey, local_map, period) for period in shown])
    return as_png(drawn.astype(np.float32))


def overlay(
    picture: NDArray[np.float32] | NDArray[np.uint8],
    local_map: LocalMap,
    period: tuple[int, ...] | None = None,
) -> NDArray[np.uint8]:
    """The picture in grey with the strength of one period in colour, regions framed, and a legend below.

    Args:
        picture: (H, W, C) grey levels 0..255.
        local_map: of this picture.
        period: which of its maps; the strongest if None.

    Returns:
        (H + 26, W, 3); small pictures are enlarged first.

    Raises:
        UncheckError: there is no map of this period, or it is of a picture of another size.
    """
    if tuple(picture.shape[:2]) != local_map.shape:
        sides = (sizes(shape) for shape in (picture.shape[:2], local_map.shape))
        raise UncheckError("a picture of {} pixels does not go with a map of {}".format(*sides))
    chosen = next((m for m in local_map.maps if period is None or m.period == tuple(period)), None)
    if chosen is None:
        there = ", ".join(sizes(m.period) for m in local_map.maps) or "none"
        raise UncheckError(f"there is no map of period {sizes(period or ())}; there are: {there}")
    amplitude, inside = _on_pixels(chosen, local_map.shape)
    most = float(amplitude[inside].max(initial=0.0))
    share = np.clip(amplitude / (most or 1.0), 0, 1)[..., None]
    opacity = np.where(inside[..., None], OPACITY[0] + (OPACITY[1] - OPACITY[0]) * share, 0.0)
    grey = np.asarray(picture[..., :3], np.float64).mean(axis=-1, keepdims=True)
    drawn = (1 - opacity) * grey + opacity * (WEAK + (STRONG - WEAK) * share)
    whole = np.clip(np.rint(drawn), 0, 255).astype(np.uint8)
    factor = -(-NARROWEST // whole.shape[1])
    return _labelled(whole.repeat(factor, axis=0).repeat(factor, axis=1), chosen, most, factor)


def _on_pixels(chosen: PeriodMap, shape: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Amplitude between the centres of windows by linear interpolation; each window's half of the pixels."""
    out = np.asarray(chosen.amplitude, np.float64)
    places = []
    for axis, n in enumerate(shape):
        at = np.arange(n) / chosen.stride - 1
        count = out.shape[axis]
        low = np.clip(np.floor(at).astype(int), 0, max(count - 2, 0))
        high = np.minimum(low + 1, count - 1)
        part = np.clip(at - low, 0, 1)
        part = part[:, None] if axis == 0 else part
        out = out.take(low, axis) * (1 - part) + out.take(high, axis) * part
        places.append(np.clip(np.rint(at).astype(int), 0, chosen.significant.shape[axis] - 1))
    return out, chosen.significant[np.ix_(*places)]


def _labelled(pixels: NDArray[np.uint8], chosen: PeriodMap, most: float, factor: int) -> NDArray[np.uint8]:
    """With frames around regions, and below a bar of colours from weak to strong and what it means."""
    height, width = pixels.shape[:2]
    canvas = Image.new("RGB", (width, height + LEGEND), "white")
    canvas.paste(Image.fromarray(pixels))
    draw = ImageDraw.Draw(canvas)
    for region in chosen.regions:
        y0, x0, y1, x1 = (factor * edge for edge in region.box)
        draw.rectangle((x0, y0, x1 - 1, y1 - 1), outline="white")
    font = ImageFont.load_default()
    middle, bar, left = height + LEGEND // 2, 80, 8
    if not chosen.regions:
        text = f"period {sizes(chosen.period)}: nowhere significant"
        draw.text((left, middle), text, fill="black", font=font, anchor="lm")
        return np.asarray(canvas)
    draw.text((left, middle), "0", fill="black", font=font, anchor="lm")
    for x in range(bar):
        colour = WEAK + (STRONG - WEAK) * x / (bar - 1)
        draw.line((left + 12 + x, middle - 6, left + 12 + x, middle + 6), fill=tuple(map(round, colour)))
    text = (
        f"{in_words(most)} levels   period {sizes(chosen.period)}, {100 * chosen.share:.0f} % of the picture"
    )
    draw.text((left + 18 + bar, middle), text, fill="black", font=font, anchor="lm")
    return np.asarray(canvas)
