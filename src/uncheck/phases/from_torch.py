"""Phase kernels of transposed, plain and sub-pixel convolutions, and of un-patchify.

Every function takes the weights as torch's modules hold them, runs on the meta device too, and refuses with
an UncheckError what does not fit. Cost: one pass over the expanded weights, out * in * prod(k) entries.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.geometry import Sizes, sizes_per_axis
from uncheck.phases.kernel import PhaseKernel, check_entries


def from_conv_transpose(
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> PhaseKernel:
    """Return the kernel of a transposed convolution:  h[d t] = W[t],  offset = padding.

    Args:
        weight: torch's layout (in, out / groups, *k).
        bias: (out,) or None.
        stride: upsampling factor, >= 1.
        padding: pixels cropped at both ends, >= 0.
        output_padding: pixels added at the end, >= 0.
        dilation: pixels between taps, >= 1.
        groups: divides in and out.

    Returns:
        The kernel, equal to the layer everywhere, borders included.

    Raises:
        UncheckError: shapes or sizes that do not agree.

    Example:
        >>> from_conv_transpose(torch.ones(2, 3, 4, 4), None, stride=2, padding=1).offset
        (1, 1)
    """
    ndim = _axes(weight)
    s, p, extra, d = sizes_per_axis(
        ndim, stride=stride, padding=padding, output_padding=output_padding, dilation=dilation
    )
    h = _dilate(_dense(weight, groups).transpose(0, 1), d)
    k = h.shape[2:]
    margin = tuple(k[a] - s[a] - 2 * p[a] + extra[a] for a in range(ndim))
    return PhaseKernel(h, s, bias, p, margin, _support(weight, d))


def from_conv(
    weight: Tensor, bias: Tensor | None, padding: Sizes = 0, dilation: Sizes = 1, groups: int = 1
) -> PhaseKernel:
    """Return the kernel, of one phase, of a convolution of stride 1:  h[d (k - 1) - d t] = W[t].

    Args:
        weight: torch's layout (out, in / groups, *k).
        bias: (out,) or None.
        padding: zeros added at both ends, >= 0.
        dilation: pixels between taps, >= 1.
        groups: divides in and out.

    Returns:
        The kernel, equal to the layer everywhere.

    Raises:
        UncheckError: shapes or sizes that do not agree.

    Example:
        >>> from_conv(torch.tensor([[[1.0, 2.0, 3.0]]]), None, padding=1).weight
        tensor([[[3., 2., 1.]]])
    """
    ndim = _axes(weight)
    p, d = sizes_per_axis(ndim, padding=padding, dilation=dilation)
    h = _flip(_dilate(_dense(weight, groups), d))
    reach = [k - 1 for k in h.shape[2:]]
    offset = tuple(r - q for r, q in zip(reach, p, strict=True))
    margin = tuple(2 * q - r for r, q in zip(reach, p, strict=True))
    return PhaseKernel(h, (1,) * ndim, bias, offset, margin, _support(weight, d))


def from_pixel_shuffle(
    conv_weight: Tensor,
    conv_bias: Tensor | None,
    factor: Sizes,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> PhaseKernel:
    """Return the kernel of a convolution and a pixel shuffle.

    h[p + s (D - d t)] = W[c s^n + p][t],  D = d (k - 1).

    The bias becomes one per phase. Channels are ordered as torch.nn.PixelShuffle does, c r r + i r + j, and
    by the same rule on one or three axes.

    Args:
        conv_weight: (out * prod(factor), in / groups, *k).
        conv_bias: (out * prod(factor),) or None.
        factor: upsampling factor per axis, >= 1.
        padding: zeros added at both ends of the input, >= 0.
        dilation: input pixels between taps, >= 1.
        groups: divides in and the convolution's outputs.

    Returns:
        The kernel, equal to the pair everywhere, borders included.

    Raises:
        UncheckError: shapes or sizes that do not agree.

    Example:
        >>> from_pixel_shuffle(torch.ones(8, 3, 3, 3), None, factor=2, padding=1).kernel_size
        (6, 6)
    """
    ndim = _axes(conv_weight)
    s, p, d = sizes_per_axis(ndim, factor=factor, padding=padding, dilation=dilation)
    phases = math.prod(s)
    if conv_weight.shape[0] % phases:
        raise UncheckError(
            f"a pixel shuffle by {s} needs output channels divisible by {phases}, not {conv_weight.shape[0]}"
        )
    out = conv_weight.shape[0] // phases
    w = _flip(_dilate(_dense(conv_weight, groups), d))
    taps = tuple(w.shape[2:])
    # (out, *s, in, *taps) -> (out, in, tap 0, s 0, tap 1, s 1, ...)
    order = [0, 1 + ndim] + [axis for a in range(ndim) for axis in (2 + ndim + a, 1 + a)]
    h = w.reshape(out, *s, w.shape[1], *taps).permute(order)
    h = h.reshape(out, w.shape[1], *(t * f for t, f in zip(taps, s, strict=True)))
    if conv_bias is not None and tuple(conv_bias.shape) != (out * phases,):
        raise UncheckError(f"bias must have shape ({out * phases},), not {tuple(conv_bias.shape)}")
    bias = None if conv_bias is None else conv_bias.reshape(out, *s)
    offset = tuple(s[a] * (taps[a] - 1 - p[a]) for a in range(ndim))
    margin = tuple(s[a] * (2 * p[a] - taps[a] + 1) for a in range(ndim))
    there = _support(conv_weight, d)
    if there is not None:
        for axis, f in enumerate(s):
            there = there.repeat_interleave(f, axis)
    return PhaseKernel(h, s, bias, offset, margin, there)


def from_unpatchify(linear_weight: Tensor, linear_bias: Tensor | None, patch: Sizes) -> PhaseKernel:
    """Return the kernel of a linear layer that writes one patch per token:  h[p] = W[c, p],  stride = patch.

    Args:
        linear_weight: arranged as (out, *patch, in).
        linear_bias: arranged as (out, *patch), or None; becomes one per phase.
        patch: output pixels per token and axis, >= 1.

    Returns:
        The kernel, equal to the layer everywhere.

    Raises:
        UncheckError: the weight is not (out, *patch, in).

    Example:
        >>> from_unpatchify(torch.ones(3, 4, 4, 16), None, patch=4).stride
        (4, 4)
    """
    ndim = linear_weight.ndim - 2
    if not 1 <= ndim <= 3:
        raise UncheckError(
            f"weight must be (out, *patch, in) with 1 to 3 patch axes, not {tuple(linear_weight.shape)}"
        )
    (s,) = sizes_per_axis(ndim, patch=patch)
    if tuple(linear_weight.shape[1:-1]) != s:
        raise UncheckError(
            f"weight must be (out, *patch, in) with patch {s}, not {tuple(linear_weight.shape)}"
        )
    bias = None if linear_bias is None else linear_bias.reshape(linear_weight.shape[0], *s)
    return PhaseKernel(linear_weight.movedim(-1, 1), s, bias)


def _axes(weight: Tensor) -> int:
    """Return the number of spatial axes of a convolution weight.

    Raises:
        UncheckError: not 1 to 3, or an empty axis.
    """
    if not 3 <= weight.ndim <= 5 or min(weight.shape) < 1:
        raise UncheckError(
            f"a convolution weight has 2 channel axes and 1 to 3 more, not shape {tuple(weight.shape)}"
        )
    return weight.ndim - 2


def _dense(weight: Tensor, groups: int) -> Tensor:
    """Expand (a, b / groups, *k) to (a, b, *k), zero outside the diagonal blocks.

    Raises:
        UncheckError: groups do not divide a.
    """
    if groups < 1 or weight.shape[0] % groups:
        raise UncheckError(f"groups {groups} must divide the first axis of the weight, {weight.shape[0]}")
    if groups == 1:
        return weight.detach()
    rows, columns, *k = weight.shape
    check_entries((rows, columns * groups, *k), "the dense kernel of the groups")
    blocks = weight.detach().reshape(groups, rows // groups, 1, columns, *k)
    eye = torch.eye(groups, dtype=weight.dtype, device=weight.device).reshape(
        groups, 1, groups, 1, *[1] * len(k)
    )
    return (blocks * eye).reshape(rows, columns * groups, *k)


def _dilate(weight: Tensor, dilation: tuple[int, ...]) -> Tensor:
    """Spread the taps, with zeros between them: (a, b, *k) to (a, b, *(d (k - 1) + 1))."""
    if max(dilation) == 1:
        return weight
    k = [d * (n - 1) + 1 for d, n in zip(dilation, weight.shape[2:], strict=True)]
    check_entries((*weight.shape[:2], *k), "the dilated kernel")
    spread = weight.new_zeros(*weight.shape[:2], *k)
    spread[(slice(None), slice(None), *(slice(None, None, d) for d in dilation))] = weight
    return spread


def _support(weight: Tensor, dilation: tuple[int, ...]) -> Tensor | None:
    """Return a mask of the taps of the dilated kernel; None if all are taps."""
    # symmetric, so that flipping the kernel leaves it alone
    if max(dilation) == 1:
        return None
    return _dilate(torch.ones_like(weight[:1, :1]), dilation)[0, 0] > 0


def _flip(weight: Tensor) -> Tensor:
    """Turn correlation into convolution form and back."""
    return weight.flip(list(range(2, weight.ndim)))
