"""Files become signals: pictures, pages, arrays and audio."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from uncheck.errors import UncheckError
from uncheck.signals import audio
from uncheck.signals.arrays import split
from uncheck.signals.mosaics import tiles
from uncheck.signals.pictures import SUFFIXES as PICTURES
from uncheck.signals.pictures import check_file, load_array, opened, pixels
from uncheck.signals.signal import Given, Signal

#: Endings of all files that can be measured.
SUFFIXES = (*PICTURES, *audio.SUFFIXES)

SIXTEEN = "Its 16 bits per channel were read as 8; save it as .npy for the rest."


def read_signals(path: str, given: Given) -> Iterator[Signal]:
    """All signals of one file, one after the other.

    Args:
        path: a picture, a TIFF of several pages (grey: a volume, colour: video), an .npy, or audio.
        given: what the caller says of them.

    Raises:
        UncheckError: what cannot be read, or not be taken as `given` says.
    """
    file = Path(path)
    check_file(file)
    if file.suffix.lower() in audio.SUFFIXES:
        found: Iterator[Signal] = iter([audio.read_audio(path, given)])
    elif file.suffix.lower() == ".npy":
        array = load_array(file)
        if not array.size:
            raise UncheckError(f"{path}: shape {array.shape} holds nothing; save at least 4 x 4 pixels")
        found = (raw.signal() for raw in split(array, path, given, "NPY"))
    else:
        found = _pictures(path, given)
    for signal in found:
        if given.mosaic is None:
            yield signal
        else:
            yield from tiles(signal, given.mosaic, given.gap)


def _pictures(path: str, given: Given) -> Iterator[Signal]:
    if given.kind == "audio" or given.rate is not None:
        raise UncheckError(f"{path}: is a picture and has no sample rate; leave that out")
    with opened(Path(path)) as image:
        codec, count = image.format or "unknown", _count(image, path)
        notes: tuple[str, ...] = (SIXTEEN,) if _sixteen_bit_colour(image, Path(path)) else ()
        # Other formats of several frames are animations, of which people mean the first.
        many = count > 1 and (codec == "TIFF" or given.kind not in (None, "pictures"))
        if not many and not _deep(image):
            if count > 1:
                notes += (f"The first of {count} frames was measured; with kind frames all are.",)
            if given.kind == "volume":
                notes += ("A volume with a single slice was measured as a picture.",)
            tables = tuple(tuple(t) for t in getattr(image, "quantization", {}).values()) or None
            yield Signal(path, pixels(image), "picture", codec, unit=given.unit, notes=notes, tables=tables)
            return
        pages = []
        for i in range(count if many else 1):
            image.seek(i)
            pages.append(_raw(image))
    if len(pages) == 1:
        kind = None if given.kind == "frames" else given.kind
        stacks = [(path, pages[0] if kind != "volume" else pages[0][None], kind)]
    elif len({(page.shape, page.dtype) for page in pages}) == 1:
        kind = given.kind or ("volume" if codec == "TIFF" else "frames")
        stacks = [(path, np.stack(pages), kind)]
    elif given.kind == "volume":
        sizes = sorted({" x ".join(map(str, page.shape)) for page in pages})
        raise UncheckError(
            f"{path}: its pages have different sizes ({', '.join(sizes)}) and make no volume; "
            "measure them as pictures"
        )
    else:
        notes += ("Its pages have different sizes, so each was measured as a picture of its own.",)
        stacks = [(f"{path}[{i}]", page, None) for i, page in enumerate(pages)]
    for name, stack, kind in stacks:
        for raw in split(stack, name, Given(given.span, given.unit, kind), codec):
            signal = raw.signal()
            yield replace(signal, notes=(*notes, *signal.notes, *_taken(signal, given)))


def _count(image: Image.Image, path: str) -> int:
    with warnings.catch_warnings():
        # Where a TIFF ends before its list of pages does, Pillow warns and takes the last for the end.
        warnings.filterwarnings("error", message="Corrupt EXIF", module="PIL")
        try:
            return int(getattr(image, "n_frames", 1))
        except UserWarning as warning:
            raise UncheckError(
                f"{path}: truncated, it names more pages than it holds; write it again"
            ) from warning


def _taken(signal: Signal, given: Given) -> tuple[str, ...]:
    if given.kind is not None or signal.kind == "picture":
        return ()
    return (
        f"Its {len(signal.values)} pages were taken as one {signal.kind}; "
        "with kind pictures each page is measured on its own.",
    )


def _raw(image: Image.Image) -> NDArray[np.generic]:
    """The frame at hand in its own type: (H, W), or (H, W, 3) for anything with colour."""
    if _deep(image):
        return _sixteen(np.array(image))
    return np.array(image.convert("L" if image.mode in {"1", "L", "LA"} else "RGB"))


def _deep(image: Image.Image) -> bool:
    return image.mode in {"F", "I"} or image.mode.startswith("I;16")


def _sixteen(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Some 16-bit greys, and some of 8 bits, are opened as 32-bit integers."""
    if values.dtype != np.int32 or values.min(initial=0) < 0 or values.max(initial=0) > 65535:
        return values
    return values.astype(np.uint16 if values.max(initial=0) > 255 else np.uint8)


def _sixteen_bit_colour(image: Image.Image, path: Path) -> bool:
    if image.mode not in {"RGB", "RGBA", "LA"}:
        return False
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(258, (8,))
        return bool(max(bits if isinstance(bits, tuple) else (bits,)) > 8)
    if image.format == "PNG":
        with path.open("rb") as file:
            return file.read(25)[24:25] == b"\x10"
    return False
