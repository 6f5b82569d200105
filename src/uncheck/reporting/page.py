"""Parts of all reports: words for numbers, tables, pages of text, and JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from uncheck.errors import printable
from uncheck.words import MOST_NAMED, chance, levels, listed, listed_some, plural, shortened, sizes

__all__ = [
    "MOST_COMPONENTS",
    "Page",
    "Part",
    "Report",
    "Result",
    "bar",
    "chance",
    "components",
    "json_text",
    "levels",
    "listed",
    "listed_some",
    "plural",
    "shortened",
    "sizes",
    "table",
]

Report = Mapping[str, Any]
"""A result's `to_dict()`, from which all reports are written."""

#: Characters of a full bar.
BAR = 10

#: Components that one line names.
MOST_COMPONENTS = MOST_NAMED

#: Plain text may be this wide before cells are folded: paths must stay whole for `grep`.
WIDEST = 400

_EIGHTHS = " ▏▎▍▌▋▊▉█"


class Result(Protocol):
    """Source of a report: anything with a dictionary of lists, dictionaries and numbers."""

    def to_dict(self) -> dict[str, Any]: ...  # noqa: D102


def json_text(result: Result) -> str:
    """Return the result as JSON, indented, keys in the order of the result, ASCII only.

    Raises:
        ValueError: a NaN or infinite number, which JSON has no word for.
    """
    return json.dumps(result.to_dict(), indent=2, allow_nan=False)


def bar(share: float | None) -> str:
    """Return a share of 0..1 as a bar and a percentage, None as "-"."""
    if share is None:
        return "-"
    whole, rest = divmod(round(min(max(share, 0.0), 1.0) * BAR * 8), 8)
    drawn = "█" * whole + (_EIGHTHS[rest] if rest else "")
    return f"{drawn.ljust(BAR)} {share:4.0%}"


def components(lattice: Sequence[Report] | None, nothing: str = "none") -> str:
    """Return a lattice in a line, as "period 4: 1.20, period 2: 0.45"."""
    named = [f"period {sizes(c['period'])}: {levels(c['amplitude'])}" for c in lattice or ()]
    return listed_some(named) or nothing


@dataclass(frozen=True)
class Titled:
    """A table under a title; the title may be wider than the table."""

    title: str
    body: Table


Part = str | Text | Titled


@dataclass(frozen=True)
class Page:
    """How wide paragraphs are, in characters, and whether colours are allowed; by default plain text."""

    width: int = 100
    colour: bool = False

    def draw(self, parts: Sequence[Part]) -> str:
        """Return all parts below each other, with an empty line before each table."""
        return "\n".join(self._block(part) for part in parts).strip("\n")

    def _block(self, part: Part) -> str:
        console = self._console(self.width)
        if isinstance(part, Titled):
            if not self.colour:
                needed = Measurement.get(console, console.options.update(width=WIDEST), part.body).maximum
                console = self._console(max(self.width, needed))
            console.print()
            if part.title:
                console.print(Text(part.title, style="bold"))
            console.print(part.body)
        else:
            console.print(_text(part))
        file = console.file
        assert isinstance(file, io.StringIO)
        return "\n".join(line.rstrip() for line in file.getvalue().splitlines())

    def _console(self, width: int) -> Console:
        return Console(
            file=io.StringIO(),
            width=width,
            force_terminal=self.colour,
            color_system="standard" if self.colour else None,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> list[Titled]:
    """Return a table under a title, nothing without rows; a column named ">..." is set to the right."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        made.add_column(
            Text(column.removeprefix(">")),
            justify="right" if column.startswith(">") else "left",
            overflow="fold",
        )
    for row in rows:
        made.add_row(*map(_text, row))
    return [Titled(title, made)] if rows else []


def _text(part: str | Text) -> Text:
    style = "" if isinstance(part, str) else part.style
    return Text(printable(str(part)), style=style)
