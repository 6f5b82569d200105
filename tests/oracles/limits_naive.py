"""The limit of a test the slow way: lattices are drawn, put into noise, and their lines tested one by one."""

from math import prod

import numpy as np
from scipy.stats import chi2
from scipy.stats import f as fisher_f


def naive_found(amplitude, period, own, clarity, real, channels, tapers, level, sums, tiles, seed):
    """Return the share of random tiles of an amplitude that pass, by F of every line.

    `own` are the frequencies tested (F, ndim), `clarity` (F,) |mu|^2 over the noise, `level` the p-value that
    the smallest p of the lines times their number, or Fisher's sum (if `sums`), must stay below.
    """
    rng, hits = np.random.default_rng(seed), 0
    axes = tuple(range(len(period)))
    for _ in range(tiles):
        tile = rng.normal(size=period)
        lines = np.fft.fftn(tile, axes=axes) / prod(period)
        lines.flat[0] = 0
        power = np.abs(lines) ** 2
        mirrored = np.indices(period).reshape(len(period), -1) * -1 % np.array(period)[:, None]
        same = (mirrored == np.indices(period).reshape(len(period), -1)).all(axis=0).reshape(period)
        lines *= amplitude / np.sqrt(power[same].sum() + 2 * power[~same].sum())
        p_values = []
        for f, c, is_real in zip(own, clarity, real, strict=True):
            place = tuple(round(x * p) % p for x, p in zip(f, period, strict=True))
            mean = np.sqrt(c) * lines[place]
            noise = rng.normal(size=(channels, 2)) @ ([1, 0] if is_real else [0.5**0.5, 0.5**0.5 * 1j])
            total = abs(mean + noise[0]) ** 2 + (np.abs(noise[1:]) ** 2).sum()
            double = 1 if is_real else 2
            free = tapers - channels
            value = total * free / (channels * (tapers - 1))
            p_values.append(max(fisher_f.sf(value, double * channels, double * free), 1e-300))
        joint = chi2.sf(-2 * np.log(p_values).sum(), 2 * len(p_values)) if sums else 1.0
        hits += min(min(p_values) * len(p_values), joint) < level
    return hits / tiles
