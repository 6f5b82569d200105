"""Where a result goes: stdout, or a file. Notes and the progress bar go to stderr."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uncheck.errors import UncheckError, printable
from uncheck.progress import Progress
from uncheck.writing import write_file

if TYPE_CHECKING:
    from uncheck.reporting import Page


def check_output(path: Path | None, inputs: Sequence[str | Path] = ()) -> None:
    """Refuse, before long work, a file that cannot be written, or that is read.

    `inputs` are files that are read, or folders of such files; names of no file are passed over.

    Raises:
        UncheckError: a folder, in no folder, not writable, or one of the `inputs`.
    """
    if path is None or str(path) == "-":
        return
    if path.is_dir():
        raise UncheckError(f"-o {path} is a folder; name a file in it")
    if path.exists() and _is_read(path, inputs):
        raise UncheckError(f"-o {path} is one of the files to read and would be lost; name another file")
    if not path.parent.is_dir():
        raise UncheckError(f"-o {path} lies in no folder that exists; make {path.parent} first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UncheckError(f"-o {path} cannot be written; check its permissions")


def _is_read(path: Path, inputs: Sequence[str | Path]) -> bool:
    for one in inputs:
        files = [Path(one)]
        with suppress(OSError):
            files = list(Path(one).iterdir())
        for file in files:
            with suppress(OSError):
                if path.samefile(file):
                    return True
    return False


_ARGUMENTS: ContextVar[Sequence[str]] = ContextVar("arguments", default=())


def keep_arguments(arguments: Sequence[str]) -> None:
    """Keep the arguments of the command, which pages name."""
    _ARGUMENTS.set(tuple(arguments))


def command_line() -> str:
    """Return the command as a shell takes it."""
    return shlex.join(["uncheck", *_ARGUMENTS.get()])


#: Exit code of a verdict that could not be reached.
UNDETERMINED = 3


@dataclass(frozen=True)
class Say:
    """How much a text says: `-v`, `-q`, and the name with which the one line of `-q` begins.

    Raises:
        UncheckError: both.
    """

    verbose: bool = False
    quiet: bool = False
    subject: str = ""

    def __post_init__(self) -> None:
        if self.verbose and self.quiet:
            raise UncheckError("--verbose and --quiet exclude each other; give one")


def page(path: Path | None, say: Say | None = None) -> Page:
    """Return a page of plain text, but on a terminal as wide as that and with colours."""
    from uncheck.reporting.page import WIDEST, WIDTH, Detail, Page

    say = say or Say()
    detail = Detail.verbose if say.verbose else Detail.quiet if say.quiet else Detail.brief
    if (path is not None and str(path) != "-") or not sys.stdout.isatty():
        return Page(detail=detail, subject=say.subject)
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
    columns = min(shutil.get_terminal_size((WIDTH, 24)).columns, WIDEST)
    return Page(columns, colour, detail, say.subject)


def emit(text: str, path: Path | None = None) -> None:
    """Write a text to a file, or to stdout if there is none (or it is "-").

    Raises:
        UncheckError: it cannot be written; a text meant for a file is then on stdout.
    """
    if path is not None and str(path) != "-":
        try:
            write_file(path, (text + "\n").encode("utf-8", "backslashreplace"))
        except UncheckError:
            emit(text)
            raise
        return
    try:
        print(text)
        sys.stdout.flush()
    except OSError as error:
        # Nothing may be flushed into what is closed or full at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # Whoever read a closed pipe has seen enough (`| head`).
        if not isinstance(error, BrokenPipeError):
            raise UncheckError(f"stdout cannot be written ({error.strerror}); write to a file") from error


def note(text: str, kind: str = "note") -> None:
    """Write a line to stderr, whatever the names in it hold."""
    print(f"{kind}: {printable(text)}" if kind else printable(text), file=sys.stderr)


def made_folder(folder: Path, option: str) -> Path:
    """Return the folder, made if there is none.

    Raises:
        UncheckError: a file, or it cannot be made; `option` is what named it.
    """
    if folder.exists() and not folder.is_dir():
        raise UncheckError(f"{option} {folder} is a file; name a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UncheckError(
            f"{option} {folder} cannot be made ({error.strerror}); name another folder"
        ) from error
    return folder


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Yield a progress callback (label, done, total) that draws a bar on stderr.

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
