"""`uncheck.measure`: a calibrated number and a verdict for each picture, volume or sound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from uncheck.errors import UncheckError, first_line
from uncheck.measuring.components import SIGNIFICANCE, VISIBLE
from uncheck.measuring.lattice import PERIODS
from uncheck.measuring.one_signal import measure_signal
from uncheck.measuring.result import ImageMeasurement, Measurement
from uncheck.measuring.sets import VISIBLE_IN_SETS, SetSums
from uncheck.measuring.settings import Settings, some_periods
from uncheck.measuring.sound.tones import AUDIBLE
from uncheck.measuring.together import Together, sums_of, unmasked
from uncheck.progress import Progress
from uncheck.signals.items import Item, items
from uncheck.signals.signal import Given, Signal
from uncheck.workers import each


def measure(
    images: str | Path | ArrayLike | Sequence[Any],
    *,
    periods: Iterable[int] = PERIODS,
    threshold: float = VISIBLE,
    significance: float = SIGNIFICANCE,
    span: tuple[float, float] | None = None,
    unit: str | None = None,
    kind: str | None = None,
    rate: float | None = None,
    audible: float = AUDIBLE,
    mosaic: tuple[int, int] | int | None = None,
    gap: int = 0,
    nodata: float | None = None,
    together: bool = False,
    where: bool = False,
    recurse: bool = True,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Measurement:
    """Measure the lattice of pictures, volumes or sounds: its periods, how strong and how certain.

    >>> import numpy as np
    >>> clean = np.random.default_rng(0).normal(128, 4, (64, 64))
    >>> grid = 6 * (-1.0) ** np.add.outer(np.arange(64), np.arange(64))
    >>> measure(clean).verdict, measure(clean + grid).verdict
    ('clean', 'lattice')

    Args:
        images: a path (docs/measure.md lists the formats), a folder or glob, an array or tensor, or a
            sequence of these. Arrays are, by shape:
            (H, W), (H, W, C), (C, H, W): a picture, C at most 4 (four: the last is alpha; two integer
            channels: grey and alpha, two of floats: flow); (N, C, H, W), (N, H, W, C): a batch of them;
            (D, H, W): a volume; (N, C, D, H, W): a batch of those; with `rate`, (n,), (C, n), (n, C) or
            (N, C, n): audio, the shorter axis being the channels. A .npy of four axes is video, and so is
            a TIFF of several colour pages; one of grey pages is a volume.
        periods: pixels (samples) per period to test, from 2 to 64, in audio to 4096. Those above 16 are not
            tested in volumes and video.
        threshold: grey levels (0..255) below which a significant lattice is only a trace. The default,
            0.3, lies above what cameras and scanners leave in photographs (up to 0.25).
        significance: corrected p-value below which a lattice counts as there.
        span: the values that stand for black and white in arrays of floats or of more than 8 bits (for audio,
            full scale). If None: the type's, 0..1, -1..1 or 0..255 where the values plainly live in it, else
            that of the data (docs/conventions.md).
        unit: name of the unit of the values, such as "m": amplitudes are given in it too, and a float array
            without a `span` has its own smallest and largest value as range (a few far outliers left out).
        kind: "pictures" (each plane alone, on its own range), "frames" (each plane alone, one range for all),
            "volume" (all planes as one signal of three axes) or "audio"; by the shape if None.
        rate: samples per second of arrays of audio.
        audible: decibels relative to the rest of the sound below which a significant line is a trace.
        mosaic: (height, width) in pixels of the tiles that each picture is cut into.
        gap: pixels between these tiles.
        nodata: the value that marks places without data: they are masked, as NaN and infinite values are. If
            None, fills such as -9999 or 1e20 are recognised, and said in a note.
        together: take all images of one size as outputs of one network on a common grid, and give one verdict
            for the set as well, with a much lower limit (0.05 grey levels unless `threshold` is lower).
        where: map where in each picture the lattice is, and look for those that fill less than a quarter of
            it; the error rate is then shared by the test of the whole picture and that of its places.
        recurse: look into the subfolders of folders, too. Links to folders and hidden names are passed over.
        jobs: processes that measure, each a file at a time. With more than one a script must guard its own
            code by `if __name__ == "__main__"`.
        progress: called with the name of each file or array, how many are done, and how many there are.

    Returns:
        A `Measurement`; `strength` of each picture is 0 when clean, larger is worse, unbounded.

    Raises:
        UncheckError: a path or array that cannot be measured. Among several files, the bad ones are
            listed in `errors` and the rest measured.

    Cost: about eight PNG decodings of the picture, more with a lattice or `where`; memory five
    float32 copies of it.
    """
    tile = (mosaic, mosaic) if isinstance(mosaic, int) else mosaic
    given = Given(span, unit, kind, rate, tile, gap, nodata)
    settings = Settings(some_periods(periods), threshold, significance, audible, where, together)
    listed = items(images, given, recurse=recurse)
    return replace(measure_items(listed, settings, progress, jobs), skipped=listed.skipped)


def measure_items(
    listed: Sequence[Item], settings: Settings, progress: Progress | None = None, jobs: int = 1
) -> Measurement:
    """Measure files and arrays one by one; those that cannot be measured are listed in `errors`.

    Raises:
        UncheckError: the only one cannot be measured.
    """
    measured: list[ImageMeasurement] = []
    errors: list[Failure] = []
    sets = Together(settings.periods, settings.significance, min(settings.threshold, VISIBLE_IN_SETS))
    parts = each(partial(_measure_item, settings=settings), listed, jobs)
    for done in range(len(listed)):
        if progress is not None:
            progress(listed[done].name, done, len(listed))
        images, failures, members = next(parts)
        measured += images
        errors += failures
        for signal, sums in members:
            sets.join(signal, sums)
    if len(listed) == 1 and not measured:
        raise UncheckError(errors[0].message) from errors[0].cause
    found = tuple((failure.name, failure.message) for failure in errors)
    return Measurement(tuple(measured), found, sets.result() if settings.together else None)


Member = tuple[Signal, SetSums | None]
"""An output of a set and its sums."""


@dataclass(frozen=True)
class Failure:
    """What could not be measured, and why; the `cause` does not leave the process."""

    name: str
    message: str
    cause: Exception | None = None

    def __reduce__(self) -> Any:
        return Failure, (self.name, self.message)


def _measure_item(
    item: Item, settings: Settings
) -> tuple[list[ImageMeasurement], list[Failure], list[Member]]:
    """Measure the signals of one file or array; of a set, return each signal with its sums, too."""
    measured: list[ImageMeasurement] = []
    errors: list[Failure] = []
    members: list[Member] = []
    try:
        for signal in item.signals():
            try:
                measured.append(measure_signal(signal, settings))
                if settings.together:
                    member = unmasked(signal)
                    members.append((member, sums_of(member, settings.periods)))
            except Exception as error:
                errors.append(Failure(signal.name, f"{signal.name}: {_message(error)}", error))
    except UncheckError as error:  # of reading, which names the file
        errors.append(Failure(item.name, str(error), error))
    except Exception as error:
        errors.append(Failure(item.name, f"{item.name}: {_message(error)}", error))
    return measured, errors, members


def _message(error: Exception) -> str:
    """Return the message of an error; one that is no UncheckError is a fault of uncheck."""
    if isinstance(error, UncheckError):
        return str(error)
    return f"{type(error).__name__} ({first_line(error)}); please report it"
