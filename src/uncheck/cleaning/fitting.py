"""Fit a lattice as tiles times functions of brightness and colour: robust least squares, shrunk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]

#: Rounds of reweighting, and the share of windows that are taken for quiet.
ROUNDS = 5
QUIET = 0.25

#: Windows that quantiles are taken of.
SAMPLED = 2000

#: Squared standard errors that a coefficient must exceed; what is left of it is shrunk by as much.
PENALTY = 2.0


def fit(local: Array, basis: Array, weights: Array) -> Doubles:
    """Fit local coefficients (nodes, F) by functions (nodes, K) times tiles (K, F).

    Weighted least squares; the weight of a window is that of the caller over the power of what is not
    explained in it, so edges and texture weigh little. Then each function in turn is made orthogonal to those
    before it, and its coefficients are shrunk by their own standard errors (positive-part James-Stein).
    """
    columns, values, robust = basis, local, weights
    tiles = np.zeros((columns.shape[1], values.shape[1]), np.float32)
    some = slice(None, None, max(1, len(values) // SAMPLED))
    for _ in range(ROUNDS):
        weighted = robust[:, None] * columns
        tiles = np.linalg.solve(_gram(weighted, columns), weighted.T @ values).astype(np.float32)
        power = (values - columns @ tiles) ** 2
        scale = np.maximum(np.quantile(power[some], QUIET, axis=0), 1e-6)
        busy = power @ (1 / (len(scale) * scale)).astype(np.float32)
        robust = weights / (1 + busy)
    return _shrunk(columns, values, tiles, robust)


def _gram(weighted: Array, columns: Array) -> Doubles:
    """Return the products of all pairs of columns, regular also where one repeats another."""
    gram = np.asarray(weighted.T @ columns, np.float64)
    return np.asarray(gram + 1e-6 * np.trace(gram) * np.eye(len(gram)))


def _shrunk(columns: Array, values: Array, tiles: Array, robust: Array) -> Doubles:
    upper = np.linalg.cholesky(_gram(robust[:, None] * columns, columns)).T
    own = columns @ np.linalg.inv(upper).astype(np.float32)  # orthonormal under the weights
    along = upper @ tiles
    noise = ((robust[:, None] * own) ** 2).T @ (values - columns @ tiles) ** 2
    kept = np.maximum(0.0, 1 - PENALTY * noise / np.maximum(along**2, 1e-30))
    return np.asarray(np.linalg.solve(upper, kept * along))
