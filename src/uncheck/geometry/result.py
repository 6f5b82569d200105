"""The result of counting: taps per phase, the overlap map and its picture, its period, its scales."""

from __future__ import annotations

from dataclasses import dataclass
from math import isinf
from typing import Any

from uncheck.advising import advised
from uncheck.geometry.axis import Counts
from uncheck.geometry.layer import Layer
from uncheck.plain import Brief, as_dict
from uncheck.showing import Plotted

SHADES = " ░▒▓█"
"""From no tap to the most taps."""

BARS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Scale(Brief):
    """Contribution of one upsampling layer of a chain to the final overlap map.

    Args:
        layer: index of the layer in the chain, from 0.
        period: output pixels per axis: its stride times the later strides.
        ratio: largest over smallest number of taps per phase of this layer alone; inf if a phase has none.
        axes: per axis, whether the final map still varies with this period (and not only with a later one).
    """

    layer: int
    period: tuple[int, ...]
    ratio: float
    axes: tuple[bool, ...]

    @property
    def survives(self) -> bool:
        """Whether the final map still varies with this period on any axis."""
        return any(self.axes)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers, ready for JSON; an infinite ratio is null."""
        return {
            **as_dict(self, "layer", "period", "ratio", "axes", "survives"),
            "ratio": None if isinf(self.ratio) else self.ratio,
        }


@dataclass(frozen=True, eq=False)
class Overlap(Plotted):
    """How many kernel taps each output pixel receives; in a chain, how many paths end there.

    Args:
        taps_per_phase: nested tuples, one level per axis; entry p counts the taps of an interior output pixel
            whose output index (after the crop by padding) is p modulo the length of that level.
        taps: integer array, the exact map for input_size, borders included; read-only.
        ratio: largest over smallest entry of taps_per_phase; inf if some phase gets no tap, 1 if none does.
        even: whether all phases get the same number of taps.
        period: smallest period per axis of the interior pattern, output pixels.
        axis_taps: per axis, the pattern of which taps_per_phase is the outer product.
        scales: what each upsampling layer contributes, in order.
        layers: the layers counted.
        input_size: input pixels per axis of the map.
        interior: per axis, half-open range of output pixels that no border reaches.
    """

    taps_per_phase: tuple[Any, ...]
    taps: Counts
    ratio: float
    even: bool
    period: tuple[int, ...]
    axis_taps: tuple[tuple[int, ...], ...]
    scales: tuple[Scale, ...]
    layers: tuple[Layer, ...]
    input_size: tuple[int, ...]
    interior: tuple[tuple[int, int], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers, ready for JSON; an infinite ratio is null."""
        names = ("taps_per_phase", "taps", "ratio", "even", "period", "scales", "layers", "input_size")
        said = {
            "schema": "uncheck.overlap/1",
            **as_dict(self, *names, "interior"),
            "ratio": None if isinf(self.ratio) else self.ratio,
        }
        return advised(said)

    def pixels(self) -> dict[str, Any]:
        """Return the map of taps, of a volume its middle slice, and the taps of each phase per axis."""
        taps = self.taps[self.taps.shape[0] // 2] if self.taps.ndim == 3 else self.taps
        return {"taps": taps, "axis_taps": self.axis_taps}

    def __str__(self) -> str:
        """Draw the map in plain text under a line with the verdict."""
        ratio = "inf (a phase gets no tap)" if isinf(self.ratio) else f"{self.ratio:.4g}"
        period = " x ".join(str(size) for size in self.period)
        head = f"overlap {'even' if self.even else 'uneven'}: ratio {ratio}, period {period}"
        per_axis = "; ".join(_short(taps) for taps in self.axis_taps)
        return f"{head}\ntaps per phase and axis: {per_axis}\n{picture(self.taps)}"


def _short(taps: tuple[int, ...], most: int = 12) -> str:
    shown = " ".join(str(count) for count in taps[:most])
    return shown if len(taps) <= most else f"{shown} ... ({len(taps)} phases)"


def picture(taps: Counts, most: int = 48) -> str:
    """Draw a map of counts: 1-D as bars, 2-D as blocks two characters wide, 3-D as its central slice.

    Args:
        taps: integer array of one to three axes.
        most: most pixels drawn per axis; the middle of a larger map is drawn, and said to be.

    Returns:
        Lines without a newline at the end.
    """
    note = ""
    if taps.ndim == 3:
        middle = taps.shape[0] // 2
        note = f"slice {middle} of {taps.shape[0]}\n"
        taps = taps[middle]
    if max(taps.shape) > most:
        note += f"middle of {' x '.join(str(size) for size in taps.shape)} pixels\n"
        taps = taps[tuple(_middle(size, most) for size in taps.shape)]
    highest = max(int(taps.max()), 1)
    if taps.ndim == 1:
        return note + "".join(_level(int(count), highest, BARS) for count in taps)
    rows = ("".join(2 * _level(int(count), highest, SHADES) for count in row) for row in taps)
    return note + "\n".join(row.rstrip() for row in rows)


def _middle(size: int, most: int) -> slice:
    start = max(0, (size - most) // 2)
    return slice(start, min(size, start + most))


def _level(count: int, highest: int, levels: str) -> str:
    # ceiling, so that one tap is never drawn as none
    return levels[-(-count * (len(levels) - 1) // highest)]
