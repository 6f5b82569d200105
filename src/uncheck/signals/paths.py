"""Files to read: paths, folders and globs, limits of the decoded size, and the warnings of decoders."""

from __future__ import annotations

import glob
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from threading import RLock

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


#: Values (pixels x channels x pages, or samples x channels) of one file: measuring takes about 3 GB then. A
#: colour picture may have 50 million pixels, stereo sound 28 minutes.
MOST_VALUES = 150_000_000

#: Pixels along one side of a picture or volume; also the most a JPEG can have.
LONGEST_SIDE = 65_500

#: The end of the sentence about a file with more values.
ADVICE = (
    f"the {MOST_VALUES // 10**6} million values that are measured at once; cut it into parts, or reduce it"
)

_ONE_AT_A_TIME = RLock()


def check_values(path: str, shape: Sequence[int], *, spatial: bool = True) -> None:
    """Raise UncheckError if a file would become an array larger than is measured at once.

    The sides of a picture or volume (`spatial`) must not be too long either.
    """
    shown = " x ".join(map(str, shape))
    if prod(shape) > MOST_VALUES:
        raise UncheckError(f"{path}: {shown} values are more than {ADVICE}")
    if spatial and max(shape) > LONGEST_SIDE:
        raise UncheckError(
            f"{path}: {shown} has a side of more than {LONGEST_SIDE} pixels; cut it into parts, or reduce it"
        )


@contextmanager
def caught_warnings(action: str = "ignore") -> Iterator[list[warnings.WarningMessage]]:
    """Keep the warnings of a decoder, as a list if `action` is "always".

    The filters of warnings are one for all threads, so only one thread at a time may change and restore them.
    """
    with _ONE_AT_A_TIME, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter(action)  # type: ignore[arg-type]
        yield said
