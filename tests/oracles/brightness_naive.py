"""Dependence on colour the slow way: windows one by one, fits by refitting, sums written out."""

from itertools import product

import numpy as np


def naive_local(plane, frequency, sizes):
    """Peak amplitude of the line in each window: Hann-weighted least squares on all products of
    (line, its conjugate, 1, n, n^2) per axis."""
    out = []
    for corner in product(*(range(0, n - s + 1, s) for n, s in zip(plane.shape, sizes, strict=True))):
        window = plane[tuple(slice(c, c + s) for c, s in zip(corner, sizes, strict=True))].astype(float)
        weight, designs = np.ones(()), []
        for f, s in zip(frequency, sizes, strict=True):
            n = np.arange(s)
            weight = np.multiply.outer(weight, np.sin(np.pi * (n + 0.5) / s) ** 2)
            shapes = [np.exp(2j * np.pi * f * n)]
            if f != 0:
                shapes += [np.ones(s), n, n**2.0]
            if f not in (0, 0.5):
                shapes.append(shapes[0].conj())
            designs.append(shapes)
        columns = []
        for picks in product(*designs):
            whole = np.ones(())
            for one in picks:
                whole = np.multiply.outer(whole, one)
            columns.append(whole.ravel())
        root = np.sqrt(weight.ravel())
        found = np.linalg.lstsq(np.array(columns).T * root[:, None], window.ravel() * root, rcond=None)[0]
        out.append(found[0] * (1 if all(f in (0, 0.5) for f in frequency) else 2))
    return np.array(out)


def naive_left_out(columns, values):
    """What a fit without window w predicts for w."""
    design = np.column_stack([np.ones(len(values)), columns])
    out = []
    for w in range(len(values)):
        keep = np.arange(len(values)) != w
        coefficients = np.linalg.lstsq(design[keep], values[keep], rcond=None)[0]
        out.append(design[w] @ coefficients)
    return np.array(out)


def naive_errors(columns, values, counts):
    """Standard errors of intercept and slopes: HC3 and its neighbour-weighted form, whichever is larger."""
    design = np.column_stack([np.ones(len(values)), columns])
    bread = np.linalg.inv(design.T @ design)
    residual = values - naive_left_out(columns, values)
    scores = [bread @ x * e for x, e in zip(design, residual, strict=True)]
    places = list(np.ndindex(*counts))
    apart, near = 0, 0
    for v, w in product(range(len(values)), repeat=2):
        weight = np.prod([max(0, 1 - abs(a - b) / 3) for a, b in zip(places[v], places[w], strict=True)])
        near = near + weight * np.outer(scores[v], scores[w])
        apart = apart + (v == w) * np.outer(scores[v], scores[w])
    return np.sqrt(np.maximum(np.diag(near), np.diag(apart)))


def naive_colour_error(spectra, sums, means, real, axis):
    """Standard error of the amplitude along `axis`, from the tapered spectra (C, K) of each line.

    Each line is projected on the axis first; then the residual over tapers is a plain sum.
    """
    energy, total, square = sum(u * u for u in sums), 0.0, 0.0
    for spectrum, mean, is_real in zip(spectra, means, real, strict=True):
        along = axis @ spectrum
        mu = sum(u * y for u, y in zip(sums, along, strict=True)) / energy
        rest = sum(abs(y - mu * u) ** 2 for u, y in zip(sums, along, strict=True))
        gain = 1 if is_real else 2
        spread = gain**2 * rest / (len(sums) - 1) / energy / (1 if is_real else 2)
        size = gain * abs(axis @ np.array(mean))
        total, square = total + size**2, square + size**2 * spread
    return np.sqrt(square / total)
