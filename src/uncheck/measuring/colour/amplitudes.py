"""Amplitudes of a lattice in windows all over an array, and per channel and along opponent axes."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.components import Component, Line
from uncheck.measuring.eigenspectra import eigencoefficients, window_sums
from uncheck.measuring.harmonic import line_fit
from uncheck.measuring.lines import dual, hann
from uncheck.plain import Brief, Plain, as_dict

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

    `period` is that of the line, 1 along an axis on which it does not vary.

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

    Least squares, weighted by a Hann window, of a parabola and the line on each axis: a = sum_n k[n] x[n], k
    a product of one dual vector per axis, the same in all windows. The Hann window keeps out most of what
    crosses many windows, such as edges along them, and the parabola shading, whose phase would go with
    brightness. Returns (windows,) grey levels, of magnitude A for A cos(2 pi f.n).

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


#: Orthonormal opponent axes of (R, G, B): rows in the order of NAMES.
NAMES = ("luma", "red-green", "blue-yellow")
OPPONENT = np.array([[1, 1, 1], [1, -1, 0], [1, 1, -2]]) / np.sqrt([[3], [2], [6]])

#: The noise is taken around this many of the strongest lines; the others are given their average.
LINES_WITH_NOISE = 32


@dataclass(frozen=True)
class Estimate(Plain):
    """An amplitude in grey levels and its standard error."""

    amplitude: float
    error: float


@dataclass(frozen=True)
class ColourAmplitudes(Brief):
    """Amplitude of a component by colour.

    Attributes:
        channels: per input channel.
        total: root of the summed squares over all channels.
        opponent: along `NAMES`, whose squares also sum to the total's; None unless there are three channels.
    """

    channels: tuple[Estimate, ...]
    total: Estimate
    opponent: tuple[Estimate, ...] | None

    @property
    def dominant(self) -> str | None:
        """Opponent axis with the largest amplitude; None unless there are three channels."""
        if self.opponent is None:
            return None
        return NAMES[int(np.argmax([one.amplitude for one in self.opponent]))]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        out = as_dict(self, "channels", "total", "opponent", "dominant")
        if self.opponent is not None:
            out["opponent"] = dict(zip(NAMES, out["opponent"], strict=True))
        return out


def colour_amplitudes(array: NDArray[np.float32], component: Component) -> ColourAmplitudes:
    """Measure a component in each channel and along luma, red-green and blue-yellow.

    Along a unit vector v of colours: A_v = sqrt(sum over lines of |g v.mu|^2), mu the complex amplitudes of
    the line per channel, g = 2, or 1 where the line is real. With S the covariance of the eigencoefficients
    around the line over K tapers of sums U_k, Var(v.mu) = v'Sv / ((K-1) sum U_k^2), of which a complex line
    has half along its phase; Var(A_v) follows to first order. So the error is that of the test itself, whose
    tapers give independent residuals, and holds for amplitudes well above it.

    Luma is (R+G+B)/sqrt 3, red-green (R-G)/sqrt 2, blue-yellow (R+G-2B)/sqrt 6: orthonormal, so that squares
    sum to those of R, G and B. A grey lattice of +-A has luma sqrt(3) A.

    Cost: one pass of the harmonic test over the array. Source: Ohta et al., CGIP 13 (1980), 222 (the axes up
    to scale and a rotation); Thomson, Proc. IEEE 70 (1982), section XIII.
    """
    means = np.array([np.multiply(line.mean, 1 if line.real else 2) for line in component.lines])
    noise = _noise(array, component)
    rows = list(np.eye(array.shape[-1]))
    channels = tuple(_estimate(means, noise, row[None]) for row in rows)
    total = _estimate(means, noise, np.eye(array.shape[-1]))
    opponent = None
    if array.shape[-1] == 3:
        opponent = tuple(_estimate(means, noise, row[None]) for row in OPPONENT)
    return ColourAmplitudes(channels, total, opponent)


def _estimate(
    means: NDArray[np.complex128], noise: NDArray[np.complex128], axes: NDArray[np.float64]
) -> Estimate:
    """Return the root of the summed squares of means (lines, C) along `axes`, and its error."""
    along = means @ axes.T
    size = float(np.linalg.norm(along))
    strongest = along[: len(noise)]
    length = np.linalg.norm(strongest)
    # Without any amplitude all directions are alike.
    unit = strongest / length if length else np.full_like(strongest, 1 / np.sqrt(strongest.size))
    variance = np.einsum("li,lij,lj->", unit.conj(), axes @ noise @ axes.T, unit).real
    return Estimate(size, float(np.sqrt(max(0.0, float(variance)))))


def _noise(array: NDArray[np.float32], component: Component) -> NDArray[np.complex128]:
    """Return the covariance of the strongest lines' peak amplitudes along their phases, (lines, C, C)."""
    lines = component.lines[:LINES_WITH_NOISE]
    spectra = eigencoefficients(array, [line.frequency for line in lines])
    known = window_sums(array.shape[:-1])
    _, residual, _ = line_fit(spectra[None], known)
    # Peak amplitudes are twice the mean unless real, and have half of its variance along their phase.
    gain = np.array([1 if line.real else 2 for line in lines]) / float((known**2).sum() * (len(known) - 1))
    return np.asarray(gain[:, None, None] * (residual[0] @ residual[0].conj().swapaxes(1, 2)))
