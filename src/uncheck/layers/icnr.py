"""ICNR: start a sub-pixel convolution with all phases alike, bias included."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from uncheck.errors import UncheckError
from uncheck.geometry import Sizes, per_axis
from uncheck.layers.assign import assign_weight
from uncheck.layers.axes import one_factor
from uncheck.phases.axes import CONVS

Initialiser = Callable[[Tensor], object]
STANDARD: Initialiser = partial(nn.init.kaiming_uniform_, a=math.sqrt(5))
"""As torch's convolutions start."""
Target = TypeVar("Target", Tensor, nn.Module)


def icnr_(
    target: Target,
    scale_factor: Sizes | None = None,
    init: Initialiser | None = None,
    *,
    bias: Tensor | None = None,
    upscale_factor: Sizes | None = None,
) -> Target:
    """Initialise a convolution before a pixel shuffle like a convolution before a nearest resize.

    W[c s + p] = K[c]  and  b[c s + p] = d[c]  for every phase p = 0 .. s - 1,  s = prod(scale_factor)

    so that the output starts constant where the input is, at any input and whatever the bias. Under
    weight_norm or spectral_norm, of either kind and registered before or after, it is the effective weight
    that is tied. It is an initialisation: training may untie the phases.

    Args:
        target: a convolution weight (out * s, in / groups, *k), initialised in place; or a
            torch.nn.Conv1d, 2d or 3d, or a SubpixelConv, whose weight and bias are.
        scale_factor: of the shuffle, one integer >= 1 or one per axis; a SubpixelConv brings its own.
        init: fills K, (out, in / groups, *k), in place, as torch.nn.init.orthogonal_ does; default torch's
            own for convolutions, kaiming_uniform_ with a = sqrt(5).
        bias: (out * s,) or None, for a weight given as a tensor. d is drawn as torch draws a bias.
        upscale_factor: another name of scale_factor.

    Returns:
        The target.

    Raises:
        UncheckError: no factor, channels not divisible by s, groups that would split the phases of a channel
            over different inputs, or a weight that cannot be set.

    Cost: one pass over the weights.
    Source: Aitken et al., "Checkerboard artifact free sub-pixel convolution", 2017.

    Example:
        >>> conv = icnr_(nn.Conv2d(3, 8, 3), scale_factor=2)
        >>> bool((conv.weight[0] == conv.weight[3]).all())
        True
    """
    given = (
        scale_factor
        if upscale_factor is None
        else one_factor(1, scale_factor=scale_factor, upscale_factor=upscale_factor)
    )
    if isinstance(target, Tensor):
        weight = _tied_weight(target, _phases(target, given, 1), init)
        with torch.no_grad():
            target.copy_(weight)
            if bias is not None:
                bias.copy_(_tied_bias(weight, bias, _phases(target, given, 1)))
        return target
    conv, factor = _convolution(target, given)
    if bias is not None:
        raise UncheckError(f"bias is only for weights given as a tensor: {type(target).__name__} has its own")
    if isinstance(conv.weight, UninitializedParameter):
        raise UncheckError(f"{type(conv).__name__} has no weight yet: run it once, then initialise it")
    phases = _phases(conv.weight, factor, conv.groups)
    weight = _tied_weight(conv.weight, phases, init)
    assign_weight(conv, weight)
    if conv.bias is not None:
        with torch.no_grad():
            conv.bias.copy_(_tied_bias(weight, conv.bias, phases))
    return target


def _convolution(module: nn.Module, factor: Sizes | None) -> tuple[nn.Conv1d | nn.Conv2d | nn.Conv3d, Sizes]:
    inner = getattr(module, "conv", None)
    own = getattr(module, "upscale_factor", None)
    if isinstance(inner, CONVS) and own is not None:
        if factor is not None and per_axis("scale_factor", factor, len(own), 1) != tuple(own):
            raise UncheckError(f"{type(module).__name__} has scale_factor {tuple(own)}, not {factor!r}")
        return inner, tuple(own)
    if not isinstance(module, CONVS):
        raise UncheckError(
            f"icnr_ takes a weight, a convolution or a SubpixelConv, not {type(module).__name__}: "
            "give it the convolution before the pixel shuffle"
        )
    if factor is None:
        raise UncheckError("scale_factor must be given: the convolution does not know the pixel shuffle")
    return module, factor


def _phases(weight: Tensor, factor: Sizes | None, groups: int) -> int:
    if not 3 <= weight.ndim <= 5:
        raise UncheckError(f"weight must be (out, in, *k) with 1 to 3 axes, not {tuple(weight.shape)}")
    if factor is None:
        raise UncheckError("scale_factor must be given: a weight does not know the pixel shuffle")
    phases = math.prod(per_axis("scale_factor", factor, weight.ndim - 2, 1))
    if weight.shape[0] % (phases * groups):
        raise UncheckError(
            f"out_channels must be divisible by prod(scale_factor) * groups = {phases} * {groups}, so that "
            f"all phases of a channel read the same inputs: {weight.shape[0]} is not"
        )
    return phases


def _tied_weight(weight: Tensor, phases: int, init: Initialiser | None) -> Tensor:
    with torch.no_grad():
        kernel = weight.new_empty((weight.shape[0] // phases, *weight.shape[1:]))
        (init or STANDARD)(kernel)
        # interleaved, not tiled: pixel shuffle takes its phases from neighbouring channels
        return kernel.repeat_interleave(phases, 0)


def _tied_bias(weight: Tensor, bias: Tensor, phases: int) -> Tensor:
    if bias.shape != weight.shape[:1]:
        raise UncheckError(f"bias must have shape ({weight.shape[0]},), not {tuple(bias.shape)}")
    bound = 1 / math.sqrt(weight[0].numel())
    return bias.new_empty(len(bias) // phases).uniform_(-bound, bound).repeat_interleave(phases)
