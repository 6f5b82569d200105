"""From a kernel and the covariance of its input to the lattice behind a nonlinearity, without running it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from uncheck.phases import PhaseKernel, visible_ripple

Function = Callable[[Tensor], Tensor]

FUNCTIONS: dict[str, Function] = {
    "identity": lambda x: x,
    "ReLU": torch.relu,
    "LeakyReLU 0.2": lambda x: F.leaky_relu(x, 0.2),
    "GELU": F.gelu,
    "tanh": torch.tanh,
    "square": torch.square,
}

#: Lags at which covariances are kept: more than any kernel here reaches.
LAGS = 5


def autocovariance(x: Tensor) -> Tensor:
    """R[i, i', d] = cov(x_i[m], x_i'[m + d]) of maps (N, C, H, W), lags -5..5: (C, C, 11, 11).

    Of all m whose every lag lies inside: pictures are not periodic.
    """
    centred = x - x.mean((0, 2, 3), keepdim=True)
    channels, (height, width) = x.shape[1], (n - 2 * LAGS for n in x.shape[2:])
    inner = centred[..., LAGS : LAGS + height, LAGS : LAGS + width].transpose(0, 1).reshape(channels, -1)
    out = torch.empty(channels, channels, 2 * LAGS + 1, 2 * LAGS + 1, dtype=torch.float64)
    for i in range(2 * LAGS + 1):
        for j in range(2 * LAGS + 1):
            moved = centred[..., i : i + height, j : j + width].transpose(0, 1).reshape(channels, -1)
            out[..., i, j] = inner @ moved.T / inner.shape[1]
    return out


def around(periodic: Tensor) -> Tensor:
    """Lags -5..5 of the last two axes, in that order."""
    return torch.roll(periodic, (LAGS, LAGS), (-2, -1))[..., : 2 * LAGS + 1, : 2 * LAGS + 1]


def variances(kernel: PhaseKernel, covariance: Tensor) -> Tensor:
    """Variance of each output channel and phase:  V[o, p] = sum h_p[o, i, j] h_p[o, i', j'] R[i, i', j - j'].

    Args:
        kernel: two axes.
        covariance: R, (in, in, 11, 11), the lag running from -5 to 5.

    Returns:
        (out, *stride), by output index mod stride.
    """
    out = torch.zeros(kernel.out_channels, *kernel.stride, dtype=torch.float64)
    for p in np.ndindex(*kernel.stride):
        taps = kernel.double().phase(p)
        rows, columns = (torch.arange(n) for n in taps.shape[2:])
        lag = covariance[:, :, rows[:, None] - rows + LAGS][
            ..., columns[:, None] - columns + LAGS
        ]  # (in, in, j, j', l, l')
        out[(slice(None), *p)] = torch.einsum("oajl,obkm,abjklm->o", taps, taps, lag)
    return out


def spread(values: Tensor) -> float:
    """sqrt(sum (v - mean over phases)^2 / sum v^2), as `gain_spread` is of gains."""
    flat = values.flatten(1)
    return float((flat - flat.mean(1, keepdim=True)).norm() / flat.norm())


def normalised(kernel: PhaseKernel, mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (out, *stride) of each phase after BatchNorm, over all phases together."""
    m = visible_ripple(kernel.double(), mean)
    v = variances(kernel, covariance)
    centre = m.mean((1, 2), keepdim=True)
    whole = (v + (m - centre) ** 2).mean((1, 2), keepdim=True)
    return (m - centre) / whole.sqrt(), (v / whole).sqrt()


def expected(function: Function, mean: Tensor, deviation: Tensor) -> Tensor:
    """E f(mean + deviation Z) of Gaussian Z, by the trapezoid rule over 8 standard deviations.

    For ReLU and mean 0 this is deviation / sqrt(2 pi).
    """
    z = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    weight = torch.exp(-(z**2) / 2)
    weight = weight / weight.sum()
    return (function(mean[..., None] + deviation[..., None] * z) * weight).sum(-1)


def through(pattern: Tensor, weight: Tensor) -> Tensor:
    """What a stride-1 convolution makes of a periodic pattern (in, 2, 2): (out, 2, 2)."""
    half = weight.shape[-1] // 2
    tiled = F.pad(pattern[None], (half,) * 4, mode="circular")
    return F.conv2d(tiled, weight.double())[0]


def ripple(pattern: Tensor) -> float:
    """Amplitude of period 2 of (channels, 2, 2): of the strongest channel, all three lines together."""
    return float((pattern - pattern.mean((1, 2), keepdim=True)).square().mean((1, 2)).max().sqrt())
