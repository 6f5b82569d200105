"""Dependence of a lattice on brightness and colour; the article says that strong colours show it most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.colour.amplitudes import (
    ColourAmplitudes,
    Windows,
    colour_amplitudes,
    grid,
    local_amplitudes,
    local_means,
)
from uncheck.measuring.colour.regression import Curve, curve, fit
from uncheck.measuring.components import Component
from uncheck.plain import Plain
from uncheck.signals.levels import brightness, channel_means


@dataclass(frozen=True)
class Dependence(Plain):
    """Signed local amplitude of a lattice, fitted as intercept + slope * brightness, and as curves.

    Attributes:
        period: of the component.
        slope: grey levels of amplitude per grey level of local brightness; positive: stronger where bright,
            relative to the sign the lattice has on average.
        intercept: amplitude extrapolated to black, grey levels.
        slope_error, intercept_error: standard errors. Where brightness does not vary, slope and error are 0.
        p_value: of slope = 0 (two-sided t-test).
        zero_at: brightness at which the fitted lattice vanishes (the "average colour"), None if slope = 0.
        colour_slopes: per input channel, from one regression on all channels together.
        blocks: number of windows fitted.
        by_distance: amplitude against the distance of the local mean colour from that of the picture
            (Euclidean, grey levels). A positive slope: it shows more far from the mean colour. A lattice that
            changes sign across the mean colour counts as positive on both sides.
        by_brightness: signed amplitude against local brightness less that of the picture.
        colour: amplitude of the whole component per channel and along opponent axes.
    """

    period: tuple[int, ...]
    slope: float
    intercept: float
    slope_error: float
    intercept_error: float
    p_value: float
    zero_at: float | None
    colour_slopes: tuple[float, ...]
    blocks: int
    by_distance: Curve
    by_brightness: Curve
    colour: ColourAmplitudes


def brightness_dependence(array: NDArray[np.float32], component: Component) -> Dependence:
    """Relate the local amplitude of the component's strongest line to local brightness and colour.

    In windows of a whole number of periods (at least two, about 16 pixels) the line is demodulated in the
    channel where it is strongest, turned to the phase that carries most of what colour explains of it, and
    regressed by least squares with errors that allow for unequally noisy windows and correlated neighbours.

    Args:
        array: (*spatial, C) grey levels.
        component: from `find_lattice` on the same array.

    Raises:
        UncheckError: fewer than eight windows fit.

    Cost: one pass over the array, and one of the harmonic test at the component's lines.
    """
    line = component.lines[0]
    windows = grid(array.shape[:-1], line.period)
    channel = int(np.argmax(line.amplitudes))
    planes = [np.ascontiguousarray(array[..., c], np.float32) for c in range(array.shape[-1])]
    colours = np.stack([local_means(plane, windows) for plane in planes], axis=1)
    local = _signed(local_amplitudes(planes[channel], line, windows), colours, windows)
    mean = channel_means(array)
    bright, mean_brightness = brightness(colours), float(brightness(mean))
    distance = np.sqrt(((colours - mean) ** 2).sum(axis=1))
    counts = windows.counts
    straight, coloured = fit(bright[:, None], local, counts), fit(colours, local, counts)
    intercept, slope = map(float, straight.coefficients)
    return Dependence(
        period=component.period,
        slope=slope,
        intercept=intercept,
        slope_error=float(straight.errors[1]),
        intercept_error=float(straight.errors[0]),
        p_value=straight.slope_p_value,
        zero_at=-intercept / slope if slope else None,
        colour_slopes=tuple(map(float, coloured.coefficients[1:])),
        blocks=len(local),
        # The sign comes from the other windows, so that noise does not count as amplitude.
        by_distance=curve(distance, local * np.where(coloured.left_out < 0, -1, 1), counts),
        by_brightness=curve(bright - mean_brightness, local, counts),
        colour=colour_amplitudes(array, component),
    )


def _signed(
    local: NDArray[np.complex128], colours: NDArray[np.float64], windows: Windows
) -> NDArray[np.float64]:
    """Project complex amplitudes on the phase of most of the power that colour explains.

    Content has a random phase in every window; what is left of it in a fit on colour is small.
    """
    counts = windows.counts
    explained = fit(colours, local.real, counts).fitted + 1j * fit(colours, local.imag, counts).fitted
    direction = np.exp(0.5j * np.angle((explained**2).sum()))
    signed = (local * direction.conj()).real
    return np.asarray(signed if signed.mean() >= 0 else -signed, np.float64)
