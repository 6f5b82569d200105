"""What strong lattices, cloth and bricks of the same periods, random networks and cameras are called."""

from __future__ import annotations

import importlib.util
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import textures
from numpy.typing import NDArray
from pictures import KODAK, Pixels, jpeg, photographs
from progress import shown

from uncheck.measuring import find_lattice, synthesise
from uncheck.measuring.rivals import name_rival

#: Periods of stacked strides and patches; root mean squares of the tiles, grey levels.
PERIODS = (4, 8, 14, 16)
LEVELS = (4.0, 25.0, 40.0)
QUALITIES = (None, 75)
SIDE = 320
#: Seeds of the textures whose period is set.
FIRST_SEED, SEEDS = 7000, 8
NETWORKS = ("k3 s2", "k4 s2", "k5 s2", "shuffle", "resize")


def main() -> dict[str, Any]:
    """Counts of what each kind of pictures is called, by the test of the whole picture and the rivals."""
    called: dict[str, Counter[str]] = defaultdict(Counter)
    parts = {"strong lattices": lattices(), "textures": cloth(), "random networks": networks()}
    parts["cameras"] = cameras()
    for part, pictures in parts.items():
        for name, pixels in shown(part, pictures):
            array = pixels.reshape(*pixels.shape[:2], -1).astype(np.float32)
            found = find_lattice(array)
            verdict = (name_rival(array, found) or "lattice") if found.present else "clean"
            called[f"{part}: {name}"][verdict] += 1
    return {
        "style_missing": not KODAK.exists(),
        "rows": [{"pictures": name, "called": dict(sorted(c.items()))} for name, c in called.items()],
    }


def lattices() -> Iterator[tuple[str, Pixels]]:
    """Random tiles of known period put on photographs and on stylised ones, saved as PNG and JPEG."""
    rng = np.random.default_rng(1)
    for kind, pixels in [*_photographs(), *_stylised()]:
        base = pixels.astype(np.float64)
        if kind == "stylised":
            for quality in QUALITIES:
                yield f"{kind}, {_saved(quality)}, as it is", _coded(base, quality)
            present = find_lattice(pixels.astype(np.float32)).present
            base = base - sum(synthesise(c, pixels.shape) for c in present)
        y, x = np.indices(base.shape[:2])
        for period in PERIODS:
            tile = rng.normal(size=(period, period, 3))
            tile -= tile.mean(axis=(0, 1))
            tile /= np.sqrt((tile**2).mean())
            for levels in LEVELS:
                for quality in QUALITIES:
                    made = _coded(base + levels * tile[y % period, x % period], quality)
                    yield f"{kind}, {_saved(quality)}, tiles of {levels:g} levels", made


def cloth() -> Iterator[tuple[str, Pixels]]:
    """Cloth, bricks and screens of exactly these periods, and a third of a pixel longer; photographs."""
    drawn = textures._period
    try:
        for name in ("woven", "brick", "halftone"):
            for kind, more in (("whole", 0.0), ("broken", 1 / 3)):
                for period in PERIODS:
                    # Two threads are one period of a weave.
                    width = (period + more) / (2 if name == "woven" else 1)
                    textures._period = lambda *_, width=width: float(width)
                    for seed in range(FIRST_SEED, FIRST_SEED + SEEDS):
                        yield f"{name}, {kind} periods", textures.GENERATORS[name]((256, 256), seed)
    finally:
        textures._period = drawn
    for photo in photographs():
        if photo.name in ("brick", "grass", "gravel"):
            for quality in QUALITIES:
                yield f"photographs of brick, grass, gravel, {_saved(quality)}", _coded(photo.pixels, quality)


def networks() -> Iterator[tuple[str, Pixels]]:
    """Outputs of random networks at three contrasts."""
    import torch
    from random_networks import DRIVEN_BY, random_codes
    from torch import nn

    for name in NETWORKS:
        for driven_by in DRIVEN_BY:
            for seed in range(4):
                torch.manual_seed(seed)
                stages = 1 + seed % 3
                layers: list[nn.Module] = []
                for stage in range(stages):
                    out = 12 if stage < stages - 1 else 3
                    layers += _upsampler(name, out) + ([nn.ReLU()] if stage < stages - 1 else [])
                side = 256 // 2**stages
                codes = random_codes(side, driven_by)
                with torch.no_grad():
                    output = nn.Sequential(*layers)(codes)[0].permute(1, 2, 0).numpy()
                for levels in (1.5, 4.0, 20.0):
                    scaled = 128 + levels * (output - output.mean()) / output.std()
                    yield f"driven by {driven_by}", _rounded(scaled)


def _upsampler(name: str, out: int) -> list[Any]:
    from torch import nn

    if name == "shuffle":
        return [nn.Conv2d(12, 4 * out, 3, padding=1), nn.PixelShuffle(2)]
    if name == "resize":
        return [nn.Upsample(scale_factor=2), nn.Conv2d(12, out, 3, padding=1)]
    kernel = int(name[1])
    return [nn.ConvTranspose2d(12, out, kernel, 2, (kernel - 1) // 2)]


def cameras() -> Iterator[tuple[str, Pixels]]:
    """Photographs sampled in a colour mosaic with noise, green amplified on one half, and interpolated."""
    rng = np.random.default_rng(2)
    for photo in photographs():
        if photo.pixels.ndim == 3:
            seen = photo.pixels[:SIDE, :SIDE] + rng.normal(0, 2, photo.pixels[:SIDE, :SIDE].shape)
            for gain in (1.0, 1.01, 1.02):
                yield f"the two greens differ by {100 * (gain - 1):.0f} %", demosaiced(seen, gain)


def demosaiced(pixels: NDArray[np.float64], gain: float) -> Pixels:
    """RGGB, interpolated bilinearly; the greens of the even rows are multiplied by `gain`."""
    from scipy.ndimage import convolve

    y, x = np.indices(pixels.shape[:2])
    masks = [(y % 2 == 0) & (x % 2 == 0), (y + x) % 2 == 1, (y % 2 == 1) & (x % 2 == 1)]
    square = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 4
    cross = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]]) / 4
    out = np.empty_like(pixels)
    for channel, (mask, kernel) in enumerate(zip(masks, (square, cross, square), strict=True)):
        own = pixels[..., channel] * np.where((channel == 1) & (y % 2 == 0), gain, 1.0)
        out[..., channel] = convolve(own * mask, kernel, mode="mirror")
    return _rounded(out)


def _photographs() -> list[tuple[str, Pixels]]:
    chosen = [p for p in photographs() if p.pixels.ndim == 3][::6]
    return [("photographs", p.pixels[:SIDE, :SIDE]) for p in chosen]


def _stylised() -> list[tuple[str, Pixels]]:
    """Outputs of the released style network beside the checkout; none without it."""
    place = KODAK.parent / "networks.py"
    if not place.exists():
        return []
    import torch

    spec = importlib.util.spec_from_file_location("released_networks", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network = module.load("style_rain_princess").eval()
    out = []
    for _, pixels in _photographs():
        with torch.no_grad():
            styled = network(torch.tensor(pixels.copy()).permute(2, 0, 1)[None].float())[0]
        out.append(("stylised", _rounded(255 * styled.permute(1, 2, 0).numpy())))
    return out


def _coded(values: NDArray[Any], quality: int | None) -> Pixels:
    pixels = _rounded(values)
    return pixels if quality is None else jpeg(pixels, quality)


def _saved(quality: int | None) -> str:
    return "PNG" if quality is None else f"JPEG {quality}"


def _rounded(values: NDArray[Any]) -> Pixels:
    return np.rint(values).clip(0, 255).astype(np.uint8)
