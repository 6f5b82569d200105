"""Faults and sentences of an inspection."""

from __future__ import annotations

from uncheck.advising.fault import Fault, Report
from uncheck.advising.naming import full_name, typed_name
from uncheck.advising.request import Request
from uncheck.advising.visibility import visibility
from uncheck.words import MOST_NAMED, levels, listed, listed_some, sizes

#: A stage that answers for less is not named.
NAMED = 0.1


def faults(report: Report, request: Request) -> list[Fault]:
    """Return a fault for each stage to blame, the worst first, or for what was left open."""
    if report["verdict"] == "undetermined":
        return [Fault(_unknown(report), what(report), report, request)]
    found = []
    if report["verdict"] == "lattice" and not is_invisible(report):
        for stage in guilty_stages(report["stages"]):
            cause = cause_of(stage)
            found.append(Fault(cause, f"{full_name(stage)}: {reason(cause, stage)}.", report, request, stage))
    gradient = report["gradient"] or {}
    if gradient.get("lattice") or gradient.get("magnitude"):
        found.append(Fault("strided-gradient", "The gradient has a lattice.", report, request))
    return found


def what(report: Report) -> str:
    """Return the verdict in one sentence."""
    if report["verdict"] == "lattice":
        return grid(report["lattice"], report["strength"], sound=is_sound(report))
    if report["verdict"] == "undetermined":
        return f"Undetermined: {_open(report)}."
    limits = report.get("limit") or ()
    if not limits:
        return "Clean: no lattice in the output."
    worst = max(limits, key=lambda one: one.get("db", one["amplitude"]))
    bound = f"{worst['db']:.0f} dB" if "db" in worst else f"{levels(worst['amplitude'])} of 255 grey levels"
    return f"Clean: nothing above {bound}."


def grid(lattice: list[Report], strength: float, *, sound: bool = False) -> str:
    """Return a sentence about a lattice: periods, visibility and strength."""
    periods = (
        listed_some([sizes(c["period"]) for c in lattice])
        if len(lattice) > MOST_NAMED
        else listed([sizes(c["period"]) for c in lattice])
    )
    if sound:
        known = [c["db"] for c in lattice if c.get("db") is not None]
        return f"Tones of period {periods}: {max(known):.0f} dB." if known else f"Tones of period {periods}."
    return f"Grid of period {periods}, {visibility(lattice)}: {levels(strength)} of 255 grey levels."


def why(report: Report) -> str:
    """Return which layer makes it, and how."""
    if report["verdict"] != "lattice":
        return ""
    guilty = guilty_stages(report["stages"])
    if not guilty:
        return "No upsampling layer answers for it."
    first, *rest = guilty
    also = f"; also by {listed([typed_name(s) for s in rest[:MOST_NAMED]])}" if rest else ""
    return f"Made by {full_name(first)}: {reason(cause_of(first), first)}{also}."


def nothing(report: Report) -> str:
    """Return what to do where there is no advice."""
    if report["verdict"] == "lattice" and is_invisible(report):
        return "Nothing to do: it is too weak to be seen (--even-if-invisible repairs it all the same)."
    if report["verdict"] == "lattice":
        return "Look at the input and at layers that repeat: no upsampling layer makes this grid."
    return "Nothing to do."


def cause_of(stage: Report) -> str:
    """Return the name of the cause for which a stage is to blame."""
    if stage.get("blame_order") == 2:
        return "second-order"
    kind = stage["kind"]
    if kind == "transposed":
        return "uneven-overlap" if stage["overlap"] == "uneven" else "even-overlap"
    return {"sub-pixel": "sub-pixel", "un-patchify": "sub-pixel", "unpool": "unpooling"}.get(kind, "resize")


def reason(cause: str, stage: Report) -> str:
    """Return how the stage makes it, a clause."""
    return {
        "uneven-overlap": "its kernel is not divisible by its stride, so output pixels get different numbers "
        "of taps",
        "even-overlap": "its taps overlap evenly, but what it learned weighs them unevenly",
        "sub-pixel": "each output pixel of a cell has a kernel of its own, and they learned unequal sums",
        "second-order": "its output pixels differ in contrast (second order), which a nonlinearity after it "
        "turns into different means",
        "unpooling": "it leaves zeros between the values it places",
        "resize": "what it enlarges is repeated, and the layers after it keep the repetition",
    }[cause]


def guilty_stages(stages: list[Report]) -> list[Report]:
    """Return the stages to blame, the worst first."""
    return sorted((s for s in stages if (s["blame"] or 0) >= NAMED), key=lambda s: -s["blame"])


def is_invisible(report: Report) -> bool:
    """Test whether a lattice of pictures is too weak to be seen."""
    return not is_sound(report) and visibility(report["lattice"]) == "invisible"


def is_sound(report: Report) -> bool:
    """Test whether the output has one axis."""
    return any(len(c["period"]) == 1 for c in report["lattice"])


def _unknown(report: Report) -> str:
    if report["operations"]["unsupported"]:
        return "unread-operation"
    return "too-small" if report["not_tested"] else "not-measured"


def _open(report: Report) -> str:
    unread = sorted(report["operations"]["unsupported"])
    if unread:
        return f"{listed(unread)} on the way to the output is not understood"
    if report["notes"]:
        return str(report["notes"][0]).rstrip(".")
    return "something on the way to the output is not understood"
