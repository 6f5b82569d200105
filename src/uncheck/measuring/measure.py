"""`uncheck.measure`: pictures in, a calibrated number and a verdict out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from uncheck.errors import UncheckError
from uncheck.measuring.brightness import Dependence, brightness_dependence
from uncheck.measuring.frequencies import checked_periods
from uncheck.measuring.items import items
from uncheck.measuring.lattice import PERIODS, SIGNIFICANCE, VISIBLE, Lattice, find_lattice
from uncheck.measuring.result import ImageMeasurement, Measurement
from uncheck.measuring.rivals import name_rival, only_enlarged
from uncheck.measuring.signals import Signal

#: The longest period tested in pictures, pixels: a period P has about P^2 / 2 frequencies.
LONGEST = 64


@dataclass(frozen=True)
class Settings:
    """What is looked for: `periods` in pixels, `threshold` in grey levels, `significance` a p-value."""

    periods: tuple[int, ...] = PERIODS
    threshold: float = VISIBLE
    significance: float = SIGNIFICANCE


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
    settings = Settings(_some_periods(periods), threshold, significance)
    listed = items(images, span)
    measured: list[ImageMeasurement] = []
    errors: list[tuple[str, str]] = []
    for item in listed:
        try:
            for signal in item.signals():
                measured.append(measure_signal(signal, settings))
        except UncheckError as error:
            message = str(error) if str(error).startswith(item.name) else f"{item.name}: {error}"
            if len(listed) == 1:
                raise UncheckError(message) from error
            errors.append((item.name, message))
    return Measurement(tuple(measured), tuple(errors))


def measure_signal(signal: Signal, settings: Settings) -> ImageMeasurement:
    """One signal: its lattice, what else may have made it, and how it goes with brightness."""
    found = find_lattice(
        signal.values,
        periods=settings.periods,
        threshold=settings.threshold,
        significance=settings.significance,
    )
    if only_enlarged(signal.values, found):
        # What a repeated pixel makes longer was a trace before, and still is.
        found = replace(found, present=(), traces=(*found.present, *found.traces))
    rival = name_rival(signal.values, found, signal.codec)
    verdict = "rival" if rival else "lattice" if found.present else "clean"
    return ImageMeasurement(signal.name, verdict, rival, found, _dependences(signal, found))


def _dependences(signal: Signal, found: Lattice) -> tuple[Dependence, ...]:
    out = []
    for component in found.present:
        try:
            out.append(brightness_dependence(signal.values, component))
        except UncheckError:
            continue  # too few windows in this picture: the lattice stands without its dependence
    return tuple(out)


def _some_periods(periods: Iterable[int]) -> tuple[int, ...]:
    whole = checked_periods(periods)
    if not whole:
        raise UncheckError(f"no periods to test; give whole numbers of pixels from 2 to {LONGEST}")
    if max(whole) > LONGEST:
        raise UncheckError(f"period {max(whole)} is too long for pictures; give at most {LONGEST} pixels")
    return whole
