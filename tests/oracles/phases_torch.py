"""What torch's own layers do, one impulse at a time; shares no code with uncheck.phases."""

from collections.abc import Callable
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

Layer = Callable[[Tensor], Tensor]

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
CONV_TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def shuffle_by_loops(x: Tensor, factor: tuple[int, ...]) -> Tensor:
    """Pixel shuffle on any number of axes, one phase at a time."""
    phases = list(product(*map(range, factor)))
    out = x.shape[1] // len(phases)
    y = x.new_zeros(x.shape[0], out, *(n * f for n, f in zip(x.shape[2:], factor, strict=True)))
    for channel in range(out):
        for number, phase in enumerate(phases):
            index = tuple(slice(p, None, f) for p, f in zip(phase, factor, strict=True))
            y[(slice(None), channel, *index)] = x[:, channel * len(phases) + number]
    return y


def resize(x: Tensor, factor: tuple[int, ...], mode: str) -> Tensor:
    """Resize by torch.nn.functional.interpolate."""
    size = [n * f for n, f in zip(x.shape[2:], factor, strict=True)]
    if mode == "nearest":
        return F.interpolate(x, size=size, mode="nearest")
    return F.interpolate(x, size=size, mode=LINEAR[len(factor)], align_corners=False)


def impulse_matrix(layer: Layer, channels: int, size: tuple[int, ...]) -> Tensor:
    """Give the matrix of the linear part of a layer: one column per input pixel and channel."""
    zero = torch.zeros(1, channels, *size, dtype=torch.float64)
    base = layer(zero)
    columns = []
    for index in range(zero.numel()):
        impulse = zero.clone()
        impulse.view(-1)[index] = 1
        columns.append((layer(impulse) - base).flatten())
    return torch.stack(columns, dim=1)


def constant_response(layer: Layer, channels: int, size: tuple[int, ...]) -> Tensor:
    """Give what a layer makes of zeros: its bias over the output, (out, *output size)."""
    return layer(torch.zeros(1, channels, *size, dtype=torch.float64))[0]


def gains_by_constants(
    layer: Layer, channels: int, size: tuple[int, ...], stride: tuple[int, ...], near: tuple[int, ...]
) -> Tensor:
    """Push a constant through each input channel; read one period near a pixel, by output index mod s."""
    base = constant_response(layer, channels, size)
    gains = []
    for channel in range(channels):
        x = torch.zeros(1, channels, *size, dtype=torch.float64)
        x[:, channel] = 1
        y = layer(x)[0] - base
        gain = y.new_zeros(y.shape[0], *stride)
        for step in product(*map(range, stride)):
            pixel = tuple(a + b for a, b in zip(near, step, strict=True))
            phase = tuple(a % s for a, s in zip(pixel, stride, strict=True))
            gain[(slice(None), *phase)] = y[(slice(None), *pixel)]
        gains.append(gain)
    return torch.stack(gains, dim=1)


def ripple_of_polynomial(layer: Layer, power: tuple[int, ...], size: tuple[int, ...], order: int) -> float:
    """Push x^power through a one-channel layer; give the largest relative `order`-th difference.

    A polynomial that passes without ripple comes out as one polynomial of the same total degree, so that
    differences of higher order vanish; one with ripple comes out as a different polynomial per phase.
    """
    x = torch.ones((), dtype=torch.float64)
    for n, q in zip(size, power, strict=True):
        x = x[..., None] * (torch.arange(n, dtype=torch.float64) - n / 2) ** q
    y = layer(x[None, None])[0, 0]
    inner = tuple(slice(n // 3, n - n // 3) for n in y.shape)
    worst = 0.0
    for orders in product(range(order + 1), repeat=y.ndim):
        if sum(orders) != order:
            continue
        d = y[inner]
        for axis, times in enumerate(orders):
            d = torch.diff(d, n=times, dim=axis) if times else d
        worst = max(worst, float(d.abs().max()))
    return worst / max(1e-300, float(y[inner].abs().max()))
