"""What a report found, one value each: the cause, how bad it is, a sentence, and where it is.

All keys used here are those of the results' dictionaries, with what the command line adds: `target`,
`sources` (file and line of the target, "", and of layers, by name) and `fail_above`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from uncheck.advising import summarise
from uncheck.advising.causes import CAUSES
from uncheck.advising.inspected import cause_of, guilty_stages, is_invisible, reason
from uncheck.advising.measured import cause_of as cause_of_image
from uncheck.advising.measured import what_of
from uncheck.advising.naming import full_name
from uncheck.errors import UncheckError
from uncheck.reporting.page import Report

#: The cause of a lattice that no layer answers for, and of one too weak to be seen.
UNKNOWN, UNSEEN = "picture", "invisible"


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes:
        cause: a page of `uncheck explain`.
        level: "error" where the command fails for it (exit code 1), "warning" where nothing could be told,
            "note" where it does not matter.
        message: sentences.
        subject: the target or picture it is about.
        stage: name of the layer; "" for the whole.
        strength: grey levels; None where it has none.
        file, line: where to look; None where it is not known.
    """

    cause: str
    level: str
    message: str
    subject: str
    stage: str = ""
    strength: float | None = None
    file: str | None = None
    line: int | None = None


def kind_of(report: Report) -> str:
    """Return which command a report is of: "inspect", "measure", "overlap", "fuse", "repair".

    Raises:
        UncheckError: of none.
    """
    kind = str(report.get("schema", "")).partition("/")[0].removeprefix("uncheck.")
    if kind not in _FINDERS:
        raise UncheckError(
            f"a report of schema {report.get('schema')!r} has no findings; give one of uncheck"
        )
    return kind


def find(report: Report) -> list[Finding]:
    """Return what a report found, the worst first; empty where there is nothing to say."""
    return _FINDERS[kind_of(report)](report)


def fails(report: Report, strength: float | None = None) -> bool:
    """Test whether a lattice of this strength makes the command fail, after `--fail-above`.

    Sound has no grey levels (None), and fails whatever the limit is.
    """
    limit = report.get("fail_above")
    return limit is None or strength is None or strength > limit


def failing(report: Report) -> bool:
    """Test whether the command fails for what was found (exit code 1)."""
    return any(one.level == "error" for one in find(report))


def errors_of(report: Report) -> list[tuple[str, str]]:
    """Return path and reason of every file that could not be read."""
    return [(one["path"], one["error"]) for one in report.get("errors") or ()]


def place(report: Report, stage: str = "") -> tuple[str | None, int | None]:
    """Return file and line of a layer, or of the target where that one's are not known."""
    sources = report.get("sources") or {}
    found = sources.get(stage) or sources.get("")
    return (found["file"], found["line"]) if found else (None, None)


def _inspected(report: Report) -> list[Finding]:
    said, subject = summarise(report), str(report.get("target") or "the network")
    found = []
    if report["verdict"] == "undetermined":
        found.append(
            _of_network(report, subject, _first_cause(report), "warning", f"{said.what} {said.todo}")
        )
    elif report["verdict"] == "lattice":
        sound = any(len(one["period"]) == 1 for one in report["lattice"])
        strength = None if sound else report["strength"]
        level = "error" if fails(report, strength) else "note"
        for stage in guilty_stages(report["stages"]):
            cause = UNSEEN if is_invisible(report) else cause_of(stage)
            message = (
                f"{said.what} {full_name(stage)}: {reason(stage)}. {_cure(report, stage['name'], said.todo)}"
            )
            file, line = place(report, stage["name"])
            found.append(Finding(cause, level, message, subject, stage["name"], strength, file, line))
        if not found:
            message = " ".join(part for part in (said.what, said.why, said.todo) if part)
            cause = UNSEEN if is_invisible(report) else UNKNOWN
            found.append(_of_network(report, subject, cause, level, message, strength))
    gradient = report["gradient"] or {}
    if gradient.get("lattice") or gradient.get("magnitude"):
        message = "The gradient with respect to the input has a grid."
        level = "error" if report.get("fail_above") is None else "note"
        found.append(_of_network(report, subject, "strided-gradient", level, message))
    return found


def _of_network(
    report: Report, subject: str, cause: str, level: str, message: str, strength: float | None = None
) -> Finding:
    file, line = place(report)
    return Finding(cause, level, message, subject, "", strength, file, line)


def _first_cause(report: Report) -> str:
    if report["operations"]["unsupported"]:
        return "unread-operation"
    return "too-small" if report["not_tested"] else "not-measured"


def _cure(report: Report, stage: str, otherwise: str) -> str:
    """Return the cheapest cure of a stage, as it can be pasted."""
    for one in report.get("advice") or ():
        if one["stage"] == stage:
            words = one.get("command") or one.get("code")
            return f"{one['cure'][:1].upper()}{one['cure'][1:]}: {words}"
    return otherwise


def _measured(report: Report) -> list[Finding]:
    made = report.get("set")
    found = []
    if made is not None and made["verdict"] == "lattice":
        level = "error" if set_fails(report) else "note"
        found.append(Finding(UNKNOWN, level, summarise(report).what, "the set", "", made["strength"]))
    for image in sorted(report["images"], key=lambda one: -one["strength"]):
        if image["verdict"] == "clean":
            continue
        cause = cause_of_image(image) or UNSEEN
        level = "error" if made is None and image_fails(report, image) else "note"
        strength = image_strength(image)
        found.append(Finding(cause, level, what_of(image), image["path"], "", strength, image["path"], 1))
    return found


def set_fails(report: Report) -> bool:
    """Test whether what all pictures share makes the command fail."""
    groups = report["set"]["groups"]
    return any(one["verdict"] == "lattice" and fails(report, one["strength"]) for one in groups)


def image_strength(image: Report) -> float | None:
    """Return the strength of what a picture shows, grey levels; None for sound and for nothing."""
    if image["verdict"] == "blocks":
        return float(max(one["amplitude"] for one in image["blocks"]))
    return float(image["strength"]) if image["verdict"] == "lattice" and image["kind"] != "audio" else None


def image_fails(report: Report, image: Report) -> bool:
    """Test whether what a picture shows makes the command fail, where pictures are judged one by one."""
    return image["verdict"] in ("lattice", "blocks") and fails(report, image_strength(image))


def _counted(report: Report) -> list[Finding]:
    if report["even"]:
        return []
    said = summarise(report)
    return [Finding("uneven-overlap", "error", f"{said.what} {said.why} {said.todo}", subject_of(report))]


def _fused(report: Report) -> list[Finding]:
    found = []
    for one in report["refused"]:
        file, line = place(report, one["resize"])
        message = f"{one['resize']} was not fused: {one['reason']}."
        found.append(
            Finding("not-fused", "error", message, subject_of(report), one["resize"], None, file, line)
        )
    return found


def _repaired(report: Report) -> list[Finding]:
    said = summarise(report)
    message = " ".join(part for part in (said.what, said.why) if part)
    done = report["method"] is not None
    file, line = place(report)
    level, cause = ("note", "repaired") if done else ("error", "refused")
    return [Finding(cause, level, message, subject_of(report), "", None, file, line)]


def subject_of(report: Report) -> str:
    """Return what a report is about, by its name."""
    if kind_of(report) == "overlap":
        layers = report["layers"]
        return " then ".join(
            f"kernel {'x'.join(map(str, one['kernel_size']))} stride {'x'.join(map(str, one['stride']))}"
            for one in layers
        )
    return str(report.get("target") or report.get("network") or "the network")


def title_of(cause: str) -> str:
    """Return the title of a cause."""
    return CAUSES[cause].title


_FINDERS: dict[str, Callable[[Any], list[Finding]]] = {
    "inspect": _inspected,
    "measure": _measured,
    "overlap": _counted,
    "fuse": _fused,
    "repair": _repaired,
}
