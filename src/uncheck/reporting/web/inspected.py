"""The page of an inspection: the output before and after its lattice is taken out, and the spectrum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from uncheck.advising.inspected import guilty_stages
from uncheck.advising.naming import typed_name
from uncheck.advising.scale import scale_of
from uncheck.advising.visibility import visibility
from uncheck.reporting.page import Report, listed_some, plural, sizes
from uncheck.reporting.pictures import as_image
from uncheck.reporting.web.document import Sheet, Tile
from uncheck.reporting.web.figures import (
    WHOLE,
    change,
    cut_at,
    figure,
    photograph,
    span_of,
    spectrum_figure,
    where,
)

_WORDS = {"lattice": "Lattice", "clean": "Clean", "undetermined": "Undetermined"}
_TONES = {"lattice": "bad", "clean": "good", "undetermined": "mixed"}

#: Visibility of a lattice as a tone.
SEEN = {"invisible": "good", "barely visible": "mixed", "visible": "bad", "strong": "bad"}


def sheet(report: Report, pixels: Mapping[str, Any]) -> Sheet:
    """Return the page of an inspection."""
    verdict = report["verdict"]
    shown = visibility(report["lattice"]) if report["lattice"] else ""
    tone = "mixed" if shown == "invisible" and not scale_of(report).sound else _TONES[verdict]
    return Sheet(
        "inspect.html",
        f"{_WORDS[verdict]}: inspection",
        _WORDS[verdict],
        tone,
        _tiles(report),
        report,
        _drawn(report, pixels),
    )


def _tiles(report: Report) -> list[Tile]:
    scale, tiles = scale_of(report), []
    if report["lattice"]:
        strongest = report["lattice"][0]
        number, _, unit = scale.strong(strongest).partition(" ")
        word = "" if scale.sound else visibility(report["lattice"])
        tiles.append(Tile(number, f"{unit}, strongest period", SEEN.get(word, "bad"), word or "heard"))
        tiles.append(
            Tile(listed_some([sizes(c["period"]) for c in report["lattice"]], 2), f"period, {scale.lengths}")
        )
    elif report["limit"]:
        worst = max(report["limit"], key=lambda one: one["amplitude"])
        tone, word = ("good", "clean") if report["verdict"] == "clean" else ("mixed", "not all was tested")
        tiles.append(Tile(f"≤ {scale.strength(worst)}", f"{scale.column} could have been missed", tone, word))
    guilty = guilty_stages(report["stages"]) if report["lattice"] else []
    for stage in guilty[:1]:
        share = "" if stage["blame"] is None else f" of {stage['blame']:.0%}"
        tiles.append(
            Tile(
                stage["name"] or "the model",
                f"most to blame{share}",
                "bad",
                typed_name(stage).replace("`", ""),
            )
        )
    if not report["stages"]:
        tiles.append(Tile("0", "upsampling stages"))
    evidence = report.get("evidence")
    if evidence:
        tiles.append(
            Tile(
                str(evidence["inputs"]),
                f"{plural(evidence['inputs'], 'input')[len(str(evidence['inputs'])) + 1 :]} tested",
            )
        )
    return tiles


def _drawn(report: Report, pixels: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures that the pixels allow."""
    drawn: dict[str, Any] = {"compared": (), "alone": (), "whole": None, "spectrum": None, "place": ""}
    periods = [one["period"] for one in report["lattice"]]
    spectrum = pixels.get("spectrum")
    if spectrum is not None and spectrum.ndim == 3:
        level = spectrum[..., 0]
        drawn["spectrum"] = spectrum_figure(
            level, span_of(level), "the output", "spectrum of the output", periods
        )
    output, lattice = pixels.get("output"), pixels.get("lattice")
    if output is None:
        return drawn
    drawn["whole"] = photograph(
        as_image(output), WHOLE, f"the output, {output.shape[0]} x {output.shape[1]} pixels"
    )
    if lattice is None or not np.any(lattice):
        return drawn
    place = pixels.get("place", (0, 0))
    part, gap = cut_at(output, place), cut_at(lattice, place)
    drawn["compared"] = (
        figure(as_image(part), "with its lattice", "part of the output as it is"),
        figure(as_image(part - gap), "mean lattice taken out", "the same part without its mean lattice"),
    )
    drawn["alone"] = (change(gap, "the lattice alone"),)
    drawn["place"] = where(gap, place)
    return drawn
