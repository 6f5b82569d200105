"""Picture files as arrays: all frames wanted, in their own type."""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError, features

from uncheck.errors import UncheckError
from uncheck.signals.paths import ADVICE, caught_warnings, check_values
from uncheck.signals.profiles import displayed, other_colours

#: The formats that Pillow may look for, by content. Others run programs (EPS starts Ghostscript) or decode
#: what nobody asked for.
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")

#: Formats that are looked for only where the name says so.
BY_NAME = {".gif": "GIF", ".avif": "AVIF"}

#: What Pillow and NumPy raise for damaged files; a TIFF cut between two pages is a TypeError.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, TypeError, KeyError, struct.error)

#: The tag in which GDAL writes the value that marks no data.
GDAL_NODATA = 42113

_OTHER_ORDER = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}

#: What installs a Pillow that reads AVIF.
AVIF = 'pip install "pillow>=11.3"'

Array = NDArray[Any]


class NoPictureError(UncheckError):
    """Pillow knows no format of this content."""


@dataclass(frozen=True, eq=False)
class Frames:
    """The content of a picture file.

    Attributes:
        pages: (H, W) or (H, W, 3) each, in their own type; with alpha (H, W, 2) or (H, W, 4).
        count: frames of the file; `pages` may be the first alone.
        codec: file format ("PNG").
        tables: quantisation tables of a JPEG.
        deep: whether the pages are of more than 8 bits.
        cut: whether 16 bits per colour were read as 8.
        nodata: the value that a GeoTIFF says marks no data.
        notes: what was converted to what is displayed.
    """

    pages: list[Array]
    count: int
    codec: str
    tables: tuple[tuple[int, ...], ...] | None
    deep: bool
    cut: bool
    nodata: float | None = None
    notes: tuple[str, ...] = ()


def read_frames(path: str, wanted: Literal["first", "pages", "all"], *, as_shown: bool = False) -> Frames:
    """Read the first frame of a picture file, or all pages of a TIFF, or all frames of any format.

    Colours of 8 bits are as they are, or `as_shown`: converted to sRGB from their profile or gamma.

    Raises:
        UncheckError: not a picture in one of FORMATS, damaged, truncated, or too large.
    """
    if path.lower().endswith(".avif") and not _has_avif():
        raise UncheckError(f"{path}: reading AVIF needs Pillow 11.3 or later; install it with: {AVIF}")
    try:
        # What Pillow finds odd in a file is either an error or of no consequence.
        with caught_warnings(), Image.open(path, formats=_formats(path)) as image:
            if _deep_planes(image):
                raise NoPictureError(
                    f"{path}: its planes of 16 bits lie one after the other; write them side by side"
                )
            codec, count = image.format or "unknown", _count(image, path)
            several = count if wanted == "all" or (wanted == "pages" and codec == "TIFF") else 1
            sixteen, deep = _sixteen_bit_colour(image, path), _deep(image)
            tables = tuple(tuple(t) for t in getattr(image, "quantization", {}).values()) or None
            pages: list[Array] = []
            cut = False
            notes: dict[str, None] = {}
            for i in range(several):
                image.seek(i)
                sides = (image.height, image.width, 1 if deep or image.mode in {"1", "L", "LA"} else 3)
                if _has_alpha(image):
                    sides = (*sides[:2], sides[2] + 1)
                check_values(path, sides if several == 1 else (several, *sides))
                page = _sixteen_bits(image, path) if sixteen else None
                cut = cut or (sixteen and page is None)
                shown: Image.Image = image
                if as_shown and page is None and not deep:
                    shown, said = displayed(image)
                    notes |= dict.fromkeys(said)
                elif as_shown and (kept := other_colours(image)) is not None:
                    notes[f"Its {kept} was not applied, for it has more than 8 bits."] = None
                pages.append(_page(shown) if page is None else page)
            deep = deep or (sixteen and not cut)
            return Frames(pages, count, codec, tables, deep, cut, _nodata(image), tuple(notes))
    except UncheckError:
        raise
    except UnidentifiedImageError:
        raise NoPictureError(
            f"{path}: not a picture that can be read; give PNG, JPEG, TIFF, WebP, BMP or .npy"
        ) from None
    except Image.DecompressionBombError as error:
        raise UncheckError(f"{path}: its pixels are more than {ADVICE}") from error
    except DAMAGED as error:
        raise UncheckError(f"{path}: damaged or truncated picture ({error}); write it again") from error


def _has_avif() -> bool:
    with caught_warnings():  # a Pillow that never heard of it warns
        return bool(features.check("avif"))


def _formats(path: str) -> tuple[str, ...]:
    return (*FORMATS, *(name for suffix, name in BY_NAME.items() if path.lower().endswith(suffix)))


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
    mode = "L" if image.mode in {"1", "L", "LA"} else "RGB"
    return np.array(image.convert(f"{mode}A" if _has_alpha(image) else mode))


def _has_alpha(image: Image.Image) -> bool:
    """Test for an alpha channel, or one transparent colour or palette entry."""
    return image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info


def _deep_planes(image: Image.Image) -> bool:
    """Test for a TIFF whose colours of more than 8 bits are planes: Pillow misreads them."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(258, (8,))
    return tags.get(284) == 2 and image.mode in {"RGB", "RGBA"} and max(bits) > 8


def _sixteen_bits(image: Image.Image, path: str) -> Array | None:
    """Return (H, W, C) uint16 of a picture of 16 bits per colour, None where Pillow has only eight of them.

    Pillow keeps the high byte of each colour; told that the bytes come in the other order, the low one.
    """
    if image.format == "PNG" and image.tell():
        return None  # frames of an animation are drawn over each other, in 8 bits
    with Image.open(path, formats=_formats(path)) as second:
        second.seek(image.tell())
        tiles: list[Any] = []
        for tile in second.tile:
            *place, given = tile  # a plain tuple before Pillow 11
            args: tuple[Any, ...] = given if isinstance(given, tuple) else (given,)
            name = str(args[0])
            mode, _, order = name.partition(";")
            if (mode, order, image.mode) == ("LA", "16B", "RGBA"):
                name = "RGBA"  # four bytes each: two of grey, two of alpha
            elif mode == image.mode and order in _OTHER_ORDER:
                name = f"{mode};{_OTHER_ORDER[order]}"
            else:
                return None
            told = (name, *args[1:]) if len(args) > 1 else name
            tiles.append(tile._replace(args=told) if hasattr(tile, "_replace") else (*place, told))
        second.tile = tiles
        low = np.array(second)
        if name == "RGBA":
            return np.asarray(low.view(">u2").astype(np.uint16))
        return np.asarray(np.array(image).astype(np.uint16) << 8 | low)


def _nodata(image: Image.Image) -> float | None:
    """Return the value in the tag that GDAL writes into a GeoTIFF, if it is a number."""
    said = getattr(image, "tag_v2", {}).get(GDAL_NODATA)
    try:
        return None if said is None else float(str(said).strip("\0 "))
    except ValueError:
        return None


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
