"""Networks with one faulty stage planted among clean ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 12


@dataclass(frozen=True)
class Planted:
    """A network, its input, and which of its stages is at fault, and how."""

    model: nn.Module
    signal: Tensor
    guilty: int
    fault: str
    stages: int


def planted(seed: int) -> Planted:
    """Two to four stages of stride 2 to 4; the clean ones resize and convolve, or have tied kernels."""
    draw = np.random.default_rng(seed)
    torch.manual_seed(seed)
    count = int(draw.integers(2, 5))
    guilty = int(draw.integers(count))
    stride, fault = int(draw.choice([2, 3, 4])), str(draw.choice(["gains", "variances"]))
    layers: list[nn.Module] = [_conv(3, WIDTH), nn.ReLU()]
    for i in range(count):
        layers += (
            _faulty(stride, fault)
            if i == guilty
            else _clean(str(draw.choice(["nearest", "bilinear", "tied"])))
        )
        layers += [nn.InstanceNorm2d(WIDTH)] * int(draw.random() < 0.3)
        layers.append(nn.ReLU() if draw.random() < 0.7 else nn.LeakyReLU(0.2))
    layers.append(nn.Conv2d(WIDTH, 3, 5, padding=2, padding_mode="reflect"))
    layers += [nn.Tanh()] * int(draw.random() < 0.5)
    size = max(16, 128 // (stride * 2 ** (count - 1)))
    signal = torch.randn(1, 3, size, size)
    return Planted(nn.Sequential(*layers).eval(), signal, guilty, fault, count)


def _conv(a: int, b: int) -> nn.Conv2d:
    return nn.Conv2d(a, b, 3, padding=1, padding_mode="reflect")


def _clean(kind: str) -> list[nn.Module]:
    if kind != "tied":
        return [nn.Upsample(scale_factor=2, mode=kind), _conv(WIDTH, WIDTH)]
    layer = nn.ConvTranspose2d(WIDTH, WIDTH, 4, 2, 1)
    small = torch.randn(WIDTH * WIDTH, 1, 3, 3) / np.sqrt(3 * WIDTH)
    with torch.no_grad():  # nearest resize then 3x3, as one transposed convolution: equal gains
        layer.weight.copy_(F.conv2d(small, torch.ones(1, 1, 2, 2), padding=1).reshape_as(layer.weight))
    return [layer]


def _faulty(s: int, fault: str) -> list[nn.Module]:
    k = 2 * s if fault == "variances" else {2: 3, 3: 4, 4: 6}[s]
    layer = nn.ConvTranspose2d(WIDTH, WIDTH, k, s, max(0, (k - s) // 2))
    weight = torch.randn(WIDTH, WIDTH, k, k) / np.sqrt(2 * WIDTH)
    if fault == "gains":
        weight += 0.3 / np.sqrt(WIDTH)
    else:
        phases = weight.reshape(WIDTH, WIDTH, 2, s, 2, s)
        phases[:, :, :, 0, :, 0] *= 3  # one phase varies three times as much as the others
        gains = phases.sum(dim=(2, 4), keepdim=True)
        weight = (phases + (gains.mean(dim=(3, 5), keepdim=True) - gains) / 4).reshape_as(weight)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.zero_()
    return [layer]
