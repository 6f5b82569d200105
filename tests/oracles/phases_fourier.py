"""Order and projection from the definition in frequency: derivatives of H at the aliases, no phases."""

import cmath
from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def spectrum(h: Array, frequency: tuple[float, ...], origin: tuple[int, ...]) -> complex:
    """Evaluate sum_u h[u] exp(-2 pi i f (u - origin)) tap by tap, f in cycles per output pixel."""
    total = 0j
    for position in np.ndindex(h.shape):
        turns = sum(f * (u - o) for f, u, o in zip(frequency, position, origin, strict=True))
        total += h[position] * cmath.exp(-2j * cmath.pi * turns)
    return total


def alias_rows(shape: tuple[int, ...], stride: tuple[int, ...], order: int) -> Array:
    """Give rows per alias and derivative of total degree < order: real and imaginary u^alpha exp(..)."""
    positions = list(np.ndindex(shape))
    rows = []
    for alias in product(*map(range, stride)):
        if not any(alias):
            continue
        wave = [
            cmath.exp(
                -2j * cmath.pi * sum(a * u / s for a, u, s in zip(alias, position, stride, strict=True))
            )
            for position in positions
        ]
        for powers in product(range(order), repeat=len(shape)):
            if sum(powers) >= order:
                continue
            scaled = [
                value
                * np.prod([((u - k / 2) / k) ** q for u, k, q in zip(position, shape, powers, strict=True)])
                for position, value in zip(positions, wave, strict=True)
            ]
            rows += [[value.real for value in scaled], [value.imag for value in scaled]]
    return np.array(rows).reshape(len(rows), len(positions))


def nearest(h: Array, rows: Array, metric: Array) -> Array:
    """Solve min (w - h)^T metric (w - h) subject to rows w = 0 by its optimality conditions; h, w flat."""
    count = len(rows)
    system = np.block([[metric, rows.T], [rows, np.zeros((count, count))]])
    right = np.concatenate([metric @ h, np.zeros(count)])
    return np.linalg.lstsq(system, right, rcond=1e-12)[0][: len(h)]
