"""What the text of `measure` says below its table, remark by remark."""

from __future__ import annotations

from collections.abc import Sequence

from uncheck.advising.limits import limit_words
from uncheck.advising.scale import Scale
from uncheck.reporting.page import (
    MOST_COMPONENTS,
    Report,
    chance,
    levels,
    listed_some,
    plural,
    sizes,
)

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

#: Different remarks that are shown.
MOST_REMARKS = 5


def limits(images: Sequence[Report]) -> list[str]:
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


def traces(images: Sequence[Report]) -> list[str]:
    """Return what is significant and too weak to count, of the first signals that have it."""
    having = sorted((one for one in images if one["traces"]), key=lambda one: -one["traces"][0]["amplitude"])
    if len(images) == 1 and having:
        named = [f"{component_words(c, having[0])} (p = {chance(c['p_value'])})" for c in having[0]["traces"]]
        return [f"Traces, too weak to count: {listed_some(named)}."]
    named = [f"{image['path']} ({component_words(image['traces'][0], image)})" for image in having]
    return [f"Traces, too weak to count: {listed_some(named)}."] if named else []


def second_order(images: Sequence[Report]) -> list[str]:
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


def where_blocks_begin(images: Sequence[Report]) -> list[str]:
    """Return where the blocks of a single picture begin, and what that means."""
    if len(images) != 1 or images[0]["verdict"] not in ("lattice", "blocks"):
        return []
    return [
        f"Steps between blocks of {sizes(one['period'])} pixels are {levels(one['amplitude'])} grey levels "
        f"larger than beside them (p = {chance(one['p_value'])}); the first begin at row {one['offset'][0]} "
        f"and column {one['offset'][1]}. Patches or tiles that do not quite fit leave this."
        for one in images[0].get("blocks") or ()
    ]


def component_words(component: Report, image: Report) -> str:
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


def remarks(images: Sequence[Report]) -> list[str]:
    """Return each note once, with the first signal that has it."""
    about: dict[str, list[str]] = {}
    for image in images:
        for note in image["notes"]:
            about.setdefault(note, []).append(image["path"])
    said = [
        f"{paths[0]}{f' and {len(paths) - 1} more' if len(paths) > 1 else ''}: {note}"
        for note, paths in about.items()
    ]
    rest = len(said) - MOST_REMARKS
    return [
        *said[:MOST_REMARKS],
        *([f"{plural(rest, 'more remark is', 'more remarks are')} in the JSON."] if rest > 0 else []),
    ]


def ranges(images: Sequence[Report]) -> list[str]:
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


def passed_over(counts: Report) -> list[str]:
    """Return how much was passed over in folders."""
    said = [plural(counts[key], noun) for key, noun in _PASSED_OVER.items() if counts.get(key)]
    if not said:
        return []
    library = ' (pip install "uncheck[formats]")' if counts.get("libraries") else ""
    return [f"Passed over in folders: {', '.join(said)}{library}."]


def dependence_on_brightness(images: Sequence[Report]) -> list[str]:
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
