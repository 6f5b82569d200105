"""The user's own code runs inside the program, and must not spoil its output or end it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from uncheck.errors import UncheckError


@contextmanager
def user_code(what: str) -> Iterator[None]:
    """Send what is printed inside to stderr, so that stdout holds the result alone.

    Raises:
        UncheckError: instead of ending the program, when the code inside calls sys.exit.
    """
    with redirect_stdout(sys.stderr):
        try:
            yield
        except SystemExit as error:
            raise UncheckError(
                f"{what} ended the program (sys.exit({error.code!r})); let it return instead"
            ) from error
