"""The colour of a lattice: its amplitude per channel and along opponent axes, with errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.components import Component
from uncheck.measuring.eigenspectra import eigencoefficients, window_sums
from uncheck.measuring.harmonic import line_fit
from uncheck.plain import Plain, as_dict

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
