"""Chains of layers as sizes, modules and kernels, and the pattern that a constant becomes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import gcd, prod
from typing import Any

import torch
from torch import Tensor, nn

from uncheck.geometry import Layer, layer
from uncheck.phases import PhaseKernel, compose, from_conv, from_conv_transpose, phase_gains


def parsed(one: str) -> tuple[int, int]:
    """ "3/2" -> (3, 2), a transposed convolution; "c3" -> (3, 1), a convolution."""
    if one.startswith("c"):
        return int(one[1:]), 1
    size, stride = one.split("/")
    return int(size), int(stride)


def sizes(chain: Sequence[str]) -> list[Layer]:
    """As `uncheck.chain` takes them, nothing padded or cropped."""
    return [layer(*parsed(one), ndim=2, transposed="/" in one) for one in chain]


def total(chain: Sequence[str]) -> int:
    """Output pixels per input pixel."""
    return prod(parsed(one)[1] for one in chain)


def modules(chain: Sequence[str], channels: int, out: int = 3, *, bias: bool = True) -> list[nn.Module]:
    """Layers with torch's initial weights, in float64; `channels` in and between, `out` at the end."""
    made: list[nn.Module] = []
    for i, one in enumerate(chain):
        size, stride = parsed(one)
        ends = (channels, out if i == len(chain) - 1 else channels, size, stride)
        made.append((nn.ConvTranspose2d if "/" in one else nn.Conv2d)(*ends, bias=bias).double())
    return made


def kernel(module: nn.Module) -> PhaseKernel:
    """Of one of these layers."""
    assert isinstance(module, nn.ConvTranspose2d | nn.Conv2d)
    weight, bias = module.weight.detach(), module.bias.detach() if module.bias is not None else None
    if isinstance(module, nn.Conv2d):
        return from_conv(weight, bias)
    return from_conv_transpose(weight, bias, module.stride)


def composed(layers: Sequence[nn.Module]) -> PhaseKernel:
    return reduce(compose, map(kernel, layers))


def filled(layers: Sequence[nn.Module], value: float = 1.0) -> list[nn.Module]:
    """Every weight `value`, no bias."""
    for module in layers:
        for name, parameter in module.named_parameters():
            nn.init.constant_(parameter, value if name == "weight" else 0.0)
    return list(layers)


@torch.no_grad()
def pattern(layers: Sequence[nn.Module], mean: Tensor, period: int, size: int = 12) -> Tensor:
    """(out, period, period): what phase p of the output is, away from borders, for the constant `mean`."""
    y = mean.reshape(1, -1, 1, 1).expand(1, -1, size, size)
    for module in layers:
        y = module(y)
    start = y.shape[-1] // 2 // period * period
    return y[0, :, start : start + period, start : start + period]


def powers(phases: Tensor) -> dict[int, Tensor]:
    """period -> (out,) squared peak amplitude of all its lines; period 1 holds the squared mean.

    The Fourier coefficient c at (a/P, b/P) makes a sinusoid of peak |c| where it is its own conjugate
    (0 or 1/2 on each axis), else of 2 |c| together with its conjugate.
    """
    side = phases.shape[-1]
    lines = torch.fft.fft2(phases.double()).abs().square() / side**4
    out: dict[int, Tensor] = {}
    for a in range(side):
        for b in range(side):
            p, q = side // gcd(a, side), side // gcd(b, side)
            period = p * q // gcd(p, q)
            own = 1.0 if max(p, q) <= 2 else 2.0
            out[period] = (
                out.get(period, torch.zeros(len(phases), dtype=torch.float64)) + own * lines[:, a, b]
            )
    return out


def unevenness(phases: Tensor) -> float:
    """sqrt(sum of squared deviations from the mean over the phases / sum of squares): 0 even, at most 1."""
    deviation = phases - phases.mean((1, 2), keepdim=True)
    return float(deviation.norm() / phases.norm().clamp(min=1e-300))


def relative(phases: Tensor) -> dict[int, float]:
    """period -> root of the power of its lines over the power of the mean, all channels together."""
    found = powers(phases)
    mean = float(found.pop(1).sum())
    return {period: (float(power.sum()) / max(mean, 1e-300)) ** 0.5 for period, power in found.items()}


def levels(phases: Tensor, sigma: float) -> dict[int, float]:
    """period -> peak amplitude in the channel where it is largest, 42.5 per `sigma`."""
    found = powers(phases)
    return {period: float(found[period].max()) ** 0.5 / sigma * 42.5 for period in found if period > 1}


def inner(y: Tensor, period: int) -> Tensor:
    """The middle half of (..., n, n) from a multiple of the period on, whole periods."""
    n = y.shape[-1]
    start = -(-n // 4 // period) * period
    end = start + max(1, n // 2 // period) * period
    return y[..., start:end, start:end]


@torch.no_grad()
def noisy(layers: Sequence[nn.Module], inputs: Tensor, period: int) -> tuple[Tensor, list[dict[str, Any]]]:
    """The output with a ReLU between the layers; per layer the mean (in,) and active share of what it gets.

    All in the middle, where no border reaches.
    """
    y, seen = inputs, []
    for i, module in enumerate(layers):
        if i:
            y = y.relu()
        middle = inner(y, period)
        seen.append({"mean": middle.mean((0, 2, 3)), "active": (middle > 0).double().mean((0, 2, 3))})
        y = module(y)
    return inner(y, period), seen


def foretold(layers: Sequence[nn.Module], seen: Sequence[dict[str, Any]], period: int) -> Tensor:
    """(out, period, period): the pattern that the phase gains foretell where ReLUs lie between the layers.

    From each strided layer on, with the mean of its input as it is, a ReLU is taken for a factor: the share
    of values it lets through. What an earlier layer adds beyond the later ones' own is its part.
    """
    out: Tensor | None = None
    for first in range(len(layers)):
        chain = [kernel(layers[first])]
        for later in range(first + 1, len(layers)):
            one, share = kernel(layers[later]), seen[later]["active"].reshape(1, -1, 1, 1)
            chain.append(PhaseKernel(one.weight * share, one.stride, one.bias, one.offset, one.margin))
        whole = reduce(compose, chain)
        gains = torch.einsum("oi...,i->o...", phase_gains(whole), seen[first]["mean"])
        part = gains.repeat(1, *(period // s for s in whole.stride))
        if first + 1 < len(layers):
            # Only what repeats with this layer's period and not with a shorter one of a later layer.
            later_stride = prod(kernel(m).stride[0] for m in layers[first + 1 :])
            folded = part.reshape(len(part), period // later_stride, later_stride, -1, later_stride)
            part = part - folded.mean((1, 3)).repeat(1, period // later_stride, period // later_stride)
        out = part if out is None else out + part
    assert out is not None
    return out
