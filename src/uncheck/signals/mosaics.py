"""Mosaics of samples, as training scripts write them: one picture cut into its tiles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from uncheck.errors import UncheckError
from uncheck.signals.signal import Signal


def tiles(signal: Signal, size: tuple[int, int], gap: int) -> list[Signal]:
    """Cut a mosaic into its tiles, row by row: signals "name[0]", "name[1]", ...

    Along each axis n * size + (n - 1) * gap pixels, plus either no border or one as wide as the gap on both
    sides. Empty places after the last tile (constant throughout) are left out.

    Args:
        signal: a picture, (H, W, C).
        size: of a tile, pixels (height, width).
        gap: pixels between tiles.

    Raises:
        UncheckError: not a picture, or a picture whose size no whole number of tiles gives.
    """
    if signal.kind != "picture":
        raise UncheckError(
            f"{signal.name}: a mosaic is cut out of pictures, not out of {signal.kind}; measure it without"
        )
    height, width = signal.values.shape[:2]
    starts = [_starts(n, s, gap) for n, s in zip((height, width), size, strict=True)]
    if not all(starts):
        raise UncheckError(
            f"{signal.name}: {height} x {width} pixels are not a mosaic of tiles of {size[0]} x {size[1]} "
            f"with gaps of {gap}; give the tile size and the gap in pixels"
        )
    cut = [signal.values[y : y + size[0], x : x + size[1]] for y in starts[0] for x in starts[1]]
    while len(cut) > 1 and not np.ptp(cut[-1].reshape(-1, cut[-1].shape[-1]), axis=0).any():
        cut.pop()
    # The codec's block grid starts at the corner of the mosaic, not of the tile.
    return [
        replace(
            signal, name=f"{signal.name}[{i}]", values=np.ascontiguousarray(tile), codec=None, tables=None
        )
        for i, tile in enumerate(cut)
    ]


def _starts(length: int, size: int, gap: int) -> list[int]:
    """Return the first pixel of each tile along one axis; none if the length does not fit."""
    for border in (0, gap):
        count, rest = divmod(length - 2 * border + gap, size + gap)
        if count >= 1 and rest == 0:
            return [border + i * (size + gap) for i in range(count)]
    return []
