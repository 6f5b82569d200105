"""Local amplitude of a lattice against the distance of the local colour from any colour."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.colour.amplitudes import grid, local_amplitudes, local_means
from uncheck.measuring.colour.brightness import brightness_dependence
from uncheck.measuring.colour.regression import curve, fit
from uncheck.measuring.components import Component
from uncheck.measuring.lattice import find_lattice

Levels = NDArray[np.float32]

#: More pixels than the eight windows that a grid must have.
ROOM = 1024


@dataclass(frozen=True)
class Windows:
    """Of all pictures: `colours` (windows, channels), `signed` amplitude (windows,), `counts` per axis.

    `mean`: the mean colour of the pictures. All in grey levels.
    """

    colours: NDArray[np.float64]
    signed: NDArray[np.float64]
    counts: tuple[int, ...]
    mean: NDArray[np.float64]


def shared_component(pictures: Levels, period: int) -> Component | None:
    """The lattice of this period in the mean of pictures (N, H, W, C), significant or not."""
    every = find_lattice(pictures.mean(0), periods=(period,), threshold=0.0, significance=inf).present
    return next((c for c in every if int(np.lcm.reduce(c.period)) == period), None)


def stacked(pictures: Levels, component: Component) -> Levels:
    """The pictures one below the other, (N H', W', C), cropped to whole windows: one grid for all."""
    sizes = grid((ROOM, ROOM), component.lines[0].period).sizes
    height, width = (n - n % size for n, size in zip(pictures.shape[1:3], sizes, strict=True))
    return np.ascontiguousarray(pictures[:, :height, :width].reshape(-1, width, pictures.shape[3]))


def windows_of(tower: Levels, component: Component) -> Windows:
    """As `brightness_dependence` sees them: turned to the phase of most of what colour explains."""
    line = component.lines[0]
    windows = grid(tower.shape[:2], line.period)
    channel = int(np.argmax(line.amplitudes))
    planes = [np.ascontiguousarray(tower[..., c]) for c in range(tower.shape[2])]
    colours = np.stack([local_means(plane, windows) for plane in planes], axis=1)
    local = local_amplitudes(planes[channel], line, windows)
    parts = [fit(colours, part, windows.counts).fitted for part in (local.real, local.imag)]
    direction = np.exp(0.5j * np.angle(((parts[0] + 1j * parts[1]) ** 2).sum()))
    signed = (local * direction.conj()).real
    signed = signed if signed.mean() >= 0 else -signed
    return Windows(colours, signed, windows.counts, tower.mean(axis=(0, 1), dtype=np.float64))


def against(windows: Windows, centre: NDArray[np.float64]) -> dict[str, Any]:
    """Amplitude against the distance from `centre`: bins, slope, p-value, correlation, all JSON-ready.

    An amplitude counts positive where it has the sign that colour predicts from the other windows. `at_zero`:
    share of the farthest bin's amplitude that the nearest bin has.
    """
    distance = np.sqrt(((windows.colours - centre) ** 2).sum(axis=1))
    predicted = fit(windows.colours, windows.signed, windows.counts).left_out
    amplitude = windows.signed * np.where(predicted < 0, -1, 1)
    found = curve(distance, amplitude, windows.counts)
    near, far = found.bins[0].amplitude, found.bins[-1].amplitude
    return {
        "bins": [[round(b.position, 2), round(b.amplitude, 4)] for b in found.bins],
        "slope": round(found.slope, 5),
        "p": float(f"{found.p_value:.3g}"),
        "correlation": round(float(np.corrcoef(distance, amplitude)[0, 1]), 3),
        "near_over_far": round(near / far, 3) if far > 0 else None,
    }


def dependence(pictures: Levels, period: int, bias: NDArray[np.float64] | None) -> dict[str, Any]:
    """Of pictures (N, H, W, C) in grey levels: amplitude, and its dependence on both distances.

    Args:
        period: of the lattice, pixels.
        bias: the colour that the bias alone gives, grey levels; None if there is none.
    """
    component = shared_component(pictures, period)
    if component is None:
        return {"amplitude": 0.0}
    tower = stacked(pictures, component)
    windows = windows_of(tower, component)
    row: dict[str, Any] = {
        "amplitude": round(float(component.amplitude), 3),
        "from_mean": against(windows, windows.mean),
        "brightness_slope": round(brightness_dependence(tower, component).slope, 5),
        "reach": round(float(np.percentile(distances(windows, windows.mean), 95)), 1),
    }
    if bias is not None:
        row["from_bias"] = against(windows, bias)
        row["bias_to_mean"] = round(float(np.linalg.norm(windows.mean - bias)), 1)
    return row


def distances(windows: Windows, centre: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(((windows.colours - centre) ** 2).sum(axis=1)), np.float64)
