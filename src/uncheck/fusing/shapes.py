"""Shape of a resized tensor, for code that asks for it after the tensor itself is gone."""

from __future__ import annotations

import torch
from torch import Tensor


def enlarged(x: Tensor, factor: list[int]) -> list[int]:
    """Spatial sizes of x after a resize by `factor`."""
    return [x.shape[2 + axis] * factor[axis] for axis in range(len(factor))]


def resized_shape(x: Tensor, size: list[int], added: list[int]) -> list[int]:
    """Shape of x after a resize to `size`, and padding by `added` in all, per axis."""
    sizes = [x.shape[0], x.shape[1]]
    for axis in range(len(added)):
        sizes.append(size[axis] + added[axis])
    if torch.jit.is_scripting():  # type: ignore[attr-defined]
        return sizes
    else:  # TorchScript leaves a branch out only where it is written as one
        return torch.Size(sizes)  # type: ignore[return-value]
