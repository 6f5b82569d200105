"""Pictures inside a page: small files in it, circles on spectra, crops."""

from __future__ import annotations

import base64
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product
from math import lcm

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from uncheck.reporting.pictures import CROP, MID_GREY, Levels, Place, amplification, as_image, as_png

Period = Sequence[int]

#: Longest side of a whole output in the page, and of a spectrum, pixels.
WHOLE, SPECTRUM = 512, 290

#: Spectra are drawn from their faint parts to the strongest: these percentiles, and at most so many dB.
FAINT, STRONG, DEEPEST = 2.0, 99.95, 75.0

#: More lines than this are not circled one by one.
MOST_CIRCLES = 64

#: Quality of photographs, which a reader looks at and measures nothing on.
QUALITY = 82


@dataclass(frozen=True)
class Figure:
    """A picture inside the page: `source` is a data URL, `circles` are centres in percent of its sides."""

    source: str
    width: int
    height: int
    caption: str
    alt: str
    circles: Sequence[tuple[float, float]] = ()


def figure(
    image: Image.Image, caption: str, alt: str = "", circles: Sequence[tuple[float, float]] = ()
) -> Figure:
    """Return a figure whose pixels are kept as they are."""
    data = base64.b64encode(as_png(image)).decode("ascii")
    return Figure(f"data:image/png;base64,{data}", *image.size, caption, alt or caption, circles)


def photograph(image: Image.Image, most: int, caption: str, alt: str = "") -> Figure:
    """Return a figure reduced to `most` pixels, a JPEG, which takes a tenth of the room."""
    image = reduced(image, most)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return Figure(f"data:image/jpeg;base64,{data}", *image.size, caption, alt or caption)


def reduced(image: Image.Image, most: int) -> Image.Image:
    """Return an image whose longer side has at most so many pixels."""
    longest = max(image.size)
    if longest <= most:
        return image
    return image.resize([max(1, n * most // longest) for n in image.size], Image.Resampling.BOX)


def cut_at(levels: Levels, place: Place) -> Levels:
    """Return the part of (H, W, C) that is enlarged."""
    return levels[place[0] : place[0] + CROP, place[1] : place[1] + CROP]


def change(gap: Levels, what: str) -> Figure:
    """Return a difference around mid-grey, as strong as fits."""
    factor = amplification(gap)
    times = f", {factor} times as strong," if factor > 1 else ""
    return figure(as_image(MID_GREY + factor * gap), f"{what}{times} around mid-grey")


def where(gap: Levels, place: Place) -> str:
    """Return in words which rows and columns are shown."""
    bottom, right = place[0] + gap.shape[0] - 1, place[1] + gap.shape[1] - 1
    return f"Rows {place[0]} to {bottom}, columns {place[1]} to {right}"


def spectrum_figure(
    decibels: NDArray[np.float32],
    span: tuple[float, float],
    caption: str,
    alt: str,
    periods: Collection[Period],
) -> Figure:
    """Return a spectrum (H, W) in grey between two levels, the lines of the lattice circled."""
    low, high = span
    grey = np.clip((decibels - low) / max(high - low, 1e-6), 0, 1)[..., None] * 255
    return figure(as_image(thinned(grey)), caption, alt, circles(periods, decibels.shape))


def span_of(first: NDArray[np.float32], *others: NDArray[np.float32]) -> tuple[float, float]:
    """Return the levels that are drawn black and white."""
    high = float(np.percentile(first, STRONG))
    return max(high - DEEPEST, min(float(np.percentile(each, FAINT)) for each in (first, *others))), high


def thinned(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Reduce a spectrum to about SPECTRUM pixels by the maximum, which keeps single lines."""
    rows, columns = (-(-n // SPECTRUM) for n in picture.shape[:2])
    across = np.maximum.reduceat(picture, range(0, picture.shape[1], columns), axis=1)
    return np.asarray(np.maximum.reduceat(across, range(0, picture.shape[0], rows), axis=0))


def lattice_frequencies(periods: Collection[Period]) -> list[tuple[float, ...]]:
    """Return all frequencies of these periods, from -1/2 to less than 1/2, without those of shorter ones.

    >>> lattice_frequencies([(4, 1)])
    [(-0.25, 0.0), (0.25, 0.0)]
    """
    out = set()
    for period in periods:
        for index in product(*(range(p) for p in period)):
            reduced = [p // np.gcd(i, p) for i, p in zip(index, period, strict=True)]
            if lcm(*map(int, reduced)) == lcm(*period):
                out.add(tuple((i / p + 0.5) % 1 - 0.5 for i, p in zip(index, period, strict=True)))
    return sorted(out)


def circles(periods: Collection[Period], shape: tuple[int, ...]) -> list[tuple[float, float]]:
    """Return centres in percent of the lines of a lattice in a spectrum."""
    lines = lattice_frequencies([period for period in periods if len(period) == 2])
    if len(lines) > MOST_CIRCLES:
        return []
    # cell n // 2 is frequency 0; its middle is half a cell further on
    y, x = ((n // 2 + 0.5) / n for n in shape)
    return [(100 * (g + x), 100 * (f + y)) for f, g in lines]
