"""The least change of a signal that gives it another covariance."""

from __future__ import annotations

import torch
from torch import Tensor

#: Variance below this share of the largest (or of the mean square) is rounding, not signal.
ROUNDING = 1e-6


def evening_map(own: Tensor, wanted: Tensor) -> Tensor:
    """Return T with T own T = wanted that changes a signal of covariance `own` least:  E |T x - x|^2.

    T = own^(-1/2) (own^(1/2) wanted own^(1/2))^(1/2) own^(-1/2).

    Args:
        own: covariance (n, n) of the signal, symmetric.
        wanted: covariance it is to have.

    Source: Olkin and Pukelsheim, "The distance between two random vectors with given dispersion matrices",
        Linear Algebra Appl. 48 (1982).

    Example:
        >>> own, wanted = torch.eye(2), torch.diag(torch.tensor([4.0, 1.0]))
        >>> evening_map(own, wanted).round(decimals=4).tolist()
        [[2.0, 0.0], [0.0, 1.0]]
    """
    root, inverse = _power(own, 0.5), _power(own, -0.5)
    return inverse @ _power(root @ wanted @ root, 0.5) @ inverse


def _power(covariance: Tensor, exponent: float) -> Tensor:
    values, vectors = torch.linalg.eigh(covariance)
    least = values[-1].clamp_min(1e-30) * ROUNDING
    result: Tensor = (vectors * values.clamp_min(least) ** exponent) @ vectors.T
    return result
