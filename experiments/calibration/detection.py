"""How weak a lattice is found: known ones put into photographs of 512 x 512 pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import lcm
from typing import Any
from zlib import crc32

import numpy as np
from inject import (
    Period,
    add,
    fractions,
    make_colour,
    make_region,
    make_tile,
    modulate,
    names_period,
    resample,
)
from intervals import crossing_with_interval, rate
from pictures import Photograph, Pixels, jpeg, large, photographs
from progress import shown
from second import second_order_periods

import uncheck

SHORT = tuple(range(2, 17))
LONG = tuple(range(2, 65))

#: Grey levels: powers of 2, and of its square root where a target is checked.
AMPLITUDES = tuple(0.125 * 2**k for k in range(8))
FINE = tuple(round(0.125 * 2 ** (k / 2), 4) for k in range(15))
#: Where the measured amplitude is compared with the true one.
BIAS_AT = 4.0
#: Found at so many amplitudes in a row counts as found at all above.
SURE = 2

TARGETS = {2: 0.5, 4: 1.0, 8: 2.0}
GAINS = (0.1, 0.2, 0.4, 0.8)


@dataclass(frozen=True)
class Condition:
    """What is put in, and how. `after` changes the picture once the lattice is in it."""

    name: str
    period: Period
    pattern: str = "tile"
    proportional: bool = False
    signed: bool = False
    region: str = "whole"
    where: bool = False
    jpeg_before: bool = False
    jpeg_after: bool = False
    draws: int = 1

    @property
    def periods(self) -> tuple[int, ...]:
        """Those that are tested: 2 to 16, or to 64 where the lattice is longer."""
        return SHORT if lcm(*self.period) <= 16 else LONG

    @property
    def amplitudes(self) -> tuple[float, ...]:
        """Those tried: from 0.125, 0.25 or 0.5 levels."""
        lowest = 0.125 if max(self.period) <= 8 else 0.25 if max(self.period) <= 16 else 0.5
        return tuple(a for a in (FINE if self.draws > 1 else AMPLITUDES) if a >= lowest)


def conditions() -> list[Condition]:
    """All of them; the targets first."""
    out = [Condition("tile", (p, p), draws=3) for p in TARGETS]
    out += [Condition("tile", (p, p)) for p in (3, 5, 7, 12, 16, 24, 32, 64)]
    out += [Condition("tile", pair) for pair in ((2, 4), (3, 5), (8, 1))]
    for p in TARGETS:
        out += [Condition(pattern, (p, p), pattern) for pattern in ("cosine", "overlap")]
        out.append(Condition("proportional to brightness", (p, p), proportional=True))
        out.append(Condition("sign follows brightness", (p, p), signed=True))
        for region in ("quarter", "ninth"):
            out.append(Condition(f"in a {region}", (p, p), region=region))
            out.append(Condition(f"in a {region}, with the map", (p, p), region=region, where=True))
        out.append(Condition("on a JPEG 75", (p, p), jpeg_before=True))
        out.append(Condition("saved as JPEG 75", (p, p), jpeg_after=True))
    return out


def main() -> dict[str, Any]:
    """First order: rate by amplitude, for each condition. Second order: how often which order is reported."""
    photos = large(photographs())
    # The targets on all photographs, everything else on every other one.
    rows = [first_order(c, photos if c.draws > 1 else photos[::2]) for c in shown("detection", conditions())]
    return {
        "photographs": [p.name for p in photos],
        "targets": [target(row) for row in rows if row["condition"] == "tile" and row["draws"] > 1],
        "first_order": rows,
        "second_order": [second_order(name, made, photos) for name, made in second_order_cases()],
    }


def first_order(condition: Condition, photos: list[Photograph]) -> dict[str, Any]:
    """One condition: found or not, for every photograph, draw and amplitude."""
    amplitudes = condition.amplitudes
    found = np.zeros((len(photos), condition.draws, len(amplitudes)), bool)
    named = np.zeros_like(found)
    bias: dict[float, list[float]] = {a: [] for a in amplitudes}
    extra: list[bool] = []
    for i, photo in enumerate(photos):
        pixels = jpeg(photo.pixels, 75) if condition.jpeg_before else photo.pixels
        own = {
            lcm(*c.period) for c in uncheck.measure(pixels, periods=condition.periods).images[0].found.present
        }
        for draw in range(condition.draws):
            make = maker(condition, pixels, crc32(f"{photo.name} {condition} {draw}".encode()))
            for k, level in enumerate(amplitudes):
                sure = k >= SURE and found[i, draw, k - SURE : k].all()
                if sure and level != BIAS_AT:
                    found[i, draw, k] = True
                    continue
                options = {"periods": condition.periods, "where": condition.where}
                image = uncheck.measure(make(level), **options).images[0]
                reported = [c.period for c in image.found.present]
                right = names_period(reported, condition.period)
                found[i, draw, k] = right and image.verdict == "lattice"
                named[i, draw, k] = right and image.verdict == "rival"
                if found[i, draw, k]:
                    bias[level].append(strength(image.found.present, condition.period) / level)
                if level == BIAS_AT and found[i, draw, k]:
                    extra.append(
                        any(not divides(r, condition.period) and lcm(*r) not in own for r in reported)
                    )
    return {
        "condition": condition.name,
        "period": list(condition.period),
        "periods_tested": [min(condition.periods), max(condition.periods)],
        "draws": condition.draws,
        "photographs": len(photos),
        "amplitudes": list(amplitudes),
        "rates": found.mean(axis=(0, 1)).round(4).tolist(),
        "named_rival": named.mean(axis=(0, 1)).round(4).tolist(),
        "found_90": crossing_with_interval(amplitudes, found),
        "found_50": crossing_with_interval(amplitudes, found, 0.5),
        "bias": quartiles(bias[BIAS_AT]),
        "bias_by_amplitude": [quartiles(values)["median"] for values in bias.values()],
        "other_periods_too": rate(sum(extra), len(extra)),
        "by_photograph": {p.name: f"{found[i].mean(axis=0).round(2).tolist()}" for i, p in enumerate(photos)}
        if condition.draws > 1
        else {},
    }


def maker(condition: Condition, pixels: Pixels, seed: int) -> Callable[[float], Pixels]:
    """The picture with this lattice at any amplitude: pattern, phase, colour and place stay the same."""
    rng = np.random.default_rng(seed)
    tile = make_tile(condition.pattern, condition.period, rng)
    colour = make_colour(rng, grey=condition.pattern == "overlap")
    region = make_region(condition.region, pixels.shape, rng)
    fraction = fractions(pixels.shape, rng)

    def make(level: float) -> Pixels:
        out = add(
            pixels,
            tile,
            level,
            colour,
            fraction,
            proportional=condition.proportional,
            signed=condition.signed,
            region=region,
        )
        return jpeg(out, 75) if condition.jpeg_after else out

    return make


def divides(reported: tuple[int, ...], period: Period) -> bool:
    """Whether a reported period is `period` or one of its harmonics."""
    return all(p % q == 0 for p, q in zip(period, reported, strict=True))


def strength(components: Any, period: Period) -> float:
    """Root of the summed squares of all components of `period` and its harmonics."""
    return float(np.sqrt(sum(c.amplitude**2 for c in components if divides(c.period, period))))


def quartiles(values: list[float]) -> dict[str, Any]:
    """Median, quartiles and number."""
    if not values:
        return {"median": None, "quartiles": [None, None], "of": 0}
    low, middle, high = np.percentile(values, (25, 50, 75)).round(3).tolist()
    return {"median": middle, "quartiles": [low, high], "of": len(values)}


def target(row: dict[str, Any]) -> dict[str, Any]:
    """The target of this row's period, and what was reached."""
    wanted = TARGETS[row["period"][0]]
    share = row["rates"][row["amplitudes"].index(wanted)]
    return {
        "period": row["period"][0],
        "wanted": wanted,
        "rate_there": share,
        "found_90": row["found_90"],
        "met": share >= 0.9,
    }


def second_order_cases() -> list[tuple[str, Callable[[Pixels, np.random.Generator], tuple[Pixels, int]]]]:
    """Detail whose variance depends on the phase, and resized pictures."""
    out: list[tuple[str, Callable[[Pixels, np.random.Generator], tuple[Pixels, int]]]] = []
    for period in TARGETS:
        for gain in GAINS:
            out.append((f"gain {gain:g} at period {period}", _modulated(period, gain)))
    for factor in (2, 3, 4):
        for method in ("bilinear", "bicubic"):
            out.append((f"{method} x{factor}", _resampled(factor, method)))
    return out


def _modulated(period: int, gain: float) -> Callable[[Pixels, np.random.Generator], tuple[Pixels, int]]:
    return lambda pixels, rng: (
        modulate(pixels, make_tile("tile", (period, period), rng), gain, fractions(pixels.shape, rng)),
        period,
    )


def _resampled(factor: int, method: str) -> Callable[[Pixels, np.random.Generator], tuple[Pixels, int]]:
    return lambda pixels, rng: (resample(pixels, factor, method), factor)


def second_order(
    name: str,
    make: Callable[[Pixels, np.random.Generator], tuple[Pixels, int]],
    photos: list[Photograph],
) -> dict[str, Any]:
    """How often a lattice of first order is reported, and one of second order at the right period."""
    verdicts: list[bool] = []
    seen: list[bool] = []
    for photo in photos:
        pixels, period = make(photo.pixels, np.random.default_rng(crc32(f"{photo.name} {name}".encode())))
        image = uncheck.measure(np.ascontiguousarray(pixels)).images[0]
        verdicts.append(image.verdict == "lattice")
        second = second_order_periods(np.ascontiguousarray(pixels), image)
        if second is not None:
            seen.append(names_period(second, (period, period)))
    return {
        "case": name,
        "first_order": rate(sum(verdicts), len(verdicts)),
        "second_order": rate(sum(seen), len(seen)) if seen else None,
    }
