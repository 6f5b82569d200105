"""A repair as one HTML file: nothing is fetched, everything is inside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import printable
from uncheck.reporting.as_json import Report, Result
from uncheck.reporting.repair import (
    EQUAL,
    change_sentence,
    headline,
    outcome,
    sentence_of,
    significant,
    tables,
)
from uncheck.reporting.repair_pictures import crops, curves, spectra, wholes
from uncheck.reporting.words import levels

#: A change of a quarter fills half of a bar.
FULL = 0.25


def repair_page(result: Result, pictures: Mapping[str, NDArray[np.float32]] | None = None) -> str:
    """Return the report of `uncheck.repair` as an HTML page that needs nothing beside itself.

    Args:
        result: a `Repair`, or anything with the same dictionary.
        pictures: grey levels (H, W, C), or (T, C) for sound, by name: "original", "repaired", "original
            spectrum", "repaired spectrum", and where there are such "input" and "spun".

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
        pictures=_drawn(report, pictures or {}),
        sentence=sentence_of,
        bar=_bar,
    )


def _tiles(report: Report) -> list[tuple[str, str]]:
    """Return the numbers that matter most, and what they are."""
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


def _drawn(report: Report, pictures: Mapping[str, NDArray[np.float32]]) -> dict[str, Any]:
    """Return the pictures that the page shows; none where nothing was repaired."""
    if not {"original", "repaired"} <= set(pictures):
        return {}
    periods = [one["period"] for one in significant(report["before"])] if report["before"] else []
    if pictures["original"].ndim == 2:
        return {"curves": curves(pictures, periods)} if "original spectrum" in pictures else {}
    return {
        "crops": crops(pictures, periods),
        "spectra": spectra(pictures, periods),
        "wholes": wholes(pictures),
    }


def _bar(percent: str) -> tuple[float, float]:
    """Return left end and width, in percent, of a bar to the left of the middle for less, right for more."""
    change = float(percent.rstrip("%")) / 100
    width = min(50.0, 50 * abs(change) / FULL)
    return (50.0 if change >= 0 else 50 - width), width
