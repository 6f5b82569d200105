"""A page of text: tables and paragraphs, coloured on a terminal and plain everywhere else.

Control characters in it come from names, and are shown as escapes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from uncheck.errors import printable


@dataclass(frozen=True)
class Titled:
    """A table under a title; the title may be wider than the table."""

    title: str
    body: Table


Part = str | Text | Titled

#: Plain text may be this wide before cells are folded: paths must stay whole for `grep`.
WIDEST = 400


@dataclass(frozen=True)
class Page:
    """How wide paragraphs are, in characters, and whether colours are allowed."""

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
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
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
