"""Measured pictures, volumes and sounds as text: one row for each."""

from __future__ import annotations

import os
from collections.abc import Sequence

from rich.text import Text

from uncheck.advising.limits import limit_words
from uncheck.advising.measured import noun, what, what_of
from uncheck.advising.scale import Scale
from uncheck.errors import printable
from uncheck.reporting.opening import opening
from uncheck.reporting.page import (
    MOST_COMPONENTS,
    SOLID,
    Detail,
    Page,
    Part,
    Report,
    Result,
    chance,
    levels,
    listed_some,
    plural,
    sizes,
    table,
)
from uncheck.reporting.remarks import (
    component_words,
    dependence_on_brightness,
    limits,
    passed_over,
    ranges,
    remarks,
    second_order,
    traces,
    where_blocks_begin,
)

_COLOURS = {"lattice": "red", "blocks": "red", "clean": "green", "rival": "yellow"}

#: Verdicts from the worst on: the order of the rows.
_ORDER = ("lattice", "blocks", "rival", "clean")

#: Rows that are shown, the worst first: a page of a hundred thousand is read by nobody.
MOST_ROWS = 1000

#: Rows without -v.
MOST_BRIEF = 10


def measure_text(result: Result, page: Page | None = None) -> str:
    """Return the report of `uncheck.measure` as a page of text."""
    report, page = result.to_dict(), page or Page()
    if page.detail is Detail.quiet:
        return _lines(report)
    images = report["images"]
    verdicts = [report["set"]["verdict"]] if "set" in report else [one["verdict"] for one in images]
    worst = min(verdicts, key=_ORDER.index, default="")
    parts = opening(report, f"bold {_COLOURS.get(worst, '')}".strip())
    if page.verbose or len(images) + len(report["errors"]) > 1:
        parts += _table(report, MOST_ROWS if page.verbose else MOST_BRIEF)
    if not page.verbose:
        left_out = len(images) > MOST_BRIEF
        parts += passed_over(report.get("skipped") or {})
        return page.draw([*parts, f"More: -v has {'all rows and ' if left_out else ''}the details."])
    made = report.get("set")
    below = [
        *(made["notes"] if made else []),
        *_set(report),
        *limits(images),
        *where_blocks_begin(images),
        *traces(images),
        *second_order(images),
        *dependence_on_brightness(images),
        *ranges(images),
        *remarks(images),
        *passed_over(report.get("skipped") or {}),
    ]
    return page.draw([*parts, *(["", *below] if below else [])])


def _lines(report: Report) -> str:
    """Return a line for the set, if there is one, and one for each file."""
    together = [what(report)] if "set" in report else []
    each = [f"{image['path']}: {what_of(image)}" for image in report["images"]]
    failed = [f"{one['path']}: Not measured." for one in report["errors"]]
    return "\n".join(printable(line) for line in [*together, *each, *failed])


def _table(report: Report, most: int) -> list[Part]:
    """Return a table of the pictures, the worst first, and how many rows it lacks."""
    images, errors = report["images"], report["errors"]
    rows: list[tuple[str | Text, ...]] = [_row(image) for image in sorted(images, key=worst_first)]
    left_out = len(rows[most:])
    rows = rows[:most]
    rows += [(one["path"], Text("not measured", style="bold red"), "", "", "") for one in errors]
    unit = "" if any(image["kind"] == "audio" for image in images) else " (grey levels)"
    columns = (noun(images), "verdict", ">strength", f"lattice{unit}", ">p-value")
    where = "in the JSON" if most == MOST_ROWS else "shown by -v"
    more = [f"{plural(left_out, 'more row is', 'more rows are')} {where}."] if left_out else []
    folder = _common_folder([str(row[0]) for row in rows])
    if folder:
        rows = [(str(row[0])[len(folder) :], *row[1:]) for row in rows]
    return [*table(f"In {folder}" if folder else "", columns, rows), *more]


def _common_folder(paths: Sequence[str]) -> str:
    """Return the folder, with its slash, that long paths share: a table says it once; "" for short paths.

    >>> _common_folder(["outputs/2026-11-30/a.png", "outputs/2026-11-30/run-7/b.png"])
    'outputs/2026-11-30/'
    """
    # Letter by letter, then up to a slash: the paths may be names of any kind.
    common = os.path.commonprefix(list(paths)).rpartition("/")  # noqa: RUF071
    long = len(paths) > 1 and max(map(len, paths)) > SOLID
    return "".join(common[:2]) if long and common[1] else ""


def worst_first(image: Report) -> tuple[int, float]:
    """Return a key that sorts by verdict, then by strength; of sounds by the level of the strongest line."""
    levels_db = [c["db"] for c in image["lattice"] if "db" in c]
    return _ORDER.index(image["verdict"]), -max(levels_db, default=image["strength"])


def _set(report: Report) -> list[str]:
    """Return periods, traces and limits of all images as one set."""
    made = report.get("set")
    if made is None:
        return []
    found = [
        f"period {sizes(c['period'])}: {c['amplitude']:.2f} grey levels (p = {chance(c['p_value'])})"
        for c in made["lattice"][:MOST_COMPONENTS]
    ]
    limits = limit_words(made.get("limit") or (), Scale())
    # A trace is faint, or only a part of the images has it.
    some = [
        f"a trace of period {sizes(c['period'])} at {c['amplitude']:.2f}" for c in made.get("traces") or ()
    ]
    some = some[:MOST_COMPONENTS]
    nothing = [f"nothing{' else' if found or some else ''} above {limits}"] if limits else []
    return [f"Set of {made['count']}: {', '.join([_verdict(made), *found, *some, *nothing])}."]


def _verdict(one: Report) -> str:
    return f"rival ({one['rival']})" if one["rival"] else str(one["verdict"])


def _row(image: Report) -> tuple[str | Text, ...]:
    present, blocks = image["lattice"], image.get("blocks") or []
    strength = levels(image["strength"]) if present else levels(blocks[0]["amplitude"]) if blocks else "0"
    if image["kind"] == "audio":
        strength = f"{max(c['db'] for c in present):.0f} dB" if present else "-"
    return (
        image["path"],
        Text(_verdict(image), style=_COLOURS[image["verdict"]]),
        strength,
        listed_some([component_words(c, image) for c in present] + [_block(one) for one in blocks]),
        chance(min(c["p_value"] for c in (present or blocks))) if present or blocks else "",
    )


def _block(blocks: Report) -> str:
    return f"blocks of {sizes(blocks['period'])}: {levels(blocks['amplitude'])}"
