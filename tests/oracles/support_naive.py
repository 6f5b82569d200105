"""The harmonic test inside a mask the slow way: generalised least squares, sums over all pixels."""

import numpy as np
from scipy.stats import f as fisher_f

from oracles.measuring_naive import naive_products, naive_spectrum


def naive_masked_line(array, mask, frequency, windows, least):
    """Amplitude mu (C,) of one line inside the mask, and F and p (C,) of each channel.

    Y = mu M + e, e of covariance G, both written out. Directions of G count whose eigenvalues are at least
    `least` times the largest.
    """
    spectrum = naive_spectrum(array, frequency, windows)
    products = naive_products(array.shape[:-1], windows)
    sums = np.array([(u * mask).sum() for u in products])
    gram = np.array([[(u * v * mask).sum() for v in products] for u in products])
    values, vectors = np.linalg.eigh(gram)
    large = values >= least * values.max()
    kept = vectors[:, large]
    inverse = kept @ np.diag(1 / values[large]) @ kept.T
    energy = sums @ inverse @ sums
    mu = spectrum @ inverse @ sums / energy
    rest = np.array([(y.conj() @ inverse @ y).real for y in spectrum - np.outer(mu, sums)])
    freedom = kept.shape[1] - 1
    statistic = freedom * np.abs(mu) ** 2 * energy / rest
    real = all(f in (0, 0.5) for f in frequency)
    p = fisher_f.sf(statistic, *((1, freedom) if real else (2, 2 * freedom)))
    return mu, statistic, p
