"""More inputs alike the given ones: codes drawn anew, maps mirrored, moved and cropped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.quasirandom import SobolEngine

from uncheck.probing.axes import spatial_axes
from uncheck.probing.changes import COLOURED, SHORT, Change, changed, is_mask
from uncheck.probing.codes import draw, is_drawn
from uncheck.probing.samples import goes_along
from uncheck.reading.tensors import replace_tensors, tensors_in

#: A map is moved by at most this share of its size, either way.
FARTHEST = 1 / 8

#: Share of a side that a crop keeps at least.
SMALLEST_CROP = 0.8

#: Contrast of a map against that of the example, drawn evenly over its logarithm: what exceeds the range is
#: cut, so some are nearly flat and some are saturated.
CONTRAST = 0.1, 3.0

#: Of this many maps, one keeps its brightness, and one is the sum of two.
KINDS = 3


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
        self._drawn = is_drawn(self._signal, self._axes)
        # Masks and other whole numbers cannot be added, so what goes with them is not.
        self._added = not any(
            x.dim() > 2 and (not x.is_floating_point() or is_mask(x)) for x in tensors_in(example)
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

        def one(value: Tensor) -> Tensor:
            if not goes_along(value, samples):
                return value
            parts = [value[i : i + 1] for i in base]
            if not self._drawn and len(spatial_axes(value)) == len(self._axes) and value.dim() > 2:
                parts = [changed(part, how) for part, how in zip(parts, changes, strict=True)]
            return torch.cat(parts)

        made: tuple[Any, ...] = replace_tensors(self._example, one)
        if not self._drawn:
            return made
        code = draw(self._signal, base, self._axes, self._generator)
        return (*made[: self._first], code, *made[self._first + 1 :])

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
