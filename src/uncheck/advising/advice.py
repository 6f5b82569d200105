"""Advice as a value, and the three lines a report begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from uncheck.plain import Plain, as_dict


@dataclass(frozen=True)
class Advice(Plain):
    """One cure of one problem, as a command or as code, of which the other is None.

    Attributes:
        stage: the layer it is about; "" where it is about the whole.
        problem: what is wrong, a sentence.
        cure: what to do, in the imperative.
        command: for a shell, quoted.
        code: Python.
        keeps_weights: whether the trained weights stay in use without training anew.
        cost: what it takes, in words.

    >>> Advice("up", "Uneven.", "count", "uncheck overlap 3 2", None, True, "none").to_dict()["command"]
    'uncheck overlap 3 2'
    """

    stage: str
    problem: str
    cure: str
    command: str | None
    code: str | None
    keeps_weights: bool
    cost: str

    def to_dict(self) -> dict[str, Any]:
        """Return six keys: of `command` and `code` only the one there is."""
        form = "code" if self.command is None else "command"
        return as_dict(self, "stage", "problem", "cure", form, "keeps_weights", "cost")


@dataclass(frozen=True)
class Summary(Plain):
    """What there is, why, and what to do: a sentence each; `why` is "" where there is nothing to explain."""

    what: str
    why: str
    todo: str
