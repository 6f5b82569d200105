"""Which files are meant by paths, folders and globs, and what was skipped on the way."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from uncheck.errors import UncheckError
from uncheck.signals.formats.table import format_of, installed
from uncheck.signals.paths import PICTURES

#: What may be skipped in a folder: files with other endings; files and folders whose name begins with a dot;
#: links to folders, and folders that were seen before; folders in a folder that is not walked; those that
#: cannot be opened; files of a format whose library is not installed.
SKIPPED = ("files", "hidden", "links", "folders", "closed", "libraries")


@dataclass(frozen=True)
class Listing:
    """`files` in natural order, and how many names were `skipped` in folders, by the words of SKIPPED."""

    files: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def expand(patterns: Iterable[str | Path], suffixes: tuple[str, ...] = PICTURES) -> list[str]:
    """List the files named by paths, folders (files of these suffixes, not those of subfolders) and globs.

    Folders and globs in natural order: 2.png before 10.png.

    Raises:
        UncheckError: a folder or a glob without pictures. A missing file is kept, to be reported on reading.
    """
    return list_files(patterns, suffixes, recurse=False).files


def list_files(
    patterns: Iterable[str | Path],
    suffixes: tuple[str, ...],
    *,
    recurse: bool = True,
    without: Collection[Path] = (),
) -> Listing:
    """List files as `expand` does, those of subfolders too if `recurse`, and count what was skipped.

    Links to folders are not followed, and no folder is walked twice: what leads back to itself would have no
    end. Hidden names are passed over, and so are the folders in `without`.

    Raises:
        UncheckError: a folder or a glob without pictures.
    """
    out = Listing()
    for pattern in map(str, patterns):
        before = len(out.files)
        known = format_of(pattern)
        if known is not None and known.folder and known.suffixes[0] in suffixes:
            out.files.append(pattern.rstrip("/"))
        elif os.path.isdir(pattern):  # noqa: PTH112 -- False for names that are too long, too
            seen = {_identity(path) for path in without}
            out.files.extend(_walk(pattern, suffixes, recurse, seen, out.skipped))
            if len(out.files) == before:
                within = "" if recurse else "; its subfolders were not looked at"
                raise UncheckError(
                    f"{pattern}: no pictures in this folder; it must hold {', '.join(suffixes)}{within}"
                )
        elif not os.path.lexists(pattern) and any(c in pattern for c in "*?["):
            matched = sorted((p for p in _matches(pattern) if p.lower().endswith(suffixes)), key=natural)
            if not matched:
                raise UncheckError(
                    f"{pattern}: no picture matches this pattern; check the folder and the ending"
                )
            out.files.extend(matched)
        else:
            out.files.append(pattern)
    return out


def natural(name: str) -> tuple[list[str | int], str]:
    """Return a key that sorts numbers in names by their value: "2.png" before "10.png"."""
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def _walk(
    folder: str,
    suffixes: tuple[str, ...],
    recurse: bool,
    seen: set[tuple[int, int] | None],
    skipped: Counter[str],
) -> Iterator[str]:
    """Yield the files of a folder, then those of its subfolders; depth does not matter to the stack."""
    folders = [folder]
    while folders:
        here = folders.pop()
        identity = _identity(here)
        if identity is not None and identity in seen:
            skipped["links"] += here != folder
            continue
        seen.add(identity)
        files, inner = [], []
        try:
            entries = os.scandir(here)
        except OSError as error:
            if here == folder:
                raise UncheckError(f"{here}: cannot be opened ({error.strerror}); check it") from error
            skipped["closed"] += 1
            continue
        with entries:
            for entry in entries:
                kind = _kind(entry, suffixes)
                if kind == "file":
                    files.append(entry.name)
                elif kind == "folder" and recurse:
                    inner.append(entry.name)
                else:
                    skipped["folders" if kind == "folder" else kind] += 1
        for name in sorted(files, key=natural):
            yield os.path.join(here, name)  # noqa: PTH118 -- "as given", not normalised
        folders += [os.path.join(here, n) for n in sorted(inner, key=natural, reverse=True)]  # noqa: PTH118


def _kind(entry: os.DirEntry[str], suffixes: tuple[str, ...]) -> str:
    """Return "file" or "folder" of what is listed, else why it is skipped."""
    if entry.name.startswith("."):
        return "hidden"
    if entry.name.lower().endswith(suffixes):
        if not installed(entry.name):
            return "libraries"
        return "file"  # what it is, and whether it can be read, is found out on reading
    try:
        if entry.is_dir(follow_symlinks=False):
            return "folder"
        return "links" if entry.is_symlink() and entry.is_dir() else "files"
    except OSError:
        return "files"


def _identity(path: str | Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _matches(pattern: str) -> list[str]:
    if "**" not in pattern:
        return glob.glob(pattern)  # noqa: PTH207
    # Links to folders are not followed: two that lead back to their own folder have endless paths.
    parts = Path(pattern).parts
    first = next(i for i, part in enumerate(parts) if any(c in part for c in "*?["))
    return [str(path) for path in Path(*parts[:first]).glob(str(Path(*parts[first:])))]
