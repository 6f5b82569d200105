"""The pictures of the false-alarm set: photographs and what is done to them, and noise."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]

KODAK = Path(__file__).resolve().parents[3] / "shared" / "cases" / "photos"
SIDE = 512

#: Photographs that come with scikit-image. The others in its folder are left out for a reason:
PHOTOGRAPHS = [
    "astronaut.png",
    "brick.png",
    "camera.png",
    "cell.png",
    "chelsea.png",
    "clock_motion.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "microaneurysms.png",
    "moon.png",
    "motorcycle_left.png",
    "page.png",
    "retina.jpg",
    "rocket.jpg",
    "text.png",
]
LEFT_OUT = {
    "chessboard_GRAY.png": "drawn",
    "chessboard_RGB.png": "drawn",
    "color.png": "drawn",
    "horse.png": "drawn",
    "logo.png": "drawn",
    "phantom.png": "computed",
    "motorcycle_right.png": "the same scene as motorcycle_left.png",
    "motorcycle_disp.npz": "a depth map",
    "lfw_subset.npy": "25 x 25 pixels, reduced",
    "no_time_for_that_tiny.gif": "an animation in 256 colours",
    "multipage.tif": "made up",
    "multipage_rgb.tif": "made up",
}


@dataclass(frozen=True, eq=False)
class Photograph:
    """`pixels` (H, W) or (H, W, 3); `history` is "scan" (never compressed), "jpeg" or "unknown"."""

    name: str
    history: str
    pixels: Pixels


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture to measure: its `source` is shared by pictures that are not independent."""

    kind: str
    treatment: str
    source: str
    name: str
    pixels: Pixels
    history: str = "made"


def photographs() -> list[Photograph]:
    """All there are; those of `../shared` only where that folder lies beside the checkout."""
    from skimage import data

    found = [Photograph(path.stem, "scan", _read(path)) for path in sorted(KODAK.glob("*.png"))]
    folder = Path(data.__file__).parent
    for name in PHOTOGRAPHS:
        path = folder / name
        if path.exists():
            found.append(Photograph(path.stem, "jpeg" if path.suffix == ".jpg" else "unknown", _read(path)))
    return found


def drawn(label: str, share: float) -> bool:
    """Draw a share of all labels, the same ones each time."""
    return crc32(label.encode()) < share * 2**32


def crops(pixels: Pixels, most: int = 2, side: int = SIDE) -> list[Pixels]:
    """Up to `most` (1 or 2) crops of side x side: two opposite corners; smaller pictures whole."""
    height, width = pixels.shape[:2]
    first = pixels[:side, :side]
    if most < 2 or height < side or width < side or (height, width) == (side, side):
        return [first]
    return [first, pixels[height - side :, width - side :]]


def large(found: list[Photograph], side: int = SIDE) -> list[Photograph]:
    """Those with at least side x side pixels, cut to the middle side x side."""
    out = []
    for photo in found:
        rest = [n - side for n in photo.pixels.shape[:2]]
        if min(rest) >= 0:
            top, left = (n // 2 for n in rest)
            cut = photo.pixels[top : top + side, left : left + side]
            out.append(Photograph(photo.name, photo.history, cut))
    return out


def jpeg(pixels: Pixels, quality: int, subsampling: int = 2) -> Pixels:
    """Compressed and decoded; `subsampling` 2 halves the colours on both axes (4:2:0), 0 does not."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(stream))


def gamma(pixels: Pixels, exponent: float) -> Pixels:
    """255 (x / 255)^exponent, rounded."""
    return np.rint(255 * (pixels / 255.0) ** exponent).astype(np.uint8)


def sharpened(pixels: Pixels, percent: int) -> Pixels:
    """Unsharp mask of radius 1: x + percent (x - blurred x)."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.UnsharpMask(1, percent, 0)))


def treated(pixels: Pixels, seed: int) -> Iterator[tuple[str, Pixels]]:
    """`pixels` and its variants, by name; a crop takes 1 to 7 pixels off the top and the left."""
    rng = np.random.default_rng(seed)
    top, left = (int(n) for n in rng.integers(1, 8, 2))
    yield "original", pixels
    yield "odd-cropped", pixels[top:, left:]
    for quality in (50, 75, 90, 95):
        yield f"JPEG {quality}", jpeg(pixels, quality)
    yield "JPEG 90 4:4:4", jpeg(pixels, 90, 0)
    yield "gamma 0.5", gamma(pixels, 0.5)
    yield "gamma 2", gamma(pixels, 2.0)
    yield "sharpened 50 %", sharpened(pixels, 50)
    yield "sharpened 100 %", sharpened(pixels, 100)
    yield "cropped, JPEG 75", jpeg(np.ascontiguousarray(pixels[top:, left:]), 75)
    for quality in (50, 75, 90, 95):
        yield f"JPEG {quality}, cropped", jpeg(pixels, quality)[top:, left:]
    yield "JPEG 75, gamma 0.5", gamma(jpeg(pixels, 75), 0.5)
    yield "JPEG 75, sharpened 100 %", sharpened(jpeg(pixels, 75), 100)
    yield "sharpened 100 %, JPEG 90", jpeg(sharpened(pixels, 100), 90)


def photograph_pictures(found: list[Photograph]) -> Iterator[Picture]:
    """Every treatment of up to two crops of every photograph."""
    for photo in found:
        for number, crop in enumerate(crops(photo.pixels)):
            crop = np.ascontiguousarray(crop)
            for treatment, pixels in treated(crop, crc32(f"{photo.name} {number}".encode())):
                history = "jpeg" if "JPEG" in treatment else photo.history
                yield Picture("photograph", treatment, photo.name, f"{photo.name}[{number}]", pixels, history)


#: Exponents of the amplitude spectrum |f|^e.
NOISES = {"1/f^1.5": -1.5, "1/f": -1.0, "1/f^0.5": -0.5, "white": 0.0, "blue f^0.5": 0.5, "blue f": 1.0}
#: Pictures of each noise and size (side: pictures), half with independent colours, half nearly grey.
NOISE_COUNTS = {64: 400, 128: 200, 256: 100, 512: 30}


def noise(side: int, exponent: float, correlation: float, seed: int) -> Pixels:
    """(side, side, 3) noise of amplitude spectrum |f|^exponent, standard deviation 40 around 128.

    `correlation` between the colours, 0 to 1.
    """
    rng = np.random.default_rng([seed, side, round(10 * exponent) + 50])
    white = np.sqrt(1 - correlation) * rng.normal(size=(3, side, side))
    white += np.sqrt(correlation) * rng.normal(size=(side, side))
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    radius[0, 0] = np.inf if exponent < 0 else 0.0
    shaped = np.fft.irfft2(np.fft.rfft2(white) * radius**exponent, s=(side, side))
    return np.rint(128 + 40 * shaped / shaped.std()).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)


def noise_pictures(share: float = 1.0) -> Iterator[Picture]:
    """All noises at all sizes; `share` of the usual numbers."""
    for name, exponent in NOISES.items():
        for side, count in NOISE_COUNTS.items():
            for seed in range(max(1, round(share * count))):
                pixels = noise(side, exponent, (0.0, 0.9)[seed % 2], seed)
                label = f"{name} {side} #{seed}"
                yield Picture("noise", name, label, label, np.ascontiguousarray(pixels))


#: Seeds of the textures: far from those anyone would use while writing the tests of rivals.
FIRST_SEED = 5000


def texture_pictures(count: int = 60) -> Iterator[Picture]:
    """`count` pictures of each generator in textures.py, half 512 and half 256 pixels wide."""
    from textures import GENERATORS

    for name, make in GENERATORS.items():
        for seed in range(FIRST_SEED, FIRST_SEED + count):
            side = SIDE if seed % 4 < 2 else SIDE // 2
            yield Picture(name, "made", f"{name} {seed}", f"{name} {seed}", make((side, side), seed))


def enlarged_pictures(found: list[Photograph]) -> Iterator[Picture]:
    """Photographs enlarged by repeating pixels."""
    from textures import enlarged

    for photo in found:
        for factor in (1.5, 2.0, 3.0, 4.0):
            pixels = enlarged(photo.pixels, factor, (SIDE, SIDE))
            label = f"{photo.name} x{factor:g}"
            yield Picture("enlarged", f"x{factor:g}", photo.name, label, np.ascontiguousarray(pixels))


def _read(path: Path) -> Pixels:
    with Image.open(path) as image:
        return np.asarray(image.convert("L" if image.mode in {"L", "1"} else "RGB"))
