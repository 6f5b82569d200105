"""Fit a lattice as tiles times functions of brightness and colour: robust least squares, shrunk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Doubles = NDArray[np.float64]

#: Rounds of reweighting, and the share of windows that are taken for quiet.
ROUNDS = 6
QUIET = 0.25

#: Squared standard errors that a coefficient must exceed; what is left of it is shrunk by as much.
PENALTY = 2.0


def fit(local: Array, basis: Array, weights: Array) -> Doubles:
    """Fit local coefficients (nodes, F) by functions (nodes, K) times tiles (K, F).

    Weighted least squares; the weight of a window is that of the caller over the power of what is not
    explained in it, so edges and texture weigh little. Then each function in turn is made orthogonal to those
    before it, and its coefficients are shrunk by their own standard errors (positive-part James-Stein).
    """
    columns, values = basis.astype(np.float64), local.astype(np.float64)
    robust = weights.astype(np.float64)
    scale = np.ones(values.shape[1])
    tiles = np.zeros((columns.shape[1], values.shape[1]))
    for _ in range(ROUNDS):
        gram = columns.T @ (robust[:, None] * columns)
        tiles = np.linalg.solve(
            gram + 1e-9 * np.trace(gram) * np.eye(len(gram)), columns.T @ (robust[:, None] * values)
        )
        power = (values - columns @ tiles) ** 2
        scale = np.maximum(np.quantile(power, QUIET, axis=0), 1e-6)
        busy = (power / scale).mean(axis=1)
        robust = weights / (1 + busy)
    return _shrunk(columns, values, tiles, robust)


def _shrunk(columns: Doubles, values: Doubles, tiles: Doubles, robust: Doubles) -> Doubles:
    gram = columns.T @ (robust[:, None] * columns)
    gram += 1e-9 * np.trace(gram) * np.eye(len(gram))
    upper = np.linalg.cholesky(gram).T
    own = columns @ np.linalg.inv(upper)  # orthonormal under the weights
    along = upper @ tiles
    power = (values - columns @ tiles) ** 2
    noise = ((robust[:, None] * own) ** 2).T @ power
    kept = np.maximum(0.0, 1 - PENALTY * noise / np.maximum(along**2, 1e-30))
    return np.asarray(np.linalg.solve(upper, kept * along))
