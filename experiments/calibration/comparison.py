"""The harmonic test beside the measures people use now, on the same pictures."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
from baselines import BASELINES
from inject import add, fractions, make_colour, make_tile
from intervals import auc, rate
from numpy.typing import NDArray
from pictures import Photograph, Pixels, large, photographs, treated
from progress import shown

import uncheck
from uncheck.measuring import find_lattice

AMPLITUDES = {2: (0.25, 0.5, 1.0), 4: (0.5, 1.0, 2.0), 8: (1.0, 2.0, 4.0)}
UNCOMPRESSED = ("original", "odd-cropped", "gamma 0.5", "gamma 2", "sharpened 50 %", "sharpened 100 %")
COMPRESSED = ("JPEG 75", "JPEG 90", "JPEG 75, cropped", "JPEG 90, cropped")
LUMA = np.array([0.299, 0.587, 0.114])
SIGNIFICANCE, STRENGTH = "uncheck, p of this period alone", "uncheck, amplitude where p < 0.001"
MEASURES = (SIGNIFICANCE, STRENGTH, *(b.name for b in BASELINES))
#: Customary thresholds; ours are the default ones.
THRESHOLDS = {SIGNIFICANCE: 3.0, STRENGTH: 0.3, **{b.name: b.threshold for b in BASELINES}}
RULES = {
    SIGNIFICANCE: "p < 0.001",
    STRENGTH: "at least 0.3 levels",
    **{b.name: b.rule for b in BASELINES},
}


def main() -> dict[str, Any]:
    """Scores of every measure with and without a lattice, at three periods and three amplitudes."""
    photos = large(photographs())
    out = []
    for name, treatments in (("uncompressed", UNCOMPRESSED), ("JPEG", COMPRESSED)):
        pictures = list(_pictures(photos, treatments))
        for period, levels in AMPLITUDES.items():
            title = f"comparison, {name}, period {period}"
            scored = [
                [score(p, period), *(score(lattice(p, period, a, source, i), period) for a in levels)]
                for i, (source, p) in enumerate(shown(title, pictures))
            ]
            table = np.array(scored)
            halves = np.array([photo_half(source, photos) for source, _ in pictures])
            out += [
                compared(name, period, measure, levels, table[:, :, m], halves)
                for m, measure in enumerate(MEASURES)
            ]
    return {
        "treatments": {"uncompressed": UNCOMPRESSED, "JPEG": COMPRESSED},
        "rules": RULES,
        "rows": out,
    }


def _pictures(photos: list[Photograph], treatments: tuple[str, ...]) -> list[tuple[str, Pixels]]:
    return [
        (photo.name, np.ascontiguousarray(pixels))
        for photo in photos
        for name, pixels in treated(photo.pixels, crc32(photo.name.encode()))
        if name in treatments
    ]


def photo_half(source: str, photos: list[Photograph]) -> int:
    """0 or 1: thresholds are set on one half of the photographs and tried on the other."""
    return [p.name for p in photos].index(source) % 2


def lattice(pixels: Pixels, period: int, level: float, source: str, number: int) -> Pixels:
    """With a grey lattice, so that measures that look at brightness alone see all of it."""
    rng = np.random.default_rng([crc32(source.encode()), number, period])
    tile = make_tile("tile", (period, period), rng)
    return add(pixels, tile, level, make_colour(rng, grey=True), fractions(pixels.shape, rng))


def score(pixels: Pixels, period: int) -> list[float]:
    """Of every measure."""
    values = pixels.astype(np.float64)
    plane = values @ LUMA if values.ndim == 3 else values
    channels = values.reshape(*values.shape[:2], -1).astype(np.float32)
    return [*ours(channels, period), *(b.score(plane, period) for b in BASELINES)]


def ours(values: NDArray[np.float32], period: int) -> tuple[float, float]:
    """-log10 p of this period tested alone; its amplitude where significant, as in a usual measurement."""
    alone = find_lattice(values, periods=(period,), threshold=0.0, significance=1.0).present
    p = min((c.p_value for c in alone), default=1.0)
    usual = uncheck.measure(values, span=(0, 255)).images[0].found
    amplitude = max(
        (c.amplitude for c in (*usual.present, *usual.traces) if max(c.period) == period), default=0.0
    )
    return float(-np.log10(max(p, 1e-300))), amplitude


def compared(
    name: str,
    period: int,
    measure: str,
    levels: tuple[float, ...],
    scores: NDArray[np.float64],
    halves: NDArray[np.int_],
) -> dict[str, Any]:
    """Area under the curve, detection at 1 % false alarms, and both rates at the customary threshold.

    The threshold for 1 % is the 99th percentile on one half of the photographs (both ways round).
    """
    clean, usual = scores[:, 0], THRESHOLDS[measure]
    limit = np.array([np.quantile(clean[halves != half], 0.99) for half in halves])
    return {
        "pictures": name,
        "period": period,
        "measure": measure,
        "amplitudes": list(levels),
        "auc": [round(auc(clean, scores[:, k]), 4) for k in range(1, scores.shape[1])],
        "at_1_percent": [round(float((scores[:, k] > limit).mean()), 4) for k in range(1, scores.shape[1])],
        "false_alarms_there": round(float((clean > limit).mean()), 4),
        "usual_false_alarms": rate(int((clean >= usual).sum()), len(clean)),
        "usual_detection": [
            round(float((scores[:, k] >= usual).mean()), 4) for k in range(1, scores.shape[1])
        ],
    }
