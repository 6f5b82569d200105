"""False alarms and detection on what is no photograph: weather fields, depth maps, CT; and in other units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zlib import crc32

import numpy as np
from inject import make_tile, repeat
from intervals import crossing, rate
from numpy.typing import NDArray
from pictures import Pixels, photographs
from progress import shown
from scipy.ndimage import gaussian_filter

import uncheck

CLEAN, DRAWS = 120, 10
PERIODS = (2, 4, 8)
#: Of 255 over the range of the data.
AMPLITUDES = (0.25, 0.5, 1.0, 2.0, 4.0)
#: Kilograms in grams, and others: the levels must not depend on them.
UNITS = (1e3, 1e-3, 7.3)
Field = NDArray[Any]


def smooth(rng: np.random.Generator, shape: tuple[int, ...], slope: float) -> NDArray[np.float64]:
    """Noise whose power falls with frequency as f^-slope; mean 0, variance 1."""
    f = np.sqrt(sum(one**2 for one in np.meshgrid(*(np.fft.fftfreq(n) for n in shape), indexing="ij")))
    f.flat[0] = 1.0
    drawn = np.fft.ifftn(np.fft.fftn(rng.normal(size=shape)) * f ** (-slope / 2)).real
    drawn -= drawn.mean()
    return drawn / drawn.std()


def weather(seed: int) -> Field:
    """Specific humidity in kg/kg over the sea, NaN on land."""
    rng = np.random.default_rng(seed)
    out = 0.008 + 0.002 * smooth(rng, (192, 256), 3) + 2e-6 * rng.normal(size=(192, 256))
    out[smooth(rng, out.shape, 4) > 0.8] = np.nan
    return out.astype(np.float32)


def depth(seed: int) -> Field:
    """Millimetres of a room in 16 bits: slanted planes, their edges, noise, 65535 where nothing was seen."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((192, 256))
    places = rng.uniform((0, 0), (192, 256), (9, 2))
    nearest = np.argmin([(rows - y) ** 2 + (columns - x) ** 2 for y, x in places], axis=0)
    out = np.zeros((192, 256))
    for i, (y, x) in enumerate(places):
        plane = rng.uniform(900, 6000) + rng.normal(0, 4) * (rows - y) + rng.normal(0, 4) * (columns - x)
        out[nearest == i] = plane[nearest == i]
    out += rng.normal(size=out.shape) * (1 + (out / 2500) ** 2)
    out = out.clip(400, 6500).round().astype(np.uint16)
    out[smooth(rng, out.shape, 4) > 1.6] = 65535
    return out


def ct(seed: int) -> Field:
    """Hounsfield units of ellipsoids with the noise of a reconstruction, padded outside a circle."""
    rng = np.random.default_rng(seed)
    shape = (16, 96, 96)
    z, y, x = (n / m - 0.5 for n, m in zip(np.indices(shape), shape, strict=True))
    out = np.full(shape, -1000.0)
    out[(y / 0.42) ** 2 + (x / 0.36) ** 2 < 1] = 40
    for density in rng.choice([-800, 60, 120, 700], 6):
        size, (a, b, c) = rng.uniform(0.05, 0.2, 3), rng.uniform(-0.2, 0.2, 3)
        out[((z - a) / size[0]) ** 2 + ((y - b) / size[1]) ** 2 + ((x - c) / size[2]) ** 2 < 1] = density
    out = gaussian_filter(out, 0.8) + 40 * gaussian_filter(rng.normal(size=shape), (0.3, 0.7, 0.7))
    out[:, (y[0] ** 2 + x[0] ** 2) > 0.25] = -2000
    return out.round().astype(np.int16)


MATERIALS: dict[str, Callable[[int], Field]] = {"weather": weather, "depth": depth, "CT": ct}


def main() -> dict[str, Any]:
    """Clean ones, ones with a lattice, and the same in other units and in 16 bits."""
    return {
        "false_alarms": {name: false_alarms(name, make) for name, make in MATERIALS.items()},
        "detection": [row for name, make in MATERIALS.items() for row in detection(name, make)],
        "units": units(),
        "sixteen_bits": sixteen_bits(photographs()),
    }


def false_alarms(name: str, make: Callable[[int], Field]) -> dict[str, Any]:
    """How many of the clean ones are called anything else."""
    verdicts = [said(make(seed))[0] for seed in shown(f"{name}, clean", range(CLEAN))]
    return {"alarms": rate(sum(v != "clean" for v in verdicts), CLEAN), "verdicts": sorted(set(verdicts))}


def detection(name: str, make: Callable[[int], Field]) -> list[dict[str, Any]]:
    """How many lattices are found, by period and amplitude; of CT they are alike in all slices."""
    rows = []
    for period in shown(f"{name}, periods", PERIODS):
        hits = []
        for amplitude in AMPLITUDES:
            found = 0
            for draw in range(DRAWS):
                rng = np.random.default_rng(crc32(f"{name} {period} {draw}".encode()))
                values = make(1000 + draw)
                low, high = uncheck.measure(values).images[0].span
                tile = repeat(make_tile("tile", (period, period), rng), values.shape[-2:])
                fill = {"u": 65535, "i": -2000, "f": np.nan}[values.dtype.kind]
                kept = np.isnan(values) if values.dtype.kind == "f" else values == fill
                added = np.where(kept, 0, values) + amplitude * (high - low) / 255 * tile
                whole = added if values.dtype.kind == "f" else np.rint(added)
                verdict, periods = said(np.where(kept, fill, whole).astype(values.dtype))
                found += verdict == "lattice" and any(period % p == 0 for p in periods)
            hits.append(rate(found, DRAWS))
        shares = [one["hits"] / DRAWS for one in hits]
        at = crossing(AMPLITUDES, shares)
        rows.append({"material": name, "period": period, "found": hits, "ninety": at})
    return rows


def said(values: Field) -> tuple[str, list[int]]:
    """The verdict on an array, and the periods of its lattice."""
    (image,) = uncheck.measure(values).images
    return image.verdict, [int(np.lcm.reduce(c.period)) for c in image.found.present]


def units() -> dict[str, Any]:
    """Verdicts and levels of fields with a lattice, in other units."""
    same, worst, count = 0, 0.0, 0
    for seed in shown("units", range(DRAWS)):
        field = weather(seed).astype(np.float64)
        field += 4e-5 * (-1.0) ** np.indices(field.shape).sum(axis=0)
        first = uncheck.measure(field).images[0]
        for unit in UNITS:
            other = uncheck.measure(field * unit).images[0]
            same += other.verdict == first.verdict
            worst = max(worst, abs(other.strength / first.strength - 1))
            count += 1
    return {"same_verdict": rate(same, count), "largest_relative_difference": float(f"{worst:.1g}")}


def sixteen_bits(found: list[Any]) -> dict[str, Any]:
    """How many copies of photographs in 16 bits have the verdict of the original, lattice or not."""
    same = 0
    for photo in shown("16 bits", found):
        pixels: Pixels = photo.pixels[:256, :256]
        rows, columns = np.indices(pixels.shape[:2])
        grid = 3 * (-1.0) ** (rows + columns)
        holding = (pixels + (grid if pixels.ndim == 2 else grid[..., None])).clip(0, 255).astype(np.uint8)
        for one in (pixels, holding):
            same += said(one)[0] == said(one.astype(np.uint16) * 257)[0]
    return {"same_verdict": rate(same, 2 * len(found))}
