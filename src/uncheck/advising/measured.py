"""Faults and sentences of measured pictures, volumes and sounds."""

from __future__ import annotations

from uncheck.advising.fault import Fault, Report
from uncheck.advising.inspected import grid
from uncheck.advising.request import Request
from uncheck.words import levels, listed, plural, sizes

#: Causes of rivals by their name.
RIVALS = {
    "jpeg": "jpeg",
    "bayer": "camera",
    "halftone": "halftone",
    "texture": "texture",
    "tiles": "tiles",
    "enlarged": "enlarged",
}

_ORDER = ("lattice", "blocks", "rival", "clean")


def faults(report: Report, request: Request) -> list[Fault]:
    """Return a fault for each kind of thing found, the worst first."""
    found: dict[str, Fault] = {}
    for image in sorted(report["images"], key=lambda one: _ORDER.index(one["verdict"])):
        cause = cause_of(image)
        if cause is not None:
            found.setdefault(cause, Fault(cause, what_of(image), {"images": [image]}, request))
    return list(found.values())


def cause_of(image: Report) -> str | None:
    """Return the name of the cause of what one picture shows; None where it is clean."""
    if image["verdict"] == "lattice":
        return "sound" if image["kind"] == "audio" else "picture"
    if image["verdict"] == "blocks":
        return "tiles"
    return RIVALS.get(image["rival"]) if image["rival"] else None


def what(report: Report) -> str:
    """Return the verdict in one sentence."""
    images, made = report["images"], report.get("set")
    if made is not None:
        found = grid(made["lattice"], _strength(made)) if made["lattice"] else "Clean."
        return f"All {made['count']} together: {found[:1].lower()}{found[1:]}"
    if len(images) == 1 and not report["errors"]:
        return what_of(images[0])
    named = {
        "lattice": "with a grid",
        "blocks": "with blocks",
        "rival": "with another pattern",
        "clean": "clean",
    }
    counts = {verdict: sum(image["verdict"] == verdict for image in images) for verdict in named}
    parts = [f"{count} {named[verdict]}" for verdict, count in counts.items() if count]
    parts += [f"{len(report['errors'])} not measured"] if report["errors"] else []
    return f"{plural(len(images) + len(report['errors']), 'file')}: {listed(parts)}."


def what_of(image: Report) -> str:
    """Return the verdict on one picture in one sentence."""
    if image["verdict"] == "lattice":
        return grid(image["lattice"], image["strength"], sound=image["kind"] == "audio")
    if image["verdict"] == "blocks":
        first = image["blocks"][0]
        return (
            f"Blocks of {sizes(first['period'])}: steps of {levels(first['amplitude'])} of 255 grey levels."
        )
    if image["verdict"] == "rival":
        return f"A pattern, but not of a network: {image['rival']}."
    return "Clean."


def why(report: Report) -> str:
    """Return where it comes from, as far as pictures alone tell."""
    causes = {cause_of(image) for image in report["images"]} - {None}
    if "picture" in causes or "sound" in causes:
        return "A network that enlarges leaves such a grid; pictures alone do not tell which layer."
    return ""


def nothing(report: Report) -> str:
    """Return what to do where there is no advice."""
    return "Nothing to do."


def _strength(made: Report) -> float:
    return float(sum(c["amplitude"] ** 2 for c in made["lattice"]) ** 0.5)
