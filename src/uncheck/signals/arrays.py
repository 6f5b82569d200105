"""Arrays as signals, by their shape or as the caller says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.signals.audio import sound
from uncheck.signals.levels import not_finite, to_levels
from uncheck.signals.masks import Mask, filled, percent
from uncheck.signals.nodata import find_missing
from uncheck.signals.ranges import Range, find_range
from uncheck.signals.signal import Given, Signal
from uncheck.words import plural

Array = NDArray[Any]

#: Most channels of a picture: red, green, blue and alpha.
MOST_CHANNELS = 4

#: Fewest slices of a volume: two cycles of the shortest period.
FEWEST_SLICES = 4

#: Grey levels beyond which a value is none: the square of the sum of a few would overflow.
BEYOND = 1e9

#: Most channels of audio, where shapes must tell channels from samples.
MOST_LOUDSPEAKERS = 32


@dataclass(frozen=True, eq=False)
class Raw:
    """One array, channels last, that is not scaled yet.

    `shared` is the range of the batch it belongs to; `opaque` (*spatial) is where its alpha is not 0, None if
    nowhere.
    """

    name: str
    array: Array
    kind: str
    given: Given
    codec: str | None = None
    shared: Range | None = None
    notes: tuple[str, ...] = ()
    opaque: Mask | None = None

    def signal(self) -> Signal:
        """Scale the array to grey levels; where there is no value, `values` continue the others smoothly.

        Raises:
            UncheckError: no value at all; sound with values that are not finite.
        """
        if self.kind == "audio":
            return sound(self.name, self.array, self.given, self.codec)
        mask, said = find_missing(self.array, self.given.nodata, self.given.span)
        if mask is not None and not mask.any():
            if not np.isfinite(self.array).any():
                raise not_finite(self.array, self.name)
            raise UncheckError(
                f"{self.name}: it has {plural(mask.size, 'pixel')}, NaN, infinite or nodata all over; "
                "there is nothing to measure"
            )
        seen = mask
        if self.opaque is not None:
            seen = self.opaque if mask is None else mask & self.opaque
            said += (f"{percent(1 - float(self.opaque.mean()))} of it is transparent and was left out.",)
        if seen is not None and not seen.any():
            raise UncheckError(
                f"{self.name}: it has {plural(seen.size, 'pixel')}, transparent or without a value all over; "
                "there is nothing to measure; take the alpha channel away to measure the colours"
            )
        known = self.array if seen is None else self.array[seen]
        span = _given(self.given) or self.shared or find_range(known, own=self.given.unit is not None)
        array = self.array
        if mask is not None:  # before scaling: a fill of 1e38 would overflow
            array = np.where(mask[..., None], array, known.mean(axis=0).astype(array.dtype))
        values = to_levels(array, span[:2])
        beyond = _beyond(values) if self.array.dtype.kind == "f" else None
        if beyond is not None:
            count = f"{int(beyond.sum())} of {plural(beyond.size, 'pixel')}"
            said += (f"{count} lie far outside of all others: masked.",)
            mask = ~beyond if mask is None else mask & ~beyond
            seen = mask if seen is None else seen & mask
        if mask is not None:  # smoothly: what is of one value would be taken for a flat background
            values = filled(values, mask)
        return Signal(
            self.name,
            values,
            self.kind,
            self.codec,
            span[:2],
            self.given.unit,
            notes=(*self.notes, *said),
            mask=seen,
            source=span.source,
        )


def split(array: Array, name: str, given: Given, codec: str | None = None) -> list[Raw]:
    """Split one array into signals, not scaled yet.

    Args:
        array: by shape, unless `given.kind` or `given.rate` says otherwise: (H, W), (H, W, C) or (C, H, W)
            with C at most 4: a picture; (D, H, W): a volume; (N, H, W, C) or (N, C, H, W): pictures if it
            comes from memory, video if from a file (`codec`); (N, C, D, H, W): volumes.
        name: to call it by.
        given: what the caller says.
        codec: of the file.

    Raises:
        UncheckError: a shape that cannot be taken so.
    """
    if array.dtype.kind not in "buif" or not array.size:
        raise UncheckError(
            f"{name}: expected numbers, got an array of shape {array.shape} and type {array.dtype}"
        )
    if given.kind == "audio" or given.rate is not None:
        return _audio(array, name, given, codec)
    kind, ndim = given.kind, array.ndim
    if kind in ("pictures", "frames") and ndim in (3, 4):
        if kind == "frames" or not _is_picture(array):
            return _planes(array, name, given, codec)
    elif kind in ("volume", None) and ndim == 5:
        return _volumes(array, name, given, codec)
    elif (kind == "volume" and ndim in (3, 4)) or (
        kind is None and ((ndim == 3 and not _is_picture(array)) or (ndim == 4 and codec is not None))
    ):
        return _volume(array, name, given, codec)
    elif kind is None and ndim == 4:
        return _planes(array, name, given, codec)
    elif kind == "volume":
        raise UncheckError(f"{name}: shape {array.shape} is not a volume; give (D, H, W) or (D, H, W, C)")
    if not _is_picture(array):
        raise UncheckError(
            f"{name}: shape {array.shape} is not a picture; give (H, W), (H, W, C) or (C, H, W), "
            f"C at most {MOST_CHANNELS}, or say what it is with --as: pictures, frames, volume or audio"
        )
    values, opaque = _channels_last(array, 2)
    return [Raw(name, values, "picture", given, codec, opaque=opaque)]


def _audio(array: Array, name: str, given: Given, codec: str | None) -> list[Raw]:
    if array.ndim == 3:
        return [raw for i, one in enumerate(array) for raw in _audio(one, f"{name}[{i}]", given, codec)]
    if array.ndim not in (1, 2) or (array.ndim == 2 and min(array.shape) > MOST_LOUDSPEAKERS):
        raise UncheckError(
            f"{name}: shape {array.shape} is not audio; give (n,), (C, n) or (n, C), "
            f"C at most {MOST_LOUDSPEAKERS}, or a batch (N, C, n)"
        )
    samples = array.T if array.ndim == 2 and array.shape[0] < array.shape[1] else array
    return [Raw(name, samples, "audio", given, codec)]


def _planes(array: Array, name: str, given: Given, codec: str | None) -> list[Raw]:
    # Pictures of one batch share one range: a dark one must not get its own unit.
    shared = None if given.kind == "pictures" else _shared(array, given)
    out = []
    for i, plane in enumerate(array):
        label = f"{name}[{i}]"
        if not _is_picture(plane):
            raise UncheckError(
                f"{label}: shape {plane.shape} is not a picture; give (H, W), (H, W, C) or (C, H, W), "
                f"C at most {MOST_CHANNELS}"
            )
        values, opaque = _channels_last(plane, 2)
        out.append(Raw(label, values, "picture", given, codec, shared, opaque=opaque))
    return out


def _volumes(array: Array, name: str, given: Given, codec: str | None) -> list[Raw]:
    shared = _shared(array, given)
    return [
        replace(raw, shared=shared)
        for i, one in enumerate(array)
        for raw in _volume(one, f"{name}[{i}]", given, codec)
    ]


def _volume(array: Array, name: str, given: Given, codec: str | None) -> list[Raw]:
    shape = array.shape
    volume = array
    if array.ndim == 4 and shape[-1] > MOST_CHANNELS >= shape[1]:
        volume = np.moveaxis(array, 1, -1)  # (T, C, H, W), as networks write it
    elif array.ndim == 4 and min(shape[0], shape[-1]) > MOST_CHANNELS:
        raise UncheckError(
            f"{name}: shape {shape} has no axis of at most {MOST_CHANNELS} channels; give (D, H, W), "
            "(D, H, W, C) or (C, D, H, W)"
        )
    volume, opaque = _channels_last(volume, 3)
    kind, axes = ("volume", "depth") if volume.shape[-1] == 1 else ("video", "time")
    if volume.shape[0] == 1:
        note = f"A {kind} with a single slice was measured as a picture."
        only = None if opaque is None else opaque[0]
        return [Raw(name, volume[0], "picture", given, codec, notes=(note,), opaque=only)]
    if volume.shape[0] < FEWEST_SLICES:
        note = f"A {kind} of fewer than {FEWEST_SLICES} slices was measured slice by slice."
        shared = _shared(volume, given)
        return [
            Raw(
                f"{name}[{i}]",
                plane,
                "picture",
                given,
                codec,
                shared,
                (note,),
                None if opaque is None else opaque[i],
            )
            for i, plane in enumerate(volume)
        ]
    note = (
        f"Shape {shape} was taken as a {kind} ({axes}, height, width); "
        "with --as pictures each plane is measured on its own."
    )
    return [Raw(name, volume, kind, given, codec, notes=() if given.kind else (note,), opaque=opaque)]


def _beyond(levels: NDArray[np.float32]) -> Mask | None:
    """Return the places of values that the arithmetic of the tests does not hold, None if there are none."""
    if max(levels.max(), -levels.min()) <= BEYOND:
        return None
    return np.asarray((np.abs(levels) > BEYOND).any(axis=-1))


def _given(given: Given) -> Range | None:
    return None if given.span is None else Range(*given.span, "given")


def _shared(array: Array, given: Given) -> Range | None:
    """Return the range of all that a batch holds, None if it holds no value."""
    mask, _ = find_missing(array[..., None], given.nodata, given.span)
    known = array if mask is None else array[mask]
    return find_range(known, own=given.unit is not None) if known.size else None


def _is_picture(array: Array) -> bool:
    return array.ndim == 2 or (array.ndim == 3 and min(array.shape[0], array.shape[-1]) <= MOST_CHANNELS)


def _channels_last(array: Array, ndim: int) -> tuple[Array, Mask | None]:
    """Return (*spatial, C) without alpha, of an array with or without channels, first or last.

    And where its alpha is not 0; None if there is none, or nowhere.
    """
    if array.ndim == ndim:
        return array[..., None], None
    if array.shape[-1] > MOST_CHANNELS and array.shape[0] <= MOST_CHANNELS:
        array = np.moveaxis(array, 0, -1)
    # A fourth channel is alpha by convention, and so is a second one of integers; of floats it is flow.
    channels = array.shape[-1]
    if channels != MOST_CHANNELS and not (channels == 2 and array.dtype.kind in "bui"):
        return array, None
    opaque = array[..., -1] != 0
    return array[..., : 1 if channels == 2 else 3], None if opaque.all() else opaque
