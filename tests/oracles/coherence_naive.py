"""Agreement of windows on the phase of a line, by loops over windows and pixels, formulas written out."""

import numpy as np
from scipy.special import erfc


def naive_windows(array, frequency, size):
    """(windows, C): Hann-weighted amplitude of the line in every window, less its weighted mean."""
    steps = np.arange(1, size + 1)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * (steps - 0.5) / size)
    weights = np.outer(hann, hann) / hann.sum() ** 2
    out = []
    for top in range(0, array.shape[0] - size + 1, size // 2):
        for left in range(0, array.shape[1] - size + 1, size // 2):
            rows, columns = np.indices((size, size))
            angle = frequency[0] * (rows + top) + frequency[1] * (columns + left)
            turn = np.exp(-2j * np.pi * angle)
            window = array[top : top + size, left : left + size].astype(float)
            out.append(
                [(weights * (w - (weights * w).sum()) * turn).sum() for w in np.moveaxis(window, -1, 0)]
            )
    return np.array(out)


def naive_agreement(local, real, overlap):
    """p-value of the agreement: channels turned to their principal axes, each window reduced to its phase."""
    _, strengths, axes = np.linalg.svd(local, full_matrices=False)
    smallest, asked = 1.0, 0
    for strength, axis in zip(strengths, axes, strict=True):
        if strength**2 <= 1e-9 * strengths[0] ** 2:
            continue
        asked += 1
        total = 0.0
        for window in local:
            # The axes are rows of V^H: their conjugates are what windows are projected on.
            value = complex((window * axis.conj()).sum())
            total += np.sign(value.real) if real else value / abs(value)
        z2 = len(local) / overlap * abs(total / len(local)) ** 2
        smallest = min(smallest, erfc(np.sqrt(z2 / 2)) if real else np.exp(-z2))
    return min(1.0, smallest * asked)
