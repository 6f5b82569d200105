"""`uncheck explain`: the page behind a piece of advice, or the meaning of a word."""

from __future__ import annotations

from typing import Annotated

import typer

from uncheck.cli.output import emit, page


def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="CAUSE", help="A cause or a word of a report; all if left out."),
    ] = None,
) -> int:
    """Explain a cause: what happens, how to recognise it, what to do, and what experiments found.

    Without a name it lists all causes and words. Exit code 0, or 2 if there is none of this name.
    """
    from uncheck.advising.explain import explain, index
    from uncheck.reporting.prose import prose

    emit(prose(explain(" ".join(words)) if words else index(), page(None)))
    return 0
