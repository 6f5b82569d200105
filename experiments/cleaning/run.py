"""Makes all results of this experiment: `python experiments/cleaning/run.py [part ...]`. See README.md."""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from cleaning_methods import METHODS, SLOW
from cleaning_pictures import CASES, LAWS, Pixels, photographs, psnr, with_lattice
from numpy.typing import NDArray
from PIL import Image

import uncheck
from uncheck.measuring import find_lattice

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "benchmarks"))

PERIODS, LEVELS = (2, 4, 8), (2, 3, 4)

#: Pictures that slow methods see.
FEW = 4


def gains(half: str = "report") -> list[dict[str, Any]]:
    """Gain in dB of every method, law, period and level over the photographs."""
    pictures = photographs(half)
    rows = []
    for law in LAWS:
        for period in PERIODS:
            for level in LEVELS:
                rows.append(
                    {"law": law, "period": period, "level": level, **_cell(pictures, law, period, level)}
                )
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def _cell(pictures: dict[str, Pixels], law: str, period: int, level: int) -> dict[str, Any]:
    found: dict[str, list[float]] = {name: [] for name in METHODS}
    missed = 0
    for number, pixels in enumerate(pictures.values()):
        seeded = np.random.default_rng([number, period, level, LAWS.index(law)])
        given = with_lattice(pixels, period, level, law, seeded)
        before = psnr(given, pixels)
        for name, method in METHODS.items():
            if name in SLOW and (number >= FEW or level != 3 or law not in ("uniform", "distance")):
                continue
            if name != "uncheck" and law not in ("uniform", "distance"):
                continue
            cut = (slice(0, 256), slice(0, 256)) if name in SLOW else (slice(None), slice(None))
            out = cleaned(method, given[cut], period)
            found[name].append(
                psnr(out, pixels[cut]) - (before if name not in SLOW else psnr(given[cut], pixels[cut]))
            )
            missed += name == "uncheck" and np.array_equal(out, given)
    return {
        "pictures": len(pictures),
        "not found": missed,
        "gains": {
            name: {
                "median": round(float(np.median(some)), 2),
                "worst": round(min(some), 2),
                "pictures": len(some),
            }
            for name, some in found.items()
            if some
        },
    }


def cleaned(method: Any, pixels: Pixels, period: int) -> Pixels:
    """A picture cleaned by a method, in 8 bits."""
    values = np.ascontiguousarray(pixels, np.float32).reshape(*pixels.shape[:2], -1)
    return np.asarray(np.rint(method(values, period)).clip(0, 255).astype(np.uint8).reshape(pixels.shape))


def strength(pixels: NDArray[Any], periods: tuple[int, ...] = (2, 4, 8)) -> float:
    """Strength of the lattice as it is tested first, without threshold, grey levels."""
    values = np.ascontiguousarray(pixels, np.float32).reshape(*pixels.shape[:2], -1)
    return float(find_lattice(values, periods=periods, threshold=0.0).strength)


def untouched() -> dict[str, Any]:
    """Photographs without a lattice: how many come out with the same bytes."""
    everything = {**photographs("tune"), **photographs("report")}
    changed = [name for name, pixels in everything.items() if uncheck.clean(pixels) is not pixels]
    return {"photographs": len(everything), "changed": changed}


def jpeg() -> list[dict[str, Any]]:
    """JPEG of quality 90 after the lattice: strength left, and steps across the lines of the 8-pixel grid."""
    rows = []
    for number, (name, pixels) in enumerate(photographs("report").items()):
        for period in PERIODS:
            given = with_lattice(pixels, period, 4, "uniform", np.random.default_rng([number, period]))
            stream = io.BytesIO()
            Image.fromarray(given).save(stream, "JPEG", quality=90)
            decoded = np.asarray(Image.open(stream))
            out = uncheck.clean(decoded)
            stream = io.BytesIO()
            Image.fromarray(pixels).save(stream, "JPEG", quality=90)
            alone = np.asarray(Image.open(stream))
            rows.append(
                {
                    "name": name,
                    "without lattice": round(strength(alone, (period,)), 3),
                    "edges without lattice": round(edges(alone), 4),
                    "unchanged": out is decoded,
                    "period": period,
                    "before": round(strength(decoded, (period,)), 3),
                    "after": round(strength(out, (period,)), 3),
                    "edges before": round(edges(decoded), 4),
                    "edges after": round(edges(out), 4),
                }
            )
    return rows


def edges(pixels: Pixels) -> float:
    """Mean step across the lines of the 8-pixel grid less that of all others, grey levels."""
    values = pixels.astype(np.float64)
    total = 0.0
    for axis in (0, 1):
        steps = np.abs(np.diff(values, axis=axis))
        each = steps.mean(axis=tuple(a for a in range(steps.ndim) if a != axis))
        on = np.arange(1, len(each) + 1) % 8 == 0
        total += float(each[on].mean() - each[~on].mean())
    return total / 2


def networks() -> list[dict[str, Any]]:
    """Outputs of released networks against the same network with cycle spinning, which has no lattice."""
    import torch

    from uncheck.editing.cycle_spin import CycleSpin, full_shifts

    sys.path.insert(0, str(CASES))
    import networks as released

    rows = []
    for photo in ("kodim05.png", "kodim08.png", "kodim23.png"):
        model, x = released.load("style_rain_princess").eval(), released.photo(photo, 320)
        with torch.no_grad():
            pair = model(x), CycleSpin(model, full_shifts((4, 4)))(x)
        given, truth = (
            np.rint(255 * one[0].clamp(0, 1).permute(1, 2, 0).numpy()).astype(np.uint8) for one in pair
        )
        out = uncheck.clean(np.ascontiguousarray(given))
        inner = (slice(24, -24), slice(24, -24))
        rows.append(
            {
                "network": "style_rain_princess",
                "photo": photo,
                "before": round(strength(given), 3),
                "after": round(strength(out), 3),
                "gain": round(psnr(out[inner], truth[inner]) - psnr(given[inner], truth[inner]), 2),
                "rms to truth": round(
                    float(np.sqrt(np.mean((given[inner].astype(float) - truth[inner]) ** 2))), 2
                ),
                "rms taken": round(float(np.sqrt(np.mean((given.astype(float) - out) ** 2))), 2),
            }
        )
    for name in ("fsrcnn_x2", "upconv7_photo", "espcn_x3"):
        model, x = released.load(name).eval(), released.example_input(name)
        with torch.no_grad():
            y = model(x)[0]
        given = np.rint(255 * y.clamp(0, 1).permute(1, 2, 0).numpy()).astype(np.uint8)
        given = np.ascontiguousarray(given)
        out = uncheck.clean(given)
        rows.append(
            {
                "network": name,
                "before": round(strength(given, (2, 3, 4)), 3),
                "after": round(strength(out, (2, 3, 4)), 3),
                "unchanged": out is given,
            }
        )
    return rows


def cost() -> list[dict[str, Any]]:
    """Processor seconds for 1024 x 1024 RGB, with an estimate and with a profile; and the peak of memory."""
    import tracemalloc

    from uncheck.cleaning import profile

    tile = next(iter(photographs("report").values()))
    big = np.tile(tile, (2, 2, 1))[:1024, :1024]
    rows = []
    for period in PERIODS:
        for law in ("uniform", "distance"):
            given = with_lattice(big, period, 3, law, np.random.default_rng(period))
            known = profile([given])
            uncheck.clean(given)
            row: dict[str, Any] = {
                "period": period,
                "law": law,
                "sharp": [round(p.sharp, 2) for p in known.patterns],
            }
            for name, options in (("estimate", {}), ("profile", {"profile": known})):
                start = time.process_time()
                uncheck.clean(given, **options)
                row[name] = round(time.process_time() - start, 3)
            tracemalloc.start()
            uncheck.clean(given)
            row["memory in pictures"] = round(tracemalloc.get_traced_memory()[1] / (4 * given.size), 1)
            tracemalloc.stop()
            rows.append(row)
    return rows


PARTS = {"gains": gains, "untouched": untouched, "jpeg": jpeg, "networks": networks, "cost": cost}


def main() -> None:
    """Run the parts named, or all; each has a file of results."""
    from machine import describe

    for name in sys.argv[1:] or PARTS:
        rows = PARTS[name]()
        text = json.dumps({"machine": describe(), "rows": rows}, indent=1)
        (HERE / "results").mkdir(exist_ok=True)
        (HERE / "results" / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        print(name, "written", file=sys.stderr)


if __name__ == "__main__":
    main()
