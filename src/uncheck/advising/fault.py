"""What is wrong, as a value: its cause, the stage that makes it, and the report it was read from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from uncheck.advising.request import Request

Report = Mapping[str, Any]
"""A result's `to_dict()`."""


@dataclass(frozen=True)
class Fault:
    """One problem of one report.

    Attributes:
        cause: name of one of `causes.CAUSES`.
        problem: what is wrong here, a sentence.
        report: the whole result.
        request: what the user gave.
        stage: the stage's dictionary; None where it is about the whole.
    """

    cause: str
    problem: str
    report: Report
    request: Request
    stage: Report | None = None


@dataclass(frozen=True)
class Cure:
    """One thing to do.

    Attributes:
        text: in the imperative, without a full stop.
        cost: in words.
        keeps_weights: whether the trained weights stay in use without training anew.
        command, code: write it for a fault, None where it does not apply; one of the two is given.
    """

    text: str
    cost: str
    keeps_weights: bool
    command: Callable[[Fault], str | None] | None = None
    code: Callable[[Fault], str | None] | None = None


@dataclass(frozen=True)
class Finding:
    """What was measured, a sentence with its figures, and the file of the repository it is from."""

    text: str
    source: str


@dataclass(frozen=True)
class Cause:
    """One cause of a lattice, or of something that looks like one: the page that `uncheck explain` prints.

    Attributes:
        name: as `uncheck explain NAME` takes it.
        title: of the page.
        synonyms: other names.
        meaning: what happens, a paragraph.
        signs: how to recognise it, sentences.
        cures: cheapest first.
        findings: what the experiments found.
    """

    name: str
    title: str
    synonyms: Sequence[str]
    meaning: str
    signs: Sequence[str]
    cures: Sequence[Cure]
    findings: Sequence[Finding] = ()
