"""An upsampler made to give exactly the output size of a transposed convolution it replaces."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.layers.axes import CallSignature
from uncheck.phases.axes import flat_pads


class Sized(nn.Module):
    """Pad with zeros, upsample, crop:  y = up(pad(x))[front : front + s size + margin].

    Takes `output_size` as torch's transposed convolutions do, and has their geometry as attributes, since
    forwards slice by it.

    Args:
        up: gives s times its input, plus a constant, per axis.
        stride: s per axis.
        margin: output pixels beyond s times the input, per axis, any sign, without output_size.
        least: the smallest margin that output_size may ask for; up to s - 1 more are allowed.
        pads: input pixels of zeros per axis (before, after); negative numbers crop.
        front: output pixels cropped in front per axis.

    Shape: (batch, in, *size) to (batch, out, *(s size + margin)).

    Raises:
        UncheckError: in forward, an output_size that the layer replaced could not give.
    """

    __signature__ = CallSignature()

    def __init__(
        self,
        up: nn.Module,
        stride: Sequence[int],
        margin: Sequence[int],
        least: Sequence[int],
        pads: Sequence[tuple[int, int]],
        front: Sequence[int],
    ) -> None:
        super().__init__()
        self.up = up
        self.stride, self.margin, self.least = tuple(stride), tuple(margin), tuple(least)
        self.pads, self.front = tuple(pads), tuple(front)

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return the enlarged output; output_size, the sizes of the axes, replaces output_padding."""
        n = len(self.stride)
        size = [s * x.shape[a - n] for a, s in enumerate(self.stride)]
        wanted = [big + more for big, more in zip(size, self.margin, strict=True)]
        if output_size is not None:
            wanted = list(output_size)[-n:]
            for there, big, least, s in zip(wanted, size, self.least, self.stride, strict=True):
                if not 0 <= there - big - least < s:
                    raise UncheckError(
                        f"cannot give output_size {list(output_size)} for an input of {list(x.shape[-n:])}"
                    )
        if any(any(pair) for pair in self.pads):
            x = F.pad(x, flat_pads(self.pads))
        y: Tensor = self.up(x)
        for a in range(n):
            y = y.narrow(a - n, self.front[a], wanted[a])
        return y

    def extra_repr(self) -> str:
        """Name the geometry."""
        return f"stride={self.stride}, margin={self.margin}, pads={self.pads}, front={self.front}"
