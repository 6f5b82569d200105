"""Where values go, the slow way: push the index of every position through the calls themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import torch
from torch import Tensor


def index_map(shape: Sequence[int], calls: Sequence[Callable[[Tensor], Tensor]]) -> Tensor:
    """For each position of the result the flat source position it holds."""
    indices = torch.arange(prod(shape)).reshape(tuple(shape))
    for call in calls:
        indices = call(indices)
    return indices


def block_factors(indices: Tensor, shape: Sequence[int], spatial: Sequence[int]) -> dict[int, int]:
    """How many neighbours along each output axis share the source position, its channel apart.

    Args:
        indices: an index map.
        shape: of the source.
        spatial: source axes that count as position.

    Returns:
        Output axis -> block size, for axes along which the source position changes at all.
    """
    strides = [prod(shape[axis + 1 :]) for axis in range(len(shape))]
    where = torch.stack([indices // strides[axis] % shape[axis] for axis in spatial])
    found = {}
    for dim in range(indices.ndim):
        if indices.shape[dim] == 1:
            continue
        line = where.select(0, 0).new_zeros(0)
        line = where.movedim(dim + 1, -1).reshape(-1, indices.shape[dim])
        changes = (line[:, 1:] != line[:, :-1]).any(0).nonzero().flatten().tolist()
        if changes:
            found[dim] = changes[0] + 1
    return found
