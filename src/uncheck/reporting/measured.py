"""Measured pictures, volumes and sounds as text: one row for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from uncheck.measuring import ImageMeasurement, Measurement
from uncheck.reporting.page import Page, Part, table
from uncheck.reporting.words import MOST, chance, levels, sizes

_COLOURS = {"lattice": "red", "clean": "green", "rival": "yellow"}
_NOUNS = {"picture": "picture", "volume": "volume", "video": "video", "audio": "sound"}

#: Different remarks that are shown.
REMARKS = 5


def measure_text(result: Measurement, page: Page | None = None) -> str:
    """What `uncheck.measure` found, as a page of text.

    Args:
        result: of `uncheck.measure`.
        page: width and colour; plain text if None.
    """
    rows: list[tuple[str | Text, ...]] = [_row(image) for image in result.images]
    rows += [(path, Text("not measured", style="bold red"), "", "", "") for path, _ in result.errors]
    unit = "" if any(image.tones for image in result.images) else " (grey levels)"
    columns = (_noun(result), "verdict", ">strength", f"lattice{unit}", ">p-value")
    parts: list[Part] = [*_set(result), _headline(result)]
    if rows:
        parts.append(table("", columns, rows))
    below = [*_second_order(result), *_brightness(result), *_notes(result)]
    if below:
        parts += ["", *below]
    return (page or Page()).draw(parts)


def _noun(result: Measurement) -> str:
    kinds = {image.kind for image in result.images} or {"picture"}
    return _NOUNS[kinds.pop()] if len(kinds) == 1 else "signal"


def _headline(result: Measurement) -> Text:
    counts = {v: sum(i.verdict == v for i in result.images) for v in ("lattice", "rival", "clean")}
    named = {
        "lattice": "with a lattice",
        "rival": f"with a rival's pattern ({', '.join(sorted({i.rival for i in result.images if i.rival}))})",
        "clean": "clean",
    }
    parts = [f"{counts[v]} {named[v]}" for v in counts if counts[v]]
    if result.errors:
        parts.append(f"{len(result.errors)} not measured")
    total = len(result.images) + len(result.errors)
    return Text(f"{total} {_noun(result)}{'s' if total != 1 else ''}: {', '.join(parts)}.", style="bold")


def _set(result: Measurement) -> list[Part]:
    """The verdict on all of them as one set, before those on each."""
    if result.together is None:
        return []
    made = result.together.to_dict()
    verdict = f"rival ({made['rival']})" if made["rival"] else made["verdict"]
    found = [
        f"period {sizes(c['period'])}: {c['amplitude']:.2f} grey levels (p = {chance(c['p_value'])})"
        for c in made["lattice"][:MOST]
    ]
    line = f"Set of {made['count']}: {verdict}{', ' if found else ''}{', '.join(found)}."
    return [Text(line, style=f"bold {_COLOURS[made['verdict']]}"), *made["notes"], ""]


def _second_order(result: Measurement) -> list[str]:
    """Contrast that goes with the phase: in full for one picture, a count for many."""
    having = [image for image in result.images if image.second_order]
    if not having:
        return []
    if len(result.images) > 1:
        return [f"{len(having)} of them have contrast that repeats (second order); the JSON says how much."]
    found = [
        f"period {sizes(m.period)}: {m.modulation:.2f} dB (p = {chance(m.p_value)})"
        for m in having[0].second_order[:MOST]
    ]
    return [
        f"Contrast that repeats (second order, as resizing and JPEG coding leave it): {', '.join(found)}."
    ]


def _row(image: ImageMeasurement) -> tuple[str | Text, ...]:
    verdict = f"rival ({image.rival})" if image.rival else image.verdict
    made = image.to_dict()
    present = made["lattice"]
    strength = levels(image.strength) if present else "0"
    if image.kind == "audio":
        strength = f"{max(c['db'] for c in present):.0f} dB" if present else "-"
    shown = [_component(c, image) for c in present[:MOST]]
    more = [f"{len(present) - MOST} more"] if len(present) > MOST else []
    return (
        image.path,
        Text(verdict, style=_COLOURS[image.verdict]),
        strength,
        ", ".join([*shown, *more]),
        chance(min(c["p_value"] for c in present)) if present else "",
    )


def _component(component: Mapping[str, Any], image: ImageMeasurement) -> str:
    """As "period 4: 1.20", with the unit of a map behind, or for audio "period 4 (4000 Hz): -40 dB"."""
    period = sizes(component["period"])
    if "db" not in component:
        in_unit = component.get("amplitude_in_unit")
        behind = "" if in_unit is None else f" ({in_unit:.3g} {image.unit})"
        sign = " (sign changes with brightness)" if component["signed"] else ""
        return f"period {period}: {levels(component['amplitude'])}{behind}{sign}"
    hertz = component["frequency_hz"] or []
    lines = [f"{f:.0f}" for f in hertz[:MOST]] + (["..."] if len(hertz) > MOST else [])
    where = f" ({', '.join(lines)} Hz)" if lines else ""
    return f"period {period}{where}: {component['db']:.0f} dB"


def _notes(result: Measurement) -> list[str]:
    """Each remark once, with the first signal it is about."""
    about: dict[str, list[str]] = {}
    for image in result.images:
        for note in image.notes:
            about.setdefault(note, []).append(image.path)
    remarks = [
        f"{paths[0]}{f' and {len(paths) - 1} more' if len(paths) > 1 else ''}: {note}"
        for note, paths in about.items()
    ]
    rest = len(remarks) - REMARKS
    return [*remarks[:REMARKS], *([f"{rest} more remarks are in the JSON."] if rest > 0 else [])]


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
