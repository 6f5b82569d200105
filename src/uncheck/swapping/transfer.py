"""The weights of a transposed convolution, carried over to a layer whose phases have equal gains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from uncheck.editing.edits import Unparametrised
from uncheck.errors import UncheckError
from uncheck.layers.assign import effective_weight
from uncheck.layers.gains import equal_gain
from uncheck.layers.resize import ResizeConv
from uncheck.layers.sized import Sized
from uncheck.layers.smooth import SmoothConvTranspose
from uncheck.layers.subpixel import SubpixelConv
from uncheck.phases import (
    PhaseKernel,
    fit_resize_conv,
    from_conv_transpose,
    from_resize_conv,
    phase_gains,
    project,
    to_pixel_shuffle,
)

#: Bounds of the factor that scales a kernel beside its gain to restore the variance.
LEAST_SCALE, MOST_SCALE = 0.5, 2.0


@dataclass(frozen=True)
class Transfer:
    """A layer with the old weights, and the upsampler `up` inside it (or the layer itself).

    `change` is |nearest kernel - old kernel| / |old kernel|; `variance` the output's over the old one's for
    white input, of the least and the largest channel.
    """

    layer: nn.Module
    up: nn.Module
    change: float
    variance: tuple[float, float]


def layer_kernel(module: nn.Module) -> PhaseKernel:
    """Return the kernel of a torch.nn.ConvTranspose, float64, whatever normalisation sits on its weight."""
    m: Any = module
    bias = None if m.bias is None else m.bias.detach().double()
    weight = effective_weight(module).double()
    return from_conv_transpose(weight, bias, m.stride, m.padding, m.output_padding, m.dilation, m.groups)


def restored(
    weight: Tensor, unit: Tensor, kernel: PhaseKernel, spread: Callable[[Tensor], Tensor]
) -> tuple[Tensor, tuple[float, float]]:
    """Return  w' = G u + c (w - G_w u):  the old kernel's gain G, and its variance per output channel.

    Args:
        weight: nearest even weight w, (out, in, *t); a linear space together with `unit`.
        unit: u, (1, 1, *t), the same on all phases up to its order, with mean gain 1.
        kernel: the old one; G is its gain, mean over the phases, (out, in).
        spread: the linear map from such weights to kernels on the output grid.

    Returns:
        w' and the variance reached, over the old one's. The sum of squares of a kernel is prod(s) times the
        output variance for white input, mean over phases. c lies in 1/2 .. 2.
    """
    ones = [1] * kernel.ndim
    wanted = phase_gains(kernel).flatten(2).mean(2)
    has = spread(weight).flatten(2).sum(2) / spread(unit).sum()
    base = wanted.reshape(*wanted.shape, *ones) * unit
    rest = weight - has.reshape(*has.shape, *ones) * unit
    a, r, target = spread(base).flatten(1), spread(rest).flatten(1), kernel.weight.flatten(1).square().sum(1)
    aa, ar, rr = a.square().sum(1), (a * r).sum(1), r.square().sum(1)
    root = (ar.square() - rr * (aa - target)).clamp_min(0).sqrt()
    scale = torch.where(rr > 1e-12 * target, (root - ar) / rr.clamp_min(1e-300), torch.ones_like(rr))
    scale = scale.clamp(LEAST_SCALE, MOST_SCALE)
    done = base + scale.reshape(-1, 1, *ones) * rest
    reached = (aa + 2 * scale * ar + scale.square() * rr)[target > 0] / target[target > 0]
    return done, (float(reached.min()), float(reached.max())) if len(reached) else (1.0, 1.0)


def _projected(kernel: PhaseKernel, order: int) -> tuple[Tensor, float, tuple[float, float]]:
    """Return the nearest kernel of this order, its gain and variance restored; relative change; variance."""
    even = project(replace(kernel, bias=None), order).weight
    flat = kernel.support_mask().double()[None, None]
    one = project(replace(kernel, weight=flat, bias=None), order)
    unit = one.weight / phase_gains(one).mean()
    change = float((even - kernel.weight).norm() / kernel.weight.norm().clamp_min(1e-300))
    weight, variance = restored(even, unit, kernel, lambda w: w)
    return weight, change, variance


def to_resize(module: nn.Module, kernel: PhaseKernel, order: int, sized: bool) -> Transfer:
    """Fit a resize and a convolution of odd size, by least squares."""
    if order not in (1, 2):
        raise UncheckError(f"a resize has order 1 (nearest) or 2 (linear), not {order}: use to='smooth'")
    mode = ("nearest", "linear")[order - 1]
    size = []
    for k, s in zip(kernel.kernel_size, kernel.stride, strict=True):
        hold = s if mode == "nearest" else 2 * s - s % 2
        size.append(max((k - hold + 1) // 2 * 2 + 1 if k >= hold else 1, 3 if k > s else 1))
    fit = fit_resize_conv(kernel, mode, size)
    flat = replace(kernel, weight=torch.ones_like(kernel.weight[:1, :1]), bias=None, support=None)
    unit = fit_resize_conv(flat, mode, size).weight

    def spread(weight: Tensor) -> Tensor:
        return from_resize_conv(weight, None, kernel.stride, mode).weight

    weight, variance = restored(fit.weight, unit / unit.sum(), kernel, spread)
    m: Any = module
    pads = [max(0, a, b + more) for (a, b), more in zip(fit.padding, _room(m, sized), strict=True)]
    up = ResizeConv(
        kernel_size=size,
        scale_factor=kernel.stride,
        padding=pads,
        padding_mode="zeros",
        mode=mode,
        **_same(m),
    )
    _write(up, _blocks(weight, m.groups), kernel.bias)
    if not sized and all(a == b == p for (a, b), p in zip(fit.padding, pads, strict=True)):
        up.stride = kernel.stride  # type: ignore[assignment]  # forwards slice by it
        return Transfer(up, up, fit.residual, variance)
    front = [p - a for p, (a, _) in zip(pads, fit.padding, strict=True)]
    return Transfer(_sized(m, up, kernel, [(0, 0)] * kernel.ndim, front), up, fit.residual, variance)


def to_subpixel(module: nn.Module, kernel: PhaseKernel, order: int, sized: bool) -> Transfer:
    """Make a convolution and a pixel shuffle, equal to the projected kernel everywhere."""
    weight, change, variance = _projected(kernel, order)
    m: Any = module
    margin = tuple(a + b for a, b in zip(kernel.margin, _room(m, sized), strict=True))
    form = to_pixel_shuffle(replace(kernel, weight=weight, margin=margin))
    taps = form.weight.shape[2:]
    fits = not sized and all(a == b >= 0 and t % 2 for (a, b), t in zip(form.padding, taps, strict=True))
    plain = fits and not any(form.crop)
    pads = [a for a, _ in form.padding] if plain else 0
    up = SubpixelConv(kernel_size=list(taps), upscale_factor=list(form.factor), padding=pads, **_same(m))
    _write(up.conv, _blocks(form.weight, m.groups), form.bias)
    if plain:
        up.stride = kernel.stride  # type: ignore[assignment]  # forwards slice by it
        return Transfer(up, up, change, variance)
    return Transfer(_sized(m, up, kernel, form.padding, [0] * kernel.ndim), up, change, variance)


def to_smooth(module: nn.Module, kernel: PhaseKernel, order: int, sized: bool) -> Transfer:
    """Make a transposed convolution that projects its weight itself."""
    m: Any = module
    weight, change, variance = _projected(kernel, order)
    geometry = ("kernel_size", "stride", "padding", "output_padding", "dilation")
    up = SmoothConvTranspose(**{name: getattr(m, name) for name in geometry}, order=order, **_same(m))
    _write(up, _transposed(weight, m), kernel.bias)
    return Transfer(up, up, change, variance)


def to_equal_gain(module: nn.Module, kernel: PhaseKernel, order: int, sized: bool) -> Transfer:
    """Keep the layer, with the projection as a parametrisation of its weight."""
    m: Any = module
    weight, change, variance = _projected(kernel, order)
    if parametrize.is_parametrized(m, "weight") or "weight" not in m._parameters:
        Unparametrised("").do(m)
    _write(m, _transposed(weight, m), None)
    equal_gain(m, order)
    return Transfer(m, m, change, variance)


MAKERS: dict[str, Callable[[nn.Module, PhaseKernel, int, bool], Transfer]] = {
    "resize": to_resize,
    "smooth": to_smooth,
    "subpixel": to_subpixel,
    "equal_gain": to_equal_gain,
}


def _same(m: Any) -> dict[str, Any]:
    """Return the arguments that a new layer takes from the old one."""
    same = {name: getattr(m, name) for name in ("in_channels", "out_channels", "groups")}
    like = m.weight
    own = {"bias": m.bias is not None, "ndim": like.dim() - 2, "device": like.device, "dtype": like.dtype}
    return same | own


def _room(m: Any, sized: bool) -> list[int]:
    """Return how much larger than its default the output may be asked for, per axis."""
    return [max(0, s - 1 - e) if sized else 0 for s, e in zip(m.stride, m.output_padding, strict=True)]


def _sized(
    m: Any, up: nn.Module, kernel: PhaseKernel, pads: Sequence[tuple[int, int]], front: Sequence[int]
) -> Sized:
    least = [a - e for a, e in zip(kernel.margin, m.output_padding, strict=True)]
    return Sized(up, kernel.stride, kernel.margin, least, pads, front)


def _blocks(dense: Tensor, groups: int) -> Tensor:
    """Turn (out, in, *k) into torch's (out, in / groups, *k)."""
    out, ins = dense.shape[0] // groups, dense.shape[1] // groups
    return torch.cat([dense[g * out : (g + 1) * out, g * ins : (g + 1) * ins] for g in range(groups)])


def _transposed(dense: Tensor, m: Any) -> Tensor:
    """Turn (out, in, *k) on the output grid into torch's (in, out / groups, *taps)."""
    for axis, d in enumerate(m.dilation):
        dense = dense.index_select(2 + axis, torch.arange(0, dense.shape[2 + axis], d, device=dense.device))
    parts = _blocks(dense, m.groups).chunk(m.groups)
    return torch.cat([part.transpose(0, 1) for part in parts])


def _write(layer: nn.Module, weight: Tensor, bias: Tensor | None) -> None:
    with torch.no_grad():
        layer.get_parameter("weight").copy_(weight)
        if bias is not None:
            layer.get_parameter("bias").copy_(bias)
