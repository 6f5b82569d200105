"""The axes of a batch of maps: which are places, which is the channels, and numbers laid along one."""

from __future__ import annotations

from typing import Any, TypeVar

from numpy.typing import NDArray
from torch import Tensor

Vector = TypeVar("Vector", Tensor, NDArray[Any])
"""A tensor or an array."""


def spatial_axes(tensor: Tensor) -> tuple[int, ...]:
    """Return the axes of a batch of maps that are places: all behind the channels, wherever these are."""
    if tensor.dim() >= 4 and tensor.shape[-1] <= 4 < tensor.shape[1]:
        return tuple(range(1, tensor.dim() - 1))
    return tuple(range(2, tensor.dim()))[:3]


def channel_axis(ndim: int, axes: tuple[int, ...]) -> int:
    """Return the axis of the channels where `axes` are spatial: the first other behind the batch, else 0.

    >>> channel_axis(4, (2, 3)), channel_axis(4, (1, 2)), channel_axis(3, (1, 2))
    (1, 3, 0)
    """
    return next((axis for axis in range(1, ndim) if axis not in axes), 0)


def laid_along(values: Vector, axis: int, ndim: int) -> Vector:
    """Return a vector as one of `ndim` axes that varies along `axis` alone.

    >>> import numpy as np
    >>> laid_along(np.arange(3), 1, 4).shape
    (1, 3, 1, 1)
    """
    return values.reshape([-1 if other == axis else 1 for other in range(ndim)])
