"""How every report begins: what there is, why, and what to do; or all in one line."""

from __future__ import annotations

from uncheck.advising import advise, summarise
from uncheck.reporting.page import Labelled, Page, Part, Report, Verbatim

#: Cures that a report names; the rest is in the JSON, and `uncheck explain` has the page.
MOST_CURES = 3

#: Lines of code that differ from stage to stage.
MOST_LINES = 3


def one_line(report: Report, page: Page) -> str:
    """Return the answer in one line, behind the name of what it is about."""
    what = summarise(report).what
    return f"{page.subject}: {what}" if page.subject else what


def opening(report: Report, style: str = "", more: str = "") -> list[Part]:
    """Return the lines that every report begins with.

    Args:
        report: the result's dictionary, with its advice.
        style: of the first line, a colour.
        more: what else there is to do, a sentence.
    """
    said = summarise(report)
    parts: list[Part] = [Labelled("What:", said.what, style)]
    parts += [Labelled("Why:", said.why)] if said.why else []
    cures = cures_of(report)
    if not cures:
        return [*parts, Labelled("Do:", f"{said.todo}{f' {more}' if more else ''}")]
    for i, (one, words) in enumerate(cures):
        cure = f"{one['cure'][:1].upper()}{one['cure'][1:]}" if i == 0 else f"Or {one['cure']}"
        parts.append(Labelled("Do:" if i == 0 else "", f"{cure} ({one['cost']}):"))
        parts.append(Verbatim(words))
    return [*parts, *([Labelled("", more)] if more else [])]


def cures_of(report: Report) -> list[tuple[Report, str]]:
    """Return each cure once with its command or code, a line for each stage where they differ."""
    known = report.get("advice")
    advice = known if known is not None else [one.to_dict() for one in advise(report)]
    grouped: dict[str, dict[str, Report]] = {}
    for one in advice:
        grouped.setdefault(one["cure"], {}).setdefault(one.get("command") or one["code"], one)
    shown = []
    for lines in list(grouped.values())[:MOST_CURES]:
        written = list(lines)[:MOST_LINES]
        if len(written) > 1:
            written = [f"# {lines[words]['stage']}\n{words}" for words in written]
        shown.append((next(iter(lines.values())), "\n".join(written)))
    return shown
