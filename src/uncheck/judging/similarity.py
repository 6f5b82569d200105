"""The similarity of two pictures: PSNR and SSIM, over grey levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from uncheck.errors import UncheckError
from uncheck.signals.levels import LEVELS

#: Pixels cut at either end before comparing, where at least twice as many are left.
BORDER = 8

#: Root mean square difference below which two pictures are the same: rounding of float32 at the peak.
SAME = LEVELS * 2.0**-24

#: Standard deviation and reach, in pixels, of the window of SSIM; its two constants.
SIGMA, REACH = 1.5, 5
C1, C2 = (0.01 * LEVELS) ** 2, (0.03 * LEVELS) ** 2

Pictures = NDArray[np.float32]


def psnr(one: Pictures, two: Pictures) -> float:
    """Return the peak signal-to-noise ratio of all pictures together:  20 log10(255 / rms(one - two)),  dB.

    Args:
        one: (N, *spatial, C) grey levels; cut to 0..255, as a viewer does, and without a border of 8 pixels.
        two: likewise.

    Returns:
        At most 144.5, for equal pictures: smaller differences are rounding of float32.

    Raises:
        UncheckError: of other shape.
    """
    return psnr_of(squared_error(one, two))


def squared_error(one: Pictures, two: Pictures) -> tuple[float, int]:
    """Return the sum of squared differences as `psnr` takes them, and the number of values."""
    a, b = _compared(one, two)
    return float(((a - b) ** 2).sum()), a.size


def psnr_of(*errors: tuple[float, int]) -> float:
    """Return the PSNR of several sums of squared differences together."""
    rms = (sum(e for e, _ in errors) / sum(n for _, n in errors)) ** 0.5
    return float(20 * np.log10(LEVELS / max(rms, SAME)))


def ssim(one: Pictures, two: Pictures) -> float:
    """Return the mean structural similarity over channels and pictures, 1 for equal ones.

    Equation: with means m, variances v and covariance c under a Gaussian window of 1.5 pixels,
    (2 m1 m2 + C1)(2 c + C2) / ((m1^2 + m2^2 + C1)(v1 + v2 + C2)),  C1 = 2.55^2, C2 = 7.65^2.

    Args:
        one: (N, *spatial, C) grey levels, cut and trimmed as for `psnr`.
        two: likewise.

    Cost: ten Gaussian filters per axis.
    Source: Wang, Bovik, Sheikh and Simoncelli, IEEE TIP 13 (2004), equation 13.
    """
    pairs = zip(*_compared(one, two), strict=True)
    return float(np.mean([_ssim(a, b) for a, b in pairs]))


def _ssim(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    m1, m2 = _blurred(a), _blurred(b)
    v1, v2 = _blurred(a * a) - m1 * m1, _blurred(b * b) - m2 * m2
    c = _blurred(a * b) - m1 * m2
    index = (2 * m1 * m2 + C1) * (2 * c + C2) / ((m1 * m1 + m2 * m2 + C1) * (v1 + v2 + C2))
    # windows that reach over the border do not count
    inside = tuple(slice(REACH, n - REACH) if n > 2 * REACH else slice(None) for n in index.shape[:-1])
    return float(index[inside].mean())


def _compared(one: Pictures, two: Pictures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if one.shape != two.shape:
        raise UncheckError(
            f"pictures of shape {one.shape} and {two.shape} cannot be compared; give equal ones"
        )
    inner = tuple(slice(BORDER, n - BORDER) if n >= 4 * BORDER else slice(None) for n in one.shape[1:-1])
    inner = (slice(None), *inner)
    return tuple(np.clip(x[inner].astype(np.float64), 0, LEVELS) for x in (one, two))  # type: ignore[return-value]


def _blurred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    for axis in range(values.ndim - 1):
        values = gaussian_filter1d(values, SIGMA, axis=axis, radius=REACH)
    return values
