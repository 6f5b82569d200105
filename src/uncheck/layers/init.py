"""Start a transposed convolution without a lattice: as linear interpolation, or with all phases alike."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from uncheck.errors import UncheckError
from uncheck.geometry import Sizes, per_axis, sizes_per_axis
from uncheck.layers.assign import assign_weight
from uncheck.layers.icnr import STANDARD, Initialiser
from uncheck.layers.smooth import SmoothConvTranspose
from uncheck.phases.axes import CONV_TRANSPOSES, flat_pads

Target = TypeVar("Target", Tensor, nn.Module)


def bilinear_(
    target: Target,
    stride: Sizes | None = None,
    padding: Sizes | None = None,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Target:
    """Initialise a transposed convolution as linear interpolation of matching channels.

    h[d t] = max(0, 1 - |d t - c| / s) per axis, c the middle, each phase then divided by its sum

    so that constants come out constant for any kernel. From 2 s - 1 taps on (2 s where k is even) the
    division changes nothing, and the layer is linear interpolation away from borders: output pixel j reads
    the input at (j + padding - c) / s. c is that of torch's align_corners=False, padding + (s - 1) / 2, where
    its triangle fits into the kernel, else the middle of the kernel, (k - 1) / 2: k4 s2 p1 is F.interpolate,
    k3 s2 p1 is the interpolation that keeps the input pixels.

    Channels match by their number modulo the smaller count, within their group; several inputs of one output
    are averaged. A bias becomes zero.

    Args:
        target: torch.nn.ConvTranspose1d, 2d or 3d, or a SmoothConvTranspose, under weight_norm or
            spectral_norm (which scales it) too; or a weight (in, out / groups, *k), initialised in place.
        stride: of the transposed convolution, if the target is a weight.
        padding: likewise; None takes the middle of the kernel.
        dilation: likewise.
        groups: likewise.

    Returns:
        The target.

    Raises:
        UncheckError: a phase without taps near its place, or a weight that cannot be set.

    Cost: one pass over the weights.
    Source: Long, Shelhamer, Darrell, "Fully convolutional networks", CVPR 2015, for k = 2 s.

    Example:
        >>> bilinear_(nn.ConvTranspose1d(1, 1, 4, stride=2, padding=1)).weight.tolist()
        [[[0.25, 0.75, 0.75, 0.25]]]
    """
    weight, geometry = _transposed(target, stride, padding, dilation, groups)
    kernel: Tensor = torch.ones((), dtype=torch.float64)
    for axis, k in enumerate(weight.shape[2:]):
        s, d = geometry.stride[axis], geometry.dilation[axis]
        crop = None if geometry.padding is None else geometry.padding[axis]
        taps = torch.tensor(linear_taps(k, s, d, crop), dtype=torch.float64)
        kernel = kernel[..., None] * taps
    return _assign(target, _matching(weight, geometry.groups)[(..., *[None] * kernel.ndim)] * kernel, 0.0)


def icnr_transpose_(
    target: Target, stride: Sizes | None = None, init: Initialiser | None = None, groups: int = 1
) -> Target:
    """Initialise a transposed convolution with all phases alike: a nearest resize of a smaller kernel.

    h[s j + p + o] = K[j]  for every phase p = 0 .. s - 1 of each axis,  j = 0 .. floor(k / s) - 1

    so that phases start with equal gains and equal variances, as after ICNR. Where k is not divisible by s,
    the r = k mod s taps left over start at zero, o = floor(r / 2) in front and the rest behind; they learn
    like all others.

    Args:
        target: torch.nn.ConvTranspose1d, 2d or 3d without dilation, or a SmoothConvTranspose of order 1,
            under weight_norm or spectral_norm too; or a weight (in, out / groups, *k), initialised in place.
        stride: of the transposed convolution, if the target is a weight.
        init: fills K in place, given as the weight of a convolution, (out, in / groups, *floor(k / s)), so
            that its fan-in is that of the output; default kaiming_uniform_ with a = sqrt(5), as torch's
            convolutions. The output then has a third of the input's variance, prod(s) times more than with
            torch's transposed convolutions of equal channels.
        groups: divides in and out, if the target is a weight.

    Returns:
        The target.

    Raises:
        UncheckError: a kernel smaller than the stride, dilation, or a weight that cannot be set.

    Cost: one pass over the weights.
    Source: Aitken et al., "Checkerboard artifact free sub-pixel convolution", 2017, carried over.

    Example:
        >>> layer = icnr_transpose_(nn.ConvTranspose1d(1, 1, 4, stride=2), init=nn.init.ones_)
        >>> layer.weight.tolist()
        [[[1.0, 1.0, 1.0, 1.0]]]
    """
    weight, geometry = _transposed(target, stride, None, 1, groups)
    size = weight.shape[2:]
    if max(geometry.dilation) > 1:
        raise UncheckError(f"icnr_transpose_ takes no dilation, not {geometry.dilation}: phases would mix")
    if any(k < s for k, s in zip(size, geometry.stride, strict=True)):
        raise UncheckError(
            f"a kernel of size {tuple(size)} with stride {geometry.stride} leaves phases without taps: "
            "use a kernel of at least the stride"
        )
    g = geometry.groups
    taps: list[int] = [k // s for k, s in zip(size, geometry.stride, strict=True)]
    ins, outs = weight.shape[0] // g, weight.shape[1]
    with torch.no_grad():
        small = weight.new_empty((outs * g, ins, *taps))
        (init or STANDARD)(small)
        held = small.reshape(g, outs, ins, *taps).transpose(1, 2).reshape(g * ins, outs, *taps)
        for axis, s in enumerate(geometry.stride, start=2):
            held = held.repeat_interleave(s, axis)
        rests = [k % s for k, s in zip(size, geometry.stride, strict=True)]
        held = nn.functional.pad(held, flat_pads((rest // 2, rest - rest // 2) for rest in rests))
    return _assign(target, held, 1 / math.sqrt(ins * math.prod(taps)))


def linear_taps(k: int, s: int, d: int = 1, padding: int | None = None) -> list[float]:
    """Return the k taps of linear interpolation along one axis, as bilinear_ defines them; phases sum to one.

    Raises:
        UncheckError: a phase has no tap within s of the middle.
    """
    last = d * (k - 1)
    middle = last / 2
    if padding is not None:
        aligned = padding + (s - 1) / 2
        if math.floor(aligned - s) + 1 >= 0 and math.ceil(aligned + s) - 1 <= last:
            middle = aligned
    taps = [max(0.0, 1 - abs(d * t - middle) / s) for t in range(k)]
    sums = [0.0] * s
    for t, value in enumerate(taps):
        sums[d * t % s] += value
    if min(sums) <= 0:
        raise UncheckError(
            f"{k} taps with stride {s} and dilation {d} leave a phase without taps for linear interpolation: "
            "use a kernel of at least the stride, without dilation"
        )
    return [value / sums[d * t % s] for t, value in enumerate(taps)]


class _Geometry(NamedTuple):
    stride: tuple[int, ...]
    padding: tuple[int, ...] | None
    dilation: tuple[int, ...]
    groups: int


def _transposed(
    target: Tensor | nn.Module, stride: Sizes | None, padding: Sizes | None, dilation: Sizes, groups: int
) -> tuple[Tensor, _Geometry]:
    """Return the weight, or one like it, and the geometry of the target."""
    if isinstance(target, Tensor):
        if not 3 <= target.ndim <= 5:
            raise UncheckError(f"weight must be (in, out, *k) with 1 to 3 axes, not {tuple(target.shape)}")
        if stride is None:
            raise UncheckError("stride must be given: a weight does not know it")
        if groups < 1 or target.shape[0] % groups:
            raise UncheckError(f"groups must divide the input channels: {groups} does not {target.shape[0]}")
        weight = target
    else:
        name = type(target).__name__
        if not isinstance(target, (*CONV_TRANSPOSES, SmoothConvTranspose)):
            raise UncheckError(f"the target must be a weight or a transposed convolution, not {name}")
        if stride is not None or padding is not None or dilation != 1 or groups != 1:
            raise UncheckError(
                f"stride, padding, dilation and groups are only for weights: {name} has its own"
            )
        if isinstance(target.weight, UninitializedParameter):
            raise UncheckError(f"{name} has no weight yet: run it once, then initialise it")
        weight, groups = target.weight, target.groups
        own: Any = target  # mypy knows string paddings, which torch refuses here
        stride, padding, dilation = own.stride, own.padding, own.dilation
    n = weight.ndim - 2
    crop = None if padding is None else per_axis("padding", padding, n, 0)
    steps, gaps = sizes_per_axis(n, stride=stride, dilation=dilation)
    return weight, _Geometry(steps, crop, gaps, groups)


def _matching(weight: Tensor, groups: int) -> Tensor:
    """Return the share of each input in each output of its group, (in, out / groups); outputs sum to one."""
    ins, outs = weight.shape[0] // groups, weight.shape[1]
    modulus = min(ins, outs)
    same = torch.arange(ins)[:, None] % modulus == torch.arange(outs)[None] % modulus
    share = same.double() / same.sum(0, keepdim=True)
    return share.repeat(groups, 1)


def _assign(target: Target, value: Tensor, bias_bound: float) -> Target:
    with torch.no_grad():
        if isinstance(target, Tensor):
            target.copy_(value)
            return target
        like = target.weight
        assert isinstance(like, Tensor)
        assign_weight(target, value.to(device=like.device, dtype=like.dtype))
        if isinstance(target.bias, Tensor):
            target.bias.uniform_(-bias_bound, bias_bound)
    return target
