"""The harmonic F-test the slow way: one frequency at a time, sums over all pixels, formulas written out."""

from itertools import product

import numpy as np
from scipy.signal.windows import dpss
from scipy.stats import f as fisher_f


def naive_spectrum(array, frequency, windows):
    """(C, K): sum_n u_k[n] x[n] exp(-2 pi i f.n); `windows` gives (half-bandwidth, count) per axis."""
    products = naive_products(array.shape[:-1], windows)
    grid = np.indices(array.shape[:-1])
    turn = np.exp(-2j * np.pi * sum(f * n for f, n in zip(frequency, grid, strict=True)))
    return np.array(
        [[(u * array[..., c].astype(float) * turn).sum() for u in products] for c in range(array.shape[-1])]
    )


def naive_sums(shape, windows):
    """(K,) sums of the tapers."""
    return np.array([u.sum() for u in naive_products(shape, windows)])


def naive_line(spectrum, sums, real):
    """Amplitude mu (C,), F (C,) and p (C,) per channel, T2-based F and p of all channels together."""
    channels, count = spectrum.shape
    energy = sum(u * u for u in sums)
    mu = np.array(
        [sum(u * y for u, y in zip(sums, spectrum[c], strict=True)) / energy for c in range(channels)]
    )
    each, p_each = [], []
    for c in range(channels):
        rest = sum(abs(y - mu[c] * u) ** 2 for u, y in zip(sums, spectrum[c], strict=True))
        each.append((count - 1) * abs(mu[c]) ** 2 * energy / rest)
        p_each.append(fisher_f.sf(each[-1], *((1, count - 1) if real else (2, 2 * count - 2))))
    # Hotelling: S estimates the covariance of one eigencoefficient with K - 1 degrees of freedom,
    # T2 = energy mu* S^-1 mu, and T2 (K - C) / (C (K - 1)) follows F(C, K - C), both doubled if complex.
    residual = spectrum - np.outer(mu, sums)
    s = residual @ residual.conj().T / (count - 1)
    t2 = energy * float((mu.conj() @ np.linalg.inv(s) @ mu).real)
    joint = t2 * (count - channels) / (channels * (count - 1))
    double = 1 if real else 2
    p_joint = fisher_f.sf(joint, double * channels, double * (count - channels))
    return mu, np.array(each), np.array(p_each), joint, p_joint


def naive_amplitude(array, frequency):
    """Peak amplitude (C,) of one sinusoid, by correlating whole periods with cosine and sine."""
    grid = np.indices(array.shape[:-1])
    angle = 2 * np.pi * sum(f * n for f, n in zip(frequency, grid, strict=True))
    out = []
    for c in range(array.shape[-1]):
        x = array[..., c].astype(float)
        cosine, sine = (x * np.cos(angle)).mean(), (x * np.sin(angle)).mean()
        real = all(f in (0, 0.5) for f in frequency)
        out.append(np.hypot(cosine, sine) * (1 if real else 2))
    return np.array(out)


def naive_products(shape, windows):
    """All products of one taper per axis, the last axis running fastest."""
    axes = [dpss(n, nw, k) for n, (nw, k) in zip(shape, windows, strict=True)]
    arrays = []
    for picks in product(*axes):
        whole = np.ones(())
        for one in picks:
            whole = np.multiply.outer(whole, one)
        arrays.append(whole)
    return arrays
