"""The weighted mean of a set at one frequency, image by image."""

import numpy as np

from oracles.measuring_naive import naive_line, naive_spectrum


def naive_set_line(images, frequency, windows, sums, real):
    """Weights (C,), weighted mean spectrum (C, K), amplitude mu (C,) and p of all channels together.

    The weight of an image is one over the mean power of what its own line leaves of the eigencoefficients.
    """
    count = len(sums)
    weight, total = 0.0, 0.0
    for image in images:
        centred = image - image.mean(axis=tuple(range(image.ndim - 1)))
        spectrum = naive_spectrum(centred, frequency, windows)
        mu = (spectrum * sums).sum(axis=1) / (sums**2).sum()
        noise = (np.abs(spectrum - np.outer(mu, sums)) ** 2).sum(axis=1) / (count - 1)
        weight = weight + 1 / noise
        total = total + spectrum / noise[:, None]
    mean = total / weight[:, None]
    mu, _, _, _, p_joint = naive_line(mean, sums, real)
    return weight, mean, mu, p_joint
