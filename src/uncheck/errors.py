"""Errors, warnings and refusals. Each message says what is wrong, where, and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class UncheckError(ValueError):
    """Something the user can mend: its message is one sentence, printed without a traceback."""


class UncheckWarning(UserWarning):
    """Something that was left out or assumed, and that the user may want to know."""


class Kind(StrEnum):
    """The kinds of refusal that code tells apart; the sentence beside it is for people."""

    nothing = "nothing to do"
    unsupported = "unsupported"
    lattice = "lattice not removed"
    harm = "harm to the output"
    time = "no time left"
    interrupted = "interrupted"
    failed = "failed"


@dataclass(frozen=True)
class Refused:
    """Something that was not done, and why.

    Attributes:
        kind: what code decides by.
        reason: a sentence for people; no code reads it.
        where: the layer, function or method that it is about; "" for the whole network.
        calls: how often the example ran it.
    """

    kind: Kind
    reason: str
    where: str = ""
    calls: int = 1

    def __str__(self) -> str:
        """One line."""
        again = f" ({self.calls} calls)" if self.calls > 1 else ""
        return f"{self.where}{again}: {self.reason}" if self.where else self.reason


class Refusal(Exception):
    """Raised inside a room where something cannot be done; no public function lets it out.

    Attributes:
        refused: the value that ends up in the report.
    """

    def __init__(self, reason: str, kind: Kind = Kind.unsupported, where: str = "") -> None:
        super().__init__(reason)
        self.refused = Refused(kind, reason, where)


def first_line(error: BaseException, missing: str = "no message") -> str:
    r"""Return the first line of an exception's message, `missing` where it has none.

    >>> first_line(ValueError("no such layer\nsee above")), first_line(ValueError())
    ('no such layer', 'no message')
    """
    return next((line.strip() for line in str(error).splitlines() if line.strip()), missing)


def printable(text: str) -> str:
    r"""Return a text with its control characters as escapes: it comes from files, and may hold anything.

    These are C0, C1, line separators, marks that reverse the direction, and surrogates.

    >>> print(printable("a\x1b[2Jb.png"))
    a\x1b[2Jb.png
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
