"""Agreement of windows on the phase of a line, in boxes of all sizes: the engine of the local map."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.special import chdtrc, log_ndtr

from uncheck.measuring.lines import dual

#: Variance of a mean over Hann windows that overlap by half, against independent ones, in two dimensions:
#: neighbours along one axis are correlated by 1/6.
OVERLAP = (1 + 2 / 6) ** 2

#: The same again for a line along one axis: an edge along its wave fronts has the same phase in all the
#: windows it runs through. Measured on photographs.
EDGES = 2.0

#: Amplitude, in grey levels, below which a window holds nothing but rounding and has no phase.
SILENT = 1e-3


@dataclass(frozen=True, eq=False)
class PhasorLines:
    """F lines of one period, ascending in their first frequency.

    `frequencies` (F, 2) in cycles per pixel; `real` (F,) whether a line is its own conjugate.
    """

    frequencies: NDArray[np.float64]
    real: NDArray[np.bool_]

    @property
    def axial(self) -> NDArray[np.bool_]:
        """(F,) whether a line varies along one axis only."""
        return np.asarray((self.frequencies == 0).any(axis=1), np.bool_)


def window_size(period: int) -> int:
    """Return the side of the windows for a period: a power of two, two periods and 16 pixels at least."""
    return 16 if period <= 4 else max(32, 1 << (2 * period - 1).bit_length())


def windowed(planes: NDArray[np.float32], frequencies: NDArray[np.float64], size: int) -> NDArray[Any]:
    """Return the complex amplitude of every line in every window, windows overlapping by half.

    b = sum_n k[n] x[n] with one kernel per axis: Hann-weighted least squares of the line, its conjugate and a
    parabola. The line is Re(b exp(2 pi i f.n)), doubled unless it is real, n from the picture's first pixel.
    From planes (C, H, W) and frequencies (F, 2), ascending in the first, to (C, rows, columns, F) complex64;
    window (i, j) of `size` pixels, even, starts at pixel (i, j) size / 2.

    Cost: two matrix products, of 8 F_0 + 32 F / size operations per pixel and channel, with F_0 different
    frequencies along the first axis. Memory: 4 F_0 / size + 8 F / size^2 pictures of complex numbers.
    """
    half = size // 2
    channels, height, width = planes.shape
    down, across = height // half, width // half
    blocks = planes[:, : down * half, : across * half].reshape(channels, down, half, across * half)
    own, index = np.unique(frequencies[:, 0], return_index=True)
    first = _kernels(own, size)
    parts = np.concatenate([first.real, first.imag])
    # A window is two blocks: the first half of the kernel meets one, the second half the next.
    rows = parts[:, :half] @ blocks[:, :-1] + parts[:, half:] @ blocks[:, 1:]
    starts = [np.arange(n - 1)[:, None] * half for n in (down, across)]
    out = np.empty((channels, down - 1, across - 1, len(frequencies)), np.complex64)
    for i, lines in enumerate(np.split(np.arange(len(frequencies)), index[1:])):
        f = frequencies[lines[0] : lines[-1] + 1, 1]
        # Real and imaginary parts side by side, so that one real product gives the complex one.
        pair = np.stack([rows[:, :, i], rows[:, :, len(own) + i]], axis=2)
        cut = sliding_window_view(pair, size, axis=3)[..., ::half, :].transpose(0, 1, 3, 2, 4)
        product = cut.reshape(-1, 2 * size) @ _paired(_kernels(f, size))
        made = out[..., lines[0] : lines[-1] + 1]
        made[:] = product.view(np.complex64).reshape(made.shape)
        made *= _turn(starts[0] * own[i])[:, None] * _turn(starts[1] * f)
    return out


def phasors(local: NDArray[Any], real: NDArray[np.bool_]) -> NDArray[Any]:
    """Return phases b / |b| of decorrelated channels; signs of real lines, 0 where a window is silent.

    Channels are turned, line by line, to the eigenvectors of their covariance over windows, every window
    having the same weight: what red and green share is then no longer in the way of what they do not. `local`
    is (C, rows, columns, F) from `windowed`, and is overwritten.
    """
    channels, _, _, count = local.shape
    flat = local.reshape(channels, -1, count)
    if channels > 1:
        each = 1 / np.maximum((flat.real**2 + flat.imag**2).sum(axis=0), SILENT**2)
        power = np.zeros((count, channels, channels), np.complex128)
        for i in range(channels):
            scaled = flat[i].conj() * each
            for j in range(i + 1):
                power[:, i, j] = np.einsum("nf,nf->f", scaled, flat[j])
        vectors = np.linalg.eigh(power)[1].astype(np.complex64)
        flat = np.stack([sum(flat[i] * vectors[:, i, j] for i in range(channels)) for j in range(channels)])
    flat[..., real] = flat[..., real].real
    size = np.abs(flat)
    size[size < SILENT] = np.inf
    flat /= size
    return flat.reshape(local.shape)


def box_sums(units: NDArray[Any], sides: tuple[int, int], steps: tuple[int, int]) -> NDArray[Any]:
    """Sum boxes of `sides` windows, starting every `steps` windows: (C, rows, columns, F)."""
    for axis, (side, step) in enumerate(zip(sides, steps, strict=True), 1):
        running = np.cumsum(units, axis=axis)
        moved = np.moveaxis(running, axis, 0)
        ends = moved[side - 1 :: step].copy()
        ends[1:] -= moved[step - 1 : len(moved) - side : step][: len(ends) - 1]
        units = np.moveaxis(ends, 0, axis)
    return units


def agreement(sums: NDArray[Any], windows: float, lines: PhasorLines) -> NDArray[np.float32]:
    """Return -log p of sums of `windows` phasors, were their phases random.

    z^2 = n |mean u|^2, n = windows / OVERLAP (and / EDGES), is exponential; 2 Phi(-z) where the line is real.
    """
    spread = np.where(lines.axial, OVERLAP * EDGES, OVERLAP).astype(np.float32)
    z2 = (sums.real**2 + sums.imag**2) / (max(windows, 1) * spread)
    if lines.real.any():
        z2[..., lines.real] = -np.log(2) - log_ndtr(-np.sqrt(z2[..., lines.real]))
    return np.asarray(z2, np.float32)


def typical(local: NDArray[Any], rounds: int = 8) -> NDArray[np.complex128]:
    """Return the geometric median over the last axis of (C, ..., n): what most windows agree on.

    Weiszfeld's iteration m = sum b_w / |b_w - m| / sum 1 / |b_w - m| from 0, all channels in one norm. It
    stays near zero where fewer than half of the windows have the line, and is not moved by a few busy ones.
    """
    middle = np.zeros((*local.shape[:-1], 1), np.complex128)
    for _ in range(rounds):
        away = local - middle
        weight = 1 / np.maximum(np.sqrt((away.real**2 + away.imag**2).sum(axis=0)), SILENT)
        middle = ((local * weight).sum(axis=-1) / weight.sum(axis=-1))[..., None]
    return np.asarray(middle[..., 0])


def _kernels(frequencies: NDArray[np.float64], size: int) -> NDArray[np.complex64]:
    return np.stack([_kernel(float(f), size) for f in frequencies])


@lru_cache(maxsize=4096)
def _kernel(frequency: float, size: int) -> NDArray[np.complex64]:
    return dual(frequency, size).astype(np.complex64)


def _paired(kernels: NDArray[np.complex64]) -> NDArray[np.float32]:
    """Return the real matrix (2 size, 2 F) of a complex product: real and imaginary parts alternate."""
    return np.concatenate([kernels, 1j * kernels], axis=1).T.copy().view(np.float32)


def _turn(cycles: NDArray[np.float64]) -> NDArray[np.complex64]:
    return np.asarray(np.exp(-2j * np.pi * (cycles % 1)), np.complex64)


#: Sides in pixels of the boxes of windows that are asked together, and the fewest windows per side.
SCALES = (64, 128, 256)
FEWEST = 4


@dataclass(frozen=True)
class Boxes:
    """Boxes of `sides` windows on rows and columns, `steps` windows apart, about `pixels` wide."""

    pixels: int
    sides: tuple[int, int]
    steps: tuple[int, int]

    def count(self, grid: tuple[int, ...]) -> int:
        """Count the boxes on a `grid` of (rows, columns) windows."""
        return prod(
            (n - side) // step + 1 for n, side, step in zip(grid, self.sides, self.steps, strict=True)
        )

    def around(self, grid: tuple[int, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the box around each window: box rows (rows, 1) and box columns (columns,)."""
        out = []
        for n, side, step in zip(grid, self.sides, self.steps, strict=True):
            nearest = np.rint((np.arange(n) - (side - 1) / 2) / step)
            out.append(np.clip(nearest, 0, (n - side) // step).astype(np.intp))
        return out[0][:, None], out[1]


@dataclass(frozen=True, eq=False)
class Scan:
    """The smallest boxes that agree: `p_value` of each, corrected, and of each line alone, at its best."""

    boxes: Boxes
    p_value: NDArray[np.float64]
    p_lines: NDArray[np.float64]


def scales(grid: tuple[int, ...], size: int) -> list[Boxes]:
    """Return boxes of the sides in SCALES, in windows of `size` pixels, that fit, a quarter side apart."""
    out: dict[tuple[int, int], Boxes] = {}
    for pixels in SCALES:
        side = max(FEWEST, 2 * pixels // size)
        sides = (min(side, grid[0]), min(side, grid[1]))
        steps = (max(1, sides[0] // 4), max(1, sides[1] // 4))
        out.setdefault(sides, Boxes((side + 1) * size // 2, sides, steps))
    return list(out.values())


def scan(local: NDArray[Any], lines: PhasorLines, size: int, tried: float, significance: float) -> Scan:
    """Find the smallest scale at which a box is significant; else the one with the smallest p.

    `local` (C, rows, columns, F) from `windowed` is overwritten. p-values are corrected for boxes, lines and
    channels, and for `tried` such scans.

    Cost: O(4 C rows columns F). Memory: twice `local`.
    """
    grid = local.shape[1:3]
    units = phasors(local, lines.real)
    several = scales(grid, size)
    tried *= sum(boxes.count(grid) for boxes in several)
    best: Scan | None = None
    for boxes in several:
        each = agreement(box_sums(units, boxes.sides, boxes.steps), prod(boxes.sides), lines)
        p_value = np.minimum(1.0, tried * _combined(each))
        if best is None or p_value.min() < best.p_value.min():
            alone = tried * local.shape[0] * local.shape[3] * np.exp(-each.max(axis=(0, 1, 2)).astype(float))
            best = Scan(boxes, p_value, np.minimum(1.0, alone))
        if p_value.min() < significance:
            break
    assert best is not None
    return best


def _combined(each: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return twice the smaller of smallest p and Fisher's sum of -log p (C, rows, columns, F), by box."""
    count = each.shape[0] * each.shape[-1]
    smallest = count * np.exp(-each.max(axis=(0, 3)).astype(float))
    fisher = chdtrc(2 * count, 2 * each.sum(axis=(0, 3), dtype=np.float64))
    return np.asarray(2 * np.minimum(smallest, fisher))
