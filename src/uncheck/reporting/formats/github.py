"""Workflow commands of GitHub Actions: lines that become annotations of a run and of its files.

Source: GitHub Docs, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

from uncheck.advising import summarise
from uncheck.errors import printable
from uncheck.reporting.formats.findings import Finding, errors_of, find, title_of
from uncheck.reporting.page import Report

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def github_text(report: Report) -> str:
    """Return a line per finding, and per file that could not be read; one notice where there is none."""
    lines = [_line(one) for one in find(report)]
    for path, message in errors_of(report):
        lines.append(command("error", message, file=path, title="not measured"))
    return "\n".join(lines or [command("notice", summarise(report).what, title="uncheck")])


def _line(one: Finding) -> str:
    where = {} if one.file is None else {"file": one.file, "line": str(one.line or 1)}
    message = f"{one.subject}: {one.message}"
    return command(_COMMANDS[one.level], message, **where, title=title_of(one.cause))


def command(kind: str, message: str, **properties: str) -> str:
    r"""Return one workflow command, escaped as the runner unescapes it.

    >>> command("error", "50%\nof it", file="a,b.py", line="3")
    '::error file=a%2Cb.py,line=3::50%25%0Aof it'
    """
    named = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in properties.items())
    return f"::{kind}{f' {named}' if named else ''}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    for one in "%\r\n" + more:  # the percent sign first
        text = text.replace(one, f"%{ord(one):02X}")
    return printable(text)
