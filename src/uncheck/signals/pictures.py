"""Picture files become arrays in grey levels."""

from __future__ import annotations

import glob
import os
import struct
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from uncheck.errors import UncheckError
from uncheck.signals.levels import to_levels

#: Endings of the files that are taken from folders and globs.
SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".webp", ".bmp", ".npy")

#: Pillow modes that are read as they are; everything else goes through RGB.
_GREY = {"1", "L", "LA", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"}


#: What Pillow raises for damaged files; a TIFF cut between two pages is a TypeError.
DAMAGED: tuple[type[Exception], ...] = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    TypeError,
    KeyError,
    struct.error,
    Image.DecompressionBombError,
)


@dataclass(frozen=True, eq=False)
class Picture:
    """`pixels` (H, W, C) float32, grey levels 0..255, alpha dropped; `codec` the file format ("PNG")."""

    pixels: NDArray[np.float32]
    codec: str


def read_picture(path: str | Path, span: tuple[float, float] | None = None) -> Picture:
    """Read one picture file.

    Args:
        path: PNG, JPEG, TIFF, WebP, BMP (grey, RGB, palette, CMYK; alpha ignored; 16 bits scaled to 0..255;
            the first frame of several) or .npy of shape (H, W), (H, W, C) or (C, H, W), C at most 4.
        span: the values that black and white have in a .npy; inferred if None.

    Raises:
        UncheckError: missing, empty, truncated, not a picture, or not finite.
    """
    path = Path(path)
    check_file(path)
    if path.suffix.lower() == ".npy":
        return Picture(_finite(path, _channels_last(path, load_array(path), span)), "NPY")
    with opened(path) as image:
        codec = image.format or "unknown"
        return Picture(_finite(path, pixels(image)), codec)


def check_file(path: Path) -> None:
    """UncheckError unless `path` is a file that can be opened and is not empty."""
    if not path.exists():
        raise UncheckError(f"{path}: no such file; check the path")
    if path.is_dir():
        raise UncheckError(f"{path}: is a folder, not a picture; name a file in it")
    try:
        size = path.stat().st_size
        path.open("rb").close()
    except OSError as error:
        raise UncheckError(f"{path}: cannot be opened ({error.strerror}); check its permissions") from error
    if not size:
        raise UncheckError(f"{path}: empty file (0 bytes); write it again")


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """The picture file, for as long as it is read; what goes wrong with it is an UncheckError."""
    try:
        with warnings.catch_warnings():
            # What Pillow finds odd in a file is either an error below or of no consequence.
            warnings.filterwarnings("ignore", module="PIL")
            with Image.open(path) as image:
                yield image
    except UnidentifiedImageError:
        raise UncheckError(
            f"{path}: not a picture that can be read; give PNG, JPEG, TIFF, WebP, BMP or .npy"
        ) from None
    except DAMAGED as error:
        raise UncheckError(f"{path}: damaged or truncated picture ({error}); write it again") from error


def expand(patterns: Iterable[str | Path], suffixes: tuple[str, ...] = SUFFIXES) -> list[str]:
    """Files named by paths, folders (files of these suffixes, sorted, not recursive) and globs, in order.

    Raises:
        UncheckError: a folder or a glob without pictures. A missing file is kept, to be reported on reading.
    """
    out: list[str] = []
    for pattern in map(str, patterns):
        if Path(pattern).is_dir():
            found = sorted(n for n in os.listdir(pattern) if n.lower().endswith(suffixes))
            if not found:
                raise UncheckError(
                    f"{pattern}: no pictures in this folder; it must hold {', '.join(suffixes)}"
                )
            out += [os.path.join(pattern, name) for name in found]  # noqa: PTH118 -- "as given", not normalised
        elif not Path(pattern).exists() and any(c in pattern for c in "*?["):
            matched = sorted(p for p in glob.glob(pattern, recursive=True) if p.lower().endswith(suffixes))  # noqa: PTH207
            if not matched:
                raise UncheckError(
                    f"{pattern}: no picture matches this pattern; check the folder and the ending"
                )
            out += matched
        else:
            out.append(pattern)
    return out


def pixels(image: Image.Image) -> NDArray[np.float32]:
    """(H, W, C) grey levels of the frame at hand, alpha dropped."""
    mode = image.mode
    if mode in _GREY:
        values = np.asarray(image.convert("L") if mode in {"1", "LA"} else image)
        if mode == "I" or mode.startswith("I;16"):
            # Pillow opens some 16-bit greys as 32-bit integers ("I"), and some 8-bit ones too.
            deep = values.astype(np.float32)
            return (deep * np.float32(255 / 65535 if mode != "I" or deep.max(initial=0) > 255 else 1))[
                ..., None
            ]
        return to_levels(values)[..., None]
    if mode in {"P", "PA"}:
        image = image.convert("RGBA")  # Pillow warns of transparent palettes turned to RGB directly
    return np.asarray(image.convert("RGB"), np.float32)


def load_array(path: Path) -> NDArray[np.generic]:
    """The array of a .npy, without unpickling.

    Raises:
        UncheckError: damaged, truncated, pickled, or not of real numbers.
    """
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, TokenError, MemoryError) as error:
        if "pickle" in str(error):
            raise UncheckError(
                f"{path}: holds pickled objects or no array, not opened; save numbers with numpy.save"
            ) from error
        raise UncheckError(
            f"{path}: damaged or truncated .npy array; save it again with numpy.save"
        ) from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "buif":
        kind = values.dtype if isinstance(values, np.ndarray) else "several arrays (.npz)"
        raise UncheckError(f"{path}: holds {kind}, expected one array of real numbers; save it as such")
    return values


def _channels_last(
    path: Path, values: NDArray[np.generic], span: tuple[float, float] | None
) -> NDArray[np.float32]:
    shape = values.shape
    if values.ndim == 2:
        values = values[..., None]
    elif values.ndim == 3 and shape[-1] > 4 and shape[0] <= 4:
        values = np.moveaxis(values, 0, -1)
    elif values.ndim != 3 or shape[-1] > 4:
        raise UncheckError(
            f"{path}: shape {shape} is not a picture; save (H, W), (H, W, C) or (C, H, W), C at most 4"
        )
    if values.size == 0:
        raise UncheckError(f"{path}: shape {shape} holds no pixels; save at least 4 x 4")
    try:
        levels = to_levels(values, span)
    except UncheckError as error:
        raise UncheckError(f"{path}: {error}") from None
    # A fourth channel is alpha by convention, and so is a second one of integers; of floats it is flow.
    if levels.shape[-1] == 4:
        return levels[..., :3]
    return levels[..., :1] if levels.shape[-1] == 2 and values.dtype.kind in "bui" else levels


def _finite(path: Path, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(pixels.sum(dtype=np.float64)):
        bad = pixels.size - int(np.isfinite(pixels).sum())
        raise UncheckError(
            f"{path}: {bad} of {pixels.size} values are NaN or infinite; mask or replace them first"
        )
    return pixels
