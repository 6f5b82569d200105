"""Sets: many outputs of one network share their lattice and nothing else."""

from __future__ import annotations

from inspect import signature
from math import lcm
from typing import Any

import numpy as np
from inject import add, fractions, make_tile, names_period
from intervals import crossing_with_interval, rate
from pictures import Photograph, Pixels, jpeg, large, noise, photographs
from progress import shown

import uncheck

SIZE = 64
AMPLITUDES = tuple(round(0.025 * 2 ** (k / 2), 4) for k in range(9))
TARGET = {"period": 2, "wanted": 0.1}
#: Pictures of 512 x 512 and trials for each period; smaller ones, which are cheaper, for false alarms.
TRIALS = {2: 10, 4: 5, 8: 5}
ALARM_SIDE, ALARM_TRIALS = 256, 40


def main() -> dict[str, Any]:
    """Detection in sets of 64, and false alarms of sets."""
    if "together" not in signature(uncheck.measure).parameters:
        return {"skipped": "uncheck.measure has no argument `together` in this version"}
    photos = photographs()
    return {
        "size": SIZE,
        "detection": [detection(period, photos) for period in TRIALS],
        "false_alarms": [false_alarms(name, photos) for name in CASES],
    }


def detection(period: int, photos: list[Photograph]) -> dict[str, Any]:
    """Rate by amplitude of one tile of this period added to all 64 pictures; rates are over sets."""
    found = np.zeros((TRIALS[period], 1, len(AMPLITUDES)), bool)
    bias: list[float] = []
    for trial in shown(f"sets, period {period}", range(TRIALS[period])):
        rng = np.random.default_rng([period, trial])
        pictures = drawn(large(photos), 512, rng)
        tile = make_tile("tile", (period, period), rng)
        for k, level in enumerate(AMPLITUDES):
            together = measured(
                [
                    add(p, tile, level, np.ones(3), fractions(p.shape, np.random.default_rng([trial, i])))
                    for i, p in enumerate(pictures)
                ]
            )
            components = significant(together)
            reported = [c.period for c in components]
            found[trial, 0, k] = names_period(reported, (period, period))
            if found[trial, 0, k] and k == len(AMPLITUDES) - 1:
                fitting = [c.amplitude for c in components if period % lcm(*c.period) == 0]
                bias.append(float(np.sqrt(np.sum(np.square(fitting)))) / level)
    out = {
        "period": period,
        "amplitudes": list(AMPLITUDES),
        "rates": found.mean(axis=(0, 1)).round(3).tolist(),
        "found_90": crossing_with_interval(AMPLITUDES, found),
        "bias": round(float(np.median(bias)), 3) if bias else None,
    }
    if period == TARGET["period"]:
        at = int(np.argmin(np.abs(np.array(AMPLITUDES) - TARGET["wanted"])))
        out["target"] = {**TARGET, "rate_there": out["rates"][at]}
    return out


CASES = ("photographs", "photographs on one grid", "photographs, JPEG 75", "white noise", "1/f noise")


def false_alarms(name: str, photos: list[Photograph]) -> dict[str, Any]:
    """Sets without a lattice of their own."""
    verdicts, periods, below = [], [], []
    for trial in shown(f"sets, {name}", range(ALARM_TRIALS)):
        together = measured(case(name, photos, np.random.default_rng([7, trial])))
        present = (
            [c.period for c in together.found.present]
            if hasattr(together, "found")
            else [c.period for c in together.present]
        )
        verdicts.append(getattr(together, "verdict", "lattice" if present else "clean"))
        periods.append(sorted({lcm(*p) for p in present}))
        below.append(bool(significant(together)))
    return {
        "case": name,
        "lattice": rate(verdicts.count("lattice"), len(verdicts)),
        "rival": verdicts.count("rival"),
        "significant": rate(sum(below), len(below)),
        "periods": sorted({p for found in periods for p in found}),
    }


def case(name: str, photos: list[Photograph], rng: np.random.Generator) -> list[Pixels]:
    """64 pictures: crops turned and shifted at random, or at even offsets and never turned; or noise."""
    if name == "white noise":
        return [noise(ALARM_SIDE, 0.0, 0.5, int(s)) for s in rng.integers(1 << 30, size=SIZE)]
    if name == "1/f noise":
        return [noise(ALARM_SIDE, -1.0, 0.5, int(s)) for s in rng.integers(1 << 30, size=SIZE)]
    if name == "photographs on one grid":
        return drawn([p for p in photos if p.history == "scan"] or photos, ALARM_SIDE, rng, turned=False)
    pictures = drawn(photos, ALARM_SIDE, rng)
    return [jpeg(p, 75) for p in pictures] if "JPEG" in name else pictures


def drawn(
    photos: list[Photograph], side: int, rng: np.random.Generator, *, turned: bool = True
) -> list[Pixels]:
    """64 crops of side x side, from photographs in turn, in three colours.

    `turned`: at any offset, mirrored and transposed at random, so that what scanners and codecs left is on no
    common grid. Otherwise at multiples of 16 pixels.
    """
    fitting = [p for p in photos if min(p.pixels.shape[:2]) >= side]
    out = []
    for i in range(SIZE):
        pixels = fitting[i % len(fitting)].pixels
        top, left = (int(rng.integers(0, n - side + 1)) for n in pixels.shape[:2])
        if not turned:
            top, left = top // 16 * 16, left // 16 * 16
        crop = pixels[top : top + side, left : left + side]
        crop = crop if crop.ndim == 3 else crop[..., None].repeat(3, axis=2)
        if turned:
            crop = crop[:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
            crop = crop.swapaxes(0, 1) if rng.random() < 0.5 else crop
        out.append(np.ascontiguousarray(crop))
    return out


def measured(pictures: list[Pixels]) -> Any:
    """What the set says together."""
    together = uncheck.measure(pictures, together=True).together  # type: ignore[call-arg,attr-defined]
    return together


def significant(together: Any) -> list[Any]:
    """All components of the set that are significant, also those below the visible threshold."""
    found = getattr(together, "found", together)
    return [*found.present, *found.traces]
