"""Which colour a lattice has: its amplitude per channel and along opponent axes, with errors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.lattice import Component
from uncheck.measuring.tapers import tapers
from uncheck.plain import Plain, as_dict

#: Orthonormal opponent axes of (R, G, B): rows in the order of NAMES.
NAMES = ("luma", "red-green", "blue-yellow")
OPPONENT = np.array([[1, 1, 1], [1, -1, 0], [1, 1, -2]]) / np.sqrt([[3], [2], [6]])

#: The noise is taken around this many of the strongest lines; the others are given their average.
LINES = 32


@dataclass(frozen=True)
class Estimate(Plain):
    """An amplitude in grey levels and its standard error."""

    amplitude: float
    error: float


@dataclass(frozen=True)
class ColourAmplitudes:
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
        """JSON-ready."""
        out = as_dict(self, "channels", "total", "opponent", "dominant")
        if self.opponent is not None:
            out["opponent"] = dict(zip(NAMES, out["opponent"], strict=True))
        return out


def colour_amplitudes(array: NDArray[np.float32], component: Component) -> ColourAmplitudes:
    """Amplitude of the component in each channel and along luma, red-green and blue-yellow.

    Along a unit vector v of colours: A_v = sqrt(sum over lines of |g v.mu|^2), mu the complex amplitudes of
    the line per channel, g = 2, or 1 where the line is real. With S the covariance of the eigencoefficients
    around the line over K tapers of sums U_k, Var(v.mu) = v'Sv / ((K-1) sum U_k^2), of which a complex line
    has half along its phase; Var(A_v) follows to first order. So the error is that of the test itself, whose
    tapers give independent residuals, and holds for amplitudes well above it.

    Luma is (R+G+B)/sqrt 3, red-green (R-G)/sqrt 2, blue-yellow (R+G-2B)/sqrt 6: orthonormal, so that squares
    sum to those of R, G and B. A grey lattice of +-A has luma sqrt(3) A.

    Args:
        array: (*spatial, C) grey levels.
        component: from `find_lattice` on the same array.

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
    """Root of the summed squares of means (lines, C) along `axes`, its error from the (lines, C, C) noise."""
    along = means @ axes.T
    size = float(np.linalg.norm(along))
    strongest = along[: len(noise)]
    length = np.linalg.norm(strongest)
    # Without any amplitude all directions are alike.
    unit = strongest / length if length else np.full_like(strongest, 1 / np.sqrt(strongest.size))
    variance = np.einsum("li,lij,lj->", unit.conj(), axes @ noise @ axes.T, unit).real
    return Estimate(size, float(np.sqrt(max(0.0, float(variance)))))


def _noise(array: NDArray[np.float32], component: Component) -> NDArray[np.complex128]:
    """(lines, C, C) covariance of the peak amplitudes along their phases, of the strongest lines."""
    shape, lines = array.shape[:-1], component.lines[:LINES]
    windows = [tapers(n, len(shape)) for n in shape]
    sums = reduce(np.multiply.outer, [w.sums for w in windows]).ravel()
    energy = float((sums**2).sum())
    data, mean = array, mean_colour(array)
    # The first axis is summed by phase and taper, and goes to the end: (rest, C, s, K), axis after axis.
    for axis, (window, s) in enumerate(zip(windows, component.period, strict=True)):
        flat = data.reshape(len(data), -1)
        phases = np.stack([window.values[:, p::s] @ flat[p::s] for p in range(s)])
        phases = phases.reshape(s, window.count, *data.shape[1:])
        if axis == 0:
            # Here the mean is taken out at less cost than in the picture.
            gone = np.stack([window.values[:, p::s].sum(axis=1) for p in range(s)])
            phases -= np.multiply.outer(gone, np.broadcast_to(mean, data.shape[1:])).astype(np.float32)
        data = np.moveaxis(phases, (0, 1), (-2, -1))
    out = []
    for line in lines:
        spectrum: NDArray[Any] = data  # (C, s_0, K_0, s_1, K_1, ...)
        for f, s in zip(line.frequency, component.period, strict=True):
            # The phases in front are summed away, the tapers behind them go to the end.
            turn = np.exp(-2j * np.pi * f * np.arange(s))
            spectrum = np.moveaxis(np.tensordot(spectrum, turn, (1, 0)), 1, -1)
        spectrum = spectrum.reshape(len(spectrum), -1)
        residual = spectrum - np.outer(spectrum @ sums, sums) / energy
        # Peak amplitudes are twice the mean unless real, and have half of its variance along their phase.
        gain = (1 if line.real else 2) / (energy * (len(sums) - 1))
        out.append(gain * residual @ residual.conj().T)
    return np.array(out)


def mean_colour(array: NDArray[np.float32]) -> NDArray[np.float64]:
    """(C,) mean of each channel of (*spatial, C)."""
    rows = array.reshape(len(array), -1)
    # A product with ones sums rows fast; the short rest is summed in double precision.
    sums = (np.ones(len(rows), rows.dtype) @ rows).reshape(-1, array.shape[-1]).sum(axis=0, dtype=np.float64)
    return np.asarray(sums / (array.size / array.shape[-1]), np.float64)
