"""The pictures in the page of a repair: crops, whole outputs and spectra, inside the page itself."""

from __future__ import annotations

import base64
import html
from collections.abc import Collection, Mapping
from itertools import product
from math import lcm

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from uncheck.measuring import Component, Line, find_lattice
from uncheck.reporting.pictures import CROP, MID_GREY, Levels, amplification, as_png, strongest_place

Period = tuple[int, ...]
Pictures = Mapping[str, NDArray[np.float32]]

#: Longest side of a whole output in the page, and of a spectrum, pixels.
WHOLE, SPECTRUM = 512, 290

#: Points along the spectrum of a sound.
POINTS = 400

#: Spectra are drawn from their faint parts to the strongest of the original's: these percentiles, and at most
#: so many dB.
FAINT, STRONG, DEEPEST = 2.0, 99.95, 75.0

#: More lines than this are not circled one by one.
CIRCLED = 64

NAMES = {
    "input": "input",
    "original": "original",
    "repaired": "repaired",
    "spun": "original averaged over shifts",
}


def crops(pictures: Pictures, periods: Collection[Period]) -> str:
    """Original, repaired and spun side by side where the lattice shows most, and what the repair changed."""
    shown = [name for name in ("original", "repaired", "spun") if name in pictures]
    place = lattice_place(pictures, periods)
    rows, columns = (slice(start, start + CROP) for start in place)
    parts = [_figure(pictures[name][rows, columns], NAMES[name], "crop") for name in shown]
    gap = pictures["repaired"][rows, columns] - pictures["original"][rows, columns]
    factor = amplification(gap)
    times = f", {factor} times as strong," if factor > 1 else ""
    parts.append(_figure(MID_GREY + factor * gap, f"what the repair changed{times} around mid-grey", "crop"))
    top, left = place
    bottom, right = (start + n - 1 for start, n in zip(place, gap.shape, strict=False))
    where = f"Rows {top} to {bottom}, columns {left} to {right}, each pixel enlarged to 4 x 4."
    return f'<div class="row">{"".join(parts)}</div><p class="soft">{where}</p>'


def lattice_place(pictures: Pictures, periods: Collection[Period]) -> tuple[int, int]:
    """Row and column of the part in which the original's lattice stands out most."""
    original = pictures["original"]
    if min(original.shape[:2]) <= CROP:
        return 0, 0
    tested = sorted({lcm(*period) for period in periods})
    found = find_lattice(original, periods=tested, threshold=0.0).present if tested else ()
    if not found:
        # as in a picture of which the lattice fills but a part
        lines = lattice_frequencies([p for p in periods if len(p) == 2])[:CIRCLED]
        found = (Component((1, 1), 0.0, 1.0, lines=tuple(Line(f, (1, 1), (), False, 1.0) for f in lines)),)
    return strongest_place(original, found, CROP)


def wholes(pictures: Pictures) -> str:
    """Input, original and repaired output, reduced where they are large."""
    names = [name for name in ("input", "original", "repaired") if name in pictures]
    return f'<div class="row">{"".join(_whole(pictures[name], NAMES[name]) for name in names)}</div>'


def _whole(picture: Levels, name: str) -> str:
    height, width = picture.shape[:2]
    size = f"{name}, {height} x {width}"
    most = max(height, width)
    if most > WHOLE:
        size += ", reduced"
        picture = _reduced(picture, (max(1, width * WHOLE // most), max(1, height * WHOLE // most)))
    return _figure(picture, size, "whole")


def _reduced(picture: Levels, size: tuple[int, int]) -> Levels:
    planes = [
        np.asarray(Image.fromarray(picture[..., c]).resize(size, Image.Resampling.BOX))
        for c in range(picture.shape[-1])
    ]
    return np.stack(planes, axis=-1)


def spectra(pictures: Pictures, periods: Collection[Period]) -> str:
    """Both spectra on one scale, the lines of the lattice circled; curves for sound."""
    names = [name for name in ("original", "repaired") if f"{name} spectrum" in pictures]
    values = {name: pictures[f"{name} spectrum"][..., 0] for name in names}
    if not values:
        return ""
    if values[names[0]].ndim == 1:
        return curves(values, periods)
    high = float(np.percentile(values[names[0]], STRONG))
    low = max(high - DEEPEST, min(float(np.percentile(each, FAINT)) for each in values.values()))
    parts = []
    for name, each in values.items():
        grey = np.clip((each - low) / max(high - low, 1e-6), 0, 1)[..., None] * 255
        image = _image(_thinned(grey.astype(np.float32)), f"spectrum of the {name} output", "")
        parts.append(
            f'<figure><div class="spectrum">{image}{_circles(periods, each.shape)}</div>'
            f"<figcaption>{NAMES[name]}</figcaption></figure>"
        )
    return f'<div class="row">{"".join(parts)}</div>'


def _thinned(picture: Levels) -> Levels:
    """Reduced to about SPECTRUM pixels by the maximum, so that single lines stay."""
    rows, columns = (-(-n // SPECTRUM) for n in picture.shape[:2])
    padded = np.pad(
        picture, ((0, -picture.shape[0] % rows), (0, -picture.shape[1] % columns), (0, 0)), mode="edge"
    )
    shape = (padded.shape[0] // rows, rows, padded.shape[1] // columns, columns, padded.shape[2])
    return np.asarray(padded.reshape(shape).max(axis=(1, 3)), np.float32)


def lattice_frequencies(periods: Collection[Period]) -> list[tuple[float, ...]]:
    """All frequencies of these periods from -1/2 up to 1/2, those of each period's own least common multiple.

    A period (4, 1) has (1/4, 0) and (-1/4, 0); (1/2, 0) is that of period (2, 1).
    """
    out = set()
    for period in periods:
        for index in product(*(range(p) for p in period)):
            reduced = [p // np.gcd(i, p) for i, p in zip(index, period, strict=True)]
            if lcm(*map(int, reduced)) == lcm(*period):
                out.add(tuple((i / p + 0.5) % 1 - 0.5 for i, p in zip(index, period, strict=True)))
    return sorted(out)


def _circles(periods: Collection[Period], shape: tuple[int, ...]) -> str:
    lines = lattice_frequencies([p for p in periods if len(p) == 2])
    if len(lines) > CIRCLED:
        return ""
    # cell n // 2 is frequency 0; its middle is half a cell further on
    middle = [(n // 2 + 0.5) / n for n in shape]
    drawn = "".join(
        f'<circle cx="{100 * (g + middle[1]):.2f}" cy="{100 * (f + middle[0]):.2f}" r="2.6"/>'
        for f, g in lines
    )
    return f'<svg viewBox="0 0 100 100" aria-hidden="true">{drawn}</svg>'


def curves(values: Mapping[str, NDArray[np.float32]], periods: Collection[Period]) -> str:
    """Spectra of sound as curves over frequency 0 to 1/2, the lines of the lattice marked."""
    halves = {name: each[len(each) // 2 :] for name, each in values.items()}
    low = min(float(np.percentile(each, 1)) for each in halves.values())
    high = max(float(each.max()) for each in halves.values())
    width, height = 860, 260
    paths = []
    for name, css in (("original", "was"), ("repaired", "now")):
        points = _envelope(halves[name])
        level = (np.clip(points, low, high) - low) / max(high - low, 1e-6)
        x = np.linspace(0, width, len(points))
        line = " ".join(f"{a:.1f},{height * (1 - b):.1f}" for a, b in zip(x, level, strict=True))
        paths.append(f'<path class="{css}" d="M{line}"/>')
    marks = "".join(
        f'<line x1="{2 * width * abs(f):.1f}" x2="{2 * width * abs(f):.1f}" y1="0" y2="{height}"/>'
        for (f,) in lattice_frequencies([p for p in periods if len(p) == 1])
        if f
    )
    labels = f'<text x="0" y="{height + 18}">0</text>' + (
        f'<text x="{width}" y="{height + 18}" text-anchor="end">1/2 cycle per sample</text>'
    )
    keys = "".join(
        f'<span class="key" style="background:var(--{css})"></span>{NAMES[name]} &nbsp; '
        for name, css in (("original", "was"), ("repaired", "now"))
    )
    return (
        f'<svg class="chart" viewBox="0 -4 {width} {height + 28}" role="img" '
        f'aria-label="power over frequency">'
        f'{marks}{"".join(paths)}{labels}</svg><p class="soft">{keys} power in dB, {low:.0f} to {high:.0f}; '
        "upright lines: frequencies of the lattice</p>"
    )


def _envelope(values: NDArray[np.float32]) -> NDArray[np.float32]:
    step = max(1, len(values) // POINTS)
    whole = values[: len(values) // step * step].reshape(-1, step)
    return np.asarray(whole.max(axis=1), np.float32)


def _figure(picture: Levels, caption: str, css: str) -> str:
    words = f"<figcaption>{html.escape(caption)}</figcaption>"
    return f'<figure class="{css}">{_image(picture, caption, css)}{words}</figure>'


def _image(picture: Levels, alt: str, css: str) -> str:
    if picture.shape[-1] not in (1, 3):
        picture = picture[..., :3] if picture.shape[-1] > 3 else picture[..., :1]
    data = base64.b64encode(as_png(picture)).decode("ascii")
    height, width = picture.shape[:2]
    return (
        f'<img class="{css}" width="{width}" height="{height}" alt="{html.escape(alt)}" '
        f'src="data:image/png;base64,{data}">'
    )
