"""A page of Markdown as text of a terminal: paragraphs and lists wrapped, headings bold."""

from __future__ import annotations

from rich.text import Text

from uncheck.reporting.page import Labelled, Page, Part, Verbatim


def prose(markdown: str, page: Page) -> str:
    r"""Return headings, paragraphs and lists of Markdown, wrapped at the width of the page.

    >>> print(prose("# JPEG\n\nBlocks.\n\n- one two", Page(width=10)))
    JPEG
    <BLANKLINE>
    Blocks.
    <BLANKLINE>
    -   one
        two
    """
    return page.draw([_part(line) for line in markdown.split("\n")])


def _part(line: str) -> Part:
    if line.startswith("    "):
        return Verbatim(line.strip(), 4)
    if line.startswith("#"):
        return Text(line.lstrip("# "), style="bold")
    mark, _, rest = line.partition(" ")
    if mark == "-" or mark.rstrip(".").isdigit():
        return Labelled(mark, rest, width=3)
    return line
