"""Where a result goes: stdout, or a file that is written whole or not at all."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from uncheck.errors import UncheckError

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
        write_whole(path, (text + "\n").encode("utf-8", "backslashreplace"))
        return
    try:
        print(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read it has seen enough (`| head`). Nothing may be flushed into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it never exists half-written: beside it first, then renamed.

    Raises:
        UncheckError: it cannot be written.
    """
    # A link stays a link, and what is no ordinary file (/dev/null, a pipe) must not be replaced by one.
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(content)
            return
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UncheckError(f"{path} cannot be written ({error.strerror}); check the folder") from error


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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
