"""JUnit XML: one test case per target, layer or picture, which every CI server shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from uncheck.advising import summarise
from uncheck.advising.inspected import guilty_stages, reason
from uncheck.advising.measured import what_of
from uncheck.advising.naming import full_name
from uncheck.reporting.formats.findings import (
    errors_of,
    find,
    image_fails,
    kind_of,
    place,
    set_fails,
    subject_of,
)
from uncheck.reporting.page import Report

#: Characters that XML 1.0 has no way to hold.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Case:
    """One test case: `outcome` is "passed", "failure", or "error" where nothing could be told."""

    group: str
    name: str
    outcome: str
    message: str
    stage: str = ""


def junit_text(report: Report) -> str:
    """Return a report as JUnit XML."""
    made = list(cases(report))
    counts = {
        "tests": str(len(made)),
        "failures": str(sum(one.outcome == "failure" for one in made)),
        "errors": str(sum(one.outcome == "error" for one in made)),
    }
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": f"uncheck {kind_of(report)}", **counts})
    for one in made:
        file, line = place(report, one.stage)
        where = {} if file is None else {"file": _clean(file), "line": str(line or 1)}
        named = {"classname": _clean(one.group), "name": _clean(one.name), **where}
        case = ElementTree.SubElement(suite, "testcase", named)
        if one.outcome == "passed":
            ElementTree.SubElement(case, "system-out").text = _clean(one.message)
        else:
            ElementTree.SubElement(case, one.outcome, {"message": _clean(one.message)})
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


def cases(report: Report) -> Iterator[Case]:
    """Yield the test cases of a report; one of them fails exactly where the command does."""
    kind = kind_of(report)
    if kind == "measure":
        yield from _pictures(report)
    elif kind == "fuse":
        yield from _resizes(report)
    elif kind == "inspect":
        yield from _stages(report)
    else:
        worst = next((one for one in find(report) if one.level == "error"), None)
        said = summarise(report).what if worst is None else worst.message
        yield Case(f"uncheck.{kind}", subject_of(report), "failure" if worst else "passed", said)


def _stages(report: Report) -> Iterator[Case]:
    said, target = summarise(report), subject_of(report)
    bad = [one for one in find(report) if one.level == "error"]
    outcome = "error" if report["verdict"] == "undetermined" else "failure" if bad else "passed"
    yield Case("uncheck.inspect", target, outcome, " ".join(filter(None, (said.what, said.why, said.todo))))
    blamed = {one.stage for one in bad}
    guilty = {id(one) for one in guilty_stages(report["stages"])}
    for stage in report["stages"]:
        again = f" (call {stage['call'] + 1})" if stage["call"] else ""
        failed = stage["name"] in blamed and id(stage) in guilty
        message = f"{full_name(stage)}: {reason(stage)}." if failed else full_name(stage)
        name = f"{stage['name'] or 'the model itself'}{again}"
        yield Case(target, name, "failure" if failed else "passed", message, stage["name"])


def _pictures(report: Report) -> Iterator[Case]:
    made = report.get("set")
    if made is not None:
        failed = set_fails(report)
        yield Case(
            "uncheck.measure", "all together", "failure" if failed else "passed", summarise(report).what
        )
    for image in report["images"]:
        failed = made is None and image_fails(report, image)
        yield Case("uncheck.measure", image["path"], "failure" if failed else "passed", what_of(image))
    for path, message in errors_of(report):
        yield Case("uncheck.measure", path, "error", message)


def _resizes(report: Report) -> Iterator[Case]:
    target = subject_of(report)
    for one in report["fused"]:
        yield Case(target, one["resize"], "passed", f"fused with {one['conv']}", one["resize"])
    for one in report["refused"]:
        yield Case(target, one["resize"], "failure", one["reason"], one["resize"])


def _clean(text: str) -> str:
    """Replace what XML cannot hold: names of files and layers may have anything."""
    return _FORBIDDEN.sub("\ufffd", text)
