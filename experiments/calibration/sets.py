"""Sets: many outputs of one network share their lattice and nothing else."""

from __future__ import annotations

from inspect import signature
from math import lcm
from typing import Any

import numpy as np
from inject import add, fractions, make_tile, names_period
from intervals import crossing_with_interval, rate
from pictures import Photograph, Pixels, jpeg, noise, photographs
from progress import shown

import uncheck

SIZE = 64
AMPLITUDES = (0.025, 0.05, 0.1, 0.2, 0.4)
TARGET = {"period": 2, "wanted": 0.1}
#: Side of the pictures and number of sets for each period; smaller ones, which are cheaper, for false alarms.
TRIALS = {2: (512, 8), 4: (256, 8), 8: (256, 8)}
ALARM_SIDE, ALARM_TRIALS = 128, 30
#: Found at so many amplitudes in a row counts as found at all above.
SURE = 2


def main() -> dict[str, Any]:
    """Detection in sets of 64, and false alarms of sets."""
    if "together" not in signature(uncheck.measure).parameters:
        return {"skipped": "uncheck.measure has no argument `together` in this version"}
    photos = photographs()
    return {
        "size": SIZE,
        "detection": [detection(period, photos) for period in TRIALS],
        "alarm_side": ALARM_SIDE,
        "false_alarms": [false_alarms(name, photos) for name in CASES],
    }


def detection(period: int, photos: list[Photograph]) -> dict[str, Any]:
    """Rate by amplitude of one grey tile of this period added to all 64 pictures; rates are over sets."""
    side, trials = TRIALS[period]
    found = np.zeros((trials, 1, len(AMPLITUDES)), bool)
    bias: list[float] = []
    for trial in shown(f"sets, period {period}", range(trials)):
        rng = np.random.default_rng([period, trial])
        pictures = drawn(photos, side, rng)
        tile = make_tile("tile", (period, period), rng)
        for k, level in enumerate(AMPLITUDES):
            if k >= SURE and found[trial, 0, k - SURE : k].all():
                found[trial, 0, k] = True
                continue
            together = measured(
                [
                    add(p, tile, level, np.ones(3), fractions(p.shape, np.random.default_rng([trial, i])))
                    for i, p in enumerate(pictures)
                ]
            )
            fitting = [c for c in together.found.present if period % lcm(*c.period) == 0]
            right = names_period([c.period for c in fitting], (period, period))
            found[trial, 0, k] = right and together.verdict == "lattice"
            if found[trial, 0, k]:
                bias.append(float(np.sqrt(sum(c.amplitude**2 for c in fitting))) / level)
    out = {
        "period": period,
        "side": side,
        "sets": trials,
        "amplitudes": list(AMPLITUDES),
        "rates": found.mean(axis=(0, 1)).round(3).tolist(),
        "found_90": crossing_with_interval(AMPLITUDES, found),
        "bias": round(float(np.median(bias)), 3) if bias else None,
    }
    if period == TARGET["period"]:
        out["target"] = {**TARGET, "rate_there": out["rates"][AMPLITUDES.index(TARGET["wanted"])]}
    return out


CASES = ("photographs", "photographs on one grid", "photographs, JPEG 75", "white noise", "1/f noise")


def false_alarms(name: str, photos: list[Photograph]) -> dict[str, Any]:
    """Sets without a lattice of their own."""
    verdicts: list[str] = []
    traces: list[bool] = []
    periods: set[int] = set()
    for trial in shown(f"sets, {name}", range(ALARM_TRIALS)):
        together = measured(case(name, photos, np.random.default_rng([7, trial])))
        verdicts.append(together.verdict)
        traces.append(bool(together.found.present or together.found.traces))
        periods |= {lcm(*c.period) for c in together.found.present}
    return {
        "case": name,
        "lattice": rate(verdicts.count("lattice"), len(verdicts)),
        "rival": verdicts.count("rival"),
        "significant": rate(sum(traces), len(traces)),
        "periods": sorted(periods),
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
    return uncheck.measure(pictures, together=True).together
