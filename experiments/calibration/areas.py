"""Parts of pictures: false alarms on canvases and in parts, and how weak a lattice is found there."""

from __future__ import annotations

import json
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from math import lcm
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from inject import add, fractions, make_colour, make_region, make_tile, names_period
from intervals import crossing_with_interval, rate
from numpy.typing import NDArray
from pictures import Photograph, Pixels, crops, drawn, jpeg, large, photographs, treated
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


def main(share: float = 1.0) -> dict[str, Any]:
    """False alarms by canvas and treatment; rates of detection by place and period, in a random share."""
    found = photographs()
    photos = [photo for photo in large(found) if drawn(photo.name, share)]
    tasks = [(place, period) for period in PERIODS for place in PLACES]
    # The tasks are independent: a process for each core.
    with ProcessPoolExecutor() as pool:
        measured = [pool.submit(false_alarms, photo) for photo in found]
        rows = [pool.submit(detection, place, period, photos) for place, period in tasks]
        alarms = summed([one.result() for one in shown("photographs", measured)])
        made = [one.result() for one in shown("detection", rows)]
    return {
        "share": share,
        "photographs": [p.name for p in found],
        "false_alarms": alarms,
        "detection": made,
        "targets": [target(period, made) for period in PERIODS],
    }


def false_alarms(photo: Photograph) -> list[dict[str, Any]]:
    """What a photograph is called, treated in all ways, on all canvases."""
    out = []
    (crop,) = crops(photo.pixels, 1)
    for treatment, pixels in treated(np.ascontiguousarray(crop), crc32(photo.name.encode())):
        for canvas in CANVASES:
            if canvas == "as it is" or treatment in CHOSEN:
                image = uncheck.measure(put(pixels, canvas)).images[0]
                out.append(described(photo.name, treatment, canvas, image))
    return out


def summed(by_photograph: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """How often a lattice is called, by canvas and treatment; by which test, and which pictures."""
    every = [one for some in by_photograph for one in some]

    def rates(key: str, of: list[dict[str, Any]]) -> dict[str, Any]:
        counts: dict[str, list[bool]] = defaultdict(list)
        for one in of:
            counts[one[key]].append(one["verdict"] == "lattice")
        return {name: rate(sum(hits), len(hits)) for name, hits in counts.items()}

    plain = [one for one in every if one["canvas"] == "as it is"]
    alarms = [one for one in every if one["verdict"] == "lattice"]
    return {
        "by_canvas": rates("canvas", every),
        "by_treatment": rates("treatment", plain),
        "in_parts": rate(sum(one["in_a_part"] for one in plain), len(plain)),
        "alarms": alarms,
    }


def described(name: str, treatment: str, canvas: str, image: Any) -> dict[str, Any]:
    """One picture and what it is called."""
    return {
        "name": name,
        "treatment": treatment,
        "canvas": canvas,
        "verdict": image.verdict,
        "in_a_part": image.where is not None,
        "measured": round(image.measured, 3),
        "present": [
            [list(c.period), round(c.amplitude, 3), float(f"{c.p_value:.1e}")] for c in image.found.present
        ],
    }


def again(result: dict[str, Any]) -> dict[str, Any]:
    """The pictures that a run called a lattice, measured with the present rules."""
    wanted = {(a["name"], a["treatment"], a["canvas"]) for a in result["false_alarms"]["alarms"]}
    out = []
    for photo in photographs():
        if any(name == photo.name for name, _, _ in wanted):
            (crop,) = crops(photo.pixels, 1)
            for treatment, pixels in treated(np.ascontiguousarray(crop), crc32(photo.name.encode())):
                for canvas in CANVASES:
                    if (photo.name, treatment, canvas) in wanted:
                        image = uncheck.measure(put(pixels, canvas)).images[0]
                        out.append(described(photo.name, treatment, canvas, image))
    still = [one for one in out if one["verdict"] == "lattice"]
    return {
        "of": len(out),
        "still": len(still),
        "still_as_it_is": sum(one["canvas"] == "as it is" for one in still),
        "still_in_a_part": sum(one["canvas"] == "as it is" and one["in_a_part"] for one in still),
        "pictures": still,
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


def everywhere(pixels: Pixels, rng: np.random.Generator) -> NDArray[np.bool_]:
    """All of a picture."""
    return np.ones(pixels.shape[:2], bool)


def in_a_disc(pixels: Pixels, rng: np.random.Generator) -> NDArray[np.bool_]:
    """The largest disc."""
    return disc(pixels.shape)


def quarter(pixels: Pixels, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A random rectangle of half of both sides."""
    out = np.zeros(pixels.shape[:2], bool)
    out[make_region("quarter", pixels.shape, rng)] = True
    return out


#: Where a lattice is put.
PLACES = {"whole": everywhere, "quarter": quarter, "on white": in_a_disc}


def detection(place: str, period: int, photos: list[Photograph]) -> dict[str, Any]:
    """Found or not, by photograph and amplitude; "on white" the rest of the picture is white."""
    found = np.zeros((len(photos), 1, len(AMPLITUDES)), bool)
    for i, photo in enumerate(photos):
        rng = np.random.default_rng(crc32(f"{photo.name} {period}".encode()))
        tile, colour = make_tile("tile", (period, period), rng), make_colour(rng)
        fraction = fractions(photo.pixels.shape, rng)
        inside = PLACES[place](photo.pixels, rng)
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


if __name__ == "__main__":
    # After a change of the rules: what is left of the alarms of the last run.
    path = Path(__file__).resolve().parent / "results" / "areas.json"
    last = json.loads(path.read_text())
    path.write_text(json.dumps({**last, "again": again(last)}, indent=1) + "\n")
