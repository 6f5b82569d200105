"""The layers compared, all by 2 in two dimensions, made as people make them."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from uncheck.layers import ResizeConv, SmoothConvTranspose, SubpixelConv
from uncheck.phases import PhaseKernel, from_conv_transpose, from_pixel_shuffle, from_resize_conv, gain_spread

#: name -> (in_channels, out_channels) -> layer.
UPSAMPLERS: dict[str, Callable[[int, int], nn.Module]] = {
    "deconv k2": lambda a, b: nn.ConvTranspose2d(a, b, 2, 2),
    "deconv k3": lambda a, b: nn.ConvTranspose2d(a, b, 3, 2, 1, 1),
    "deconv k4": lambda a, b: nn.ConvTranspose2d(a, b, 4, 2, 1),
    "deconv k5": lambda a, b: nn.ConvTranspose2d(a, b, 5, 2, 2, 1),
    "sub-pixel": lambda a, b: SubpixelConv(a, b, 3, icnr=False),
    "sub-pixel ICNR": lambda a, b: SubpixelConv(a, b, 3),
    "smooth k4": lambda a, b: SmoothConvTranspose(a, b, 4, 2, 1),
    "smooth k4 order 2": lambda a, b: SmoothConvTranspose(a, b, 4, 2, 1, order=2),
    "nearest": lambda a, b: ResizeConv(a, b, 3),
    "linear": lambda a, b: ResizeConv(a, b, 3, padding_mode="replicate", mode="linear"),
}


def kernel_of(layer: nn.Module) -> PhaseKernel:
    """The kernel that one of these layers amounts to, with the weights it has now."""
    if isinstance(layer, SubpixelConv):
        return from_pixel_shuffle(layer.conv.weight.detach(), _bias(layer.conv), 2, 1)
    if isinstance(layer, ResizeConv):
        return from_resize_conv(layer.weight.detach(), _bias(layer), 2, layer.mode, 1)
    if isinstance(layer, SmoothConvTranspose):
        return kernel_of(layer.to_conv_transpose())
    assert isinstance(layer, nn.ConvTranspose2d)
    return from_conv_transpose(
        layer.weight.detach(), _bias(layer), layer.stride, layer.padding, layer.output_padding
    )


def spread_of(layer: nn.Module) -> float:
    """`uncheck.phases.gain_spread` of a layer: 0 for equal phase gains."""
    return float(gain_spread(kernel_of(layer)))


def _bias(layer: nn.Module):
    return None if layer.bias is None else layer.bias.detach()
