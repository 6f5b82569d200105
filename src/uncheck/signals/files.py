"""Files and arrays as signals, and the inputs of `measure` as items to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tokenize import TokenError

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.signals.arrays import Raw, split
from uncheck.signals.audio import read_audio
from uncheck.signals.formats.table import (
    FORMATS,
    TIFF,
    Format,
    Found,
    format_of,
    numbers,
    read_found,
)
from uncheck.signals.levels import check_finite, infer_range
from uncheck.signals.paths import PICTURES, SOUNDS, check_file, check_values
from uncheck.signals.pictures import DAMAGED, NoPictureError, read_frames
from uncheck.signals.signal import Given, Signal, tiles

#: Endings of all files that can be measured.
SUFFIXES = (*PICTURES, *SOUNDS, *(suffix for one in FORMATS for suffix in one.suffixes))

#: Endings of those that may hold something else than pictures.
MAY_BE_DEEP = (*(s for s in SUFFIXES if s not in PICTURES), ".npy", ".tif", ".tiff")

#: How TIFF files begin, large ones too.
TIFF_BEGINS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

SIXTEEN = "Its 16 bits per channel were read as 8; save it as RGB or as .npy for the rest."


@dataclass(frozen=True, eq=False)
class Picture:
    """`pixels` (H, W, C) float32, grey levels 0..255, alpha dropped; `codec` the file format ("PNG")."""

    pixels: NDArray[np.float32]
    codec: str


def read_picture(path: str | Path, span: tuple[float, float] | None = None) -> Picture:
    """Read one picture file.

    Args:
        path: PNG, JPEG, TIFF, WebP, BMP (grey, RGB, palette, CMYK; alpha dropped; 16 bits scaled to 0..255;
            the first frame of several) or .npy of shape (H, W), (H, W, C) or (C, H, W), C at most 4.
        span: the values that black and white have in a .npy; inferred if None.

    Raises:
        UncheckError: missing, empty, truncated, not a picture, too large, or not finite.
    """
    check_file(path)
    name = str(path)
    if name.lower().endswith(".npy"):
        array, codec = load_array(path), "NPY"
    else:
        frames = read_frames(name, "first")
        array, codec, span = frames.pages[0], frames.codec, None
    if array.size:  # what is wrong with an empty one, `split` says
        check_finite(array, name)
        # What a network is given keeps the unit of its type, however dark it is.
        span = span or infer_range(array)
    raws = split(array, name, Given(span), codec)
    if [raw.kind for raw in raws] != ["picture"]:
        raise UncheckError(f"{path}: is not a picture; give (H, W), (H, W, C) or (C, H, W), C at most 4")
    signal = _signal(raws[0], name)
    return Picture(signal.values, signal.codec or "unknown")


def read_signals(path: str, given: Given) -> Iterator[Signal]:
    """Read all signals of one file, one after the other.

    A TIFF of several pages is a volume if grey, video in colour, unless `given` says otherwise.

    Raises:
        UncheckError: what cannot be read, or not be taken as `given` says.
    """
    known = format_of(path)
    if known is None or not known.folder or not Path(path).is_dir():
        check_file(path)
    for signal in _read(path, given):
        if given.mosaic is None:
            yield signal
        else:
            yield from tiles(signal, given.mosaic, given.gap)


def _read(path: str, given: Given) -> Iterator[Signal]:
    if path.lower().endswith(SOUNDS):
        yield read_audio(path, given)
    elif path.lower().endswith(".npy"):
        array = load_array(path)
        if not array.size:
            raise UncheckError(f"{path}: shape {array.shape} holds nothing; save at least 4 x 4 pixels")
        yield from (_signal(raw, path) for raw in split(array, path, given, "NPY"))
    elif (known := format_of(path)) is not None:
        check_no_sound(path, given)
        for found in read_found(path, known):
            yield from signals_of_format(path, known, found, given)
    else:
        try:
            yield from _pictures(path, given)
        except NoPictureError:
            if Path(path).read_bytes()[:4] not in TIFF_BEGINS:
                raise
            for found in read_found(path, TIFF):
                yield from signals_of_format(path, TIFF, found, given)


def check_no_sound(path: str, given: Given) -> None:
    """Raise UncheckError if a picture is to be taken as sound."""
    if given.kind == "audio" or given.rate is not None:
        raise UncheckError(f"{path}: is a picture and has no sample rate; leave that out")


def signals_of_format(path: str, known: Format, found: Found, given: Given) -> Iterator[Signal]:
    """Yield the signals of an array that a library has read; what the caller says goes before the file."""
    numbers(path, found.array.dtype)
    said = replace(
        given,
        kind=given.kind or found.kind,
        unit=given.unit or found.unit,
        nodata=found.nodata if given.nodata is None else given.nodata,
    )
    if said.kind in ("volume", "frames") and found.array.ndim == 2:
        said = replace(said, kind=None)
    for raw in split(found.array, path + found.label, said, known.name):
        yield _signal(replace(raw, notes=(*found.notes, *raw.notes)), path)


def _signal(raw: Raw, path: str) -> Signal:
    check_values(path, raw.array.shape, spatial=raw.kind != "audio")
    return raw.signal()


def _pictures(path: str, given: Given) -> Iterator[Signal]:
    check_no_sound(path, given)
    # Formats of several frames but TIFF are animations, of which people mean the first.
    frames = read_frames(path, "pages" if given.kind in (None, "pictures") else "all", as_shown=True)
    pages, kind = frames.pages, given.kind
    notes = (SIXTEEN, *frames.notes) if frames.cut else frames.notes
    if len(pages) == 1:
        if frames.count > 1:
            notes += (f"The first of {frames.count} frames was measured; with --as frames all are.",)
        kind = None if kind == "frames" else kind
        stacks = [(path, pages[0][None] if kind == "volume" else pages[0], kind)]
    elif len({(page.shape, page.dtype) for page in pages}) == 1:
        stacks = [(path, np.stack(pages), kind or ("volume" if frames.codec == "TIFF" else "frames"))]
    elif kind == "volume":
        sizes = sorted({" x ".join(map(str, page.shape)) for page in pages})
        raise UncheckError(
            f"{path}: its pages have different sizes ({', '.join(sizes)}) and make no volume; "
            "measure them as pictures"
        )
    else:
        notes += ("Its pages have different sizes, so each was measured as a picture of its own.",)
        stacks = [(f"{path}[{i}]", page, None) for i, page in enumerate(pages)]
    # The range of a picture of 8 bits is known.
    said = replace(
        given,
        span=given.span if frames.deep or len(pages) > 1 else None,
        nodata=frames.nodata if given.nodata is None else given.nodata,
    )
    for name, stack, one in stacks:
        for raw in split(stack, name, replace(said, kind=one), frames.codec):
            signal = raw.signal()
            yield replace(
                signal,
                tables=frames.tables if len(pages) == 1 else None,
                notes=(*notes, *signal.notes, *_taken(signal, given)),
            )


def _taken(signal: Signal, given: Given) -> tuple[str, ...]:
    if given.kind is not None or signal.kind == "picture":
        return ()
    return (
        f"Its {len(signal.values)} pages were taken as one {signal.kind}; "
        "with --as pictures each page is measured on its own.",
    )


def load_array(path: str | Path) -> NDArray[np.generic]:
    """Read the array of a .npy, without unpickling and without believing its header.

    Raises:
        UncheckError: damaged, truncated, pickled, or not of real numbers.
    """
    try:
        # Mapped, not read: what the header says costs nothing until its size was compared with the file's.
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (*DAMAGED, ArithmeticError, MemoryError, TokenError) as error:
        if "pickle" in str(error) or "Python objects" in str(error):
            raise UncheckError(
                f"{path}: holds pickled objects or no array, not opened; save numbers with numpy.save"
            ) from error
        raise UncheckError(
            f"{path}: damaged or truncated .npy array; save it again with numpy.save"
        ) from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "buif":
        kind = values.dtype if isinstance(values, np.ndarray) else "several arrays (.npz)"
        raise UncheckError(f"{path}: holds {kind}, expected one array of real numbers; save it as such")
    return np.array(values)


def cut(raw: Raw, given: Given) -> list[Signal]:
    """Return an array as its signal, or as the tiles of its mosaic."""
    signal = raw.signal()
    return [signal] if given.mosaic is None else tiles(signal, given.mosaic, given.gap)
