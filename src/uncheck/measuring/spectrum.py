"""The power spectrum of outputs, to look at."""

from __future__ import annotations

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.lines import hann

#: Outputs whose spectra are averaged.
AVERAGED = 64


def power_spectrum(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean power of outputs (N, *spatial, C) in dB, frequency 0 in the middle.

    (H, W, 1) of pictures and of the middle slices of volumes, (T, 1) of sound. 0 dB is a power of 1 grey
    level squared; a sinusoid of amplitude A has (A / 2)^2 at its frequency. Under Hann's window.

    Cost: a Fourier transform of each of the first 64 outputs.

    >>> rows = np.full((1, 64, 64, 1), 100.0, np.float32)
    >>> rows[:, ::2] += 4
    >>> round(float(power_spectrum(rows)[0, 32, 0]), 1)
    6.0
    """
    total: NDArray[np.float64] | float = 0.0
    for picture in pictures[:AVERAGED]:
        values = middle_slice(picture).astype(np.float64)
        axes = tuple(range(values.ndim - 1))
        window = reduce(np.multiply.outer, [hann(n) for n in values.shape[:-1]])[..., None]
        values = (values - values.mean(axis=axes)) * window
        power = np.abs(np.fft.fftshift(np.fft.fftn(values, axes=axes), axes=axes)) ** 2
        total = total + power.mean(axis=-1, keepdims=True)
    mean = np.asarray(total) / max(1, min(AVERAGED, len(pictures)))
    return np.asarray(10 * np.log10(mean + 1e-16), np.float32)


def middle_slice(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the middle slice of a volume (D, H, W, C); pictures and sound as they are."""
    return picture[picture.shape[0] // 2] if picture.ndim == 4 else picture
