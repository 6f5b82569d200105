"""A repair as one HTML file: nothing is fetched, everything is inside."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.advising.repaired import TIME_NOISE, WORST_OCTAVE, time_ratio, worst_octave
from uncheck.advising.visibility import visibility
from uncheck.reporting.page import Report, Result, levels
from uncheck.reporting.pictures import Place, as_image
from uncheck.reporting.repair import (
    EQUAL,
    change_sentence,
    outcome,
    sentence_of,
    significant,
    tables,
    tone,
)
from uncheck.reporting.web.document import Made, Sheet, Tile, written
from uncheck.reporting.web.figures import (
    MOST_CIRCLES,
    WHOLE,
    Figure,
    Period,
    change,
    cut_at,
    figure,
    lattice_frequencies,
    reduced,
    span_of,
    spectrum_figure,
    where,
)

#: A change of a quarter fills half of a bar.
FULL = 0.25

Pictures = Mapping[str, NDArray[np.float32]]

#: Points along the spectrum of a sound, and the size of its chart.
POINTS, WIDTH, HEIGHT = 400, 860, 260

NAMES = {
    "input": "input",
    "original": "original",
    "repaired": "repaired",
    "spun": "original averaged over shifts",
}

_VERDICTS = {"repaired": "Repaired", "clean": "Nothing to repair", "refused": "Not repaired"}

#: Share of the spectral energy off the lattice that may change without a word.
CALM = 0.05


def repair_page(
    result: Result,
    pictures: Mapping[str, NDArray[np.float32]] | None = None,
    place: Place = (0, 0),
    made: Made | None = None,
) -> str:
    """Return the report of `uncheck.repair` as an HTML page that needs nothing beside itself.

    Args:
        result: a `Repair`, or anything with the same dictionary.
        pictures: grey levels (H, W, C), or (T, C) for sound, by name: "original", "repaired", "original
            spectrum", "repaired spectrum", and where there are such "input" and "spun".
        place: of the crops, where the original's lattice is strongest.
        made: the command, the date and the versions.

    Cost: a few PNGs, compressed.
    """
    sheet = repair_sheet(result.to_dict(), {**(pictures or {}), "place": place})
    return written(sheet, [], made or Made.now())


def repair_sheet(report: Report, pixels: Mapping[str, Any]) -> Sheet:
    """Return the page of a repair; `pixels` are its pictures by name, and the "place" that is enlarged."""
    kind = outcome(report)
    verdict = _VERDICTS[kind]
    if kind == "repaired" and tone(report) != "good":
        verdict += ", at a price"
    shade = tone(report) if kind != "refused" else "bad"
    pictures = {name: one for name, one in pixels.items() if name != "place"}
    more = {
        "outcome": kind,
        "change": change_sentence(report),
        "tables": tables(report),
        "pictures": _drawn(report, pictures, pixels.get("place", (0, 0))),
        "sentence": sentence_of,
        "bar": _bar,
    }
    return Sheet(
        "repair.html", f"{verdict}: {report['network']}", verdict, shade, _tiles(report), report, more
    )


def _tiles(report: Report) -> list[Tile]:
    """Return the most important numbers, and what to think of them."""
    before, after, cost = report["before"], report["after"], report["cost"]
    tiles = []
    if before is not None and significant(before):
        strength = levels(before["strength"])
        left = before
        if after is not None:
            strength += f" → {'' if significant(after) else '≤ '}{levels(after['strength'])}"
            left = after
        word = visibility(significant(left)) if significant(left) else "gone"
        tiles.append(Tile(strength, "grey levels of lattice", _TONES.get(word, "bad"), word))
    if after is not None:
        near = report["fidelity"]
        if near["psnr_to_truth"] is not None and near["psnr_to_truth_before"] is not None:
            gain = near["psnr_to_truth"] - near["psnr_to_truth_before"]
            word = "unchanged" if abs(gain) < 0.05 else "nearer" if gain > 0 else "farther"
            shade = "bad" if word == "farther" else "good"
            tiles.append(Tile(f"{gain:+.2f} dB", "to the truth", shade, word))
        psnr = near["psnr_to_original"]
        tiles.append(Tile("equal" if psnr >= EQUAL else f"{psnr:.1f} dB", "to the original's output"))
        tiles.append(_detail(report))
    ratio = time_ratio(cost)
    if ratio is not None:
        shade, word = ("mixed", "slower") if ratio > 1 + TIME_NOISE else ("good", "faster")
        if abs(ratio - 1) <= TIME_NOISE:
            word = "unchanged"
        tiles.append(Tile(f"{ratio:.2f} x", "the original's time", shade, word))
    return tiles


_TONES = {"gone": "good", "invisible": "good", "barely visible": "mixed"}


def _detail(report: Report) -> Tile:
    """Return the change of detail, and whether an octave lost or gained much."""
    harm, mean = worst_octave(report), report["sharpness_change"]
    if harm is not None and abs(harm[2]) > WORST_OCTAVE:
        return Tile(f"{mean:+.1%}", f"detail; worst octave {harm[2]:+.0%}", "mixed", "changed")
    shade, word = ("good", "kept") if abs(mean) <= CALM else ("mixed", "changed")
    return Tile(f"{mean:+.1%}", "detail", shade, word)


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


def crops(pictures: Pictures, place: Place) -> tuple[list[Figure], str]:
    """Return crops of the outputs at `place`, the change by the repair, and the place in words."""
    shown = [name for name in ("original", "repaired", "spun") if name in pictures]
    figures = [figure(as_image(cut_at(pictures[name], place)), NAMES[name]) for name in shown]
    gap = cut_at(pictures["repaired"], place) - cut_at(pictures["original"], place)
    figures.append(change(gap, "what the repair changed"))
    return figures, where(gap, place)


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
            caption = f"{NAMES[name]}, {image.height} x {image.width}"
            small = reduced(image, WHOLE)
            figures.append(figure(small, caption + (", reduced" if small is not image else "")))
    return figures


def spectra(pictures: Pictures, periods: Collection[Period]) -> list[Figure]:
    """Return both spectra on one scale, the lines of the lattice circled."""
    values = _spectra_of(pictures)
    if not values:
        return []
    span = span_of(values["original"], *values.values())
    return [
        spectrum_figure(each, span, NAMES[name], f"spectrum of the {name} output", periods)
        for name, each in values.items()
    ]


def _spectra_of(pictures: Pictures) -> dict[str, NDArray[np.float32]]:
    names = [name for name in ("original", "repaired") if f"{name} spectrum" in pictures]
    return {name: pictures[f"{name} spectrum"][..., 0] for name in names}


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
