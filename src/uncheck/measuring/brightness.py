"""How the lattice depends on brightness and colour: the article says bright colours show it most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from uncheck.errors import UncheckError
from uncheck.measuring.lattice import Component, Line

#: Rec. 601 weights of red, green and blue in brightness.
LUMA = np.array([0.299, 0.587, 0.114])

#: Brightness whose windows differ by less, in grey levels, does not vary.
FLAT = 1e-3


@dataclass(frozen=True)
class Dependence:
    """Signed local amplitude of a lattice, fitted as intercept + slope * brightness.

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

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "period": list(self.period),
            "slope": self.slope,
            "intercept": self.intercept,
            "slope_error": self.slope_error,
            "intercept_error": self.intercept_error,
            "p_value": self.p_value,
            "zero_at": self.zero_at,
            "colour_slopes": list(self.colour_slopes),
            "blocks": self.blocks,
        }


def brightness_dependence(array: NDArray[np.float32], component: Component) -> Dependence:
    """Fit the local amplitude of the component's strongest line against local brightness.

    In windows of a whole number of periods (about 16 pixels), less the slope of the brightness around them,
    the line is demodulated, turned to the phase
    that carries most of its power over all windows, and regressed by least squares.

    Args:
        array: (*spatial, C) grey levels.
        component: from `find_lattice` on the same array.

    Raises:
        UncheckError: fewer than eight windows fit.

    Cost: one pass over the array.
    """
    line = component.lines[0]
    channel = int(np.argmax(line.amplitudes))
    sizes = [_window(p) for p in line.period]
    counts = [n // size for n, size in zip(array.shape, sizes, strict=False)]
    if np.prod(counts) < 8:
        raise UncheckError(
            f"brightness dependence at period {list(component.period)} needs eight windows of "
            f"{' x '.join(map(str, sizes))} pixels; the picture has {int(np.prod(counts))}"
        )
    local = _signed(_block_means(array[..., channel], line, sizes, counts))
    colours = np.stack(
        [_block_means(array[..., c], None, sizes, counts).real for c in range(array.shape[-1])], axis=1
    )
    brightness = colours[:, :3] @ LUMA if colours.shape[1] >= 3 else colours.mean(axis=1)
    (intercept, slope), (intercept_error, slope_error) = _fit(brightness[:, None], local)
    freedom = len(local) - 2
    t = abs(slope) / slope_error if slope_error > 0 else np.inf
    colour_fit, _ = _fit(colours, local)
    return Dependence(
        period=component.period,
        slope=slope,
        intercept=intercept,
        slope_error=slope_error,
        intercept_error=intercept_error,
        p_value=float(2 * stdtr(freedom, -t)) if slope else 1.0,
        zero_at=-intercept / slope if slope else None,
        colour_slopes=tuple(colour_fit[1:]),
        blocks=len(local),
    )


def _window(period: int) -> int:
    return period * max(1, 16 // period)


def _block_means(
    plane: NDArray[np.float32], line: Line | None, sizes: list[int], counts: list[int]
) -> NDArray[np.complex128]:
    """Mean over each window of plane * exp(-2 pi i f.n), scaled to a peak amplitude."""
    cut = plane[tuple(slice(c * s) for c, s in zip(counts, sizes, strict=True))].astype(np.complex128)
    if line is not None:
        cut = _level(cut.real, sizes, counts).astype(np.complex128)
        for axis, f in enumerate(line.frequency):
            turn = np.exp(-2j * np.pi * f * np.arange(cut.shape[axis]))
            cut = cut * turn.reshape([-1 if a == axis else 1 for a in range(cut.ndim)])
        cut = cut * (1 if line.real else 2)
    split = _windows(cut, sizes, counts)
    means: NDArray[np.complex128] = split.mean(axis=tuple(range(1, split.ndim, 2))).ravel()
    return means


def _windows(cut: NDArray[Any], sizes: list[int], counts: list[int]) -> NDArray[Any]:
    """(count_0, size_0, count_1, size_1, ...)."""
    return cut.reshape([n for pair in zip(counts, sizes, strict=True) for n in pair])


def _level(cut: NDArray[np.float64], sizes: list[int], counts: list[int]) -> NDArray[np.float64]:
    """`cut` less the slope of its surroundings in every window, which would pass for a line.

    The slope is taken from the means of the windows next to each, which hold no lattice.
    """
    split = _windows(cut.copy(), sizes, counts)
    means = split.mean(axis=tuple(range(1, split.ndim, 2)), keepdims=True)
    for axis, (size, count) in enumerate(zip(sizes, counts, strict=True)):
        if count > 1:
            slope = np.gradient(means, size, axis=2 * axis)
            offset = np.arange(size) - (size - 1) / 2
            split -= slope * offset.reshape([-1 if a == 2 * axis + 1 else 1 for a in range(split.ndim)])
    return split.reshape(cut.shape)


def _signed(local: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Component of each complex amplitude along the direction that carries most power."""
    direction = np.exp(0.5j * np.angle((local**2).sum()))
    signed = (local * direction.conj()).real
    return np.asarray(signed if signed.mean() >= 0 else -signed, np.float64)


def _fit(columns: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[list[float], list[float]]:
    """Least squares of values on 1 and columns: coefficients and their standard errors."""
    # A column that only repeats the constant must not share its coefficient.
    varies = np.concatenate([[True], np.ptp(columns, axis=0) > FLAT])
    design = np.column_stack([np.ones(len(values)), columns])[:, varies]
    coefficients, errors = np.zeros((2, len(varies)))
    coefficients[varies] = np.linalg.lstsq(design, values, rcond=None)[0]
    residual = values - design @ coefficients[varies]
    variance = float(residual @ residual) / max(1, len(values) - design.shape[1])
    errors[varies] = np.sqrt(variance * np.diag(np.linalg.pinv(design.T @ design)).clip(0))
    return coefficients.tolist(), errors.tolist()
