"""Windowed Fourier sums of arrays at any frequency, the window, and the strongest place of a lattice."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise, product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from uncheck.measuring.components import Component, Line
from uncheck.signals.levels import centred


@lru_cache(maxsize=128)
def hann(n: int) -> NDArray[np.float64]:
    """Return a Hann window of n samples and of sum 1, symmetric, without zeros at its ends.

    >>> hann(4).round(3).tolist()
    [0.073, 0.427, 0.427, 0.073]
    """
    window = np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2
    window /= window.sum()
    window.flags.writeable = False
    return np.asarray(window, np.float64)


def waves(frequencies: ArrayLike, n: int) -> NDArray[np.complex128]:
    """Return exp(-2 pi i f n) under a Hann window of sum 1 for each frequency, (F, n)."""
    return np.asarray(hann(n) * np.exp(-2j * np.pi * np.multiply.outer(frequencies, np.arange(n))))


def line_means(array: NDArray[np.floating], lines: Sequence[Line]) -> NDArray[np.complex128]:
    """Return the complex amplitude of each line: the Hann-weighted mean of array * exp(-2 pi i f.n).

    The mean of each channel of the array (*spatial, C) is taken out. Returns (F, C) for F lines.

    Cost: one matrix product over the array per different frequency along the first axis.
    """
    # Frequencies along the first axis repeat: harmonics of 8 have at most eight different ones.
    first = sorted({line.frequency[0] for line in lines})
    turned = _along_first(array, waves(first, len(array)))
    out = np.empty((len(lines), array.shape[-1]), np.complex128)
    for i, line in enumerate(lines):
        data = turned[first.index(line.frequency[0])]
        for f in line.frequency[1:]:
            data = np.tensordot(waves(f, len(data)), data, axes=(0, 0))
        out[i] = data
    return out


def strength_at(array: NDArray[np.floating], component: Component) -> float:
    """Return the amplitude of an array at the lines of a component, grey levels, in its best channel."""
    return strengths_at(array, [component])[0]


def strengths_at(array: NDArray[np.floating], components: Sequence[Component]) -> list[float]:
    """Return the amplitudes of an array at the lines of several components, as `strength_at` does."""
    lines = [line for component in components for line in component.lines]
    gain = np.array([[1.0 if line.real else 2.0] for line in lines])
    power = (gain * np.abs(line_means(array, lines))) ** 2
    starts = np.cumsum([0, *(len(component.lines) for component in components)])
    return [float(np.sqrt(power[a:b].sum(axis=0).max())) for a, b in pairwise(starts)]


def powers_around(
    array: NDArray[np.floating], frequency: Sequence[float], bins: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the power, summed over channels, at so many bins from a frequency along both axes of a picture.

    From (H, W, C), a frequency in cycles per pixel along both axes and (B,) offsets, one bin being one cycle
    per side, to (B, B), under a Hann window.
    """
    down, across = (waves(f + bins / n, n) for f, n in zip(frequency, array.shape[:2], strict=True))
    values = across @ _along_first(array, down)
    return np.asarray((np.abs(values) ** 2).sum(axis=-1))


def _along_first(array: NDArray[np.floating], turns: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return the products of `turns` (F, n) with the first axis of an array less its means, (F, ..., C).

    Real products with all rows at once are several times as fast as complex ones channel by channel.
    """
    parts = np.concatenate([turns.real, turns.imag]).astype(array.dtype)
    parts = parts @ centred(array).reshape(len(array), -1)
    both = parts[: len(turns)] + 1j * parts[len(turns) :]
    return np.asarray(both.reshape(len(turns), *array.shape[1:]), np.complex128)


def dual(frequency: float, size: int) -> NDArray[np.complex128]:
    """Return the vector that extracts exp(2 pi i f n) and is blind to parabolas and to the conjugate line.

    Its product with a window of `size` samples is the Hann-weighted least-squares amplitude of the line
    beside its conjugate and a parabola; at frequency 0 the Hann-weighted mean.
    """
    weight = hann(size)
    if frequency == 0:
        return weight.astype(np.complex128)
    n = np.arange(size)
    middle = (n - (size - 1) / 2) / size
    wave = np.exp(2j * np.pi * frequency * n)
    columns = [wave, np.ones(size), middle, middle**2]
    if frequency != 0.5:
        columns.append(wave.conj())
    design = np.stack(columns, axis=1)
    gram = design.conj().T @ (weight[:, None] * design)
    return np.asarray(np.linalg.solve(gram, design.conj().T * weight)[0], np.complex128)


def strongest_place(
    levels: NDArray[np.float32], frequencies: Sequence[tuple[float, ...]], size: int
) -> tuple[int, int]:
    """Return row and column of the `size` x `size` pixels of (H, W, C) in which the lattice is strongest.

    In each window (half a window apart) the power at the lattice's frequencies is compared with that two
    cycles per window beside them, on the axis with more: an edge, which has all frequencies of one axis, is
    no lattice.

    Cost: five passes over the picture per line.
    """
    grey = levels.mean(axis=-1, dtype=np.float64)
    sides = [min(size, n) for n in grey.shape]
    beside = 2 * np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)]) / sides
    probed = (beside[:, None] + np.reshape(frequencies, (-1, 2))).reshape(-1, 2)
    rows, columns = (waves(f, n) for n, f in zip(sides, probed.T, strict=True))

    def excess(place: tuple[int, int]) -> float:
        window = grey[place[0] : place[0] + size, place[1] : place[1] + size]
        power = np.abs((rows @ window * columns).sum(axis=1)).reshape(5, -1) ** 2
        return float((power[0] - np.maximum(power[1] + power[2], power[3] + power[4]) / 2).sum())

    tops, lefts = (range(0, max(1, n - size + 1), max(1, size // 2)) for n in grey.shape)
    return max(product(tops, lefts), key=excess)
