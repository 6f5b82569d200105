"""Files to read: endings, limits of the decoded size, and the warnings of decoders."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from threading import RLock

from uncheck.errors import UncheckError

#: Endings of the files that are taken from folders and globs.
PICTURES = (".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".webp", ".bmp", ".npy", ".gif", ".avif")
SOUNDS = (".wav", ".flac", ".ogg", ".mp3")


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
