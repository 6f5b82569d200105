"""How near two pictures are: PSNR and SSIM, over grey levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from uncheck.errors import UncheckError
from uncheck.measuring.levels import LEVELS

#: Pixels cut at either end before comparing, where at least twice as many are left.
BORDER = 8

#: Root mean square difference below which two pictures are the same: rounding of float32 at the peak.
SAME = LEVELS * 2.0**-24

#: Standard deviation and reach, in pixels, of the window of SSIM; its two constants.
SIGMA, REACH = 1.5, 5
C1, C2 = (0.01 * LEVELS) ** 2, (0.03 * LEVELS) ** 2

Picture = NDArray[np.float32]


def psnr(one: Picture, two: Picture) -> float:
    """Peak signal-to-noise ratio:  20 log10(255 / rms(one - two)),  dB, at most 144.5 for equal pictures.

    Args:
        one: (*spatial, C) grey levels; cut to 0..255, as a viewer does, and without a border of 8 pixels.
        two: likewise.

    Raises:
        UncheckError: of other shape.
    """
    a, b = _compared(one, two)
    rms = float(np.sqrt(np.mean((a - b) ** 2)))
    return float(20 * np.log10(LEVELS / max(rms, SAME)))


def ssim(one: Picture, two: Picture) -> float:
    """Mean structural similarity, 1 for equal pictures; the mean over channels.

    Equation: with means m, variances v and covariance c under a Gaussian window of 1.5 pixels,
    (2 m1 m2 + C1)(2 c + C2) / ((m1^2 + m2^2 + C1)(v1 + v2 + C2)),  C1 = 2.55^2, C2 = 7.65^2.

    Args:
        one: (*spatial, C) grey levels, cut and trimmed as for `psnr`.
        two: likewise.

    Cost: ten Gaussian filters per axis.
    Source: Wang, Bovik, Sheikh and Simoncelli, IEEE TIP 13 (2004), equation 13.
    """
    a, b = _compared(one, two)
    m1, m2 = _blurred(a), _blurred(b)
    v1, v2 = _blurred(a * a) - m1 * m1, _blurred(b * b) - m2 * m2
    c = _blurred(a * b) - m1 * m2
    index = (2 * m1 * m2 + C1) * (2 * c + C2) / ((m1 * m1 + m2 * m2 + C1) * (v1 + v2 + C2))
    # windows that reach over the border do not count
    inside = tuple(slice(REACH, n - REACH) if n > 2 * REACH else slice(None) for n in index.shape[:-1])
    return float(index[inside].mean())


def _compared(one: Picture, two: Picture) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if one.shape != two.shape:
        raise UncheckError(
            f"pictures of shape {one.shape} and {two.shape} cannot be compared; give equal ones"
        )
    inner = tuple(slice(BORDER, n - BORDER) if n >= 4 * BORDER else slice(None) for n in one.shape[:-1])
    return tuple(np.clip(x[inner].astype(np.float64), 0, LEVELS) for x in (one, two))  # type: ignore[return-value]


def _blurred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    for axis in range(values.ndim - 1):
        values = gaussian_filter1d(values, SIGMA, axis=axis, radius=REACH)
    return values
