"""Results in a notebook: one line, and the page with the three lines, the tables and a picture.

The classes of results lie above this room's floor, so a result is known here by the names of its classes, and
read as a dictionary with its pixels beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from uncheck.advising import summarise, swapped, trained
from uncheck.errors import printable
from uncheck.reporting.embedded import pictures_of
from uncheck.reporting.fusion import fuse_text
from uncheck.reporting.html import Drawing, Picture
from uncheck.reporting.inspection import inspect_text
from uncheck.reporting.measured import measure_text
from uncheck.reporting.opening import opening
from uncheck.reporting.overlaps import taps_table
from uncheck.reporting.page import Labelled, Page, Part, Report, Result, levels, sizes, table
from uncheck.reporting.repair import repair_text


class Shown(Result, Protocol):
    """A result that can show itself."""

    def pixels(self) -> Mapping[str, Any]: ...  # noqa: D102


@dataclass(frozen=True)
class Told:
    """A dictionary as a result."""

    report: Report

    def to_dict(self) -> dict[str, Any]:
        """Return the dictionary."""
        return dict(self.report)


def headline(result: Shown) -> str:
    """Return what there is in a sentence."""
    kind, report = kind_of(result), whole(result)
    said = {"Swapped": swapped, "Trend": trained}.get(kind)
    if said is not None:
        return printable(said.what(report))
    if kind == "LocalMap":
        return _where(report)
    name = f"{result.to_dict()['path']}: " if kind == "ImageMeasurement" else ""
    return printable(name + summarise(report).what)


def html_of(result: Shown) -> str:
    """Return a result as HTML for a notebook: one element, nothing fetched, names from outside escaped.

    Cost: the report, and a few small PNGs.
    """
    kind, report = kind_of(result), whole(result)
    page = Drawing(pictures=_pictures(kind, report, result))
    return _DRAWN[kind](Told(report), page)


def kind_of(result: object) -> str:
    """Return the name of the class of a result that this room knows."""
    return next(c.__name__ for c in type(result).__mro__ if c.__name__ in _DRAWN)


def whole(result: Shown) -> Report:
    """Return the report of a result; of a part of a measurement that of a measurement of it alone."""
    report = result.to_dict()
    alone: Report = {"schema": "uncheck.measure/1", "images": [], "errors": [], "skipped": {}}
    kind = kind_of(result)
    if kind == "Overlap":
        return {**report, "axis_taps": result.pixels()["axis_taps"]}
    if kind == "ImageMeasurement":
        return {**alone, "images": [report]}
    return {**alone, "set": report} if kind == "SetMeasurement" else report


def _pictures(kind: str, report: Report, result: Shown) -> tuple[Picture, ...]:
    """Return pictures of pixels, or where there are none the figure if matplotlib is installed."""
    pixels = result.pixels()
    drawn = pictures_of(kind, report, pixels)
    if drawn or kind not in ("Inspection", "Measurement", "ImageMeasurement", "SetMeasurement", "Trend"):
        return drawn
    from uncheck.reporting.plots import figure_png

    png = figure_png(result)
    return () if png is None else (Picture(png, "", 640),)


def _where(report: Report) -> str:
    found = [f"period {sizes(one['period'])} on {one['share']:.0%} of it" for one in report["maps"]]
    shape = " x ".join(map(str, report["shape"]))
    return f"{shape} pixels, {', '.join(found) or 'no lattice anywhere'}."


def _map_html(result: Result, page: Page) -> str:
    report = result.to_dict()
    rows = [
        (
            sizes(one["period"]),
            ", ".join(map(str, region["box"])),
            levels(region["amplitude"]),
            f"{region['share']:.0%}",
        )
        for one in report["maps"]
        for region in one["regions"]
    ]
    columns = (">period", "box (y0, x0, y1, x1)", ">grey levels", ">share")
    return page.draw([Labelled("What:", _where(report)), *table("", columns, rows)])


def _overlap_html(result: Result, page: Page) -> str:
    report = result.to_dict()
    return page.draw([*opening(report), *taps_table(report["axis_taps"])])


def _swap_html(result: Result, page: Page) -> str:
    report = result.to_dict()
    rows = [
        (one["path"], one["to"], f"{one['uneven']:.3f}", f"{one['change']:.1%}") for one in report["swapped"]
    ]
    columns = ("layer", "now", ">uneven before", ">kernel changed by")
    refused = [f"`{one['path']}`: {one['reason']}" for one in report["refused"]]
    return page.draw([*_lines(swapped, report), *table("", columns, rows), *refused])


def _trend_html(result: Result, page: Page) -> str:
    return page.draw(_lines(trained, result.to_dict()))


def _lines(said: Any, report: Report) -> list[Part]:
    lines = [("What:", said.what(report)), ("Why:", said.why(report)), ("Do:", said.todo(report))]
    return [Labelled(label, text) for label, text in lines if text]


_DRAWN: dict[str, Callable[[Result, Page], str]] = {
    "Inspection": inspect_text,
    "Measurement": measure_text,
    "ImageMeasurement": measure_text,
    "SetMeasurement": measure_text,
    "LocalMap": _map_html,
    "Overlap": _overlap_html,
    "Repair": repair_text,
    "Fusion": fuse_text,
    "Swapped": _swap_html,
    "Trend": _trend_html,
}
