"""Layers that take the place of a resize and a convolution."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from uncheck.fusing.lazy import is_lazy
from uncheck.fusing.sites import Pad, Site
from uncheck.layers.fused import FusedResizeConv
from uncheck.layers.resize import ResizeConv
from uncheck.phases.axes import conv, flat_pads

BatchNorm = nn.modules.batchnorm._BatchNorm


class FusedOrPlain(FusedResizeConv):
    """A convolution that also does the resize before it, if that was deferred and is the expected one.

    Attributes:
        plain_weight: of the convolution, (out, in / groups, *k), for any other input.
        resize: kind and factor of the resize, and the paddings after it.
        own: kind and amounts of the convolution's own padding.
        dilation: of the convolution, per axis.

    Cost: that of either form; both weights are kept.
    """

    plain_weight: nn.Parameter
    resize: tuple[str, tuple[int, ...], tuple[Pad, ...]]
    own: Pad
    dilation: list[int]

    def forward(self, input: Tensor) -> Tensor:  # named as torch.nn names it: a forward may pass it by name
        """Convolve, and resize first if that was deferred."""
        if is_lazy(input):
            if input.fits(*self.resize):
                return super().forward(input.low)
            input = input.made()
        mode, amount = self.own
        padding = [start for start, end in amount if start == end]
        if mode != "zeros" or len(padding) < len(amount):
            input = F.pad(input, flat_pads(amount), "constant" if mode == "zeros" else mode)
            padding = [0] * len(amount)
        return conv(input, self.plain_weight, self.bias, 1, padding, self.dilation, self.groups)


def fused_layer(site: Site, old: nn.Module, norm: nn.Module | None, *, either: bool) -> FusedResizeConv:
    """Return the layer for a site, with weights of its own.

    It keeps the mode of the convolution's layer `old`, its plain attributes and whether it trains. The
    BatchNorm `norm` is folded. With `either` it can also convolve without resizing.

    Cost: one pass over the weights, in float64.
    """
    plain = site.plain
    assert plain.weight is not None
    weight, bias = plain.weight.double(), None if plain.bias is None else plain.bias.double()
    if norm is not None:
        weight, bias = folded(weight, bias, norm)
    made = (FusedOrPlain if either else FusedResizeConv).from_conv(
        weight,
        bias,
        scale_factor=site.factor,
        mode=site.kind,
        padding=site.padding[1],
        padding_mode=site.padding[0],
        dilation=plain.dilation,
        groups=plain.groups,
    )
    if isinstance(made, FusedOrPlain):
        for name, value in vars(old).items():
            if name not in vars(made) and isinstance(value, int | str | tuple):
                setattr(made, name, value)  # the forward around it may ask for them
        made.plain_weight = nn.Parameter(weight.clone())
        made.resize, made.own = (site.kind, site.factor, site.pads), site.own
        made.dilation = list(plain.dilation)
    trains = any(parameter.requires_grad for parameter in old.parameters())
    return made.to(plain.weight.dtype).train(old.training).requires_grad_(trains)


def folded(weight: Tensor, bias: Tensor | None, norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a convolution with the BatchNorm after it:  w' = g w / sqrt(v + eps).

    b' = g (b - m) / sqrt(v + eps) + beta, m and v the running statistics; w (out, in / groups, *k) and b
    (out,) in float64.
    """
    assert isinstance(norm, BatchNorm)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    mean, variance = norm.running_mean.detach().double(), norm.running_var.detach().double()
    scale = torch.rsqrt(variance + norm.eps)
    if norm.weight is not None:
        scale = scale * norm.weight.detach().double()
    made = (-mean if bias is None else bias - mean) * scale
    if norm.bias is not None:
        made = made + norm.bias.detach().double()
    return weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), made


def finished(layer: ResizeConv) -> FusedResizeConv:
    """Return a layer of this package with its weight fused, which it does on the fly while it trains."""
    made = FusedResizeConv.from_conv(
        layer.weight,
        layer.bias,
        layer.scale_factor,
        layer.mode,
        tuple((p, p) for p in layer.padding),
        layer.padding_mode,
        layer.dilation,
        layer.groups,
    )
    trains = any(parameter.requires_grad for parameter in layer.parameters())
    return made.train(layer.training).requires_grad_(trains)
