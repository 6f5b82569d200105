"""Pictures with a period that no upsampling left: cloth, brick, print, dither, tiles, screenshots.

Every generator takes a size in pixels, (height, width), and a seed, and returns (H, W, 3) uint8; the same
seed gives the same picture. Even seeds draw whole numbers of pixels as periods, the hard case; odd seeds any.
Those that work on a picture take one, and make one up (`scene`) where none is given.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Plane = NDArray[np.float64]
Size = tuple[int, int]


def scene(size: Size, seed: int, exponent: float = -1.5) -> Image:
    """Coloured noise of amplitude spectrum |f|^exponent, standard deviation 45, as a stand-in for content."""
    rng = np.random.default_rng([seed, 1])
    fy, fx = np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None, :]
    radius = np.hypot(fy, fx)
    radius[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.normal(size=(3, *size))) * radius**exponent
    noise = np.moveaxis(np.fft.irfft2(spectrum, s=size), 0, -1)
    # Mostly one brightness, some colour.
    noise = 0.8 * noise.mean(axis=2, keepdims=True) * np.sqrt(3) + 0.3 * noise
    return _levels(rng.uniform(90, 160, 3) + 45 * noise / noise.std())


def woven(size: Size, seed: int) -> Image:
    """Plain weave: warp over weft in turn, threads 3 to 20 pixels wide, of uneven width and brightness."""
    rng = np.random.default_rng([seed, 2])
    width = _period(rng, seed, 3, 20)
    other = width if seed % 4 < 2 else _period(rng, seed, 3, 20)
    y, x = _turned(size, rng.choice([0, 0, rng.uniform(0, 90)]))
    y, x = y / width + rng.uniform(), x / other + rng.uniform()
    # Threads wander by some hundredths of their width, each in its own way.
    y += rng.uniform(0, 0.06) * np.sin(x * rng.uniform(0.05, 0.3) + rng.uniform(0, 6, 512)[_index(y)])
    x += rng.uniform(0, 0.06) * np.sin(y * rng.uniform(0.05, 0.3) + rng.uniform(0, 6, 512)[_index(x)])
    row, column = _index(y), _index(x)
    over = (row + column) % 2 == 0
    round_y, round_x = np.sin(np.pi * (y % 1)), np.sin(np.pi * (x % 1))
    light = np.where(over, round_y * (0.6 + 0.4 * round_x), round_x * (0.6 + 0.4 * round_y))
    weft, warp = rng.uniform(60, 210, (2, 3))
    uneven = rng.uniform(0, 8)
    colours = np.where(
        over[..., None],
        weft + uneven * rng.normal(size=(512, 1))[row],
        warp + uneven * rng.normal(size=(512, 1))[column],
    )
    fibres = rng.normal(0, rng.uniform(1, 6), (*size, 1))
    return _levels(colours * (0.35 + 0.65 * light[..., None]) + fibres)


def brick(size: Size, seed: int) -> Image:
    """Running bond: bricks 16 to 64 by 8 to 32 pixels, mortar 1 to 4, every brick of its own brightness."""
    rng = np.random.default_rng([seed, 3])
    height, width = _period(rng, seed, 8, 32), _period(rng, seed, 16, 64)
    y, x = _turned(size, rng.choice([0, 0, rng.uniform(-10, 10)]))
    y = y / height + rng.uniform()
    row = _index(y)
    x = x / width + rng.uniform() + 0.5 * (row % 2)
    column = _index(x)
    mortar = rng.uniform(0.5, 2)
    inside = np.minimum(np.minimum(y % 1, 1 - y % 1) * height, np.minimum(x % 1, 1 - x % 1) * width)
    share = np.clip(inside - mortar + 0.5, 0, 1)[..., None]
    own = rng.uniform(4, 25) * rng.normal(size=(512, 512, 1))[row, column]
    joint, clay = rng.uniform(120, 220, 3), rng.uniform([110, 40, 30], [200, 110, 90])
    grain = rng.normal(0, rng.uniform(2, 10), (*size, 1))
    return _levels(share * (clay + own) + (1 - share) * joint + grain)


def halftone(size: Size, seed: int, picture: Image | None = None) -> Image:
    """Print: dots on a screen of 3 to 12 pixels at 0, 15, 45, 75 or any degrees, black or in three inks."""
    rng = np.random.default_rng([seed, 4])
    content = (scene(size, seed) if picture is None else picture[: size[0], : size[1]]) / 255.0
    period, sharp = _period(rng, seed, 3, 12), rng.choice([1.5, 4.0, 50.0])
    colour = rng.random() < 0.5
    angles = (15.0, 75.0, 0.0) if colour else (rng.choice([0.0, 45.0, 45.0, rng.uniform(0, 90)]),) * 3
    out = np.empty((*content.shape[:2], 3))
    for channel, angle in enumerate(angles):
        y, x = _turned(content.shape[:2], angle)
        screen = 0.5 + 0.25 * (np.cos(2 * np.pi * x / period) + np.cos(2 * np.pi * y / period))
        tone = content[..., channel] if colour else content.mean(axis=2)
        out[..., channel] = np.clip(0.5 + sharp * (tone - screen), 0, 1)
    paper, ink = rng.uniform(225, 255), rng.uniform(0, 40)
    return _levels(ink + (paper - ink) * out + rng.normal(0, rng.choice([0, 2]), out.shape))


def dithered(size: Size, seed: int, picture: Image | None = None) -> Image:
    """Ordered dithering by a Bayer matrix of 2, 4 or 8 to 2, 4 or 6 levels, grey or per colour."""
    rng = np.random.default_rng([seed, 5])
    content = (scene(size, seed) if picture is None else picture[: size[0], : size[1]]) / 255.0
    if rng.random() < 0.5:
        content = content.mean(axis=2, keepdims=True).repeat(3, axis=2)
    order, steps = 2 ** (1 + seed % 3), rng.choice([2, 4, 6]) - 1
    matrix = np.zeros((1, 1))
    while len(matrix) < order:
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    threshold = (matrix + 0.5) / order**2
    repeats = [-(-n // order) for n in content.shape[:2]]
    threshold = np.tile(threshold, repeats)[: content.shape[0], : content.shape[1], None]
    return _levels(255 / steps * np.floor(content * steps + threshold).clip(0, steps))


def chessboard(size: Size, seed: int) -> Image:
    """Two colours in squares of 4 to 40 pixels, sharp or slightly soft, straight or turned, with grain."""
    rng = np.random.default_rng([seed, 6])
    side = _period(rng, seed, 4, 40)
    y, x = _turned(size, rng.choice([0, 0, rng.uniform(0, 90)]))
    wave = np.sin(np.pi * (y / side + rng.uniform())) * np.sin(np.pi * (x / side + rng.uniform()))
    share = np.clip(0.5 + wave * side / np.pi * rng.choice([50, 1.0]), 0, 1)[..., None]
    first, second = rng.uniform(0, 100, 3), rng.uniform(140, 255, 3)
    return _levels(first + (second - first) * share + rng.normal(0, rng.choice([0, 1, 4]), (*size, 1)))


def tiled(size: Size, seed: int, picture: Image | None = None) -> Image:
    """One tile of content, of 16 to 100 pixels, repeated over the picture, with grain or without."""
    rng = np.random.default_rng([seed, 7])
    side = int(rng.choice([16, 24, 32, 40, 48, 50, 64, 100]))
    content = scene((2 * side, 2 * side), seed) if picture is None else picture
    top, left = (rng.integers(0, n - side + 1) for n in content.shape[:2])
    tile = content[top : top + side, left : left + side]
    repeats = [-(-n // side) for n in size]
    whole = np.tile(tile, (*repeats, 1))[: size[0], : size[1]]
    return _levels(whole + rng.normal(0, rng.choice([0, 1, 3]), (*size, 1)))


def seams(size: Size, seed: int, picture: Image | None = None) -> Image:
    """A picture processed in tiles of 32 to 256 pixels that do not quite fit.

    By turns of the seed: tiles differ in brightness; their borders are darker; their borders are blurred; a
    line of one pixel is left between them.
    """
    rng = np.random.default_rng([seed, 8])
    content = (scene(size, seed) if picture is None else picture[: size[0], : size[1]]).astype(float)
    side = int(rng.choice([32, 48, 50, 64, 80, 96, 100, 128, 192, 256]))
    y, x = np.indices(content.shape[:2])
    inside = np.minimum(np.minimum(y % side, side - 1 - y % side), np.minimum(x % side, side - 1 - x % side))
    kind = seed % 4
    if kind == 0:
        offsets = rng.normal(0, rng.uniform(1, 12), (64, 64, rng.choice([1, 3])))
        content += offsets[y // side % 64, x // side % 64]
    elif kind == 1:
        content *= 1 - rng.uniform(0.05, 0.4) * np.exp(-inside / rng.uniform(1, 5))[..., None]
    elif kind == 2:
        pad = np.pad(content, ((2, 2), (2, 2), (0, 0)), mode="edge")
        rows, columns = content.shape[:2]
        blurred = sum(pad[i : i + rows, j : j + columns] for i in range(5) for j in range(5)) / 25
        content = np.where((inside < rng.integers(1, 4))[..., None], blurred, content)
    else:
        line = (y % side == 0) | (x % side == 0)
        content += rng.uniform(6, 60) * rng.choice([-1, 1]) * line[..., None]
    return _levels(content)


def screenshot(size: Size, seed: int) -> Image:
    """A made-up user interface: bars, boxes, 1-pixel rules, list rows, rows of made-up glyphs, a gradient."""
    rng = np.random.default_rng([seed, 9])
    dark = rng.random() < 0.4
    ground, ink = (30, 220) if dark else (245, 25)
    out = np.full((*size, 3), float(ground)) + rng.uniform(-6, 6, 3)
    accent = rng.uniform(20, 230, 3)
    bar, side = int(rng.integers(24, 48)), int(rng.integers(60, 140))
    out[:bar] = accent + np.linspace(0, rng.uniform(-40, 40), bar)[:, None, None]
    out[bar:, :side] = ground + (18 if dark else -14)
    pitch, left = int(rng.integers(14, 29)), side + 12
    font = rng.random((40, int(rng.integers(7, 11)), int(rng.integers(5, 8)))) < 0.45
    font[:, :, -1] = False
    for row, top in enumerate(range(bar + 8, size[0] - pitch, pitch)):
        _write(out, font, (top, 10), side - 14, rng.integers(3, 12), ink, rng)
        _write(out, font, (top, left), size[1] - 10, rng.integers(10, 90), ink, rng)
        if row % 2 and seed % 3 == 0:
            out[top - 3 : top - 3 + pitch, side:] *= 0.96
        if seed % 3 == 1:
            out[top - 3, side:] = (ground + ink) / 2
    for _ in range(int(rng.integers(2, 7))):
        top, edge = int(rng.integers(bar, size[0] - 20)), int(rng.integers(side, max(side + 1, size[1] - 40)))
        height, width = int(rng.integers(16, 120)), int(rng.integers(30, 200))
        box = out[top : top + height, edge : edge + width]
        box[:] = (
            rng.uniform(60, 200, 3) if rng.random() < 0.6 else np.linspace(ground, ink, box.shape[1])[:, None]
        )
        box[[0, -1]] = box[:, [0, -1]] = ink
    return _levels(out)


def enlarged(picture: Image, factor: float, size: Size | None = None) -> Image:
    """`picture` enlarged by repeating pixels: output n reads input floor((n + 1/2) / factor)."""
    rows, columns = (
        np.floor((np.arange(int(n * factor)) + 0.5) / factor).astype(int) for n in picture.shape[:2]
    )
    large = picture[rows.clip(max=picture.shape[0] - 1)][:, columns.clip(max=picture.shape[1] - 1)]
    return large if size is None else large[: size[0], : size[1]]


#: Those that need nothing but a size and a seed, by name.
GENERATORS: dict[str, Callable[[Size, int], Image]] = {
    "woven": woven,
    "brick": brick,
    "halftone": halftone,
    "dithered": dithered,
    "chessboard": chessboard,
    "tiled": tiled,
    "seams": seams,
    "screenshot": screenshot,
}


def _write(
    out: Plane,
    font: NDArray[np.bool_],
    at: tuple[int, int],
    end: int,
    glyphs: int,
    ink: float,
    rng: np.random.Generator,
) -> None:
    """A row of `glyphs` made-up characters, words parted by gaps."""
    top, left = at
    _, height, width = font.shape
    for _ in range(int(glyphs)):
        if left + width > min(end, out.shape[1]) or top + height > out.shape[0]:
            return
        if rng.random() > 0.18:
            place = out[top : top + height, left : left + width]
            place[font[rng.integers(len(font))]] = ink
        left += width


def _period(rng: np.random.Generator, seed: int, low: float, high: float) -> float:
    drawn = rng.uniform(low, high)
    return float(np.round(drawn)) if seed % 2 == 0 else float(drawn)


def _turned(size: Size, degrees: float) -> tuple[Plane, Plane]:
    y, x = np.indices(size).astype(float)
    turn = np.deg2rad(degrees)
    return np.cos(turn) * y - np.sin(turn) * x, np.sin(turn) * y + np.cos(turn) * x


def _index(position: Plane) -> NDArray[np.intp]:
    return np.floor(position).astype(np.intp) % 512


def _levels(values: Plane) -> Image:
    return np.rint(values).clip(0, 255).astype(np.uint8)
