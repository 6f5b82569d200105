"""The fused layer where the factor may be another on another input: else resize and convolve."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from uncheck.layers.rule import exporting, tracing

Pads = list[tuple[str, list[int]]]
"""Paddings as F.pad takes them: mode and amounts, last axis first."""


class FusedOrPlain(nn.Module):
    """A convolution that can do the resize before it as well.

        forward(x)         the convolution alone, as it was
        forward(x, size)   resize to `size`, padding, convolution: fused where size = factor * (size of x)

    Args:
        fused: the resize by `factor` and the convolution as one layer; its bias is the convolution's, too.
        weight: of the convolution, (out, in / groups, *k).
        factor: of the fused layer, per axis.
        mode: of the resize, as F.interpolate takes it.
        between: paddings between the resize and the convolution.
        own: paddings of the convolution itself.
        dilation: of the convolution, per axis.
        groups: of the convolution.

    Cost: that of either form; both weights are kept.
    """

    # TorchScript reads these, as types and not as words: no postponed annotations in this file.
    between: list[tuple[str, list[int]]]
    own: list[tuple[str, list[int]]]

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
        self.plain_weight = nn.Parameter(weight)
        self.factor = list(factor)
        self.mode = mode
        self.between = between
        self.own = own
        self.dilation = list(dilation)
        self.groups = groups

    def forward(self, input: Tensor, size: list[int] | None = None) -> Tensor:
        """Convolve; if a size is given, resize first."""
        x = input  # named as torch.nn names it: a forward may pass it by name
        if size is not None:
            if torch.jit.is_scripting():  # type: ignore[attr-defined]
                wanted = size
                fits = True
            else:
                wanted = _whole(size, len(self.factor))
                # an exported graph holds one way for all sizes: the one that is right for all
                fits = not (tracing() or exporting())
            for axis in range(len(self.factor)):
                fits = fits and wanted[axis] == self.factor[axis] * x.shape[2 + axis]
            if fits:
                made: Tensor = self.fused(x)
                return made
            x = F.interpolate(x, size=wanted, mode=self.mode)
            for mode, amounts in self.between:
                x = F.pad(x, amounts, mode=mode)
        for mode, amounts in self.own:
            x = F.pad(x, amounts, mode=mode)
        weight, bias, steps = self.plain_weight, self.fused.bias, self.dilation
        if len(steps) == 1:
            return F.conv1d(x, weight, bias, [1], [0], steps, self.groups)  # type: ignore[arg-type]
        if len(steps) == 2:
            return F.conv2d(x, weight, bias, [1, 1], [0, 0], steps, self.groups)  # type: ignore[arg-type]
        return F.conv3d(x, weight, bias, [1, 1, 1], [0, 0, 0], steps, self.groups)  # type: ignore[arg-type]

    def extra_repr(self) -> str:
        """Factor and mode."""
        return f"factor={tuple(self.factor)}, mode={self.mode!r}"


def _whole(size: Any, ndim: int) -> list[int]:
    """One integer per axis of whatever F.interpolate takes as a size."""
    sizes = list(size) if isinstance(size, tuple | list) else [size] * ndim
    return [int(one) if isinstance(one, float) else one for one in sizes]
