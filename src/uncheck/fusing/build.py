"""The layers that take the place of a resize and a convolution."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from uncheck.errors import Refusal
from uncheck.fusing.either import FusedOrPlain, Pads
from uncheck.fusing.plan import BatchNorm, Place
from uncheck.fusing.sites import Pad
from uncheck.layers.fused import FusedResizeConv


def fused_layer(place: Place, norm: nn.Module | None, *, either: bool, trains: bool) -> nn.Module:
    """Return the layer for a place, with its own copy of the weights.

    Args:
        place: what it replaces.
        norm: the BatchNorm to fold.
        either: whether it must also be able to convolve without resizing, and to resize by another factor.
        trains: whether its weights require gradients.

    Raises:
        Refusal: the layer does not take what the place needs, with the reason.

    Cost: one pass over the weights, in float64.
    """
    plain = place.site.plain
    assert plain.weight is not None
    kind = plain.weight.dtype
    weight, bias = plain.weight.double(), None if plain.bias is None else plain.bias.double()
    if norm is not None:
        weight, bias = folded(weight, bias, norm)
    mode, amount = place.padding
    try:
        fused = FusedResizeConv.from_conv(
            weight,
            bias,
            scale_factor=place.site.factor,
            mode=place.site.kind,
            padding=amount,
            padding_mode=mode,
            dilation=plain.dilation,
            groups=plain.groups,
        ).to(kind)
    except ValueError as reason:
        raise Refusal(str(reason)) from reason
    layer: nn.Module = fused
    if either:
        layer = FusedOrPlain(
            fused,
            weight.to(kind).clone(),
            place.site.factor,
            place.site.mode,
            torch_pads(place.site.pads),
            torch_pads([place.site.own]),
            plain.dilation,
            plain.groups,
        )
    return layer.requires_grad_(trains)


def folded(weight: Tensor, bias: Tensor | None, norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution with the BatchNorm after it:  w' = g w / sqrt(v + eps).

    Args:
        weight: (out, in / groups, *k), float64.
        bias: (out,) or None.
        norm: a BatchNorm with running statistics.

    Returns:
        w' and b' = g (b - m) / sqrt(v + eps) + beta.
    """
    assert isinstance(norm, BatchNorm)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    mean, variance = norm.running_mean.detach().double(), norm.running_var.detach().double()
    scale = torch.rsqrt(variance + norm.eps)
    if norm.weight is not None:
        scale = scale * norm.weight.detach().double()
    shift = -mean if bias is None else bias - mean
    made = shift * scale
    if norm.bias is not None:
        made = made + norm.bias.detach().double()
    return weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), made


def torch_pads(pads: Sequence[Pad]) -> Pads:
    """Return paddings as F.pad takes them."""
    made: Pads = []
    for mode, amount in pads:
        if any(n for pair in amount for n in pair):
            flat = [n for pair in reversed(amount) for n in pair]
            made.append(("constant" if mode == "zeros" else mode, flat))
    return made
