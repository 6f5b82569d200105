"""A signal: the one form in which pictures, volumes, video and audio are measured; tiles of a mosaic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.signals.levels import LEVELS

#: How several planes or one-dimensional arrays may be taken.
KINDS = ("pictures", "frames", "volume", "audio")


@dataclass(frozen=True, eq=False)
class Signal:
    """One thing to measure.

    Attributes:
        name: the path as given, or what stands for it ("array", "[3]").
        values: (*spatial, C) float32 in grey levels: 0..255 over `span`, for audio around 0.
        kind: "picture", "volume" (depth, height, width), "video" (time, height, width) or "audio".
        codec: file format ("PNG"), None for arrays.
        tables: quantisation tables of a JPEG file.
        mask: (*spatial), True where a value was measured; None if all were. Outside, `values` hold anything
            finite.
        span: (low, high), the original values that are 255 grey levels apart.
        source: where the span is from: "given", "type", "usual" or "data" (`ranges.Range`).
        unit: name of the unit of the original values, if it was given.
        rate: samples per second of audio.
        notes: sentences about how it was read.
    """

    name: str
    values: NDArray[np.float32]
    kind: str = "picture"
    codec: str | None = None
    span: tuple[float, float] = (0.0, LEVELS)
    unit: str | None = None
    rate: float | None = None
    notes: tuple[str, ...] = ()
    tables: tuple[tuple[int, ...], ...] | None = None
    mask: NDArray[np.bool_] | None = None
    source: str = "type"


@dataclass(frozen=True)
class Given:
    """Statements of the caller about the signals: see `measure` for each."""

    span: tuple[float, float] | None = None
    unit: str | None = None
    kind: str | None = None
    rate: float | None = None
    mosaic: tuple[int, int] | None = None
    gap: int = 0
    nodata: float | None = None

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in KINDS:
            raise UncheckError(f"kind {self.kind!r} is not known; choose from {', '.join(KINDS)}")
        if self.rate is not None and not (_numbers((self.rate,), 1) and self.rate > 0):
            said = f"{self.rate:g}" if isinstance(self.rate, int | float) else self.rate
            raise UncheckError(f"sample rate {said} is not possible; give samples per second, above 0")
        if self.rate is not None and self.kind not in (None, "audio"):
            raise UncheckError(f"a sample rate goes with audio, not with {self.kind}; leave one of them out")
        if self.span is not None and not _numbers(self.span, 2):
            raise UncheckError(f"range {self.span} is not two finite numbers; give (lowest, highest)")
        if self.span is not None and not self.span[0] < self.span[1]:
            low, high = self.span
            raise UncheckError(
                f"range {low:g},{high:g} is empty; give the lowest value first, then the highest"
            )
        if self.nodata is not None and not isinstance(self.nodata, int | float):
            raise UncheckError(f"nodata {self.nodata!r} is not a number; give the value that marks no data")
        if self.mosaic is not None and not _numbers((*self.mosaic, self.gap), 3):
            raise UncheckError(f"mosaic {self.mosaic} is not a tile size; give (height, width) in pixels")
        if self.mosaic is not None and (min(self.mosaic) < 1 or self.gap < 0):
            raise UncheckError(
                f"mosaic tiles of {self.mosaic[0]} x {self.mosaic[1]} pixels with gaps of {self.gap} are not "
                "possible; tiles have at least 1 pixel and gaps at least 0"
            )


def _numbers(values: Any, count: int) -> bool:
    """Test whether these are so many finite numbers."""
    try:
        return len(values) == count and bool(np.isfinite(np.asarray(values, np.float64)).all())
    except (TypeError, ValueError):
        return False


def tiles(signal: Signal, size: tuple[int, int], gap: int) -> list[Signal]:
    """Cut a picture (H, W, C) into tiles of `size` (height, width), row by row: "name[0]", "name[1]", ...

    Along each axis n * size + (n - 1) * gap pixels, plus either no border or one as wide as the gap on both
    sides. Empty places after the last tile (constant throughout) are left out.

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
    places = [(slice(y, y + size[0]), slice(x, x + size[1])) for y in starts[0] for x in starts[1]]
    cut = [signal.values[place] for place in places]
    while len(cut) > 1 and not np.ptp(cut[-1].reshape(-1, cut[-1].shape[-1]), axis=0).any():
        cut.pop()
    # The codec's block grid starts at the corner of the mosaic, not of the tile.
    return [
        replace(
            signal,
            name=f"{signal.name}[{i}]",
            values=np.ascontiguousarray(tile),
            codec=None,
            tables=None,
            mask=None if signal.mask is None else signal.mask[place],
        )
        for i, (tile, place) in enumerate(zip(cut, places, strict=False))
    ]


def _starts(length: int, size: int, gap: int) -> list[int]:
    """Return the first pixel of each tile along one axis; none if the length does not fit."""
    for border in (0, gap):
        count, rest = divmod(length - 2 * border + gap, size + gap)
        if count >= 1 and rest == 0:
            return [border + i * (size + gap) for i in range(count)]
    return []
