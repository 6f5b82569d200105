"""The parts of a text report as sections of a page: the same words and tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.table import Table
from rich.text import Text

from uncheck.reporting.page import Detail, Labelled, Page, Part, Report, Titled, Verbatim


@dataclass(frozen=True)
class Cell:
    """Text of a cell, and the share in percent where it is a bar."""

    text: str
    bar: float | None = None


@dataclass
class Section:
    """A heading, sentences, and a table: columns named ">..." are set to the right."""

    title: str = ""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Cell]] = ()
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Kept(Page):
    """A page that keeps its parts."""

    detail: Detail = Detail.verbose
    parts: list[Part] = field(default_factory=list)

    def draw(self, parts: Sequence[Part]) -> str:
        self.parts.extend(parts)
        return ""


@dataclass(frozen=True)
class _Told:
    report: Report

    def to_dict(self) -> dict[str, object]:
        return dict(self.report)


def sections_of(text: Callable[..., str], report: Report) -> list[Section]:
    """Return the sections of a report below its first lines."""
    page = _Kept()
    text(_Told(report), page)
    sections = [Section()]
    for part in page.parts:
        if isinstance(part, Labelled | Verbatim):
            continue  # the first lines, which the page has at its top
        if isinstance(part, Titled):
            sections.append(_table(part))
        elif isinstance(part, Text) and "bold" in str(part.style):
            sections.append(Section(str(part)))
        elif words := str(part).strip():
            sections[-1].lines.append(words)
    return [one for one in sections if one.rows or one.lines]


def _table(part: Titled) -> Section:
    body: Table = part.body
    columns = [("> "[column.justify != "right"] + str(column.header)).strip() for column in body.columns]
    rows = list(zip(*(column.cells for column in body.columns), strict=True))
    return Section(part.title, columns, [[_cell(str(cell)) for cell in row] for row in rows])


def _cell(text: str) -> Cell:
    drawn = text.lstrip(" ▏▎▍▌▋▊▉█")
    number, percent, _ = drawn.partition("%")
    if len(drawn) < len(text) and percent and number.strip().isdigit():
        return Cell(drawn.strip(), min(100.0, float(number)))
    return Cell(text.strip())
