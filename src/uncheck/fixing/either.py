"""The fused layer where the factor may be another on another input: else resize and convolve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Pads = tuple[tuple[str, tuple[int, ...]], ...]
"""Paddings as F.pad takes them: mode and amounts, last axis first."""


class FusedOrPlain(nn.Module):
    """A convolution that can do the resize before it as well.

        forward(x)         the convolution alone, as it was
        forward(x, size)   resize to `size`, padding, convolution: fused where size = factor * (size of x)

    Args:
        fused: the resize by `factor` and the convolution as one layer; its weight and bias become this one's.
        weight: of the convolution, (out, in / groups, *k).
        factor: of the fused layer, per axis.
        mode: of the resize, as F.interpolate takes it.
        between: paddings between the resize and the convolution.
        own: paddings of the convolution itself.
        dilation: of the convolution, per axis.
        groups: of the convolution.

    Cost: that of either form; both weights are kept.
    """

    def __init__(
        self,
        fused: nn.Module,
        weight: Tensor,
        factor: Sequence[int],
        mode: str,
        between: Pads,
        own: Pads,
        dilation: Sequence[int],
        groups: int,
    ) -> None:
        super().__init__()
        self.fused = fused
        self.plain_weight = nn.Parameter(weight, requires_grad=weight.requires_grad)
        self.factor = tuple(factor)
        self.mode = mode
        self.between = between
        self.own = own
        self.dilation = tuple(dilation)
        self.groups = groups

    def forward(self, x: Tensor, size: Any = None) -> Tensor:
        """Convolve x; if a size is given, resize it first."""
        if size is not None:
            wanted = [int(n) if isinstance(n, float) else n for n in _per_axis(size, len(self.factor))]
            if all(n == f * m for n, f, m in zip(wanted, self.factor, x.shape[2:], strict=True)):
                made: Tensor = self.fused(x)
                return made
            x = F.interpolate(x, size=wanted, mode=self.mode)
            x = _padded(x, self.between)
        x = _padded(x, self.own)
        bias = self.fused.bias
        given = (self.plain_weight, bias, 1, 0, self.dilation, self.groups)
        if len(self.factor) == 1:
            return F.conv1d(x, *given)  # type: ignore[arg-type]
        if len(self.factor) == 2:
            return F.conv2d(x, *given)  # type: ignore[arg-type]
        return F.conv3d(x, *given)  # type: ignore[arg-type]

    def extra_repr(self) -> str:
        """Factor and mode."""
        return f"factor={self.factor}, mode={self.mode!r}"


def _per_axis(size: Any, ndim: int) -> list[Any]:
    return list(size) if isinstance(size, (tuple, list, torch.Size)) else [size] * ndim


def _padded(x: Tensor, pads: Pads) -> Tensor:
    for mode, amounts in pads:
        x = F.pad(x, list(amounts), mode=mode)
    return x
