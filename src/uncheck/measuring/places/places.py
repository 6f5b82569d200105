"""The local map: regions, one map per period, and all maps of a picture."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.components import Component
from uncheck.plain import Brief, as_dict
from uncheck.showing import Shown

#: Share of the picture up to which a region is a local finding.
LOCAL = 0.5

#: How many times as strong as elsewhere a lattice is where it counts as a local finding: traces of cameras
#: and scanners are all over a picture, and vary with its content, up to 4 times after a change of gamma.
STANDS_OUT = 5.0


@dataclass(frozen=True)
class Region(Brief):
    """One connected place that has a lattice.

    Attributes:
        box: (y0, x0, y1, x1) pixels, the last ones excluded; true to about half the map's scale.
        share: of the picture, 0 to 1.
        component: its lattice in there; `amplitude` is what most of its windows have, grey levels, `p_value`
            is corrected for all boxes, lines, channels and periods tried.
        elsewhere: amplitude, in the rest of the picture, of the same lines, grey levels.
    """

    box: tuple[int, int, int, int]
    share: float
    component: Component
    elsewhere: float

    def moved(self, start: tuple[int, ...], inner: tuple[int, ...], shape: tuple[int, ...]) -> Region:
        """Return the same place in a picture of `shape` in which one of shape `inner` begins at `start`."""
        y, x = start
        top, left, bottom, right = self.box
        share = self.share * (inner[0] * inner[1]) / (shape[0] * shape[1])
        return replace(self, box=(top + y, left + x, bottom + y, right + x), share=share)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        found = as_dict(self.component, "amplitude", "p_value")
        return {**as_dict(self, "box", "share"), **found, "elsewhere": self.elsewhere}


@dataclass(frozen=True, eq=False)
class PeriodMap(Brief):
    """Where one period is.

    Attributes:
        period: pixels per axis.
        amplitude: (rows, columns) of windows, grey levels: what most windows around this one agree on.
        p_value: (rows, columns), corrected; of the box of `scale` pixels around the window.
        significant: (rows, columns) windows that belong to a region.
        window, stride: side of a window and distance between them, pixels. Window (i, j) is centred at pixel
            ((i + 1) stride, (j + 1) stride).
        scale: side in pixels of the boxes of windows that were asked together.
        share: of the picture that has this period, 0 to 1.
        regions: connected significant windows, strongest first. Where one covers more than half of the
            picture, places that have significantly more than the rest are listed besides.
    """

    period: tuple[int, ...]
    amplitude: NDArray[np.float32]
    p_value: NDArray[np.float64]
    significant: NDArray[np.bool_]
    window: int
    stride: int
    scale: int
    share: float
    regions: tuple[Region, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; maps as nested lists, amplitudes rounded to a thousandth of a grey level."""
        return {
            **as_dict(self, "period", "window", "stride", "scale", "share", "regions"),
            "amplitude": np.round(self.amplitude.astype(float), 3).tolist(),
            **as_dict(self, "p_value", "significant"),
        }


@dataclass(frozen=True, eq=False)
class LocalMap(Shown):
    """Where each period is in a picture of `shape` (rows, columns) pixels; strongest period first.

    `periods` were looked for, at `significance` for the whole map; `not_tested` are too long for the picture.
    `picture` (rows, columns) is the picture in grey, to draw the map on.
    """

    shape: tuple[int, int]
    maps: tuple[PeriodMap, ...]
    periods: tuple[int, ...]
    not_tested: tuple[int, ...]
    threshold: float
    significance: float
    picture: NDArray[np.uint8] = field(repr=False)

    @property
    def present(self) -> tuple[Component, ...]:
        """The lattice of every region that is at least `threshold` strong, strongest first.

        Not of those that cover more than half of the picture, which are for the test of the whole picture,
        and not of those where it is hardly stronger than elsewhere.
        """
        found = [
            r.component
            for m in self.maps
            for r in m.regions
            if r.share <= LOCAL and r.component.amplitude >= STANDS_OUT * r.elsewhere
        ]
        strong = [c for c in found if c.amplitude >= self.threshold]
        return tuple(sorted(strong, key=lambda c: -c.amplitude))

    def pixels(self) -> dict[str, Any]:
        """Return the picture in grey."""
        return {"picture": self.picture}

    def of(self, period: tuple[int, ...]) -> PeriodMap | None:
        """Return the map of one period, None if it was not found anywhere."""
        return next((m for m in self.maps if m.period == period), None)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "shape": list(self.shape),
            "tested": list(self.periods),
            **as_dict(self, "not_tested", "maps"),
        }
