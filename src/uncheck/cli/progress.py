"""A progress bar on stderr, only where somebody watches it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from uncheck.errors import printable
from uncheck.progress import Progress


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Give a function of what is being done, how much is done and how much there is.

    It does nothing unless stderr is a terminal.
    """
    if not sys.stderr.isatty():
        yield lambda label, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def advance(label: str, done: int, total: int) -> None:
            bar.update(task, description=printable(label), completed=done, total=total)

        yield advance
