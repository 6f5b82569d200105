"""Where a result goes: stdout, or a file."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from uncheck.errors import UncheckError
from uncheck.writing import write_file

if TYPE_CHECKING:
    from uncheck.reporting import Page


def check_output(path: Path | None, inputs: Sequence[str | Path] = ()) -> None:
    """Say now, before long work, if a file cannot be written, or is one of the `inputs`.

    Raises:
        UncheckError: a folder, in no folder, not writable, or a file that is read.
    """
    if path is None or str(path) == "-":
        return
    if path.is_dir():
        raise UncheckError(f"-o {path} is a folder; name a file in it")
    if path.exists() and any(Path(one).exists() and path.samefile(one) for one in inputs):
        raise UncheckError(f"-o {path} is one of the files to read and would be lost; name another file")
    if not path.parent.is_dir():
        raise UncheckError(f"-o {path} lies in no folder that exists; make {path.parent} first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UncheckError(f"-o {path} cannot be written; check its permissions")


def page(path: Path | None) -> Page:
    """Plain text, but as wide as the terminal and with colours where stdout is one."""
    from uncheck.reporting import Page

    if (path is not None and str(path) != "-") or not sys.stdout.isatty():
        return Page()
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
    return Page(shutil.get_terminal_size((100, 24)).columns, colour)


def emit(text: str, path: Path | None) -> None:
    """Write a result to a file, or to stdout if there is none (or it is "-")."""
    if path is not None and str(path) != "-":
        write_file(path, (text + "\n").encode("utf-8", "backslashreplace"))
        return
    try:
        print(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read it has seen enough (`| head`). Nothing may be flushed into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def made_folder(folder: Path, option: str) -> Path:
    """The folder, made if there is none.

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
