"""A page as a value, and the templates that write it."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uncheck.advising import summarise
from uncheck.errors import printable
from uncheck.reporting.opening import cures_of
from uncheck.reporting.page import Report
from uncheck.reporting.web.parts import Section

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parents[1] / "templates"

#: Packages on which the numbers of a result depend.
_PACKAGES = ("uncheck", "torch", "numpy", "scipy")


@dataclass(frozen=True)
class Made:
    """How a page was made: the command, the date, versions by name."""

    command: str
    date: str
    versions: Mapping[str, str]

    @classmethod
    def now(cls, command: str = "") -> Made:
        """Return the present date (UTC) and the versions installed."""
        found = {"Python": platform.python_version()}
        for name in _PACKAGES:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
        return cls(command, datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), found)


@dataclass(frozen=True)
class Tile:
    """One number and what it is; `tone` is "good", "bad", "mixed" or "", `word` says it without colour."""

    number: str
    what: str
    tone: str = ""
    word: str = ""


@dataclass(frozen=True)
class Sheet:
    """What differs from page to page.

    Attributes:
        template: file that draws its pictures.
        title: of the window.
        verdict: a word; `tone` as that of a tile.
        tiles: the most important numbers.
        report: the result's dictionary, with its advice.
        more: for the template, by name.
    """

    template: str
    title: str
    verdict: str
    tone: str
    tiles: Sequence[Tile]
    report: Report
    more: Mapping[str, Any] = field(default_factory=dict)


@cache
def environment() -> Environment:
    """Return the templates: all that comes from outside is escaped, control characters are shown."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: Any) -> Any:
        return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters["code"] = _code
    return made


def _code(words: str) -> Any:
    """Return text with names between backticks as code, escaped."""
    from markupsafe import Markup, escape

    parts = printable(words).split("`")
    if len(parts) % 2 == 0:  # a backtick of the user's own
        return escape(printable(words))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(parts)
    )


def written(sheet: Sheet, sections: Sequence[Section], made: Made) -> str:
    """Return the page."""
    return (
        environment()
        .get_template(sheet.template)
        .render(
            sheet=sheet,
            report=sheet.report,
            said=summarise(sheet.report),
            cures=[(one, words) for one, words in cures_of(sheet.report)],
            sections=sections,
            made=made,
            **sheet.more,
        )
    )
