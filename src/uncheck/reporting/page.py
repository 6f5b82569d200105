"""Parts of all reports: words for numbers, tables, pages of text, and JSON."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from uncheck.errors import printable
from uncheck.words import MOST_NAMED, chance, levels, listed, listed_some, plural, shortened, sizes

__all__ = [
    "MOST_COMPONENTS",
    "SOLID",
    "Detail",
    "Labelled",
    "Page",
    "Part",
    "Report",
    "Result",
    "Verbatim",
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

#: Columns of text where no terminal says, and the widest table without one.
WIDTH, WIDEST = 80, 120

#: Characters of the labels of the first lines, and of lines that are never wrapped.
LABEL, WIDEST_CODE = 5, 10_000

#: A cell without blanks that is longer may be folded.
SOLID = 24

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


@dataclass(frozen=True)
class Labelled:
    """A paragraph behind a label, its further lines indented as far."""

    label: str
    text: str
    style: str = ""
    width: int = LABEL


@dataclass(frozen=True)
class Verbatim:
    """Lines to copy: a long command is continued on the next line as a shell takes it, nothing is wrapped."""

    text: str
    indent: int = 8


Part = str | Text | Titled | Labelled | Verbatim


class Detail(StrEnum):
    """How much a report says."""

    quiet = "quiet"
    brief = "brief"
    verbose = "verbose"


@dataclass(frozen=True)
class Page:
    """How a report is written.

    Attributes:
        width: of paragraphs, characters.
        colour: whether colours are allowed.
        detail: one line, the answer, or everything.
        subject: what the report is about, with which the one line begins.
    """

    width: int = WIDTH
    colour: bool = False
    detail: Detail = Detail.brief
    subject: str = ""

    @property
    def verbose(self) -> bool:
        """Whether everything is said."""
        return self.detail is Detail.verbose

    def draw(self, parts: Sequence[Part]) -> str:
        """Return all parts below each other, with an empty line before each table."""
        return "\n".join(self._block(part) for part in parts).strip("\n")

    def _block(self, part: Part) -> str:
        console = self._console(self.width)
        if isinstance(part, Titled):
            if not self.colour:
                needed = Measurement.get(console, console.options.update(width=WIDEST), part.body).maximum
                console = self._console(max(self.width, min(needed, WIDEST)))
            console.print()
            if part.title:
                console.print(Text(part.title, style="bold"))
            console.print(part.body)
        elif isinstance(part, Labelled):
            grid = Table.grid(padding=(0, 1, 0, 0))
            grid.add_column(no_wrap=True, width=part.width)
            grid.add_column(overflow="fold")
            grid.add_row(Text(part.label, style="bold"), Text(printable(part.text), style=part.style))
            console.print(grid)
        elif isinstance(part, Verbatim):
            console = self._console(WIDEST_CODE)
            lines = [continued(printable(line), part.indent, self.width) for line in part.text.split("\n")]
            console.print(Text("\n".join(lines), style="cyan"), soft_wrap=True)
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
    for index, column in enumerate(columns):
        name = column.removeprefix(">")
        # Numbers, bars and single words are never broken, nor are headings.
        solid = column.startswith(">") or all(" " not in str(r[index]) or _is_bar(r[index]) for r in rows)
        widest = max((cell_len(str(row[index])) for row in rows), default=0)
        made.add_column(
            Text(name),
            justify="right" if column.startswith(">") else "left",
            overflow="fold",
            min_width=max(cell_len(name), widest if solid and widest <= SOLID else 0),
        )
    for row in rows:
        made.add_row(*map(_text, row))
    return [Titled(title, made)] if rows else []


def _is_bar(cell: str | Text) -> bool:
    return str(cell).rstrip(" *").endswith("%")


def continued(command: str, indent: int, width: int) -> str:
    r"""Return a command indented, long ones on several lines that a shell reads as one.

    >>> print(continued("uncheck repair model.py:make --weights w.pth -o repaired", 2, 36))
      uncheck repair model.py:make \
          --weights w.pth -o repaired
    """
    blank = " " * indent
    if indent + cell_len(command) <= width or not command.startswith("uncheck "):
        return blank + command
    lines: list[str] = [""]
    for group in _groups(shlex.split(command)):
        room = width - indent - (4 if len(lines) > 1 else 0) - 2
        if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(group) > room:
            lines.append(group)
        else:
            lines[-1] = f"{lines[-1]} {group}".strip()
    return f" \\\n{blank}    ".join([blank + lines[0], *lines[1:]])


def _groups(words: Sequence[str]) -> list[str]:
    """Return words as a shell takes them, an option together with its value."""
    groups: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        if before.startswith("-") and not word.startswith("-"):
            groups[-1] += f" {shlex.quote(word)}"
        else:
            groups.append(shlex.quote(word))
    return groups


def _text(part: str | Text) -> Text:
    style = "" if isinstance(part, str) else part.style
    return Text(printable(str(part)), style=style)
