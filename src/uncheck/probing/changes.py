"""Changes of maps: mirrored, moved by parts of a pixel, cropped, brightened, and summed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from uncheck.probing.axes import channel_axis, laid_along, spatial_axes

#: Axes shorter than this are mirrored, but neither moved nor cropped.
SHORT = 8

#: Channels of a picture, or of light and a mask, whose brightness changes apart; more change together.
COLOURED = 4

#: Interpolations that shrink and enlarge, by number of spatial axes.
_MODES = {1: "linear", 2: "bicubic", 3: "trilinear"}


@dataclass(frozen=True)
class Change:
    """One way to see a map otherwise; places and distances are shares of the size of an axis.

    Attributes:
        mirrored: axes that are turned round.
        turned: whether the last two axes change places.
        moved: distance per axis.
        crop: start and share of the part that is enlarged to the whole, per axis; None for all of it.
        brightness: contrast, and place of its range within the whole one from 0 to 1, per channel in turn;
            empty for those of the map.
        beside: another way, and the share of the map seen that way in the sum of both; None for one alone.
    """

    mirrored: tuple[bool, ...]
    turned: bool
    moved: tuple[float, ...]
    crop: tuple[tuple[float, float], ...] | None
    brightness: tuple[tuple[float, float], ...] = ()
    beside: tuple[Change, float] | None = None


def changed(maps: Tensor, how: Change) -> Tensor:
    """Apply a change to maps, which keep shape, type and range; whole numbers are moved by whole pixels."""
    axes = spatial_axes(maps)
    x = maps.flip([a for a, turn in zip(axes, how.mirrored, strict=True) if turn])
    if how.turned and x.shape[axes[-1]] == x.shape[axes[-2]]:
        x = x.transpose(axes[-1], axes[-2])
    whole = not maps.is_floating_point() or is_mask(maps)
    if whole:
        for axis, distance in zip(axes, how.moved, strict=True):
            x = _moved_whole(x, axis, round(distance * x.shape[axis]))
        return x.contiguous()
    low, high = maps.amin(), maps.amax()
    precise = x.double() if x.dtype == torch.float64 else x.float()
    if how.crop is not None:
        precise = _enlarged(precise, axes, how.crop)
    for axis, distance in zip(axes, how.moved, strict=True):
        precise = moved(precise, axis, distance * x.shape[axis])
    if how.beside is not None:
        other, share = how.beside
        precise = precise.lerp(changed(maps, other).to(precise.dtype), share)
    if how.brightness:
        precise = _brightened(precise, axes, how.brightness, low.to(precise.dtype), high.to(precise.dtype))
    return precise.clamp(low, high).to(maps.dtype).contiguous()


def _brightened(
    x: Tensor, axes: tuple[int, ...], brightness: tuple[tuple[float, float], ...], low: Tensor, high: Tensor
) -> Tensor:
    """Bring each channel to another contrast, its range low..high to another place within that."""
    if len(axes) == 1:
        mean = x.mean(axes, keepdim=True)
        return (x - mean) * brightness[0][0] + mean
    channel = channel_axis(x.dim(), axes)
    count = x.shape[channel]
    used = [brightness[i % len(brightness)] if count <= COLOURED else brightness[0] for i in range(count)]
    contrast, level = (
        laid_along(x.new_tensor(values), channel, x.dim()) for values in zip(*used, strict=True)
    )
    return low + contrast * (x - low) + level * (1 - contrast) * (high - low)


def is_mask(maps: Tensor) -> bool:
    """Test whether maps hold nothing but 0 and 1."""
    return bool(((maps == 0) | (maps == 1)).all())


def moved(x: Tensor, axis: int, distance: float) -> Tensor:
    """Move a map along an axis by any distance in pixels; what lies beyond its border is its mirror image.

    Equation: with X the Fourier transform of the map followed by its mirror image,
    y = IFFT(X(f) exp(-2 pi i f distance)).

    >>> moved(torch.tensor([[[1.0, 2.0, 3.0, 4.0]]]), 2, 1.0).round(decimals=4).tolist()
    [[[1.0, 1.0, 2.0, 3.0]]]
    """
    if distance == 0.0:
        return x
    size = x.shape[axis]
    both = torch.cat([x, x.flip(axis)], dim=axis)
    spectrum = torch.fft.rfft(both, dim=axis)
    frequency = torch.fft.rfftfreq(2 * size, device=x.device, dtype=x.dtype)
    turn = torch.exp(-2j * torch.pi * frequency * distance)
    out: Tensor = torch.fft.irfft(spectrum * laid_along(turn, axis, x.dim()), n=2 * size, dim=axis)
    return out.narrow(axis, 0, size)


def _moved_whole(x: Tensor, axis: int, distance: int) -> Tensor:
    size = x.shape[axis]
    both = torch.cat([x, x.flip(axis)], dim=axis)
    return both.roll(distance, axis).narrow(axis, 0, size)


def _enlarged(x: Tensor, axes: tuple[int, ...], crop: tuple[tuple[float, float], ...]) -> Tensor:
    """Cut a part out and bring it to the size of the whole."""
    sizes = [x.shape[a] for a in axes]
    part = x
    for axis, n, (start, share) in zip(axes, sizes, crop, strict=True):
        length = max(2, round(share * n))
        part = part.narrow(axis, min(round(start * n), n - length), length)
    last = tuple(range(x.dim() - len(axes), x.dim()))
    part = part.movedim(axes, last)
    whole: Tensor = F.interpolate(part, size=sizes, mode=_MODES[len(axes)], align_corners=False)
    return whole.movedim(last, axes)
