"""The one form of every linear upsampler: a kernel on the high-rate grid, a stride, a bias, an offset."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.phases.axes import conv_transpose, flat_pads

LIMIT = 2**28
"""Most entries of one kernel or matrix; 2 GiB in float64."""


@dataclass(frozen=True, eq=False, repr=False)
class PhaseKernel:
    """A linear upsampler, away from borders:  y[j] = sum_m h[j + offset - s m] x[m] + b.

    Phases are named by the output index: phase p is all j = p mod s, and reads h at offset + p mod s.

    Args:
        weight: h, (out, in, *k), in convolution form on the high-rate grid; groups are expanded to dense
            blocks, which costs groups times the memory. Detached.
        stride: s, one integer >= 1 per axis.
        bias: None, (out,) per channel, or (out, *stride) per phase of the output index. Detached.
        offset: position in the full output of output pixel 0, one integer per axis, any sign; default 0.
        margin: output size = s * input size + margin; default keeps all of the full output from offset on.
        support: bool (*k), False where a tap is structurally absent (between dilated taps); default all True.

    Raises:
        UncheckError: shapes that do not agree, or a weight that is not floating point.

    Example:
        >>> PhaseKernel(torch.tensor([[[1.0, 2.0, 1.0]]]), stride=(2,)).apply(torch.ones(1, 1, 3))
        tensor([[[1., 2., 2., 2., 2., 2., 1.]]])
    """

    weight: Tensor
    stride: tuple[int, ...]
    bias: Tensor | None = None
    offset: tuple[int, ...] = ()
    margin: tuple[int, ...] = ()
    support: Tensor | None = None

    def __post_init__(self) -> None:
        weight = self.weight
        if not 3 <= weight.ndim <= 5 or min(weight.shape) < 1:
            raise UncheckError(
                f"weight must be (out, in, *k) with 1 to 3 axes, none empty, not {tuple(weight.shape)}"
            )
        if not weight.is_floating_point():
            raise UncheckError(f"weight must be real floating point, not {weight.dtype}: convert it first")
        object.__setattr__(self, "weight", weight.detach())
        object.__setattr__(self, "offset", tuple(self.offset) or (0,) * self.ndim)
        full = zip(self.kernel_size, self.stride, self.offset, strict=False)  # lengths are checked below
        object.__setattr__(self, "margin", tuple(self.margin) or tuple(k - s - o for k, s, o in full))
        for name in ("stride", "offset", "margin"):
            if len(sizes := getattr(self, name)) != self.ndim:
                raise UncheckError(
                    f"{name} {sizes} must have {self.ndim} entries, one per axis of the weight"
                )
        if min(self.stride) < 1:
            raise UncheckError(f"stride must be at least 1 on every axis, not {self.stride}")
        if self.bias is not None:
            shape = tuple(self.bias.shape)
            if shape not in ((self.out_channels,), (self.out_channels, *self.stride)):
                expected = f"({self.out_channels},) or {(self.out_channels, *self.stride)}"
                raise UncheckError(f"bias must have shape {expected}, not {shape}")
            object.__setattr__(self, "bias", self.bias.detach())
        if self.support is not None and tuple(self.support.shape) != self.kernel_size:
            raise UncheckError(f"support must have shape {self.kernel_size}, not {tuple(self.support.shape)}")

    def __repr__(self) -> str:
        size, stride = (" x ".join(map(str, sizes)) for sizes in (self.kernel_size, self.stride))
        kind = "none" if self.bias is None else ("per channel" if self.bias.ndim == 1 else "per phase")
        return (
            f"PhaseKernel({self.in_channels} -> {self.out_channels} channels, kernel {size}, "
            f"stride {stride}, offset {self.offset}, margin {self.margin}, bias {kind}, {self.weight.dtype})"
        )

    @property
    def ndim(self) -> int:
        """Number of spatial axes, 1 to 3."""
        return self.weight.ndim - 2

    @property
    def out_channels(self) -> int:
        """Number of output channels."""
        return self.weight.shape[0]

    @property
    def in_channels(self) -> int:
        """Number of input channels."""
        return self.weight.shape[1]

    @property
    def kernel_size(self) -> tuple[int, ...]:
        """Extent of h per axis, in output pixels."""
        return tuple(self.weight.shape[2:])

    @property
    def taps(self) -> Tensor:
        """Number of taps per phase, int64 (*stride): the positions of the support, whatever their weight."""
        support = self.support_mask()[None, None].to(torch.int64)
        return phase_sums(support, self.stride, self.offset)[0, 0]

    def support_mask(self) -> Tensor:
        """Return the support as a bool tensor (*k), all True where none was stated."""
        if self.support is not None:
            return self.support
        return torch.ones(self.kernel_size, dtype=torch.bool, device=self.weight.device)

    def phase(self, p: Sequence[int]) -> Tensor:
        """Return h_p[j] = h[s j + (offset + p mod s)], (out, in, *taps), for phase p of the output index.

        Raises:
            UncheckError: p is not a phase of this stride.
        """
        index = tuple(p)
        if len(index) != self.ndim or any(not 0 <= q < s for q, s in zip(index, self.stride, strict=False)):
            raise UncheckError(
                f"phase {index} does not exist for stride {self.stride}: give 0 <= p < stride per axis"
            )
        axes = zip(index, self.offset, self.stride, strict=True)
        return self.weight[(slice(None), slice(None), *(slice((q + o) % s, None, s) for q, o, s in axes))]

    def phase_bias(self) -> Tensor:
        """Return the bias per phase, (out, *stride), zero where there is none."""
        shape = (self.out_channels, *self.stride)
        if self.bias is None:
            return torch.zeros(shape, dtype=self.weight.dtype, device=self.weight.device)
        bias = self.bias if self.bias.ndim > 1 else self.bias.reshape(-1, *[1] * self.ndim)
        return bias.expand(shape)

    def to(self, dtype: torch.dtype) -> PhaseKernel:
        """Return the same kernel in another floating-point type."""
        bias = None if self.bias is None else self.bias.to(dtype)
        return PhaseKernel(self.weight.to(dtype), self.stride, bias, self.offset, self.margin, self.support)

    def double(self) -> PhaseKernel:
        """Return the same kernel in float64."""
        return self.to(torch.float64)

    def output_size(self, input_size: Sequence[int]) -> tuple[int, ...]:
        """Return the output pixels per axis, s * input + margin.

        Raises:
            UncheckError: another number of axes, or an output without pixels.
        """
        sizes = tuple(input_size)
        if len(sizes) != self.ndim:
            raise UncheckError(
                f"input_size {sizes} must have {self.ndim} entries, one per axis of the kernel"
            )
        result = tuple(s * n + g for s, n, g in zip(self.stride, sizes, self.margin, strict=True))
        if min(sizes) < 1 or min(result) < 1:
            raise UncheckError(f"an input of {sizes} pixels gives an output of {result}: use a larger input")
        return result

    def apply(self, x: Tensor) -> Tensor:
        """Apply the upsampler with zeros beyond the border.

        Args:
            x: (batch, in, *size), same dtype as the weight.

        Returns:
            (batch, out, *output_size(size)).

        Raises:
            UncheckError: x has other channels or axes.

        Cost: batch * prod(size) * prod(k) * out * in multiplications.
        """
        if x.ndim != self.weight.ndim or x.shape[1] != self.in_channels:
            raise UncheckError(
                f"input must be (batch, {self.in_channels}, {self.ndim} axes), not shape {tuple(x.shape)}"
            )
        size = self.output_size(x.shape[2:])
        full = conv_transpose(x, self.weight.transpose(0, 1), stride=self.stride)
        ends = zip(size, self.offset, full.shape[2:], strict=True)
        pads = flat_pads((-offset, n + offset - there) for n, offset, there in ends)
        # first extend where no tap reaches, then crop, as torch cannot crop more than there is
        full = F.pad(F.pad(full, [max(0, pad) for pad in pads]), [min(0, pad) for pad in pads])
        return full + tile_phases(self.phase_bias(), size)


def phase_sums(weight: Tensor, stride: Sequence[int], offset: Sequence[int]) -> Tensor:
    """Sum h over each phase of the output index:  G_p = sum_j h[s j + (offset + p mod s)].

    Differentiable, so that a training penalty can use it.

    Args:
        weight: h, (out, in, *k).
        stride: s per axis, >= 1.
        offset: position in the full output of output pixel 0, per axis.

    Returns:
        (out, in, *stride).

    Cost: one pass over the weights.

    Example:
        >>> phase_sums(torch.tensor([[[1.0, 2.0, 1.0]]]), (2,), (0,)).tolist()
        [[[2.0, 2.0]]]
    """
    ndim = len(stride)
    padded = F.pad(weight, flat_pads((0, -k % s) for k, s in zip(weight.shape[2:], stride, strict=True)))
    shape = [n for k, s in zip(padded.shape[2:], stride, strict=True) for n in (k // s, s)]
    sums = padded.reshape(*weight.shape[:2], *shape).sum(dim=[2 + 2 * axis for axis in range(ndim)])
    return torch.roll(sums, [-o % s for o, s in zip(offset, stride, strict=True)], list(range(2, 2 + ndim)))


def tap_phases(positions: Iterable[Tensor], stride: Sequence[int]) -> Tensor:
    """Return the phase of each tap, (*k), counted row by row, from the positions of taps along each axis."""
    phase = torch.zeros((), dtype=torch.int64, device="cpu")
    for u, s in zip(positions, stride, strict=True):
        phase = phase[..., None] * s + u % s
    return phase


def tile_phases(values: Tensor, size: Sequence[int]) -> Tensor:
    """Repeat values (out, *stride) over an output of this size: (out, *size), by output index mod stride."""
    for axis, pixels in enumerate(size, start=1):
        index = torch.arange(pixels, device=values.device) % values.shape[axis]
        values = values.index_select(axis, index)
    return values


def check_entries(shape: Sequence[int], what: str) -> None:
    """Refuse tensors of more than LIMIT entries.

    Raises:
        UncheckError: the product of shape is larger than LIMIT.
    """
    if math.prod(shape) > LIMIT:
        raise UncheckError(
            f"{what} would have shape {tuple(shape)}, more than {LIMIT} entries: use smaller sizes"
        )
