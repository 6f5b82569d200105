"""Fourier coefficients of many windows of a sound at any frequencies: a transform that is not uniform."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft
from scipy.special import i0

#: Points of the grid per frequency that the window resolves, and those that a coefficient is made of.
OVERSAMPLED, WIDTH = 2, 6

#: Shape of the kernel between the points (Beatty, Nishimura, Pauly, IEEE TMI 24, 2005).
SHAPE = float(np.pi * np.sqrt((WIDTH / OVERSAMPLED * (OVERSAMPLED - 0.5)) ** 2 - 0.8))


@dataclass(frozen=True, eq=False)
class Grid:
    """Spectra of W windows of `length` samples at frequencies j / M, M = 2 length: `values` (M, 2 W) float32,
    real and imaginary parts side by side.
    """

    values: NDArray[np.float32]
    length: int

    @classmethod
    def of(cls, samples: NDArray[np.float32], window: NDArray[np.float32], hop: int) -> Grid:
        """Transform every window of `samples`, `hop` samples apart.

        Cost: one FFT of 2 length for each; memory 32 bytes for each sample and its overlap.
        """
        length, size = len(window), OVERSAMPLED * len(window)
        n = np.arange(length) - length // 2
        # What the kernel does to the spectrum's transform is undone before.
        root = np.sqrt(SHAPE**2 - (np.pi * WIDTH * n / size) ** 2)
        weights = (window * i0(SHAPE) * root / (WIDTH * np.sinh(root))).astype(np.float32)
        pieces = np.lib.stride_tricks.sliding_window_view(samples, length)[::hop]
        padded = np.zeros((len(pieces), size), np.float32)
        padded[:, : length - length // 2] = (pieces * weights)[:, length // 2 :]
        padded[:, size - length // 2 :] = (pieces * weights)[:, : length // 2]
        spectrum = np.ascontiguousarray(fft(padded, axis=1).T.astype(np.complex64))
        return cls(spectrum.view(np.float32), length)

    def at(self, frequencies: NDArray[np.float64], beside: Sequence[int]) -> Iterator[NDArray[np.complex64]]:
        """Yield coefficients (F, W) at frequencies, each so many cycles per window `beside` them.

        sum_n w[n] x[n] exp(-2 pi i f n), n from the start of each window, to six digits of the strongest.

        Cost: 24 multiplications for each.
        """
        from scipy.sparse import csr_array  # takes a tenth of a second, and pictures do without

        size = len(self.values)
        place = frequencies * size
        points = np.floor(place).astype(np.intp)[:, None] + np.arange(1 - WIDTH // 2, 1 + WIDTH // 2)
        inside = np.maximum(1 - (2 * (place[:, None] - points) / WIDTH) ** 2, 0.0)
        kernel = (i0(SHAPE * np.sqrt(inside)) / i0(SHAPE)).astype(np.float32).ravel()
        starts = np.arange(len(place) + 1) * WIDTH
        for cycles in beside:
            columns = ((points + OVERSAMPLED * cycles) % size).ravel()
            table = csr_array((kernel, columns, starts), shape=(len(place), size))
            turn = np.exp(-2j * np.pi * (frequencies + cycles / self.length) * (self.length // 2))
            yield (table @ self.values).view(np.complex64) * turn.astype(np.complex64)[:, None]
