"""More inputs alike the given ones: codes drawn anew, maps mirrored, moved and cropped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.quasirandom import SobolEngine

from uncheck.probing.inputs import is_white

#: A map is moved by at most this share of its size, either way.
FARTHEST = 1 / 8

#: Share of a side that a crop keeps at least.
SMALLEST_CROP = 0.8

#: Axes shorter than this are mirrored, but neither moved nor cropped.
SHORT = 8

#: Contrast of a map against that of the example, drawn evenly over its logarithm: what exceeds the range is
#: cut, so some are nearly flat and some are saturated.
CONTRAST = 0.1, 3.0

#: Channels of a picture, or of light and a mask, whose brightness changes apart; more change together.
COLOURED = 4

#: Of this many maps, one keeps its brightness, and one is the sum of two.
KINDS = 3

#: A normal distribution of mean below this and deviation within this of 1 is the standard one.
NEARLY = 0.25

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


class Alike:
    """Endless inputs like the samples of an example: always the same ones, in the same order.

    Codes, (N, D) or (N, C, 1, 1), and maps of white noise are drawn anew: normal numbers of the same mean
    and deviation, within the same range, or the same numbers in another order where they are not normal.
    Other maps are mirrored, moved by parts of a pixel and by whole ones, turned if they are square, and every
    other one is cropped and enlarged. Of three, two get another contrast and level within the range of the
    example, channel by channel in pictures (a sound has no level), and one is the sum of two. Whole numbers
    are never interpolated, and keep their values; those without positions of their own, such as tokens,
    change places.

    All tensors of the inputs whose first axis is as long as the signal's go with it: each sample keeps its
    own, and maps are changed like the signal.
    """

    def __init__(self, example: tuple[Any, ...]) -> None:
        self._example = example
        self._first = next(i for i, x in enumerate(example) if isinstance(x, Tensor))
        self._signal: Tensor = example[self._first]
        self._axes = spatial_axes(self._signal)
        self._drawn = _is_drawn(self._signal, self._axes)
        # Masks and other whole numbers cannot be added, so what goes with them is not.
        self._added = not any(
            isinstance(x, Tensor) and x.dim() > 2 and (not x.is_floating_point() or _is_mask(x))
            for x in example
        )
        self._generator = torch.Generator().manual_seed(0)
        # Evenly spread fractions cancel contents faster than random ones.
        self._sobol = SobolEngine(max(1, 2 * len(self._axes)), scramble=True, seed=0)  # type: ignore[no-untyped-call]
        self._made = 0

    @property
    def varied(self) -> bool:
        """Whether other inputs than the given can be made at all: not of constants, nor of single numbers."""
        signal = self._signal
        return signal.numel() > 0 and bool((signal != signal.flatten()[0]).any())

    def __call__(self, count: int) -> tuple[Any, ...]:
        """Return inputs of `count` samples, alike in shape, type and range to the example's."""
        samples = len(self._signal)
        base = [(self._made + i) % samples for i in range(count)]
        changes = [self._varied(self._made + i) for i in range(count)]
        self._made += count

        def one(index: int, value: Any) -> Any:
            if index == self._first and self._drawn:
                return self._draw(base)
            if not isinstance(value, Tensor) or value.dim() == 0 or len(value) != samples:
                return value
            parts = [value[i : i + 1] for i in base]
            if not self._drawn and len(spatial_axes(value)) == len(self._axes) and value.dim() > 2:
                parts = [changed(part, how) for part, how in zip(parts, changes, strict=True)]
            return torch.cat(parts)

        return tuple(one(i, value) for i, value in enumerate(self._example))

    def _varied(self, number: int) -> Change:
        how = self._change(number)
        if number % KINDS == 0:
            return how
        least, most = CONTRAST
        chance = torch.rand(2 * COLOURED + 1, generator=self._generator).tolist()
        pairs = zip(chance[:COLOURED], chance[COLOURED:-1], strict=True)
        bright = tuple((least * (most / least) ** contrast, level) for contrast, level in pairs)
        beside = (self._change(number), chance[-1]) if number % KINDS == 1 and self._added else None
        return replace(how, brightness=bright, beside=beside)

    def _change(self, number: int) -> Change:
        sizes = [self._signal.shape[a] for a in self._axes]
        place = self._sobol.draw(1)[0].tolist()
        chance = torch.rand(1 + 3 * len(sizes), generator=self._generator).tolist()
        moved = [
            (round((2 * far - 1) * FARTHEST * n) + part - 0.5) / n if n >= SHORT else 0.0
            for n, part, far in zip(sizes, place[::2], place[1::2], strict=False)
        ]
        mirrored = tuple(c < 0.5 for c in chance[1 : 1 + len(sizes)])
        # Time, the first axis of a volume, is not exchanged with a place.
        turned = len(sizes) > 1 and sizes[-1] == sizes[-2] and chance[0] < 0.5
        crop = None
        if number % 2 and min(sizes, default=0) >= 2 * SHORT:
            shares = [SMALLEST_CROP + (1 - SMALLEST_CROP) * c for c in chance[1 + len(sizes) :: 2]]
            starts = [(1 - s) * c for s, c in zip(shares, chance[2 + len(sizes) :: 2], strict=True)]
            crop = tuple(zip(starts, shares, strict=True))
        return Change(mirrored, turned, tuple(moved), crop)

    def _draw(self, base: list[int]) -> Tensor:
        signal, generator = self._signal, self._generator
        if signal.is_floating_point() and _looks_normal(signal):
            # Few samples tell little of single channels.
            over = (0, *self._axes) if signal[:, 0].numel() >= 64 else tuple(range(signal.dim()))
            x = signal.float()
            mean, deviation = x.mean(over, keepdim=True), x.std(over, keepdim=True, correction=0)
            if float(x.mean().abs()) < NEARLY and abs(float(x.std(correction=0)) - 1) < NEARLY:
                mean, deviation = torch.zeros_like(mean), torch.ones_like(deviation)
            noise = torch.randn((len(base), *signal.shape[1:]), generator=generator).to(x.device)
            return (noise * deviation + mean).clamp(x.min(), x.max()).to(signal.dtype)
        return torch.cat([_reordered(signal[i : i + 1], self._axes, generator) for i in base])


def spatial_axes(tensor: Tensor) -> tuple[int, ...]:
    """Return the axes of a batch of maps that are places: all behind the channels, wherever these are."""
    if tensor.dim() >= 4 and tensor.shape[-1] <= 4 < tensor.shape[1]:
        return tuple(range(1, tensor.dim() - 1))
    return tuple(range(2, tensor.dim()))[:3]


def _is_drawn(signal: Tensor, axes: tuple[int, ...]) -> bool:
    """Test whether a signal has no content that its places could tell: codes, tokens and white noise."""
    if not axes or max(signal.shape[a] for a in axes) < SHORT:
        return True
    long = [a for a in axes if signal.shape[a] >= SHORT]
    return all(is_white(signal.movedim(a, -1)) for a in long)


def _looks_normal(signal: Tensor) -> bool:
    """Test whether few values repeat and the fourth moment is near three squared variances."""
    x = signal.double().flatten()
    variance = float((x - x.mean()).square().mean())
    if len(x) < 8 or variance == 0.0 or int((x.sort().values.diff() == 0).sum()) > 0.1 * len(x):
        return False
    excess = float((x - x.mean()).pow(4).mean()) / variance**2 - 3
    return bool(abs(excess) < 1 + 10 / len(x) ** 0.5)


def _reordered(sample: Tensor, axes: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Return one sample with its numbers in another order; marks of 0 and 1 keep to themselves."""
    if axes and max(sample.shape[a] for a in axes) > 1:
        # Vectors at places stay whole.
        places = sample.movedim(axes, tuple(range(1, len(axes) + 1)))
        flat = places.flatten(1, len(axes))
        mixed = flat[:, torch.randperm(flat.shape[1], generator=generator).to(sample.device)]
        return mixed.reshape(places.shape).movedim(tuple(range(1, len(axes) + 1)), axes)
    flat = sample.flatten().clone()
    marks = (flat == 0) | (flat == 1)
    for where in (marks, ~marks):
        places = where.nonzero()[:, 0]
        flat[places] = flat[places][torch.randperm(len(places), generator=generator).to(sample.device)]
    return flat.reshape(sample.shape)


def changed(maps: Tensor, how: Change) -> Tensor:
    """Apply a change to maps, which keep shape, type and range; whole numbers are moved by whole pixels."""
    axes = spatial_axes(maps)
    x = maps.flip([a for a, turn in zip(axes, how.mirrored, strict=True) if turn])
    if how.turned and x.shape[axes[-1]] == x.shape[axes[-2]]:
        x = x.transpose(axes[-1], axes[-2])
    whole = not maps.is_floating_point() or _is_mask(maps)
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
    channel = next(a for a in range(1, x.dim()) if a not in axes)
    count = x.shape[channel]
    used = [brightness[i % len(brightness)] if count <= COLOURED else brightness[0] for i in range(count)]
    shape = [1] * x.dim()
    shape[channel] = count
    contrast, level = (x.new_tensor(values).reshape(shape) for values in zip(*used, strict=True))
    return low + contrast * (x - low) + level * (1 - contrast) * (high - low)


def _is_mask(maps: Tensor) -> bool:
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
    shape = [1] * x.dim()
    shape[axis] = -1
    out: Tensor = torch.fft.irfft(spectrum * turn.reshape(shape), n=2 * size, dim=axis)
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
