"""Paths, folders and globs as a list of files to read."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from uncheck.errors import UncheckError

#: Endings of the files that are taken from folders and globs.
PICTURES = (".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".webp", ".bmp", ".npy")
SOUNDS = (".wav", ".flac", ".ogg")


def expand(patterns: Iterable[str | Path], suffixes: tuple[str, ...] = PICTURES) -> list[str]:
    """List the files named by paths, folders (files of these suffixes, sorted, not recursive) and globs.

    Raises:
        UncheckError: a folder or a glob without pictures. A missing file is kept, to be reported on reading.
    """
    out: list[str] = []
    for pattern in map(str, patterns):
        if os.path.isdir(pattern):  # noqa: PTH112 -- False for names that are too long, too
            found = sorted(n for n in os.listdir(pattern) if n.lower().endswith(suffixes))
            if not found:
                raise UncheckError(
                    f"{pattern}: no pictures in this folder; it must hold {', '.join(suffixes)}"
                )
            out += [os.path.join(pattern, name) for name in found]  # noqa: PTH118 -- "as given", not normalised
        elif not os.path.lexists(pattern) and any(c in pattern for c in "*?["):
            matched = sorted(p for p in _matches(pattern) if p.lower().endswith(suffixes))
            if not matched:
                raise UncheckError(
                    f"{pattern}: no picture matches this pattern; check the folder and the ending"
                )
            out += matched
        else:
            out.append(pattern)
    return out


def _matches(pattern: str) -> list[str]:
    if "**" not in pattern:
        return glob.glob(pattern)  # noqa: PTH207
    # Links to folders are not followed: two that lead back to their own folder have endless paths.
    parts = Path(pattern).parts
    first = next(i for i, part in enumerate(parts) if any(c in part for c in "*?["))
    return [str(path) for path in Path(*parts[:first]).glob(str(Path(*parts[first:])))]


def check_file(path: str | Path) -> None:
    """Raise UncheckError unless `path` is a regular file that can be opened and is not empty.

    Pipes, sockets and devices are never opened: reading one may wait for ever.
    """
    try:
        found = Path(path).stat()
        if S_ISREG(found.st_mode):
            Path(path).open("rb").close()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise UncheckError(f"{path}: no such file; check the path") from error
    except OSError as error:
        raise UncheckError(f"{path}: cannot be opened ({error.strerror}); check its permissions") from error
    if S_ISDIR(found.st_mode):
        raise UncheckError(f"{path}: is a folder, not a picture; name a file in it")
    if not S_ISREG(found.st_mode):
        raise UncheckError(f"{path}: is a pipe, socket or device, not a file; save it as one")
    if not found.st_size:
        raise UncheckError(f"{path}: empty file (0 bytes); write it again")
