"""Ways to clean a picture of a lattice of known period: (H, W, C) in grey levels to the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import uncheck
from uncheck.cleaning.estimating import estimate
from uncheck.cleaning.pattern import Pattern

Levels = NDArray[np.float32]


def notch(values: Levels, period: int) -> Levels:
    """Subtract the mean tile: the spectrum at the lattice's own frequencies is set to that of nothing."""
    detail = values - values.mean(axis=(0, 1))
    rows, columns = (n // period * period for n in values.shape[:2])
    cut = detail[:rows, :columns]
    tile = cut.reshape(rows // period, period, columns // period, period, -1).mean(axis=(0, 2))
    repeats = [-(-n // period) for n in values.shape[:2]]
    return values - np.tile(tile, (*repeats, 1))[: values.shape[0], : values.shape[1]]


def capped_nyquist(values: Levels, period: int) -> Levels:
    """Take the highest band out of the spectrum, but at most 3 levels from a pixel: for period 2 only.

    The method of the one existing tool, from its description: a low pass that keeps all but the frequencies
    within a sixteenth of one half, and a cap on the change of each pixel.
    """
    shape = values.shape[:2]
    down, across = (np.abs(np.fft.fftfreq(n)) for n in shape)
    near = np.maximum(down[:, None] - 0.5, across[None, :] - 0.5) > -1 / 32
    out = np.empty_like(values)
    for channel in range(values.shape[-1]):
        spectrum = np.fft.fft2(values[..., channel])
        out[..., channel] = np.fft.ifft2(np.where(near, 0, spectrum)).real
    return values + np.clip(out - values, -3, 3)


def median(values: Levels, period: int) -> Levels:
    """The median of the 3 x 3 pixels around each."""
    from scipy.ndimage import median_filter

    return np.asarray(median_filter(values, (3, 3, 1)))


def bilateral(values: Levels, period: int) -> Levels:
    """A bilateral filter over the period, for differences of about the lattice's."""
    from skimage.restoration import denoise_bilateral

    smooth = [
        denoise_bilateral(
            values[..., c] / 255, win_size=2 * period + 1, sigma_color=6 / 255, sigma_spatial=period
        )
        for c in range(values.shape[-1])
    ]
    return np.asarray(np.stack(smooth, axis=-1) * 255, np.float32)


def non_local_means(values: Levels, period: int) -> Levels:
    """Non-local means with the usual patch, for noise of about the lattice's."""
    from skimage.restoration import denoise_nl_means

    smooth = denoise_nl_means(
        values / 255,
        patch_size=5,
        patch_distance=6,
        h=2 / 255,
        sigma=2 / 255,
        fast_mode=True,
        channel_axis=-1,
    )
    return np.asarray(smooth * 255, np.float32)


def whole(values: Levels, period: int) -> Levels:
    """`uncheck.clean` as a user calls it: it has to find the period first."""
    pixels = np.rint(values).clip(0, 255).astype(np.uint8)
    return np.asarray(uncheck.clean(pixels), np.float32)


def told(values: Levels, period: int) -> Levels:
    """The estimate of `uncheck.clean` where the period is known, as for the other methods."""
    patterns: tuple[Pattern, ...] = estimate([values], [(period, period)])
    return values - patterns[0].drawn(values)


METHODS: dict[str, Callable[[Levels, int], Levels]] = {
    "notch": notch,
    "capped Nyquist notch": capped_nyquist,
    "median": median,
    "bilateral": bilateral,
    "non-local means": non_local_means,
    "uncheck, period told": told,
    "uncheck": whole,
}

#: So slow that they see the middle 256 x 256 pixels of few pictures.
SLOW = ("bilateral", "non-local means")
