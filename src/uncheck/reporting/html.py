"""The parts of a text report as HTML, for notebooks."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from uncheck.errors import printable
from uncheck.reporting.page import WIDTH, Detail, Labelled, Page, Part, Titled, Verbatim, continued

#: Styles work in light and dark: colours are those of the notebook.
_CELL = (
    "padding: 2px 10px; white-space: pre-wrap; text-align: {}; border-bottom: 1px solid rgba(128,128,128,.3)"
)
_CODE = "margin: 2px 0 6px 3.5em; padding: 4px 8px; background: rgba(128,128,128,.12); overflow-x: auto"
_LINE = "display: flex; gap: .5em; margin: 2px 0; max-width: 52em"
_DRAWN = "image-rendering: pixelated; display: block"


@dataclass(frozen=True)
class Picture:
    """A PNG with its caption, shown `width` pixels wide."""

    png: bytes
    caption: str
    width: int


@dataclass(frozen=True)
class Drawing(Page):
    """A page that is drawn as HTML: first lines, first table, pictures; the rest folded away.

    Attributes:
        pictures: shown beside each other below the first table.
    """

    detail: Detail = Detail.verbose
    pictures: tuple[Picture, ...] = ()

    def draw(self, parts: Sequence[Part]) -> str:
        """Return all parts as one element."""
        first = [part for part in parts if isinstance(part, Labelled | Verbatim)]
        rest = [part for part in parts if not isinstance(part, Labelled | Verbatim) and str(part)]
        table = next((part for part in rest if isinstance(part, Titled)), None)
        folded = [part for part in rest if part is not table]
        shown = [*map(element, first), *([element(table)] if table else []), _row(self.pictures)]
        if folded:
            inside = "".join(map(element, folded))
            shown.append(f"<details><summary>Details</summary>{inside}</details>")
        return f'<div class="uncheck">{"".join(shown)}</div>'


def element(part: Part) -> str:
    """Return a part as HTML, escaped."""
    if isinstance(part, Titled):
        title = f"<p><strong>{escaped(part.title)}</strong></p>" if part.title else ""
        return title + table_html(part.body)
    if isinstance(part, Labelled):
        label = f'<strong style="min-width: 3em">{escaped(part.label)}</strong>'
        weight = ' style="font-weight: bold"' if part.label == "What:" else ""
        return f'<div style="{_LINE}">{label}<span{weight}>{escaped(part.text)}</span></div>'
    if isinstance(part, Verbatim):
        lines = "\n".join(continued(printable(line), 0, WIDTH) for line in part.text.split("\n"))
        return f'<pre style="{_CODE}">{html.escape(lines)}</pre>'
    return f"<p>{escaped(str(part))}</p>"


def escaped(text: str) -> str:
    """Return text for HTML, names between backticks as code.

    >>> escaped("`<b>` & c")
    '<code>&lt;b&gt;</code> &amp; c'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(printable(text)))


def table_html(table: Table) -> str:
    """Return a table of a text report as one of HTML, headings with their scope."""
    rows = zip(*(column.cells for column in table.columns), strict=True)
    sides = ["right" if column.justify == "right" else "left" for column in table.columns]
    heads = [
        f'<th scope="col" style="{_CELL.format(side)}">{html.escape(str(column.header))}</th>'
        for column, side in zip(table.columns, sides, strict=True)
    ]
    body = [
        "".join(
            f'<td style="{_CELL.format(side)}">{_cell(cell)}</td>'
            for cell, side in zip(row, sides, strict=True)
        )
        for row in rows
    ]
    lines = "".join(f"<tr>{row}</tr>" for row in body)
    return (
        f'<table style="border-collapse: collapse; margin: 8px 0"><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def _cell(cell: object) -> str:
    text = printable(cell.plain if isinstance(cell, Text) else str(cell)).rstrip()
    # The blanks of a bar count.
    return f"<code>{html.escape(text)}</code>" if "█" in text else html.escape(text)


def _row(pictures: Sequence[Picture]) -> str:
    if not pictures:
        return ""
    figures = "".join(
        f'<figure style="margin: 0; max-width: 100%"><img alt="{html.escape(printable(one.caption))}" '
        f'src="data:image/png;base64,{base64.b64encode(one.png).decode("ascii")}" '
        f'style="{_DRAWN}; width: {one.width}px; max-width: 100%">'
        f'<figcaption style="max-width: {one.width}px">{escaped(one.caption)}</figcaption></figure>'
        for one in pictures
    )
    return f'<div style="display: flex; flex-wrap: wrap; gap: 8px; margin: 8px 0">{figures}</div>'
