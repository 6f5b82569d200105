"""Random networks of one to three axes, with or without one planted fault of any strength."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from uncheck.layers import icnr_
from uncheck.probing import made_up

CONVS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
LARGEST = {1: 1024, 2: 80, 3: 24}
SMALLEST = {1: 8, 2: 8, 3: 6}
FAULTS = ("gains", "variances", "bias")
ACTS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky": lambda: nn.LeakyReLU(0.2),
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
}


@dataclass(frozen=True)
class Drawn:
    """A network; `guilty` is its faulty stage, None if none is; `inputs(count, seed)` draws inputs."""

    model: nn.Module
    inputs: Callable[[int, int], Tensor]
    guilty: int | None
    fault: str | None
    strength: float
    stages: int
    ndim: int


class Scattered(nn.Module):
    """A sub-pixel convolution of any number of axes."""

    def __init__(self, ndim: int, width: int, stride: int) -> None:
        super().__init__()
        self.ndim, self.stride = ndim, stride
        self.conv = CONVS[ndim](width, width * stride**ndim, 3, padding=1, padding_mode="replicate")

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        if self.ndim == 2:
            return F.pixel_shuffle(y, self.stride)
        n, _, *sizes = y.shape
        y = y.reshape(n, -1, *[self.stride] * self.ndim, *sizes)
        order = [0, 1, *(a for i in range(self.ndim) for a in (2 + self.ndim + i, 2 + i))]
        return y.permute(order).reshape(n, -1, *(s * self.stride for s in sizes))


def drawn(seed: int, *, faulty: bool) -> Drawn:
    """Two to four stages; the same seed without its fault is the same network but for that.

    The strength of a fault is drawn evenly over its logarithm.
    """
    draw = np.random.default_rng(seed)
    torch.manual_seed(seed)
    ndim = int(draw.choice([1, 2, 2, 2, 3]))
    count = int(draw.integers(1, 4))
    width = int(draw.choice([8, 12, 16])) if ndim < 3 else 8
    strides = [int(draw.choice([2, 2, 2, 3, 4])) for _ in range(count)]
    while np.prod(strides) * SMALLEST[ndim] > LARGEST[ndim] and len(strides) > 1:
        strides.pop()
    count = len(strides)
    guilty, fault = int(draw.integers(count)), str(draw.choice(FAULTS))
    strength = float(np.exp(draw.uniform(np.log(0.02), np.log(1.0))))
    act = ACTS[str(draw.choice(list(ACTS)))]
    head = str(draw.choice(["picture", "white", "code"]))
    size = LARGEST[ndim] // int(np.prod(strides))
    channels = {"picture": 3 if ndim > 1 else 1, "white": 4, "code": 24}[head]
    layers: list[nn.Module] = []
    if head == "code":
        small = max(4, size)
        layers += [
            nn.Linear(channels, width * small**ndim),
            nn.Unflatten(1, (width, *[small] * ndim)),
            act(),
            conv(ndim, width, width),
        ]
    else:
        layers += [conv(ndim, channels, width)]
    layers.append(act())
    for i, stride in enumerate(strides):
        kinds = ["tied", "sub-pixel"] if i == guilty else ["nearest", "linear", "tied", "sub-pixel"]
        kind = str(draw.choice(kinds))
        stage, spoil = made(kind, ndim, width, stride)
        if i == guilty:
            # Drawn also where it is not used, so that the rest is the same.
            generator = torch.Generator().manual_seed(seed)
            if faulty:
                with torch.no_grad():
                    spoil(fault, strength, generator)
        layers += stage
        layers += [norm(ndim, width, draw.random())]
        layers.append(act())
    layers.append(CONVS[ndim](width, 3 if ndim == 2 else 1, 5, padding=2, padding_mode="replicate"))
    layers += [nn.Tanh()] * int(draw.random() < 0.4)

    def inputs(n: int, number: int) -> Tensor:
        if head == "picture":
            return made_up((n, channels, *[size] * ndim), number) if ndim > 1 else smooth(n, size, number)
        generator = torch.Generator().manual_seed(number)
        shape = (n, channels) if head == "code" else (n, channels, *[size] * ndim)
        return torch.randn(shape, generator=generator)

    model = nn.Sequential(*layers).eval()
    if not faulty:
        return Drawn(model, inputs, None, None, 0.0, count, ndim)
    return Drawn(model, inputs, guilty, fault, strength, count, ndim)


def smooth(n: int, size: int, number: int) -> Tensor:
    """Sounds with a 1/f spectrum."""
    generator = torch.Generator().manual_seed(number)
    spectrum = torch.fft.rfft(torch.randn(n, 1, size, generator=generator))
    return torch.fft.irfft(spectrum / torch.arange(1, spectrum.shape[-1] + 1) ** 0.7, n=size) * 4


def conv(ndim: int, a: int, b: int) -> nn.Module:
    return CONVS[ndim](a, b, 3, padding=1, padding_mode="replicate")


def norm(ndim: int, width: int, chance: float) -> nn.Module:
    if chance < 0.2:
        return (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)[ndim - 1](width)
    if chance < 0.4:
        return nn.GroupNorm(4, width)
    return nn.Identity()


def made(
    kind: str, ndim: int, width: int, stride: int
) -> tuple[list[nn.Module], Callable[[str, float, torch.Generator], None]]:
    """One clean stage, and what plants a fault in it (those of resizing are never spoilt)."""
    if kind in ("nearest", "linear"):
        resize = nn.Upsample(scale_factor=stride, mode="nearest" if kind == "nearest" else LINEAR[ndim])
        return [resize, conv(ndim, width, width)], lambda *_: None
    if kind == "sub-pixel":
        layer = Scattered(ndim, width, stride)
        icnr_(layer.conv, stride)

        def spoil_conv(fault: str, strength: float, generator: torch.Generator) -> None:
            phases = layer.conv.weight.view(width, stride**ndim, width, -1)
            spoil_phases(phases.permute(1, 0, 2, 3), fault, strength, generator)
            if fault == "bias":
                scale = layer.conv.weight.std() * width**0.5
                layer.conv.bias += strength * scale * torch.randn(layer.conv.bias.shape, generator=generator)

        return [layer], spoil_conv
    up = TRANSPOSED[ndim](width, width, 2 * stride, stride, (stride + 1) // 2, stride % 2)
    # Nearest resizing, then a 3-tap convolution and a mean over two: one kernel of two taps per phase.
    hold = torch.ones(1, 1, *[stride] * ndim)
    taps = stride + 1
    small = torch.randn(width * width, 1, *[taps] * ndim) / (width * taps**ndim / 2**ndim) ** 0.5
    full = (F.conv1d, F.conv2d, F.conv3d)[ndim - 1](small, hold, padding=stride - 1)
    with torch.no_grad():
        up.weight.copy_(full.reshape_as(up.weight))

    def spoil_up(fault: str, strength: float, generator: torch.Generator) -> None:
        split = [n for _ in range(ndim) for n in (2, stride)]
        axes = [3 + 2 * i for i in range(ndim)], [2 + 2 * i for i in range(ndim)]
        phases = up.weight.view(width, width, *split).permute(*axes[0], 1, 0, *axes[1])
        # A bias is no fault that a transposed convolution can have.
        spoil_phases(phases, "gains" if fault == "bias" else fault, strength, generator, ndim)

    return [up], spoil_up


def spoil_phases(
    phases: Tensor, fault: str, strength: float, generator: torch.Generator, leading: int = 1
) -> None:
    """Change weights (*phases, out, in, *taps) in place: gains that differ, or deviations."""
    where = phases.shape[:leading]
    if fault == "gains":
        shape = (*where, phases.shape[leading], *[1] * (phases.dim() - leading - 1))
        phases += (
            strength * phases.std() * torch.randn(shape, generator=generator) / phases.shape[leading] ** 0.5
        )
    elif fault == "variances":
        factor = torch.exp(3 * strength * torch.rand(where, generator=generator))
        taps = tuple(range(leading + 2, phases.dim()))
        gain = phases.sum(taps, keepdim=True)
        number = int(np.prod([phases.shape[a] for a in taps]))
        scaled = (phases - gain / number) * factor.reshape(*where, *[1] * (phases.dim() - leading))
        phases.copy_(scaled + gain / number)
