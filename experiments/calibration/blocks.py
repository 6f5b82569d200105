"""How often are blocks reported where there are none, and how weak are those that are found?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from intervals import rate
from numpy.typing import NDArray
from pictures import Photograph, Pixels, crops, enlarged_pictures, jpeg, photograph_pictures, photographs
from progress import shown

from uncheck.measuring.blocks import blocks_beside
from uncheck.measuring.components import Lattice
from uncheck.measuring.seams.blocks import Blocks

#: Standard deviation of the errors of patches and tiles, grey levels.
LEVELS = (2.0, 4.0, 8.0)
PATCHES = (14, 16)
#: Side and overlap of tiles that are blended linearly.
TILES = ((64, 0), (64, 4), (64, 16), (256, 0), (256, 64))
QUALITIES = (None, 90)
FACTORS = (2, 4)
CODINGS = (50, 75, 90, 95)
#: By how much scans are resized, the first two JPEGs as well.
LARGER = (0.5, 0.75, 1.1, 1.2, 1.25, 1.3, 1.5, 1.6, 2.0, 3.0, 4.0)


def main() -> dict[str, Any]:
    """False alarms on treated and resized photographs; detection of patches and tiles; rivals by name."""
    found = photographs()
    return {
        "photographs": len(found),
        "false_alarms": false_alarms(found),
        "detection": detection(found[::2]),
        "rivals": rivals(found),
    }


def false_alarms(found: list[Photograph]) -> list[dict[str, Any]]:
    """Verdicts of all treatments of `false_alarms.py`, and of photographs resized by interpolation, coded
    before or not."""
    tables: dict[str, Counter[str]] = defaultdict(Counter)
    examples: dict[str, list[str]] = defaultdict(list)
    for picture in shown("blocks, false alarms", photograph_pictures(found)):
        _count(tables, examples, picture.treatment, picture.name, picture.pixels)
    for photo in shown("blocks, resized", found):
        for name, pixels in _resized(photo):
            _count(tables, examples, name, photo.name, pixels)
    for photo in shown("blocks, coded and resized", found[::2]):
        for name, pixels in _coded_then_resized(photo):
            _count(tables, examples, name, photo.name, pixels)
    for picture in shown("blocks, enlarged", enlarged_pictures(found)):
        _count(tables, examples, f"pixels repeated {picture.treatment}", picture.name, picture.pixels)
    return [
        {
            "treatment": name,
            "blocks": rate(verdicts["blocks"], verdicts.total()),
            "named": {k.split()[1]: n for k, n in sorted(verdicts.items()) if k.startswith("rival ")},
            "examples": examples[name],
        }
        for name, verdicts in tables.items()
    ]


def _count(
    tables: dict[str, Counter[str]],
    examples: dict[str, list[str]],
    treatment: str,
    name: str,
    pixels: Pixels,
) -> None:
    blocks, rival = judged(pixels)
    tables[treatment]["clean" if not blocks else f"rival {rival}" if rival else "blocks"] += 1
    if blocks and rival is None:
        listed = ", ".join(f"{'x'.join(map(str, b.period))}: {b.amplitude:.2f}" for b in blocks)
        examples[treatment].append(f"{name} ({listed})")


def judged(pixels: Pixels) -> tuple[tuple[Blocks, ...], str | None]:
    """Blocks and their rival, by the test of blocks alone: no lattice was looked for, nor taken out."""
    return blocks_beside(pixels.reshape(*pixels.shape[:2], -1).astype(np.float32), Lattice((), (), (), ()))


def _resized(photo: Photograph) -> Iterator[tuple[str, Pixels]]:
    """Smaller and larger, uncompressed ones only: enlarging a JPEG enlarges its blocks."""
    from PIL import Image

    small = photo.pixels[:320, :320]
    for factor in LARGER if photo.history == "scan" else LARGER[:2]:
        for how in ("BILINEAR", "BICUBIC"):
            size = (round(small.shape[1] * factor), round(small.shape[0] * factor))
            resized = np.asarray(Image.fromarray(small).resize(size, Image.Resampling[how]))
            yield f"resized x{factor:g}", resized[:768, :768]


def _coded_then_resized(photo: Photograph) -> Iterator[tuple[str, Pixels]]:
    """Larger by interpolation, after a coding."""
    from PIL import Image

    for quality in (50, 90):
        coded = Image.fromarray(jpeg(np.ascontiguousarray(photo.pixels[:384, :384]), quality))
        for factor in (1.25, 1.5, 2.0, 3.0):
            size = (round(coded.width * factor), round(coded.height * factor))
            for how in ("BICUBIC", "LANCZOS"):
                resized = np.asarray(coded.resize(size, Image.Resampling[how]))
                yield f"coded (JPEG {quality}), then x{factor:g}", resized[:768, :768]


def detection(found: list[Photograph]) -> list[dict[str, Any]]:
    """How many photographs show blocks of their period, by what was put in and how it was saved."""
    rows = []
    kinds: list[tuple[str, int, Callable[[Pixels, float, int], Pixels]]] = [
        (f"patches of {side}", side, lambda p, s, seed, side=side: patched(p, side, s, seed))
        for side in PATCHES
    ]
    kinds += [
        (
            f"tiles of {side}, overlap {over}",
            side - over,
            lambda p, s, seed, side=side, over=over: tiles(p, side, over, s, seed),
        )
        for side, over in TILES
    ]
    for name, period, make in shown("blocks, detection", kinds):
        for quality in QUALITIES:
            for levels in LEVELS:
                hits, amplitudes = 0, []
                for seed, photo in enumerate(found):
                    pixels = make(crops(photo.pixels, 1)[0], levels, seed)
                    blocks, rival = judged(pixels if quality is None else jpeg(pixels, quality))
                    own = [b for b in blocks if rival is None and max(b.period) == period]
                    hits += bool(own)
                    amplitudes += [b.amplitude for b in own]
                rows.append(
                    {
                        "blocks": name,
                        "saved": "PNG" if quality is None else f"JPEG {quality}",
                        "levels": levels,
                        "found": rate(hits, len(found)),
                        "amplitude": float(np.median(amplitudes)) if amplitudes else None,
                    }
                )
    return rows


def rivals(found: list[Photograph]) -> list[dict[str, Any]]:
    """What repeated pixels and codings are called."""
    rows = []
    cases = [(f"pixels repeated {k} times", q, k) for k in FACTORS for q in (None, 90)]
    cases += [("as they are", q, 1) for q in CODINGS]
    for name, quality, factor in shown("blocks, rivals", cases):
        called: Counter[str] = Counter()
        for photo in found:
            pixels = photo.pixels.repeat(factor, axis=0).repeat(factor, axis=1)[:512, :512]
            blocks, rival = judged(pixels if quality is None else jpeg(pixels, quality))
            called[rival or ("blocks" if blocks else "clean")] += 1
        saved = "PNG" if quality is None else f"JPEG {quality}"
        rows.append({"pictures": name, "saved": saved, "called": dict(sorted(called.items()))})
    return rows


def patched(pixels: Pixels, side: int, levels: float, seed: int) -> Pixels:
    """Each patch of side x side pixels with an error of its own in every channel, rounded."""
    rng = np.random.default_rng([seed, side])
    errors = _channels(rng.normal(0, levels, (512 // side + 1, 512 // side + 1, 3)), pixels)
    y, x = (np.arange(n) // side for n in pixels.shape[:2])
    return _rounded(pixels + errors[y][:, x])


def tiles(pixels: Pixels, side: int, overlap: int, levels: float, seed: int) -> Pixels:
    """Decoded in tiles of `side` pixels that overlap, each with an error of its own, blended linearly."""
    rng = np.random.default_rng([seed, side, overlap])
    rows, columns = pixels.shape[:2]
    step = side - overlap
    ramp = np.minimum(1, (np.arange(side) + 0.5) / max(overlap, 1)) if overlap else np.ones(side)
    weight = np.minimum(ramp, ramp[::-1])
    total = np.zeros((*pixels.shape[:2], *pixels.shape[2:]))
    share = np.zeros((rows, columns))
    for top in range(0, rows, step):
        for left in range(0, columns, step):
            height, width = min(side, rows - top), min(side, columns - left)
            own = np.outer(weight[:height], weight[:width])
            error = _channels(rng.normal(0, levels, 3), pixels)
            place = np.s_[top : top + height, left : left + width]
            total[place] += own.reshape(*own.shape, *[1] * (pixels.ndim - 2)) * (pixels[place] + error)
            share[place] += own
    return _rounded(total / share.reshape(*share.shape, *[1] * (pixels.ndim - 2)))


def _channels(errors: NDArray[np.float64], pixels: Pixels) -> NDArray[np.float64]:
    return errors if pixels.ndim == 3 else errors[..., 0]


def _rounded(values: NDArray[np.float64]) -> Pixels:
    return np.rint(values).clip(0, 255).astype(np.uint8)
