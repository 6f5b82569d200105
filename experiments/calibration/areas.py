"""Parts of pictures: false alarms on canvases and in parts, and how weak a lattice is found there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from math import lcm
from typing import Any
from zlib import crc32

import numpy as np
from inject import add, fractions, make_colour, make_region, make_tile, names_period
from intervals import crossing_with_interval, rate
from numpy.typing import NDArray
from pictures import Photograph, Pixels, crops, jpeg, large, photographs, treated
from progress import shown

import uncheck

#: What a picture is put on. "as it is" asks of its parts alone.
CANVASES = ("as it is", "on white", "on white, JPEG 90", "alpha", "letterbox")

#: Treatments that are put on canvases; "as it is" has all.
CHOSEN = ("original", "JPEG 75", "gamma 0.5", "sharpened 100 %")

PERIODS = (2, 4, 8)
AMPLITUDES = tuple(round(0.25 * 2 ** (k / 2), 4) for k in range(11))
#: Found at so many amplitudes in a row counts as found at all above.
SURE = 2

#: Wanted: in a quarter at this many times the amplitude at which it is found in the whole.
TWICE = 2.0


def main() -> dict[str, Any]:
    """False alarms by canvas and treatment; rates of detection by place and period."""
    found = photographs()
    places = {
        "whole": lambda pixels, rng: np.ones(pixels.shape[:2]),
        "quarter": quarter,
        "on white": lambda pixels, rng: disc(pixels.shape).astype(float),
    }
    photos = large(found)
    tasks = [(place, period) for period in PERIODS for place in places]
    rows = [detection(place, places[place], period, photos) for place, period in shown("detection", tasks)]
    return {
        "photographs": [p.name for p in found],
        "false_alarms": false_alarms(found),
        "detection": rows,
        "targets": [target(period, rows) for period in PERIODS],
    }


def false_alarms(found: list[Photograph]) -> dict[str, Any]:
    """How often photographs, on all canvases, are called a lattice; by which test, and which."""
    counts: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    alarms = []
    for photo in shown("photographs", found):
        (crop,) = crops(photo.pixels, 1)
        crop = np.ascontiguousarray(crop)
        for treatment, pixels in treated(crop, crc32(photo.name.encode())):
            for canvas in CANVASES:
                if canvas != "as it is" and treatment not in CHOSEN:
                    continue
                image = uncheck.measure(put(pixels, canvas)).images[0]
                row = counts[canvas][treatment]
                row[0] += image.verdict == "lattice"
                row[1] += 1
                if image.verdict == "lattice":
                    alarms.append(described(photo.name, treatment, canvas, image))
    return {
        "by_canvas": {
            canvas: rate(sum(hits for hits, _ in rows.values()), sum(n for _, n in rows.values()))
            for canvas, rows in counts.items()
        },
        "by_treatment": {c: {t: rate(*row) for t, row in rows.items()} for c, rows in counts.items()},
        "in_parts": rate(
            sum(a["canvas"] == "as it is" and a["in_a_part"] for a in alarms),
            sum(n for _, n in counts["as it is"].values()),
        ),
        "alarms": alarms,
    }


def described(name: str, treatment: str, canvas: str, image: Any) -> dict[str, Any]:
    """One picture that is called a lattice."""
    return {
        "name": name,
        "treatment": treatment,
        "canvas": canvas,
        "in_a_part": image.where is not None,
        "measured": round(image.measured, 3),
        "present": [
            [list(c.period), round(c.amplitude, 3), float(f"{c.p_value:.1e}")] for c in image.found.present
        ],
    }


def disc(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The largest disc of a picture."""
    y, x = np.indices(shape[:2])
    height, width = shape[:2]
    away = (y - (height - 1) / 2) ** 2 + (x - (width - 1) / 2) ** 2
    return away < (0.48 * min(height, width)) ** 2


def put(pixels: Pixels, canvas: str) -> Pixels:
    """A picture put on a canvas; of "alpha", what is hidden is noise."""
    inside = disc(pixels.shape)
    spread = inside if pixels.ndim == 2 else inside[..., None]
    if canvas == "as it is":
        return np.ascontiguousarray(pixels)
    if canvas == "letterbox":
        bar = len(pixels) // 7
        out = pixels.copy()
        out[:bar] = out[len(pixels) - bar :] = 0
        return out
    if canvas == "alpha":
        noise = np.random.default_rng(0).integers(0, 256, pixels.shape, dtype=np.uint8)
        return np.dstack([np.where(spread, pixels, noise), np.where(inside, 255, 0).astype(np.uint8)])
    white = np.where(spread, pixels, np.uint8(255))
    return jpeg(white, 90) if canvas.endswith("JPEG 90") else white


def quarter(pixels: Pixels, rng: np.random.Generator) -> NDArray[np.float64]:
    """A random rectangle of half of both sides."""
    out = np.zeros(pixels.shape[:2])
    out[make_region("quarter", pixels.shape, rng)] = 1.0
    return out


def detection(
    place: str,
    where: Callable[[Pixels, np.random.Generator], NDArray[np.float64]],
    period: int,
    photos: list[Photograph],
) -> dict[str, Any]:
    """Found or not, by photograph and amplitude; "on white" the rest of the picture is white."""
    found = np.zeros((len(photos), 1, len(AMPLITUDES)), bool)
    for i, photo in enumerate(photos):
        rng = np.random.default_rng(crc32(f"{photo.name} {period}".encode()))
        tile, colour = make_tile("tile", (period, period), rng), make_colour(rng)
        fraction = fractions(photo.pixels.shape, rng)
        inside = where(photo.pixels, rng) > 0
        for k, level in enumerate(AMPLITUDES):
            if k >= SURE and found[i, 0, k - SURE : k].all():
                found[i, 0, k] = True
                continue
            made = add(photo.pixels, tile, level, colour, fraction)
            spread = inside if made.ndim == 2 else inside[..., None]
            made = np.where(spread, made, np.uint8(255) if place == "on white" else photo.pixels)
            image = uncheck.measure(made).images[0]
            reported = [c.period for c in image.found.present]
            # Of a part, one line of the tile may be all that is seen.
            named = any(lcm(*r) == period for r in reported) or names_period(reported, (period, period))
            found[i, 0, k] = image.verdict == "lattice" and named
    return {
        "place": place,
        "period": period,
        "photographs": len(photos),
        "amplitudes": list(AMPLITUDES),
        "rates": found.mean(axis=(0, 1)).round(4).tolist(),
        "found_90": crossing_with_interval(AMPLITUDES, found),
        "found_50": crossing_with_interval(AMPLITUDES, found, 0.5),
    }


def target(period: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Whether a lattice in a quarter is found at twice the amplitude at which that of the whole is."""
    at = {
        (row["place"], level): row[level]["at"]
        for row in rows
        if row["period"] == period
        for level in ("found_50", "found_90")
    }
    out: dict[str, Any] = {"period": period}
    for level in ("found_50", "found_90"):
        whole, part = at["whole", level], at["quarter", level]
        ratio = None if whole is None or part is None else round(part / whole, 2)
        out[level] = {"whole": whole, "quarter": part, "on_white": at["on white", level], "ratio": ratio}
        out[f"{level}_met"] = ratio is not None and ratio <= TWICE
    return out
