"""Photographs in two halves, and lattices of known period, strength and dependence on brightness in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

Pixels = NDArray[np.uint8]
#: The folder of real cases, where it lies beside the checkout or above it.
CASES = next(
    (
        one / "shared" / "cases"
        for one in Path(__file__).resolve().parents
        if (one / "shared" / "cases").is_dir()
    ),
    Path("shared/cases"),
)
PHOTOS = CASES / "photos"

#: Those of scikit-image in colour or grey that are photographs, not drawings, and larger than 256 pixels.
OTHERS = (
    "astronaut.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "moon.png",
    "motorcycle_left.png",
    "retina.jpg",
    "rocket.jpg",
)

#: How the amplitude goes with the picture: alike everywhere; with the distance of the brightness of a pixel
#: from mid-grey; of each colour by itself; of the brightness blurred (sigma 4 pixels); and with the signed
#: distance, whose mean nearly vanishes.
LAWS = ("uniform", "distance", "own distance", "smooth distance", "signed")


def photographs(half: str) -> dict[str, Pixels]:
    """The photographs to tune on ("tune") or to report ("report"): every other one of the sorted names."""
    from skimage import data

    folder = Path(data.__file__).parent
    paths = [*sorted(PHOTOS.glob("*.png")), *(folder / name for name in OTHERS)]
    chosen = paths[::2] if half == "tune" else paths[1::2]
    return {path.stem: _read(path) for path in chosen}


def _read(path: Path) -> Pixels:
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("L" if image.mode in {"L", "1"} else "RGB"))
    top, left = (max(0, (n - 768) // 2) for n in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + 768, left : left + 768])


def with_lattice(pixels: Pixels, period: int, level: float, law: str, rng: np.random.Generator) -> Pixels:
    """A picture (H, W) or (H, W, 3) plus a random tile in random colours, rounded to 8 bits.

    `level` is the amplitude as `measure` has it, in the strongest colour and in the mean over the picture:
    the root of the summed squares of the peaks of all sinusoids, so a tile of root mean square level/sqrt(2).
    """
    values = pixels.astype(np.float64).reshape(*pixels.shape[:2], -1)
    channels = values.shape[-1]
    tile = rng.normal(size=(period, period))
    tile -= tile.mean()
    colour = rng.normal(size=channels) if channels > 1 else np.ones(1)
    tile = tile[..., None] * colour / np.abs(colour).max()
    tile *= level / np.sqrt(2) / np.sqrt((tile**2).mean(axis=(0, 1)).max())
    rows, columns = values.shape[:2]
    plane = np.tile(tile, (-(-rows // period), -(-columns // period), 1))[:rows, :columns]
    lattice = plane * amplitude(values, law)
    return np.rint(values + lattice).clip(0, 255).astype(np.uint8).reshape(pixels.shape)


def amplitude(values: NDArray[np.float64], law: str) -> NDArray[np.float64]:
    """The factor of the lattice at each pixel and colour, of mean (or root mean square) 1."""
    if law == "uniform":
        return np.ones_like(values)
    away = values if law == "own distance" else values.mean(axis=-1, keepdims=True)
    if law == "smooth distance":
        away = gaussian_filter(away, (4, 4, 0))
    away = away - 127.5
    if law != "signed":
        away = np.abs(away)
        return away / max(float(away.mean()), 1.0)
    return away / max(float(np.sqrt((away**2).mean())), 1.0)


def psnr(picture: NDArray[np.generic], truth: NDArray[np.generic]) -> float:
    """Peak signal to noise in dB; equal pictures have that of one pixel value off by one level."""
    error = ((picture.astype(np.float64) - truth.astype(np.float64)) ** 2).mean()
    return float(10 * np.log10(255.0**2 / max(error, 1 / picture.size)))
