"""The strength of one image the slow way: line by line, taper by taper, formulas written out."""

from itertools import product
from math import gcd, lcm

import numpy as np

from oracles.measuring_naive import naive_spectrum, naive_sums


def naive_lines(shape, periods):
    """Frequencies that belong to one of the periods, without conjugates, and whether each is real."""
    out, seen = [], set()
    for period in periods:
        for index in product(range(period), repeat=len(shape)):
            fractions = tuple((a // gcd(a, period), period // gcd(a, period)) for a in index)
            mirror = tuple((-a % d, d) for a, d in fractions)
            if lcm(*(d for _, d in fractions)) == period and not {fractions, mirror} & seen:
                seen.add(fractions)
                out.append((tuple(a / d for a, d in fractions), all(d <= 2 for _, d in fractions)))
    return out


def naive_strength(image, periods, windows, debias):
    """Strength of an image (*spatial, C) of grey levels; `windows(shape)` as in `naive_spectrum`.

    A line of a volume that holds still along an axis is one of the mean along it.
    """
    shape = image.shape[:-1]
    centred = image.astype(float) - image.astype(float).mean(axis=tuple(range(len(shape))))
    total = 0.0
    for frequency, real in naive_lines(shape, periods):
        factor = 1 if real else 2
        still = tuple(a for a, f in enumerate(frequency) if f == 0) if len(shape) == 3 else ()
        profile = centred.mean(axis=still)
        moving = tuple(f for f in frequency if f) if still else frequency
        sums = naive_sums(profile.shape[:-1], windows(profile.shape[:-1]))
        energy, count = float((sums**2).sum()), len(sums)
        spectrum = naive_spectrum(profile, moving, windows(profile.shape[:-1]))
        mean = spectrum @ sums / energy
        amplitude = np.sqrt(np.mean([(factor * abs(m)) ** 2 for m in mean]))
        spread = [
            sum(abs(y - m * u) ** 2 for y, u in zip(row, sums, strict=True)) / (count - 1)
            for row, m in zip(spectrum, mean, strict=True)
        ]
        noise = factor * np.sqrt(np.mean(spread) / energy)
        if debias:
            if amplitude < 2.5 * noise:
                amplitude = 0.0
            elif amplitude < 5 * noise:
                amplitude = 2 * (amplitude - 2.5 * noise)
        total += amplitude**2
    return np.sqrt(total + 1e-6) - 1e-3
