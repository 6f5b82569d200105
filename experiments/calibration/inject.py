"""Known lattices, put into pictures: of first order (added) and of second order (variance by phase)."""

from __future__ import annotations

from math import lcm

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

Pixels = NDArray[np.uint8]
Tile = NDArray[np.float64]
Period = tuple[int, int]

PATTERNS = ("tile", "cosine", "overlap")
REGIONS = {"whole": 1, "quarter": 2, "ninth": 3}


def amplitude(tile: Tile) -> float:
    """Root of the summed squares of the peak amplitudes of the sinusoids `tile` (rows, columns) is made of.

    With c_k its Fourier coefficients: sqrt(sum |c_k|^2 (k its own conjugate) + 2 sum |c_k|^2 (all others)).
    """
    power = np.abs(np.fft.fft2(tile) / tile.size) ** 2
    rows, columns = tile.shape
    own = np.outer(*((2 * np.arange(n) % n == 0) for n in (rows, columns)))
    power[0, 0] = 0.0
    return float(np.sqrt(power[own].sum() + 2 * power[~own].sum()))


def make_tile(pattern: str, period: Period, rng: np.random.Generator) -> Tile:
    """One period of a lattice, of zero mean, of amplitude 1, at a random phase.

    "tile": random numbers. "cosine": one sinusoid, along one axis or both. "overlap": the tap counts of a
    transposed convolution of stride P and kernel P + 1.
    """
    rows, columns = period
    if pattern == "tile":
        out = rng.normal(size=period)
    elif pattern == "cosine":
        choices = [(a, b) for a in (0, 1) for b in (0, 1) if lcm(rows**a, columns**b) == lcm(rows, columns)]
        a, b = choices[rng.integers(len(choices))]
        turn = a * np.arange(rows)[:, None] / rows + b * np.arange(columns)[None, :] / columns
        real = all(n <= 2 for n, used in ((rows, a), (columns, b)) if used)
        out = np.cos(2 * np.pi * (turn + (0.0 if real else rng.uniform())))
    elif pattern == "overlap":
        taps = [np.array([2.0, *[1.0] * (n - 1)]) for n in period]
        out = np.outer(*taps)
    else:
        raise ValueError(f"pattern {pattern!r} is none of {', '.join(PATTERNS)}")
    out = np.roll(out, rng.integers(0, period), (0, 1))
    out = out - out.mean()
    return out / amplitude(out)


def repeat(tile: Tile, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """`tile` over a plane of (rows, columns)."""
    rows, columns = shape[:2]
    return np.tile(tile, (-(-rows // tile.shape[0]), -(-columns // tile.shape[1])))[:rows, :columns]


def make_colour(rng: np.random.Generator, grey: bool = False) -> NDArray[np.float64]:
    """Amplitude of red, green and blue; the largest is 1 in size, signs may differ."""
    colour = np.ones(3) if grey else rng.normal(size=3)
    return colour / np.abs(colour).max()


def fractions(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """What 8 bits cut off a picture: uniform in -1/2 to 1/2. Without it, a lattice below 1/2 would vanish.

    A network's output is continuous before it is rounded; a photograph already was. A picture plus this
    rounds to itself, and with a lattice added to a picture that has it on average, however weak.
    """
    return rng.uniform(-0.5, 0.5, shape).astype(np.float32)


def add(
    pixels: Pixels,
    tile: Tile,
    levels: float,
    colour: NDArray[np.float64],
    fraction: NDArray[np.float32],
    *,
    proportional: bool = False,
    signed: bool = False,
    region: tuple[slice, slice] = (slice(None), slice(None)),
) -> Pixels:
    """`pixels` plus the lattice at `levels` grey levels in the channel where it is strongest, in 8 bits.

    Args:
        pixels: (H, W) or (H, W, 3).
        tile: from `make_tile`.
        levels: amplitude; with `proportional` the mean over the picture of one that grows as brightness, with
            `signed` the root mean square of one that grows as brightness less its mean.
        colour: (3,) from `make_colour`; grey pictures take the strongest.
        fraction: from `fractions`, of the shape of `pixels`.
        region: where; `levels` holds inside it.
    """
    plane = repeat(tile, pixels.shape) * levels
    mask = np.zeros(plane.shape)
    mask[region] = 1.0
    plane *= mask
    values = pixels.astype(np.float64)
    added = plane if pixels.ndim == 2 else plane[..., None] * colour
    if proportional:
        added = added * values / np.maximum(values.mean(axis=(0, 1)), 1.0)
    if signed:
        brightness = values if values.ndim == 2 else values.mean(axis=-1, keepdims=True)
        added = added * (brightness - brightness.mean()) / max(float(brightness.std()), 1.0)
    return np.rint(values + added + fraction).clip(0, 255).astype(np.uint8)


def make_region(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[slice, slice]:
    """A random rectangle of a half ("quarter") or a third ("ninth") of both sides, or the whole."""
    share = REGIONS[name]
    sides = [n // share for n in shape[:2]]
    starts = [int(rng.integers(0, n - s + 1)) for n, s in zip(shape, sides, strict=False)]
    return slice(starts[0], starts[0] + sides[0]), slice(starts[1], starts[1] + sides[1])


def modulate(pixels: Pixels, tile: Tile, gain: float, fraction: NDArray[np.float32]) -> Pixels:
    """Second order: the detail x - blur(x) (sigma 1) times 1 + gain * tile, tile scaled to an RMS of 1."""
    values = pixels.astype(np.float64)
    detail = values - gaussian_filter(values, (1.0, 1.0) + (0.0,) * (pixels.ndim - 2))
    plane = repeat(tile / np.sqrt((tile**2).mean()), pixels.shape)
    plane = plane if pixels.ndim == 2 else plane[..., None]
    return np.rint(values + gain * plane * detail + fraction).clip(0, 255).astype(np.uint8)


def resample(pixels: Pixels, factor: int, method: str) -> Pixels:
    """Reduced by `factor` (mean over squares) and enlarged again: "nearest", "bilinear" or "bicubic"."""
    image = Image.fromarray(pixels)
    width, height = image.width // factor, image.height // factor
    small = image.resize((width, height), Image.Resampling.BOX, (0, 0, width * factor, height * factor))
    chosen = {
        "nearest": Image.Resampling.NEAREST,
        "bilinear": Image.Resampling.BILINEAR,
        "bicubic": Image.Resampling.BICUBIC,
    }[method]
    return np.asarray(small.resize((width * factor, height * factor), chosen))


def names_period(reported: list[tuple[int, ...]], period: Period) -> bool:
    """Whether the periods reported, those that divide `period` axis by axis, make up `period`."""
    fitting = [r for r in reported if all(p % q == 0 for p, q in zip(period, r, strict=True))]
    return lcm(*(q for r in fitting for q in r)) == lcm(*period)
