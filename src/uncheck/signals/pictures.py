"""Picture files as arrays: all frames wanted, in their own type."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from uncheck.errors import UncheckError
from uncheck.signals.paths import ADVICE, caught_warnings, check_values

#: The formats that Pillow may look for, by content. Others run programs (EPS starts Ghostscript) or decode
#: what nobody asked for.
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")

#: What Pillow and NumPy raise for damaged files; a TIFF cut between two pages is a TypeError.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, TypeError, KeyError, struct.error)

Array = NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class Frames:
    """The content of a picture file.

    Attributes:
        pages: (H, W) or (H, W, 3) each, in their own type, alpha dropped.
        count: frames of the file; `pages` may be the first alone.
        codec: file format ("PNG").
        tables: quantisation tables of a JPEG.
        deep: whether the pages are of more than 8 bits.
        cut: whether 16 bits per colour were read as 8.
    """

    pages: list[Array]
    count: int
    codec: str
    tables: tuple[tuple[int, ...], ...] | None
    deep: bool
    cut: bool


def read_frames(path: str, wanted: Literal["first", "pages", "all"]) -> Frames:
    """Read the first frame of a picture file, or all pages of a TIFF, or all frames of any format.

    Raises:
        UncheckError: not a picture in one of FORMATS, damaged, truncated, or too large.
    """
    try:
        # What Pillow finds odd in a file is either an error or of no consequence.
        with caught_warnings(), Image.open(path, formats=FORMATS) as image:
            codec, count = image.format or "unknown", _count(image, path)
            several = count if wanted == "all" or (wanted == "pages" and codec == "TIFF") else 1
            cut, deep = _sixteen_bit_colour(image, path), _deep(image)
            tables = tuple(tuple(t) for t in getattr(image, "quantization", {}).values()) or None
            pages: list[Array] = []
            for i in range(several):
                image.seek(i)
                sides = (image.height, image.width, 1 if deep or image.mode in {"1", "L", "LA"} else 3)
                check_values(path, sides if several == 1 else (several, *sides))
                pages.append(_page(image))
            return Frames(pages, count, codec, tables, deep, cut)
    except UncheckError:
        raise
    except UnidentifiedImageError:
        raise UncheckError(
            f"{path}: not a picture that can be read; give PNG, JPEG, TIFF, WebP, BMP or .npy"
        ) from None
    except Image.DecompressionBombError as error:
        raise UncheckError(f"{path}: its pixels are more than {ADVICE}") from error
    except DAMAGED as error:
        raise UncheckError(f"{path}: damaged or truncated picture ({error}); write it again") from error


def _count(image: Image.Image, path: str) -> int:
    with caught_warnings("always") as said:
        count = int(getattr(image, "n_frames", 1))
    # Where a TIFF ends before its list of pages does, Pillow warns and takes the last for the end.
    if any("Corrupt EXIF" in str(warning.message) for warning in said):
        raise UncheckError(f"{path}: truncated, it names more pages than it holds; write it again")
    return count


def _page(image: Image.Image) -> Array:
    if _deep(image):
        values = np.array(image)
        # Some 16-bit greys, and some of 8 bits, are opened as 32-bit integers.
        low, high = values.min(initial=0), values.max(initial=0)
        if values.dtype != np.int32 or low < 0 or high > 65535:
            return values
        return values.astype(np.uint16 if high > 255 else np.uint8)
    if image.mode in {"P", "PA"}:
        image = image.convert("RGBA")  # Pillow warns of transparent palettes turned to RGB directly
    return np.array(image.convert("L" if image.mode in {"1", "L", "LA"} else "RGB"))


def _deep(image: Image.Image) -> bool:
    return image.mode in {"F", "I"} or image.mode.startswith("I;16")


def _sixteen_bit_colour(image: Image.Image, path: str) -> bool:
    if image.mode not in {"RGB", "RGBA", "LA"}:
        return False
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(258, (8,))
        return bool(max(bits if isinstance(bits, tuple) else (bits,)) > 8)
    if image.format == "PNG":
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(25)[24:25] == b"\x10"
    return False
