"""Verification of repairs done the long way: loops over pixels, direct Fourier sums."""

import itertools
import math

import numpy as np


def ssim_naive(one, two):
    """Mean SSIM of (H, W, C) grey levels, window by window, without windows that leave the picture."""
    reach, sigma = 5, 1.5
    line = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    window = np.outer(line, line) / line.sum() ** 2
    values = []
    for y in range(reach, one.shape[0] - reach):
        for x in range(reach, one.shape[1] - reach):
            for c in range(one.shape[2]):
                a = one[y - reach : y + reach + 1, x - reach : x + reach + 1, c].astype(float)
                b = two[y - reach : y + reach + 1, x - reach : x + reach + 1, c].astype(float)
                ma, mb = (window * a).sum(), (window * b).sum()
                va, vb = (window * (a - ma) ** 2).sum(), (window * (b - mb) ** 2).sum()
                cov = (window * (a - ma) * (b - mb)).sum()
                c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
                values.append((2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2)))
    return float(np.mean(values))


def strength_naive(tile, periods):
    """Strength of an exactly periodic (P, Q) pattern: every sinusoid fitted by sums of sines and cosines."""
    rows, columns = tile.shape
    y, x = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    total, seen = 0.0, set()
    for a, b in itertools.product(range(rows), range(columns)):
        mirror = ((-a) % rows, (-b) % columns)
        if (a, b) == (0, 0) or (a, b) in seen or mirror in seen:
            continue
        seen.add((a, b))
        family = math.lcm(rows // math.gcd(a, rows), columns // math.gcd(b, columns))
        if not any(p % family == 0 for p in periods):
            continue
        turn = 2 * np.pi * (a * y / rows + b * x / columns)
        scale = 1 if (a, b) == mirror else 2
        cosine, sine = scale * (tile * np.cos(turn)).mean(), scale * (tile * np.sin(turn)).mean()
        total += cosine**2 + sine**2
    return float(np.sqrt(total))
