"""The area of a signal that is measured: without flat background, masked values and what lies around them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.components import Component, Lattice
from uncheck.measuring.support import Support
from uncheck.signals.flat import flat_background
from uncheck.signals.masks import Mask, filled, percent
from uncheck.signals.signal import Signal

#: Cuts begin at multiples of this: where the blocks of JPEG begin, those of its colours too.
STEP = 16

#: Shortest side, in pixels, of a rectangle inside a mask that stands for it where a test needs one.
LEAST_RECTANGLE = 64


@dataclass(frozen=True, eq=False)
class Area:
    """What is measured of a signal.

    Attributes:
        values: (*spatial, C) grey levels, cut to what holds the mask, filled smoothly outside of it.
        support: where they are measured; None if everywhere.
        start: index of their first sample in the signal, per axis, multiples of 16.
        share: of the signal that is measured, 0 to 1.
        background: share that was left out as flat background.
    """

    values: NDArray[np.float32]
    support: Support | None
    start: tuple[int, ...]
    share: float = 1.0
    background: float = 0.0

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence on what was left out, beside what the signal says is masked."""
        if not self.background:
            return ()
        return (f"{percent(self.background)} of it is flat background and was left out.",)

    def whole(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return the values as an array of the signal's shape (*spatial, C), continued to all sides."""
        sides = [(s, n - s - m) for s, n, m in zip(self.start, shape, self.values.shape, strict=False)]
        return np.pad(self.values, [*sides, (0, 0)], mode="edge")

    def mask(self, shape: tuple[int, ...]) -> Mask | None:
        """Return what is measured of an array of the signal's shape (*spatial, C); None if all is."""
        if self.support is None and self.values.shape == shape:
            return None
        out = np.zeros(shape[:-1], bool)
        place = tuple([slice(s, s + n) for s, n in zip(self.start, self.values.shape[:-1], strict=True)])
        out[place] = True if self.support is None else self.support.share > 0
        return out

    def clear(self, found: Lattice) -> tuple[NDArray[np.float32], Lattice]:
        """Return a rectangle that is measured throughout, and the lattice as it is there.

        For what must not see a border of the mask. Of volumes, and where none is large enough, all values.
        """
        if self.support is None or self.values.ndim != 3 or not found.present:
            return self.values, found
        box = largest_rectangle(np.asarray(self.support.share > 0))
        if min(b.stop - b.start for b in box) < LEAST_RECTANGLE:
            return self.values, found
        return self.values[box], shifted(found, tuple(b.start for b in box))


def measured_area(signal: Signal, longest: int) -> Area:
    """Return the area of a signal to measure: inside its mask, and no flat background.

    `longest` is the longest period tested: places of one value that are larger are background.

    Raises:
        UncheckError: nothing is left.

    Cost: that of `flat_background`; where something is left out, that of `filled` too.
    """
    values, mask = signal.values, signal.mask
    flat = None
    if signal.kind != "audio":
        # What stands in for masked values may be flat, too.
        known = values if mask is None else np.where(mask[..., None], values, np.float32(np.nan))
        flat = flat_background(known, longest)
    if flat is not None:
        mask = ~flat if mask is None else mask & ~flat
    if mask is None or mask.all():
        return Area(values, None, (0,) * (values.ndim - 1))
    if not mask.any():
        raise UncheckError("all of its pixels are masked or flat background; there is nothing to measure")
    box = _bounds(mask)
    inner = np.asarray(mask[box])
    support = None if inner.all() else Support(inner.astype(np.float32))
    return Area(
        np.ascontiguousarray(filled(values[box], inner)),
        support,
        tuple(b.start for b in box),
        float(mask.mean()),
        0.0 if flat is None else float(flat.mean()),
    )


def _bounds(mask: Mask) -> tuple[slice, ...]:
    """Return the slices that hold all of a mask, beginning at multiples of 16."""
    out = []
    for axis in range(mask.ndim):
        there = np.flatnonzero(mask.any(axis=tuple(a for a in range(mask.ndim) if a != axis)))
        out.append(slice(int(there[0]) // STEP * STEP, int(there[-1]) + 1))
    return tuple(out)


def largest_rectangle(mask: Mask) -> tuple[slice, slice]:
    """Return the largest rectangle of a mask (H, W) that is True throughout, in blocks of 16 pixels.

    >>> mask = np.ones((64, 80), bool)
    >>> mask[:, 70] = False
    >>> largest_rectangle(mask)
    (slice(0, 64, None), slice(0, 64, None))

    Cost: one pass over the mask, and the square of its columns of blocks.
    """
    rows, columns = (n // STEP for n in mask.shape)
    cut = mask[: rows * STEP, : columns * STEP]
    blocks = np.asarray(cut.reshape(rows, STEP, columns, STEP).all(axis=(1, 3)))
    best, found = 0, (slice(0, 0), slice(0, 0))
    heights = np.zeros(columns, int)
    for row in range(rows):
        heights = np.where(blocks[row], heights + 1, 0)
        for left in range(columns):
            lowest = np.minimum.accumulate(heights[left:])
            areas = lowest * np.arange(1, len(lowest) + 1)
            if areas.max(initial=0) > best:
                width = int(areas.argmax()) + 1
                best, height = int(areas.max()), int(lowest[width - 1])
                found = (
                    slice((row + 1 - height) * STEP, (row + 1) * STEP),
                    slice(left * STEP, (left + width) * STEP),
                )
    return found


def shifted(found: Lattice, start: tuple[int, ...]) -> Lattice:
    """Return a lattice with the phases that its lines have from the sample `start` on.

    A line mu exp(2 pi i f.n) is mu exp(2 pi i f.start) exp(2 pi i f.m) at m = n - start.
    """
    if not any(start):
        return found
    return replace(
        found,
        present=tuple(_shifted(c, start) for c in found.present),
        traces=tuple(_shifted(c, start) for c in found.traces),
    )


def _shifted(component: Component, start: tuple[int, ...]) -> Component:
    lines = []
    for line in component.lines:
        turn = complex(np.exp(2j * np.pi * (np.dot(line.frequency, start) % 1)))
        lines.append(replace(line, mean=tuple(turn * m for m in line.mean)))
    return replace(component, lines=tuple(lines))
