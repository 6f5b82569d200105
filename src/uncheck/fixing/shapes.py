"""What a resized tensor's shape would be, for code that asks for it after the tensor itself is gone."""

from __future__ import annotations

import torch
from torch import Tensor


def enlarged(x: Tensor, factor: list[int]) -> list[int]:
    """Spatial sizes of x after a resize by `factor`."""
    return [size * f for size, f in zip(x.shape[2:], factor, strict=True)]


def resized_shape(x: Tensor, size: list[int], added: list[int]) -> torch.Size:
    """Shape of x after a resize to `size`, and padding by `added` in all, per axis."""
    return torch.Size([x.shape[0], x.shape[1], *[n + a for n, a in zip(size, added, strict=True)]])
