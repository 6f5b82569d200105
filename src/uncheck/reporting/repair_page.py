"""A repair as one HTML file: nothing is fetched, everything is inside."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from uncheck.errors import printable
from uncheck.reporting.page import Report, Result, levels
from uncheck.reporting.pictures import CROP, MID_GREY, Place, amplification, as_image, as_png
from uncheck.reporting.repair import (
    EQUAL,
    change_sentence,
    headline,
    outcome,
    sentence_of,
    significant,
    tables,
)

#: A change of a quarter fills half of a bar.
FULL = 0.25

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


def repair_page(
    result: Result, pictures: Mapping[str, NDArray[np.float32]] | None = None, place: Place = (0, 0)
) -> str:
    """Return the report of `uncheck.repair` as an HTML page that needs nothing beside itself.

    Args:
        result: a `Repair`, or anything with the same dictionary.
        pictures: grey levels (H, W, C), or (T, C) for sound, by name: "original", "repaired", "original
            spectrum", "repaired spectrum", and where there are such "input" and "spun".
        place: of the crops, where the original's lattice is strongest.

    Cost: a few PNGs, compressed.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: Any) -> Any:
        return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    report = result.to_dict()
    return environment.get_template("repair.html").render(
        report=report,
        outcome=outcome(report),
        headline=headline(report),
        change=change_sentence(report),
        tiles=_tiles(report),
        tables=tables(report),
        pictures=_drawn(report, pictures or {}, place),
        sentence=sentence_of,
        bar=_bar,
    )


def _tiles(report: Report) -> list[tuple[str, str]]:
    """Return the most important numbers, and their names."""
    before, after, cost = report["before"], report["after"], report["cost"]
    tiles = []
    if before is not None and significant(before):
        strength = levels(before["strength"])
        if after is not None:
            strength += f" → {'' if significant(after) else '≤ '}{levels(after['strength'])}"
        tiles.append((strength, "grey levels of lattice"))
    if after is not None:
        near = report["fidelity"]
        if near["psnr_to_truth"] is not None and near["psnr_to_truth_before"] is not None:
            tiles.append((f"{near['psnr_to_truth'] - near['psnr_to_truth_before']:+.2f} dB", "to the truth"))
        psnr = near["psnr_to_original"]
        tiles.append(("equal" if psnr >= EQUAL else f"{psnr:.1f} dB", "to the original's output"))
        tiles.append((f"{report['sharpness_change']:+.1%}", "detail"))
    if cost["before_ms"]:
        tiles.append((f"{cost['after_ms'] / cost['before_ms']:.2f} x", "the original's time"))
    return tiles


def _drawn(report: Report, pictures: Pictures, place: Place) -> dict[str, Any]:
    """Return the pictures that the page shows; none where nothing was repaired."""
    if not {"original", "repaired"} <= set(pictures):
        return {}
    periods = [one["period"] for one in significant(report["before"])] if report["before"] else []
    if pictures["original"].ndim == 2:
        return {"curves": curves(pictures, periods)} if "original spectrum" in pictures else {}
    return {
        "crops": crops(pictures, place),
        "spectra": spectra(pictures, periods),
        "wholes": wholes(pictures),
    }


def _bar(percent: str) -> tuple[float, float]:
    """Return left end and width, in percent, of a bar to the left of the middle for less, right for more."""
    change = float(percent.rstrip("%")) / 100
    width = min(50.0, 50 * abs(change) / FULL)
    return (50.0 if change >= 0 else 50 - width), width


@dataclass(frozen=True)
class Figure:
    """A picture inside the page: `source` is a data URL, `circles` are centres in percent of its sides."""

    source: str
    width: int
    height: int
    caption: str
    alt: str
    circles: Sequence[tuple[float, float]] = ()


def crops(pictures: Pictures, place: Place) -> tuple[list[Figure], str]:
    """Return crops of the outputs at `place`, the change by the repair, and the place in words."""
    top, left = place
    cut = (slice(top, top + CROP), slice(left, left + CROP))
    shown = [name for name in ("original", "repaired", "spun") if name in pictures]
    figures = [_figure(as_image(pictures[name][cut]), NAMES[name]) for name in shown]
    gap = pictures["repaired"][cut] - pictures["original"][cut]
    factor = amplification(gap)
    times = f", {factor} times as strong," if factor > 1 else ""
    changed = f"what the repair changed{times} around mid-grey"
    figures.append(_figure(as_image(MID_GREY + factor * gap), changed))
    bottom, right = top + gap.shape[0] - 1, left + gap.shape[1] - 1
    return figures, f"Rows {top} to {bottom}, columns {left} to {right}"


def crop_frequencies(result: Result) -> list[tuple[float, ...]]:
    """Return the frequencies of the lattice of the original pictures, which place the crops."""
    before = result.to_dict()["before"]
    periods = [one["period"] for one in significant(before)] if before else []
    return lattice_frequencies([period for period in periods if len(period) == 2])[:MOST_CIRCLES]


def wholes(pictures: Pictures) -> list[Figure]:
    """Return input, original and repaired output, reduced where they are large."""
    figures = []
    for name in ("input", "original", "repaired"):
        if name in pictures:
            image = as_image(pictures[name])
            caption, most = f"{NAMES[name]}, {image.height} x {image.width}", max(image.size)
            if most > WHOLE:
                caption += ", reduced"
                image = image.resize([max(1, n * WHOLE // most) for n in image.size], Image.Resampling.BOX)
            figures.append(_figure(image, caption))
    return figures


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
        caption, alt = NAMES[name], f"spectrum of the {name} output"
        figures.append(_figure(as_image(_thinned(grey)), caption, alt, _circles(periods, each.shape)))
    return figures


def _spectra_of(pictures: Pictures) -> dict[str, NDArray[np.float32]]:
    names = [name for name in ("original", "repaired") if f"{name} spectrum" in pictures]
    return {name: pictures[f"{name} spectrum"][..., 0] for name in names}


def _thinned(picture: NDArray[np.float32]) -> NDArray[np.float32]:
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


def _circles(periods: Collection[Period], shape: tuple[int, ...]) -> list[tuple[float, float]]:
    lines = lattice_frequencies([period for period in periods if len(period) == 2])
    if len(lines) > MOST_CIRCLES:
        return []
    # cell n // 2 is frequency 0; its middle is half a cell further on
    y, x = ((n // 2 + 0.5) / n for n in shape)
    return [(100 * (g + x), 100 * (f + y)) for f, g in lines]


def curves(pictures: Pictures, periods: Collection[Period]) -> dict[str, Any]:
    """Return spectra of sound as points over frequency 0 to 1/2, and the lines of the lattice."""
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
    image: Image.Image, caption: str, alt: str = "", circles: Sequence[tuple[float, float]] = ()
) -> Figure:
    data = base64.b64encode(as_png(image)).decode("ascii")
    return Figure(f"data:image/png;base64,{data}", *image.size, caption, alt or caption, circles)
