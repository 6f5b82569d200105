"""Audio files as samples: WAV by scipy, FLAC and Ogg by soundfile."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.signals.formats.table import INSTALL
from uncheck.signals.levels import LEVELS, check_finite
from uncheck.signals.paths import caught_warnings, check_values
from uncheck.signals.signal import Given, Signal
from uncheck.words import plural

#: Programs that write to a pipe do not know the length and put the largest one into the header.
STREAMED = 0x7FFFFF00

Span = tuple[float, float]


def read_audio(path: str, given: Given) -> Signal:
    """Read one sound file, all channels.

    Args:
        path: .wav (integers of 8 to 32 bits, floats; any number of channels), .flac or .ogg.
        given: `span`, the values of full scale, is inferred from the type of the samples if None; `rate`
            overrules that of the file.

    Raises:
        UncheckError: damaged, truncated, empty, in a format that cannot be read, or with a sample rate of 0.
    """
    if given.kind not in (None, "audio"):
        raise UncheckError(f"{path}: is audio and cannot be measured as {given.kind}; leave that out")
    wav = path.lower().endswith(".wav")
    samples, rate = _wav(path) if wav else _soundfile(path)
    check_values(path, samples.shape, spatial=False)
    if rate <= 0 and given.rate is None:
        raise UncheckError(
            f"{path}: its header says {rate:g} samples per second; correct it, or give the rate"
        )
    return sound(
        path, samples, Given(given.span, given.unit, "audio", given.rate or rate), Path(path).suffix[1:]
    )


def sound(name: str, samples: NDArray[np.generic], given: Given, codec: str | None = None) -> Signal:
    """Scale samples (n,) or (n, C) to grey levels around 0, full scale being 255 from end to end.

    Raises:
        UncheckError: no samples, or some that are not finite.
    """
    if not samples.size:
        raise UncheckError(f"{name}: holds no samples; there is nothing to measure")
    columns = samples.reshape(len(samples), -1)
    low, high = given.span or _full_scale(columns)
    # Around 0, where float32 resolves 24 bits; `middle` is silence in unsigned integers.
    middle = np.float32((low + high) / 2)
    if columns.dtype.kind != "u" and given.span is None:
        middle = np.float32(0)
    scale = np.float32(LEVELS / (high - low))
    values = columns.astype(np.float32)
    values -= middle
    values *= scale
    check_finite(values, name)
    source = "given" if given.span else "type" if columns.dtype.kind in "bui" else "usual"
    notes = () if given.rate else ("No sample rate is known: frequencies are cycles per sample.",)
    return Signal(
        name,
        values,
        "audio",
        codec and codec.upper(),
        (low, high),
        given.unit,
        given.rate,
        notes=notes,
        source=source if source != "usual" or high in (1.0, 32768.0) else "data",
    )


def _full_scale(samples: NDArray[np.generic]) -> Span:
    if samples.dtype == np.bool_:
        return 0.0, 1.0
    if samples.dtype.kind in "ui":
        limits = np.iinfo(samples.dtype.name)
        return float(limits.min), float(limits.max) + (samples.dtype.kind == "u")
    most = float(np.abs(samples).max())
    # Floats are usually -1..1 and may overshoot; some programs keep the scale of 16-bit integers.
    full = 1.0 if not np.isfinite(most) or most <= 2 else 32768.0 if 256 < most <= 65536 else most
    return -full, full


def _wav(path: str) -> tuple[NDArray[np.generic], float]:
    from scipy.io import wavfile

    try:
        with caught_warnings("always") as said:
            rate, samples = wavfile.read(path)
    except (ValueError, struct.error, EOFError, TypeError, ZeroDivisionError, UnboundLocalError) as error:
        if "Unknown wave file format" in str(error):
            raise UncheckError(
                f"{path}: compressed WAV cannot be read; convert it to PCM, such as 16-bit integers"
            ) from error
        raise UncheckError(
            f"{path}: damaged, truncated or not a WAV file ({error}); write it again"
        ) from error
    except OSError as error:
        raise UncheckError(f"{path}: cannot be read ({error.strerror}); check it") from error
    # Without samples the length in the header says nothing, and "holds no samples" says it better.
    cut = any("EOF prematurely" in str(w.message) for w in said)
    if cut and _riff_size(path) < STREAMED:
        raise UncheckError(
            f"{path}: truncated, its header promises more samples than it holds; write it again"
        )
    return samples, float(rate)


def _riff_size(path: str) -> int:
    with Path(path).open("rb") as file:
        head = file.read(8)
    return int.from_bytes(head[4:8], "big" if head[:4] == b"RIFX" else "little")


def _soundfile(path: str) -> tuple[NDArray[np.generic], float]:
    try:
        import soundfile
    except (ImportError, OSError) as error:
        needed = INSTALL if path.lower().endswith(".mp3") else "pip install soundfile"
        raise UncheckError(
            f"{path}: reading {Path(path).suffix} needs soundfile; install it with: {needed}"
        ) from error
    try:
        with soundfile.SoundFile(path) as file:
            promised, rate = file.frames, file.samplerate
            check_values(path, (promised, file.channels), spatial=False)
            samples = file.read(dtype="float32", always_2d=True)
    except (RuntimeError, OSError) as error:
        raise UncheckError(
            f"{path}: damaged or truncated {Path(path).suffix} file ({_first(error)}); write it again"
        ) from error
    if len(samples) < promised:
        raise UncheckError(
            f"{path}: truncated, its header promises {plural(promised, 'sample')} and it holds "
            f"{len(samples)}; write it again"
        )
    return samples, float(rate)


def _first(error: BaseException) -> str:
    return str(error).rsplit(": ", 1)[-1].strip(" .") or type(error).__name__
