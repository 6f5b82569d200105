"""Measured pictures as text: one row per picture."""

from __future__ import annotations

from rich.text import Text

from uncheck.measuring import ImageMeasurement, Measurement
from uncheck.reporting.page import Page, Part, table
from uncheck.reporting.words import chance, components, levels

_COLOURS = {"lattice": "red", "clean": "green", "rival": "yellow"}


def measure_text(result: Measurement, page: Page | None = None) -> str:
    """What `uncheck.measure` found, as a page of text.

    Args:
        result: of `uncheck.measure`.
        page: width and colour; plain text if None.
    """
    rows: list[tuple[str | Text, ...]] = [_row(image) for image in result.images]
    rows += [(path, Text("not measured", style="bold red"), "", "", "") for path, _ in result.errors]
    columns = ("picture", "verdict", ">strength", "lattice (grey levels)", ">p-value")
    parts: list[Part] = [_headline(result)]
    if rows:
        parts.append(table("", columns, rows))
    slopes = _brightness(result)
    if slopes:
        parts += ["", *slopes]
    return (page or Page()).draw(parts)


def _headline(result: Measurement) -> Text:
    counts = {v: sum(i.verdict == v for i in result.images) for v in ("lattice", "rival", "clean")}
    named = {
        "lattice": "with a lattice",
        "rival": "with a rival's pattern (JPEG or camera)",
        "clean": "clean",
    }
    parts = [f"{counts[v]} {named[v]}" for v in counts if counts[v]]
    if result.errors:
        parts.append(f"{len(result.errors)} not measured")
    total = len(result.images) + len(result.errors)
    return Text(f"{total} picture{'s' if total != 1 else ''}: {', '.join(parts)}.", style="bold")


def _row(image: ImageMeasurement) -> tuple[str | Text, ...]:
    verdict = f"rival ({image.rival})" if image.rival else image.verdict
    present = [c.to_dict() for c in image.found.present]
    return (
        image.path,
        Text(verdict, style=_COLOURS[image.verdict]),
        levels(image.strength) if present else "0",
        components(present, ""),
        chance(min(c["p_value"] for c in present)) if present else "",
    )


def _brightness(result: Measurement) -> list[str]:
    """How the strongest component of a single picture goes with brightness; too much to say of many."""
    if len(result.images) != 1 or not result.images[0].brightness:
        return []
    one = result.images[0].brightness[0]
    if one.p_value > 0.01:
        return ["The lattice does not depend on brightness (p > 0.01)."]
    way = "brighter" if one.slope > 0 else "darker"
    return [
        f"The lattice is stronger where the picture is {way}: "
        f"{one.intercept:.2f} {one.slope:+.3f} x brightness grey levels (p = {chance(one.p_value)})."
    ]
