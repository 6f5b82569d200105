"""The pictures in the page of a repair: crops, whole outputs and spectra, as data that the template draws."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from uncheck.reporting.pictures import CROP, MID_GREY, Levels, amplification, as_png, strongest_place

Period = Sequence[int]
Pictures = Mapping[str, NDArray[np.float32]]

#: Longest side of a whole output in the page, and of a spectrum, pixels.
WHOLE, SPECTRUM = 512, 290

#: Points along the spectrum of a sound, and the size of its chart.
POINTS, WIDTH, HEIGHT = 400, 860, 260

#: Spectra are drawn from their faint parts to the strongest of the original's: these percentiles, and at most
#: so many dB.
FAINT, STRONG, DEEPEST = 2.0, 99.95, 75.0

#: More lines than this are not circled one by one.
MOST_CIRCLES = 64

NAMES = {
    "input": "input",
    "original": "original",
    "repaired": "repaired",
    "spun": "original averaged over shifts",
}


@dataclass(frozen=True)
class Figure:
    """A picture inside the page: `source` is a data URL, `circles` are centres in percent of its sides."""

    source: str
    width: int
    height: int
    caption: str
    alt: str
    circles: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True)
class Crops:
    """The part of the pictures where the lattice shows most, its first and last row and column."""

    figures: Sequence[Figure]
    rows: tuple[int, int]
    columns: tuple[int, int]


def crops(pictures: Pictures, periods: Collection[Period]) -> Crops:
    """Return original, repaired and spun where the lattice shows most, and what the repair changed."""
    top, left = lattice_place(pictures, periods)
    cut = (slice(top, top + CROP), slice(left, left + CROP))
    shown = [name for name in ("original", "repaired", "spun") if name in pictures]
    figures = [_figure(pictures[name][cut], NAMES[name]) for name in shown]
    gap = pictures["repaired"][cut] - pictures["original"][cut]
    factor = amplification(gap)
    times = f", {factor} times as strong," if factor > 1 else ""
    figures.append(_figure(MID_GREY + factor * gap, f"what the repair changed{times} around mid-grey"))
    return Crops(figures, (top, top + gap.shape[0] - 1), (left, left + gap.shape[1] - 1))


def lattice_place(pictures: Pictures, periods: Collection[Period]) -> tuple[int, int]:
    """Return row and column of the part in which the original's lattice is strongest."""
    original = pictures["original"]
    lines = lattice_frequencies([period for period in periods if len(period) == 2])[:MOST_CIRCLES]
    return (0, 0) if min(original.shape[:2]) <= CROP else strongest_place(original, lines, CROP)


def wholes(pictures: Pictures) -> list[Figure]:
    """Return input, original and repaired output, reduced where they are large."""
    return [
        _whole(pictures[name], NAMES[name]) for name in ("input", "original", "repaired") if name in pictures
    ]


def _whole(picture: Levels, name: str) -> Figure:
    height, width = picture.shape[:2]
    caption = f"{name}, {height} x {width}"
    most = max(height, width)
    if most > WHOLE:
        caption += ", reduced"
        picture = _reduced(picture, (max(1, width * WHOLE // most), max(1, height * WHOLE // most)))
    return _figure(picture, caption)


def _reduced(picture: Levels, size: tuple[int, int]) -> Levels:
    planes = [
        np.asarray(Image.fromarray(picture[..., c]).resize(size, Image.Resampling.BOX))
        for c in range(picture.shape[-1])
    ]
    return np.stack(planes, axis=-1)


def spectra(pictures: Pictures, periods: Collection[Period]) -> list[Figure]:
    """Return both spectra on one scale, the lines of the lattice circled."""
    values = _spectra_of(pictures)
    if not values:
        return []
    high = float(np.percentile(values["original"], STRONG))
    low = max(high - DEEPEST, min(float(np.percentile(each, FAINT)) for each in values.values()))
    figures = []
    for name, each in values.items():
        grey = np.clip((each - low) / max(high - low, 1e-6), 0, 1)[..., None] * 255
        picture = _thinned(grey.astype(np.float32))
        circles = _circles(periods, each.shape)
        figures.append(_figure(picture, NAMES[name], f"spectrum of the {name} output", circles))
    return figures


def _spectra_of(pictures: Pictures) -> dict[str, NDArray[np.float32]]:
    names = [name for name in ("original", "repaired") if f"{name} spectrum" in pictures]
    return {name: pictures[f"{name} spectrum"][..., 0] for name in names}


def _thinned(picture: Levels) -> Levels:
    """Return it reduced to about SPECTRUM pixels by the maximum, so that single lines stay."""
    rows, columns = (-(-n // SPECTRUM) for n in picture.shape[:2])
    padded = np.pad(
        picture, ((0, -picture.shape[0] % rows), (0, -picture.shape[1] % columns), (0, 0)), mode="edge"
    )
    shape = (padded.shape[0] // rows, rows, padded.shape[1] // columns, columns, padded.shape[2])
    return np.asarray(padded.reshape(shape).max(axis=(1, 3)), np.float32)


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


def _circles(periods: Collection[Period], shape: tuple[int, ...]) -> list[tuple[float, float]]:
    lines = lattice_frequencies([period for period in periods if len(period) == 2])
    if len(lines) > MOST_CIRCLES:
        return []
    # cell n // 2 is frequency 0; its middle is half a cell further on
    y, x = ((n // 2 + 0.5) / n for n in shape)
    return [(100 * (g + x), 100 * (f + y)) for f, g in lines]


def curves(pictures: Pictures, periods: Collection[Period]) -> dict[str, Any]:
    """Return spectra of sound as points over frequency 0 to 1/2, and where the lines of the lattice are."""
    halves = {name: each[len(each) // 2 :] for name, each in _spectra_of(pictures).items()}
    low = min(float(np.percentile(each, 1)) for each in halves.values())
    high = max(float(each.max()) for each in halves.values())
    paths = {}
    for name, each in halves.items():
        step = max(1, len(each) // POINTS)
        points = each[: len(each) // step * step].reshape(-1, step).max(axis=1)
        level = (np.clip(points, low, high) - low) / max(high - low, 1e-6)
        paths[name] = list(zip(np.linspace(0, WIDTH, len(points)), HEIGHT * (1 - level), strict=True))
    lines = lattice_frequencies([period for period in periods if len(period) == 1])
    marks = [2 * WIDTH * abs(f) for (f,) in lines if f]
    return {"low": low, "high": high, "width": WIDTH, "height": HEIGHT, "paths": paths, "marks": marks}


def _figure(
    picture: Levels, caption: str, alt: str = "", circles: Sequence[tuple[float, float]] = ()
) -> Figure:
    if picture.shape[-1] not in (1, 3):
        picture = picture[..., :3] if picture.shape[-1] > 3 else picture[..., :1]
    data = base64.b64encode(as_png(picture)).decode("ascii")
    height, width = picture.shape[:2]
    return Figure(f"data:image/png;base64,{data}", width, height, caption, alt or caption, circles)
