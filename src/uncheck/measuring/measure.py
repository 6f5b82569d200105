"""`uncheck.measure`: pictures in, a calibrated number and a verdict out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.brightness import Dependence, brightness_dependence
from uncheck.measuring.frequencies import checked_periods
from uncheck.measuring.lattice import PERIODS, SIGNIFICANCE, VISIBLE, Lattice, find_lattice
from uncheck.measuring.levels import infer_range, to_levels
from uncheck.measuring.pictures import expand, read_picture
from uncheck.measuring.rivals import name_rival, only_enlarged

SCHEMA = "uncheck.measure/1"

#: The longest period tested in pictures, pixels: a period P has about P^2 / 2 frequencies.
LONGEST = 64


@dataclass(frozen=True)
class ImageMeasurement:
    """One picture: `verdict` is "lattice", "clean" or "rival".

    If "rival", then `rival` says "jpeg" or "bayer".
    """

    path: str
    verdict: str
    rival: str | None
    found: Lattice
    brightness: tuple[Dependence, ...] = ()

    @property
    def strength(self) -> float:
        """Root of the summed squares of the amplitudes present, grey levels."""
        return self.found.strength

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "path": self.path,
            "verdict": self.verdict,
            "rival": self.rival,
            "lattice": [c.to_dict() for c in self.found.present],
            "strength": self.strength,
            "traces": [c.to_dict() for c in self.found.traces],
            "not_tested": list(self.found.not_tested),
            "brightness": [d.to_dict() for d in self.brightness],
        }

    def __str__(self) -> str:
        if self.verdict == "clean":
            return f"{self.path}: clean"
        parts = ", ".join(
            f"period {'x'.join(map(str, c.period))} {c.amplitude:.2f} levels (p = {c.p_value:.1g})"
            for c in self.found.present
        )
        name = f"rival ({self.rival})" if self.rival else "lattice"
        return f"{self.path}: {name}, {parts}"


@dataclass(frozen=True)
class Measurement:
    """All pictures measured, in order, and the files that could not be (`errors`: path and reason)."""

    images: tuple[ImageMeasurement, ...]
    errors: tuple[tuple[str, str], ...] = ()

    @property
    def verdict(self) -> str:
        """The worst verdict of all pictures: "lattice", then "rival", then "clean"."""
        verdicts = {image.verdict for image in self.images}
        return next((v for v in ("lattice", "rival") if v in verdicts), "clean")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "schema": SCHEMA,
            "images": [image.to_dict() for image in self.images],
            "errors": [{"path": path, "error": error} for path, error in self.errors],
        }

    def __str__(self) -> str:
        return "\n".join([*map(str, self.images), *(f"{error}" for _, error in self.errors)])


def measure(
    images: str | Path | ArrayLike | Sequence[Any],
    *,
    periods: Iterable[int] = PERIODS,
    threshold: float = VISIBLE,
    significance: float = SIGNIFICANCE,
    span: tuple[float, float] | None = None,
) -> Measurement:
    """Is there a lattice in these pictures, at which periods, how strong, how certain?

    Args:
        images: a path, folder or glob, an array or tensor ((H, W), (H, W, C), (C, H, W) or a batch
            (N, C, H, W) or (N, H, W, C), C at most 4), or a sequence of these.
        periods: pixels per period to test, each at least 2.
        threshold: grey levels (0..255) below which a significant lattice is only a trace. The default,
            0.3, lies above what cameras and scanners leave in photographs (up to 0.25).
        significance: corrected p-value below which a lattice counts as there.
        span: the values that stand for black and white in float arrays; inferred if None.

    Returns:
        A `Measurement`; `strength` of each picture is 0 when clean, larger is worse, unbounded.

    Raises:
        UncheckError: a path or array that cannot be measured. Among several files, the bad ones are
            listed in `errors` and the rest measured.

    Cost: about one PNG decoding of the picture; memory four float32 copies of it.
    """
    settings = {
        "periods": _some_periods(periods),
        "threshold": threshold,
        "significance": significance,
    }
    items = list(_items(images))
    measured: list[ImageMeasurement] = []
    errors: list[tuple[str, str]] = []
    for name, item in items:
        try:
            if isinstance(item, str):
                picture = read_picture(item, span)
                pixels, codec = picture.pixels, picture.codec
            else:
                array, shared = item
                pixels, codec = to_levels(array, span or shared), None
            measured.append(_measure_one(name, pixels, codec, settings))
        except UncheckError as error:
            message = str(error) if str(error).startswith(name) else f"{name}: {error}"
            if len(items) == 1:
                raise UncheckError(message) from error
            errors.append((name, message))
    return Measurement(tuple(measured), tuple(errors))


def _measure_one(
    name: str, pixels: NDArray[np.float32], codec: str | None, settings: dict[str, Any]
) -> ImageMeasurement:
    found = find_lattice(pixels, **settings)
    if only_enlarged(pixels, found):
        # What a repeated pixel makes longer was a trace before, and still is.
        found = replace(found, present=(), traces=(*found.present, *found.traces))
    rival = name_rival(pixels, found, codec)
    verdict = "rival" if rival else "lattice" if found.present else "clean"
    brightness = []
    for component in found.present:
        try:
            brightness.append(brightness_dependence(pixels, component))
        except UncheckError:
            continue  # too few windows in this picture: the lattice stands without its dependence
    return ImageMeasurement(name, verdict, rival, found, tuple(brightness))


def _items(images: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(images, str | Path):
        yield from ((path, path) for path in expand([images]))
    elif isinstance(images, Sequence):
        if not len(images):
            raise UncheckError("nothing to measure: the list of images is empty")
        for i, item in enumerate(images):
            if isinstance(item, str | Path):
                yield from ((path, path) for path in expand([item]))
            else:
                yield from _arrays(item, f"[{i}]")
    else:
        yield from _arrays(images, "array")


def _arrays(item: Any, name: str) -> Iterable[tuple[str, Any]]:
    array = np.asarray(item.detach().cpu() if hasattr(item, "detach") else item)
    if array.ndim == 4:
        # Pictures of one batch share one range: a dark one must not get its own unit.
        known = array[np.isfinite(array)] if array.dtype.kind == "f" else array
        shared = infer_range(known) if known.size and known.dtype.kind in "buif" else None
        shared = shared if shared and shared[0] < shared[1] else None
        for i, one in enumerate(array):
            yield f"{name}[{i}]", (_one_array(one, f"{name}[{i}]"), shared)
    else:
        yield name, (_one_array(array, name), None)


def _one_array(array: NDArray[np.generic], name: str) -> NDArray[np.generic]:
    if array.ndim == 2:
        return array[..., None]
    if array.ndim == 3 and array.shape[-1] > 4 and array.shape[0] <= 4:
        array = np.moveaxis(array, 0, -1)
    if array.ndim != 3 or array.shape[-1] > 4:
        raise UncheckError(
            f"{name}: shape {array.shape} is not a picture; give (H, W), (H, W, C) or (C, H, W), C at most 4"
        )
    return array[..., :3]


def _some_periods(periods: Iterable[int]) -> tuple[int, ...]:
    whole = checked_periods(periods)
    if not whole:
        raise UncheckError(f"no periods to test; give whole numbers of pixels from 2 to {LONGEST}")
    if max(whole) > LONGEST:
        raise UncheckError(f"period {max(whole)} is too long for pictures; give at most {LONGEST} pixels")
    return whole
