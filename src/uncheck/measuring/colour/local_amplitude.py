"""The amplitude of one line, and the mean colour, in windows all over an array."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.components import Line
from uncheck.measuring.lines import dual, hann

#: Pixels a window should have along each axis, and the fewest windows worth a regression.
WINDOW = 16
FEWEST = 8


@dataclass(frozen=True)
class Windows:
    """Windows side by side from the first pixel on: `sizes` in pixels and `counts`, per axis."""

    sizes: tuple[int, ...]
    counts: tuple[int, ...]


def grid(shape: tuple[int, ...], period: tuple[int, ...]) -> Windows:
    """Choose windows of whole periods, at least two and about 16 pixels, on each axis.

    Args:
        shape: pixels per axis.
        period: of the line per axis, 1 where it does not vary.

    Raises:
        UncheckError: fewer than eight windows fit.
    """
    sizes = tuple(p * max(2, WINDOW // p) for p in period)
    counts = tuple(n // size for n, size in zip(shape, sizes, strict=True))
    if prod(counts) < FEWEST:
        raise UncheckError(
            f"brightness dependence at period {list(period)} needs eight windows of "
            f"{' x '.join(map(str, sizes))} pixels; the picture has {prod(counts)}"
        )
    return Windows(sizes, counts)


def local_amplitudes(plane: NDArray[np.float32], line: Line, windows: Windows) -> NDArray[np.complex128]:
    """Return the complex peak amplitude of the line in every window, the first axis running slowest.

    Least squares, weighted by a Hann window, of a parabola and the line on each axis:
    a = sum_n k[n] x[n], k a product of one dual vector per axis, the same in all windows.
    The Hann window keeps out most of what crosses many windows, such as edges along them, and the parabola
    shading, whose phase would go with brightness.

    Args:
        plane: (*spatial) grey levels.
        line: its frequency and whether it is real.
        windows: from `grid`.

    Returns:
        (windows,) grey levels; of magnitude A for A cos(2 pi f.n).

    Cost: one matrix product over the plane.
    """
    kernels = [dual(f, size) for f, size in zip(line.frequency, windows.sizes, strict=True)]
    return _contract(plane, kernels, windows) * (1 if line.real else 2)


def local_means(plane: NDArray[np.float32], windows: Windows) -> NDArray[np.float64]:
    """Return the Hann-weighted mean of every window; no lattice of the period moves it."""
    kernels = [hann(size).astype(np.complex128) for size in windows.sizes]
    return np.asarray(_contract(plane, kernels, windows).real, np.float64)


def _contract(
    plane: NDArray[np.float32], kernels: list[NDArray[np.complex128]], windows: Windows
) -> NDArray[np.complex128]:
    """Apply the product of the kernels, one per axis, to every window, (windows,)."""
    data: NDArray[Any] = plane[
        tuple(slice(c * s) for c, s in zip(windows.counts, windows.sizes, strict=True))
    ]
    # The last axis comes first: it is contiguous, and the rest gets small. New axes go to the front.
    for kernel, size in zip(reversed(kernels), reversed(windows.sizes), strict=True):
        split = data.reshape(*data.shape[:-1], -1, size)
        if np.isrealobj(split):
            # Real data meet the two parts of the kernel in real arithmetic.
            parts = split @ np.stack([kernel.real, kernel.imag], axis=1).astype(data.dtype)
            product = parts[..., 0] + 1j * parts[..., 1] if np.any(kernel.imag) else parts[..., 0]
        else:
            product = split @ kernel
        data = np.moveaxis(product, -1, 0)
    return data.astype(np.complex128).ravel()
