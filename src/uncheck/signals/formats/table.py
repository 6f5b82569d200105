"""The formats, how their files are told by name, and what all readers share: errors, and what they give."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError, first_line

#: Names by which libraries log that are not those of their modules.
_LOGGERS = ("nibabel.global",)

#: What installs the libraries.
INSTALL = 'pip install "uncheck[formats]"'


@dataclass(frozen=True, eq=False)
class Found:
    """One array of a file.

    Attributes:
        array: of any of the shapes that `arrays.split` takes.
        label: what is put behind the path: "" if there is only one, else ":name" or "[2]".
        kind: how its planes are taken, None to tell by the shape.
        unit: of its values, if the file says.
        nodata: the value that marks no data, if the file says.
        notes: sentences about how it was read.
    """

    array: NDArray[Any]
    label: str = ""
    kind: str | None = None
    unit: str | None = None
    nodata: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format:
    """A format: the endings of its files, the modules it needs, and the file here that reads."""

    name: str
    suffixes: tuple[str, ...]
    libraries: tuple[str, ...]
    reader: str
    folder: bool = False  # whether a "file" is a folder

    def missing(self) -> str | None:
        """Return the first library that is not installed."""
        return _missing(self.libraries)


@cache
def _missing(libraries: tuple[str, ...]) -> str | None:
    return next((one for one in libraries if find_spec(one) is None), None)


FORMATS = (
    Format("NPZ", (".npz",), (), "npz"),
    Format("NIfTI", (".nii", ".nii.gz"), ("nibabel",), "nifti"),
    Format("DICOM", (".dcm", ".dicom", ".ima"), ("pydicom",), "dicom"),
    Format("OpenEXR", (".exr",), ("OpenEXR",), "exr"),
    Format("NetCDF", (".nc", ".nc4", ".cdf"), ("xarray", "netCDF4"), "gridded"),
    Format("Zarr", (".zarr",), ("xarray", "zarr"), "gridded", folder=True),
    Format("HEIC", (".heic", ".heif"), ("pillow_heif",), "heic"),
    Format("video", (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"), ("av",), "film"),
)

#: Read by Pillow where it can.
TIFF = Format("TIFF", (), ("tifffile",), "tiff")


def format_of(path: str) -> Format | None:
    """Return the format that the name of a file says, None if it is none of these."""
    name = path.lower().rstrip("/")
    return next((one for one in FORMATS if name.endswith(one.suffixes)), None)


def installed(suffix: str) -> bool:
    """Test whether files of this ending can be read with what is installed."""
    known = format_of(suffix)
    return known is None or known.missing() is None


def read_found(path: str, known: Format) -> Iterator[Found]:
    """Read the arrays of a file, one after the other.

    Raises:
        UncheckError: the library is not installed; damaged, too large, or without anything to measure.
    """
    check_installed(path, known)
    read: Callable[[str], Iterator[Found]] = import_module(f"uncheck.signals.formats.{known.reader}").read
    with guarded(path, known):
        yield from read(path)


@contextmanager
def guarded(path: str, known: Format) -> Iterator[None]:
    """Make one sentence of whatever a library raises of a file, and keep what it logs from stderr."""
    loggers = [logging.getLogger(name) for name in (*known.libraries, *_LOGGERS)]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    except UncheckError:
        raise
    except MemoryError as error:
        raise UncheckError(
            f"{path}: asks for more memory than there is; it is damaged, or cut it into parts"
        ) from error
    except Exception as error:  # the libraries raise whatever they like
        raise UncheckError(
            f"{path}: damaged, truncated or not {known.name} ({first_line(error, type(error).__name__)}); "
            "write it again"
        ) from error
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


def check_installed(path: str, known: Format) -> None:
    """Raise UncheckError with what to install if a library of the format is missing."""
    missing = known.missing()
    if missing is not None:
        raise UncheckError(f"{path}: reading {known.name} needs {missing}; install it with: {INSTALL}")


def numbers(path: str, dtype: np.dtype[Any], what: str = "it") -> None:
    """Raise UncheckError unless an array of this type holds real numbers."""
    if dtype.kind not in "buif":
        raise UncheckError(f"{path}: {what} holds {dtype}, expected real numbers; save it as such")
