"""Small stacks at random weights: upsampling, BatchNorm, nonlinearity, convolution; inputs; cures."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from lab.patches import TRAINING, patches
from lab.upsamplers import UPSAMPLERS, kernel_of
from phase_variances import around, autocovariance
from torch import Tensor, nn

from uncheck.layers import SmoothConvTranspose
from uncheck.phases import PhaseKernel, project

#: All with equal gains, whatever their weights.
LAYERS: dict[str, Callable[[int, int], nn.Module]] = {
    "k3 projected": lambda a, b: projected(nn.ConvTranspose2d(a, b, 3, 2, 1, 1)),
    "smooth k3": lambda a, b: SmoothConvTranspose(a, b, 3, 2, 1, 1),
    "smooth k4": UPSAMPLERS["smooth k4"],
    "sub-pixel ICNR": UPSAMPLERS["sub-pixel ICNR"],
    "nearest": UPSAMPLERS["nearest"],
    "smooth k4 order 2": UPSAMPLERS["smooth k4 order 2"],
    "linear": UPSAMPLERS["linear"],
    "smooth k6 order 3": lambda a, b: SmoothConvTranspose(a, b, 6, 2, 2, order=3),
}

DRIVES = ("constant", "white", "1/f", "photographs")

#: Mean of every input channel: a lattice of the first order would show.
MEAN = 1.0

#: Pixels at the border of the output that zero padding may have changed; even, so that phases stay.
CROP = 8


def projected(layer: nn.ConvTranspose2d) -> nn.ConvTranspose2d:
    """The nearest weights with equal gains."""
    with torch.no_grad():
        layer.weight.copy_(project(kernel_of(layer)).weight.transpose(0, 1))
    return layer


def inputs(drive: str, count: int, channels: int, size: int, seed: int) -> tuple[Tensor, Tensor]:
    """Maps (count, channels, size, size) and their covariance as `autocovariance` gives it.

    That of the noises is known without looking at them; that of photographs is of these very maps.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (count, channels, size, size)
    if drive == "photographs":
        pictures = patches(TRAINING, count, size, generator)
        bank = torch.randn(channels, 3, 3, 3, generator=generator)
        seen = F.conv2d(F.pad(pictures, (1,) * 4, mode="reflect"), bank)
        seen = seen / seen.std((0, 2, 3), keepdim=True)
        maps = (seen - seen.mean((0, 2, 3), keepdim=True)).relu()
        maps = maps / maps.std((0, 2, 3), keepdim=True)
        return maps, autocovariance(maps)
    if drive == "constant":
        values = torch.randn(count, channels, 1, 1, generator=generator)
        return MEAN + values.expand(shape), torch.zeros(channels, channels, 11, 11, dtype=torch.float64)
    frequency = torch.fft.fftfreq(size, dtype=torch.float64)
    radius = (frequency[:, None] ** 2 + frequency**2).sqrt()
    power = torch.ones_like(radius) if drive == "white" else 1 / radius.clamp(min=1 / size) ** 2
    power = power / power.mean()
    noise = torch.fft.fft2(torch.randn(shape, generator=generator, dtype=torch.float64))
    maps = torch.fft.ifft2(noise * power.sqrt()).real
    lags = around(torch.fft.ifft2(power).real)
    return MEAN + maps.float(), torch.eye(channels, dtype=torch.float64)[:, :, None, None] * lags


class Stack(nn.Module):
    """Upsampling, then `depth` times: BatchNorm, nonlinearity, convolution; the last one to three channels.

    Args:
        layer: of `LAYERS`.
        function: after each BatchNorm.
        before, after: what the maps pass before and after the first nonlinearity.
    """

    def __init__(self, layer: str, channels: int, depth: int = 1) -> None:
        super().__init__()
        self.up = LAYERS[layer](channels, channels)
        widths = [channels] * depth + [3]
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths))

    def forward(
        self,
        x: Tensor,
        function: Callable[[Tensor], Tensor],
        before: Callable[[Tensor], Tensor] = lambda x: x,
        after: Callable[[Tensor], Tensor] = lambda x: x,
    ) -> Tensor:
        x = after(function(normed(before(self.up(x)))))
        for conv in self.convs[:-1]:
            x = function(normed(conv(x)))
        return self.convs[-1](x)

    @property
    def kernel(self) -> PhaseKernel:
        return kernel_of(self.up)


def normed(x: Tensor) -> Tensor:
    """BatchNorm as it starts, by the statistics of what is not border."""
    inner = x[..., CROP:-CROP, CROP:-CROP]
    centre = inner.mean((0, 2, 3), keepdim=True)
    return (x - centre) / (inner.std((0, 2, 3), keepdim=True, correction=0) + 1e-6)


def normed_by_phase(x: Tensor) -> Tensor:
    """Every phase by its own mean and deviation: equal variances at the price of unequal kernels."""
    out = torch.empty_like(x)
    for i in range(2):
        for j in range(2):
            out[..., i::2, j::2] = normed_part(x[..., i::2, j::2])
    return out


def normed_part(x: Tensor) -> Tensor:
    inner = x[..., CROP // 2 : -CROP // 2, CROP // 2 : -CROP // 2]
    centre = inner.mean((0, 2, 3), keepdim=True)
    return (x - centre) / (inner.std((0, 2, 3), keepdim=True, correction=0) + 1e-6)
