"""The user's own code runs inside the program, and must not spoil its output or end it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stdout
from pathlib import Path

from uncheck.errors import UncheckError, first_line


@contextmanager
def user_code(what: str) -> Iterator[None]:
    """Send what is printed inside to stderr, and come back to the same folder afterwards.

    Raises:
        UncheckError: instead of ending the program, when the code inside calls sys.exit or raises what is no
            Exception.
    """
    with redirect_stdout(sys.stderr), chdir(Path.cwd()):
        try:
            yield
        except (Exception, KeyboardInterrupt):
            raise
        except SystemExit as error:
            raise UncheckError(
                f"{what} ended the program (sys.exit({error.code!r})); let it return instead"
            ) from error
        except BaseException as error:
            raise UncheckError(
                f"{what} raised {type(error).__name__} ({first_line(error)}), which ends a program; let it "
                "raise an Exception instead"
            ) from error
