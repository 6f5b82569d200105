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

_COLOURS = {"lattice": "red", "blocks": "red", "clean": "green", "rival": "yellow"}

#: Where a range is from that nobody stated, and that the type of the values does not tell.
_SOURCES = {"data": "taken from the data", "usual": "which its values use"}

#: What a folder may hold beside what is measured.
_PASSED_OVER = {
    "files": "other file",
    "hidden": "hidden name",
    "links": "linked folder",
    "folders": "subfolder",
    "closed": "locked folder",
    "libraries": "unsupported file",
}

#: Verdicts from the worst on: the order of the rows.
_ORDER = ("lattice", "blocks", "rival", "clean")

#: Rows that are shown, the worst first: a page of a hundred thousand is read by nobody.
MOST_ROWS = 1000

#: Rows without -v.
MOST_BRIEF = 10

#: Different remarks that are shown.
MOST_REMARKS = 5


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
        parts += _skipped(report.get("skipped") or {})
        return page.draw([*parts, f"More: -v has {'all rows and ' if left_out else ''}the details."])
    made = report.get("set")
    below = [
        *(made["notes"] if made else []),
        *_set(report),
        *_limits(images),
        *_blocks(images),
        *_traces(images),
        *_second_order(images),
        *_brightness(images),
        *_ranges(images),
        *_notes(images),
        *_skipped(report.get("skipped") or {}),
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


def _limits(images: Sequence[Report]) -> list[str]:
    """Return what would have been found: by period for one signal, the worst of all clean ones for many."""
    having = [image for image in images if image.get("limit")]
    if len(images) == 1 and having:
        scale, word = (
            _scale(having[0]),
            "Clean: nothing" if images[0]["verdict"] == "clean" else "Nothing else",
        )
        return [f"{word} above {limit_words(having[0]['limit'], scale)}."]
    clean = [image for image in having if image["verdict"] == "clean"]
    if not clean:
        return []
    worst = max(clean, key=lambda image: max(one["amplitude"] for one in image["limit"]))
    said = limit_words(worst["limit"], _scale(worst), 1, rest=False)
    return [f"Clean: nothing above {said}, the limit of {worst['path']}; the JSON has that of each."]


def _scale(image: Report) -> Scale:
    return Scale(image["kind"] == "audio", image.get("sample_rate"))


def _traces(images: Sequence[Report]) -> list[str]:
    """Return what is significant and too weak to count, of the first signals that have it."""
    having = sorted((one for one in images if one["traces"]), key=lambda one: -one["traces"][0]["amplitude"])
    if len(images) == 1 and having:
        named = [f"{_component(c, having[0])} (p = {chance(c['p_value'])})" for c in having[0]["traces"]]
        return [f"Traces, too weak to count: {listed_some(named)}."]
    named = [f"{image['path']} ({_component(image['traces'][0], image)})" for image in having]
    return [f"Traces, too weak to count: {listed_some(named)}."] if named else []


def _second_order(images: Sequence[Report]) -> list[str]:
    """Return the contrast that depends on the phase: all periods of one signal, the strongest of several."""
    having = [image for image in images if image["second_order"]]
    having.sort(key=lambda image: -image["second_order"][0]["modulation_db"])
    if len(images) == 1 and having:
        named = [_modulation(one) for one in having[0]["second_order"]]
    else:
        named = [f"{image['path']} ({_modulation(image['second_order'][0])})" for image in having]
    what = "Contrast that repeats (second order, as resizing and JPEG coding leave it)"
    return [f"{what}: {listed_some(named)}."] if named else []


def _modulation(one: Report) -> str:
    return f"period {sizes(one['period'])}: {one['modulation_db']:.2f} dB (p = {chance(one['p_value'])})"


def _row(image: Report) -> tuple[str | Text, ...]:
    present, blocks = image["lattice"], image.get("blocks") or []
    strength = levels(image["strength"]) if present else levels(blocks[0]["amplitude"]) if blocks else "0"
    if image["kind"] == "audio":
        strength = f"{max(c['db'] for c in present):.0f} dB" if present else "-"
    return (
        image["path"],
        Text(_verdict(image), style=_COLOURS[image["verdict"]]),
        strength,
        listed_some([_component(c, image) for c in present] + [_block(one) for one in blocks]),
        chance(min(c["p_value"] for c in (present or blocks))) if present or blocks else "",
    )


def _block(blocks: Report) -> str:
    return f"blocks of {sizes(blocks['period'])}: {levels(blocks['amplitude'])}"


def _blocks(images: Sequence[Report]) -> list[str]:
    """Return where the blocks of a single picture begin, and what that means."""
    if len(images) != 1 or images[0]["verdict"] not in ("lattice", "blocks"):
        return []
    return [
        f"Steps between blocks of {sizes(one['period'])} pixels are {levels(one['amplitude'])} grey levels "
        f"larger than beside them (p = {chance(one['p_value'])}); the first begin at row {one['offset'][0]} "
        f"and column {one['offset'][1]}. Patches or tiles that do not quite fit leave this."
        for one in images[0].get("blocks") or ()
    ]


def _component(component: Report, image: Report) -> str:
    """Return "period 4: 1.20", with the unit of a map behind; for audio "period 4 (4000 Hz): -40 dB"."""
    period = sizes(component["period"])
    if "db" not in component:
        in_unit = component.get("amplitude_in_unit")
        behind = "" if in_unit is None else f" ({in_unit:.3g} {image['unit']})"
        sign = " (sign changes with brightness)" if component["signed"] else ""
        return f"period {period}: {levels(component['amplitude'])}{behind}{sign}"
    hertz = [f"{f:.0f}" for f in component["frequency_hz"] or []]
    shown = hertz[:MOST_COMPONENTS] + (["..."] if len(hertz) > MOST_COMPONENTS else [])
    where = f" ({', '.join(shown)} Hz)" if shown else ""
    return f"period {period}{where}: {component['db']:.0f} dB"


def _notes(images: Sequence[Report]) -> list[str]:
    """Return each note once, with the first signal that has it."""
    about: dict[str, list[str]] = {}
    for image in images:
        for note in image["notes"]:
            about.setdefault(note, []).append(image["path"])
    remarks = [
        f"{paths[0]}{f' and {len(paths) - 1} more' if len(paths) > 1 else ''}: {note}"
        for note, paths in about.items()
    ]
    rest = len(remarks) - MOST_REMARKS
    return [
        *remarks[:MOST_REMARKS],
        *([f"{plural(rest, 'more remark is', 'more remarks are')} in the JSON."] if rest > 0 else []),
    ]


def _ranges(images: Sequence[Report]) -> list[str]:
    """Return the range of values whose type does not tell it, of the first signal that has such a one."""
    having = [one for one in images if one.get("range_source") in _SOURCES and one["kind"] != "audio"]
    if not having:
        return []
    low, high = having[0]["range"]
    unit = f" {having[0]['unit']}" if "unit" in having[0] else ""
    source = _SOURCES[having[0]["range_source"]]
    said = f"255 grey levels are the range {low:.4g} to {high:.4g}{unit}, {source}; --range sets another."
    if len(images) == 1:
        return [said]
    more = (
        f" {plural(len(having) - 1, 'more has', 'more have')} another range, in the JSON."
        if len(having) > 1
        else ""
    )
    return [f"{having[0]['path']}: {said}{more}"]


def _skipped(counts: Report) -> list[str]:
    """Return how much was passed over in folders."""
    said = [plural(counts[key], noun) for key, noun in _PASSED_OVER.items() if counts.get(key)]
    if not said:
        return []
    library = ' (pip install "uncheck[formats]")' if counts.get("libraries") else ""
    return [f"Passed over in folders: {', '.join(said)}{library}."]


def _brightness(images: Sequence[Report]) -> list[str]:
    """Return how the strongest component of a single picture depends on brightness; nothing for many."""
    if len(images) != 1 or not images[0]["brightness"]:
        return []
    one = images[0]["brightness"][0]
    if one["p_value"] > 0.01:
        return ["The lattice does not depend on brightness (p > 0.01)."]
    way = "brighter" if one["slope"] > 0 else "darker"
    return [
        f"The lattice is stronger where the picture is {way}: "
        f"{one['intercept']:.2f} {one['slope']:+.3f} x brightness grey levels (p = {chance(one['p_value'])})."
    ]
