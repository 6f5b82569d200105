"""Signals to probe a network with: constant colours, noise, a ramp, and a made-up picture."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def probe_signals(example: Tensor) -> dict[str, Tensor]:
    """Return the probe signals of the example's shape, in its range.

    Args:
        example: (N, C, *spatial) or codes (N, D).

    Returns:
        For maps: "dark", "mean" and "bright", constants at each channel's smallest, mean and largest value;
        "noise", white with each channel's mean and deviation; "ramp", from smallest to largest along the
        last axis. For codes: "mean" and "noise" only, because positions in a code mean nothing.
    """
    generator = torch.Generator().manual_seed(0)
    over = (0, *range(2, example.dim()))
    mean = example.mean(dim=over, keepdim=True)
    deviation = example.std(dim=over, keepdim=True, correction=0)
    noise = torch.randn(example.shape, generator=generator).to(example) * deviation + mean
    if example.dim() < 3:
        return {"mean": mean.expand_as(example).clone(), "noise": noise}
    low, high = example.amin(dim=over, keepdim=True), example.amax(dim=over, keepdim=True)
    slope = torch.linspace(0, 1, example.shape[-1], device=example.device, dtype=example.dtype)
    return {
        "dark": low.expand_as(example).clone(),
        "mean": mean.expand_as(example).clone(),
        "bright": high.expand_as(example).clone(),
        "noise": noise.clamp(low, high),
        "ramp": (low + (high - low) * slope).expand_as(example).clone(),
    }


def is_white(example: Tensor) -> bool:
    """Test whether a map is white noise: neighbours on the last axis are correlated by less than 0.2."""
    if example.dim() < 3 or example.shape[-1] < 8 or not example.is_floating_point():
        return False
    x = example.double() - example.double().mean(dim=-1, keepdim=True)
    power = float(x.square().mean())
    return power > 0 and abs(float((x[..., 1:] * x[..., :-1]).mean())) < 0.2 * power


def like_weights(model: nn.Module, tensor: Tensor) -> Tensor:
    """Return `tensor` in the precision and on the device of the model's weights, if it has any."""
    weights = next((p for p in model.parameters() if p.is_floating_point()), None)
    return tensor if weights is None or not tensor.is_floating_point() else tensor.to(weights)


def made_up(shape: tuple[int, ...]) -> Tensor:
    """Make an example input of a given shape.

    Args:
        shape: (N, C, *spatial) with C of 1 or 3 gives pictures in 0..1 with a natural (1/f) spectrum; any
            other shape gives standard normal numbers.

    Returns:
        The tensor; always the same for the same shape.
    """
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(shape, generator=generator)
    if len(shape) < 4 or shape[1] not in (1, 3):
        return noise
    axes = tuple(range(2, len(shape)))
    radius = torch.zeros(shape[2:])
    for axis, n in enumerate(shape[2:]):
        frequency = torch.fft.fftfreq(n).reshape([-1 if a == axis else 1 for a in range(len(axes))])
        radius = radius + frequency**2
    radius = radius.sqrt()
    constant = (0,) * len(axes)
    radius[constant] = 1
    spectrum = torch.fft.fftn(noise, dim=axes) / radius ** (len(axes) / 2)
    spectrum[(..., *constant)] = 0
    picture = torch.fft.ifftn(spectrum, dim=axes).real
    if picture[0, 0].numel() > 1:
        picture = picture / picture.std(dim=axes, keepdim=True).clamp_min(1e-12)
    return torch.clamp(0.5 + 0.2 * picture, 0, 1)
