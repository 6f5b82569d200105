"""Phase kernels of resizes, bare or followed by a convolution."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.geometry import Sizes, count_axes, sizes_per_axis
from uncheck.phases.axes import conv_transpose
from uncheck.phases.from_torch import from_conv
from uncheck.phases.kernel import PhaseKernel, check_entries

MODES = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "trilinear": "linear"}
"""Accepted names of resize modes, torch's included."""


def axis_hold(factor: int, mode: str) -> tuple[list[float], int]:
    """Return the resize kernel along one axis, and its offset; its margin is 0.

    nearest: h = hold = (1, ..., 1), length s;  linear: h[v] = max(0, 1 - |2 v + 1 - s| / 2 s), which is
    hold * hold / s for odd s and hold * hold * (1, 1) / 2 s for even s.

    Returns:
        (values, offset): output pixel j takes values[j + offset - s m] of input pixel m.

    Raises:
        UncheckError: no such mode.

    Source: torch.nn.functional.interpolate, align_corners=False: source = (j + 1/2) / s - 1/2.
    """
    if mode not in MODES:
        raise UncheckError(f"resize mode {mode!r} is not known: use one of {', '.join(MODES)}")
    if MODES[mode] == "nearest":
        return [1.0] * factor, 0
    offset = factor // 2
    length = 2 * factor - factor % 2
    values = [1 - abs(2 * (u - offset) + 1 - factor) / (2 * factor) for u in range(length)]
    return values, offset


def hold_kernel(
    factor: Sequence[int], mode: str, dtype: torch.dtype, device: torch.device
) -> tuple[Tensor, tuple[int, ...]]:
    """Return the resize kernel of one channel, (*k), with its offset per axis.

    Raises:
        UncheckError: no such mode, or a factor too large to hold in memory.
    """
    check_entries([2 * f for f in factor], "the resize kernel")
    axes = [axis_hold(f, mode) for f in factor]
    kernel = torch.ones((), dtype=dtype, device=device)
    for values, _ in axes:
        kernel = kernel[..., None] * torch.tensor(values, dtype=dtype, device=device)
    return kernel, tuple(offset for _, offset in axes)


def from_resize(
    channels: int,
    factor: Sizes,
    mode: str = "nearest",
    *,
    ndim: int | None = None,
    dtype: torch.dtype = torch.float32,
) -> PhaseKernel:
    """Return the kernel of a bare resize by an integer factor: depthwise (dense, zero off the diagonal).

    Args:
        channels: number of channels, >= 1.
        factor: upsampling factor, one integer or one per axis, >= 1.
        mode: "nearest", or "linear" (also "bilinear", "trilinear"): half-pixel centres, align_corners=False.
        ndim: number of axes; taken from factor if that is a sequence, else 2.
        dtype: floating-point type of the kernel.

    Returns:
        The kernel; nearest is exact everywhere, linear away from borders (torch repeats the edge pixel).

    Raises:
        UncheckError: no such mode, or a factor below 1.

    Example:
        >>> from_resize(1, 2, "linear", ndim=1).weight
        tensor([[[0.2500, 0.7500, 0.7500, 0.2500]]])
    """
    axes = count_axes(ndim, factor)
    (s,) = sizes_per_axis(axes, factor=factor)
    if channels < 1:
        raise UncheckError(f"a resize needs at least 1 channel, not {channels}")
    hold, offset = hold_kernel(s, mode, dtype, torch.device("cpu"))
    check_entries((channels, channels, *hold.shape), "the dense kernel of the resize")
    eye = torch.eye(channels, dtype=dtype).reshape(channels, channels, *[1] * axes)
    return PhaseKernel(eye * hold, s, None, offset, (0,) * axes)


def from_resize_conv(
    conv_weight: Tensor,
    conv_bias: Tensor | None,
    factor: Sizes,
    mode: str = "nearest",
    padding: Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> PhaseKernel:
    """Return the kernel of a resize by an integer factor and a convolution:  h = flip(W) * hold.

    Args:
        conv_weight: (out, in / groups, *k), stride 1.
        conv_bias: (out,) or None.
        factor: upsampling factor, >= 1.
        mode: "nearest", or "linear" (also "bilinear", "trilinear"): half-pixel centres, align_corners=False.
        padding: zeros added at both ends after the resize, >= 0.
        dilation: high-rate pixels between taps, >= 1.
        groups: divides in and out.

    Returns:
        The kernel, k + s - 1 taps per axis for nearest; linear is exact only away from borders.

    Raises:
        UncheckError: shapes or sizes that do not agree, or no such mode.

    Source: Odena, Dumoulin, Olah, Distill 2016, "Better Upsampling"; fused: Karras et al., Progressive GAN.

    Example:
        >>> from_resize_conv(torch.tensor([[[1.0, 2.0, 3.0]]]), None, 2, padding=1).weight
        tensor([[[3., 5., 3., 1.]]])
    """
    conv = from_conv(conv_weight, conv_bias, padding, dilation, groups)
    (s,) = sizes_per_axis(conv.ndim, factor=factor)
    hold, offset = hold_kernel(s, mode, conv.weight.dtype, conv.weight.device)
    filters = conv.weight.reshape(-1, 1, *conv.kernel_size)
    h = conv_transpose(filters, hold[None, None])
    support = conv.support
    if support is not None:
        support = conv_transpose(support[None, None].to(h), (hold > 0).to(h)[None, None])[0, 0] > 0
    return PhaseKernel(
        h.reshape(conv.out_channels, conv.in_channels, *h.shape[2:]),
        s,
        conv_bias,
        tuple(a + b for a, b in zip(conv.offset, offset, strict=True)),
        conv.margin,
        support,
    )
