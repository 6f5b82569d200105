"""Faults and sentences of measured pictures, volumes and sounds."""

from __future__ import annotations

from uncheck.advising.fault import Fault, Report
from uncheck.advising.inspected import grid
from uncheck.advising.limits import limit_words
from uncheck.advising.request import Request
from uncheck.advising.scale import Scale
from uncheck.advising.visibility import visibility
from uncheck.words import MOST_NAMED, levels, listed, plural, sizes, spans

#: Causes of rivals by their name.
RIVALS = {
    "jpeg": "jpeg",
    "bayer": "camera",
    "halftone": "halftone",
    "texture": "texture",
    "tiles": "tiles",
    "enlarged": "enlarged",
}

#: What a rival is, in words.
LOOKALIKES = {
    "jpeg": "the blocks of JPEG",
    "bayer": "the colour mosaic of a camera",
    "halftone": "a halftone or screen",
    "texture": "content that repeats",
    "tiles": "tiles side by side",
    "enlarged": "pixels that were repeated",
}

NOUNS = {"picture": "picture", "volume": "volume", "video": "video", "audio": "sound"}

_ORDER = ("lattice", "blocks", "rival", "clean")


def faults(report: Report, request: Request) -> list[Fault]:
    """Return a fault for each kind of thing found, the worst first."""
    found: dict[str, Fault] = {}
    for image in sorted(report["images"], key=_worst_first):
        cause = cause_of(image)
        if cause is not None:
            found.setdefault(cause, Fault(cause, what_of(image), {"images": [image]}, request))
    return list(found.values())


def _worst_first(image: Report) -> tuple[int, float]:
    return _ORDER.index(image["verdict"]), -image["strength"]


def cause_of(image: Report) -> str | None:
    """Return the name of the cause of what one picture shows; None where there is nothing to see."""
    if image["verdict"] == "lattice":
        if image["kind"] == "audio":
            return "sound"
        return None if visibility(image["lattice"]) == "invisible" else "picture"
    if image["verdict"] == "blocks":
        return "tiles"
    return RIVALS.get(image["rival"]) if image["rival"] else None


def what(report: Report) -> str:
    """Return the verdict in one sentence."""
    images, made = report["images"], report.get("set")
    if made is not None:
        return _together(made, counts(report))
    if len(images) == 1 and not report["errors"]:
        return what_of(images[0])
    strongest = [one for one in sorted(images, key=_worst_first) if one["verdict"] == "lattice"]
    worst = f" The strongest: {_lower(what_of(strongest[0]))}" if strongest else ""
    return f"{plural(len(images) + len(report['errors']), noun(images))}: {counts(report)}.{worst}"


def counts(report: Report) -> str:
    """Return how many have which verdict: "2 with a grid and 1 clean"."""
    images = report["images"]
    rivals = ", ".join(sorted({image["rival"] for image in images if image["rival"]}))
    named = {
        "lattice": "with a grid",
        "blocks": "with blocks",
        "rival": f"with a look-alike ({rivals})",
        "clean": "clean",
    }
    numbers = {verdict: sum(image["verdict"] == verdict for image in images) for verdict in named}
    parts = [f"{count} {named[verdict]}" for verdict, count in numbers.items() if count]
    return listed([*parts, *([f"{len(report['errors'])} not measured"] if report["errors"] else [])])


def noun(images: list[Report]) -> str:
    """Return what the signals are called together."""
    kinds = {image["kind"] for image in images} or {"picture"}
    return NOUNS[kinds.pop()] if len(kinds) == 1 else "signal"


def _together(made: Report, each: str) -> str:
    """Return the verdict on a set, and on its pictures one by one where that differs."""
    found, name = made["lattice"], f"All {made['count']} together"
    if found:
        said = f"{name}: {_lower(grid(found, _strength(found)))}"
    else:
        limits = limit_words(made.get("limit") or (), Scale(), 1)
        said = f"{name}: clean{f', nothing above {limits}' if limits else ''}."
    return f"{said} One by one: {each}." if each else said


def what_of(image: Report) -> str:
    """Return the verdict on one picture, and which periods it says nothing about."""
    return " ".join(filter(None, (_verdict(image), untested(image))))


def untested(image: Report) -> str:
    """Return a sentence about the periods asked for that are too long for the picture; "" if there are none.

    A grid of one of them shows as its fractions alone: one of period 8 as period 4.

    >>> untested({"kind": "picture", "not_tested": [7, 8], "lattice": [{"period": [4, 4]}]})
    'Periods 7, 8 are too long for this picture and were not tested; it may repeat only at 8.'
    """
    periods = image.get("not_tested") or ()
    if not periods:
        return ""
    noun = NOUNS.get(image["kind"], "signal")
    is_, was = ("is", "was") if len(periods) == 1 else ("are", "were")
    said = (
        f"{'Period' if len(periods) == 1 else 'Periods'} {spans(periods)} {is_} too long for this {noun} and"
    )
    found = [max(one["period"]) for one in image["lattice"]]
    longer = [period for period in periods if any(period % one == 0 for one in found)]
    may = f"; it may repeat only at {_either(longer[:MOST_NAMED])}" if longer else ""
    return f"{said} {was} not tested{may}."


def _either(numbers: list[int]) -> str:
    return listed([str(number) for number in numbers]).replace(" and ", " or ")


def _verdict(image: Report) -> str:
    sound = image["kind"] == "audio"
    if image["verdict"] == "lattice":
        said = grid(image["lattice"], image["strength"], sound=sound, rate=image.get("sample_rate"))
        in_unit = image["lattice"][0].get("amplitude_in_unit")
        return said if in_unit is None else f"{said[:-1]} ({in_unit:.3g} {image['unit']})."
    if image["verdict"] == "blocks":
        first = image["blocks"][0]
        steps = f"steps of {levels(first['amplitude'])} of 255 grey levels between them"
        return f"Blocks of {sizes(first['period'])} pixels: {steps}."
    if image["verdict"] == "rival":
        return f"No grid of a network: {LOOKALIKES.get(image['rival'], image['rival'])} ({image['rival']})."
    limits = limit_words(image.get("limit") or (), Scale(sound, image.get("sample_rate")), 1, rest=False)
    return f"Clean: nothing above {limits}." if limits else "Clean."


def why(report: Report) -> str:
    """Return where it comes from, as far as pictures alone tell."""
    causes = {cause_of(image) for image in report["images"]} - {None}
    if "picture" in causes or "sound" in causes:
        return "Networks that enlarge leave this; which layer does, `uncheck inspect` on the network tells."
    if "tiles" in causes:
        return "Patches or tiles that do not quite fit leave this."
    return ""


def nothing(report: Report) -> str:
    """Return what to do where there is no advice."""
    if any(image["verdict"] == "lattice" for image in report["images"]):
        return "Nothing to do: it is too weak to be seen (`uncheck explain visibility`)."
    if len(report["images"]) == 1 and report["images"][0]["kind"] == "picture" and "set" not in report:
        return "Nothing to do; several outputs together (--set) would show much weaker grids."
    return "Nothing to do."


def _lower(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:]}"


def _strength(found: list[Report]) -> float:
    return float(sum(c["amplitude"] ** 2 for c in found) ** 0.5)
