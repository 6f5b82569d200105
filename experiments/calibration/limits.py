"""Is a lattice at the stated limit found in 95 % of cases? In pictures not used to set the limit up."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
from inject import fractions, make_tile, repeat
from intervals import rate
from numpy.typing import NDArray
from pictures import Pixels, photographs

import uncheck

#: Every other one of the photographs of `../shared` was looked at while the limit was built.
TUNED_ON = ("kodim01", "kodim05", "kodim08", "kodim13", "kodim17", "kodim20")
PERIODS = (2, 3, 4, 6, 8, 12, 16)
SIDE, DRAWS = 256, 8
MADE_UP = 12


def made_up(seed: int) -> NDArray[np.float32]:
    """A picture of three colours whose spectrum falls as 1 / f, in 8 bits."""
    rng = np.random.default_rng(seed)
    f = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE))
    f[0, 0] = 1.0
    drawn = np.fft.ifft2(
        np.fft.fft2(rng.normal(size=(SIDE, SIDE, 3)), axes=(0, 1)) / f[..., None], axes=(0, 1)
    )
    values = drawn.real @ (np.eye(3) + 0.5)
    return np.rint(128 + 35 * values / values.std()).clip(0, 255).astype(np.float32)


def pictures() -> list[tuple[str, str, Pixels]]:
    """Kind, name and pixels of all that limits are tried on: one part of each photograph, and noise."""
    out = []
    for photo in photographs():
        if photo.name in TUNED_ON or min(photo.pixels.shape[:2]) < SIDE:
            continue
        top, left = (n // 2 - SIDE // 2 for n in photo.pixels.shape[:2])
        kind = "Kodak" if photo.history == "scan" else "scikit-image"
        out.append((kind, photo.name, photo.pixels[top : top + SIDE, left : left + SIDE]))
    return [*out, *(("1/f", f"made up {i}", made_up(i).astype(np.uint8)) for i in range(MADE_UP))]


def found(pixels: Pixels, period: int, limit: float, rng: np.random.Generator) -> bool:
    """Put a random tile of the limit's amplitude into a picture and say whether its period is significant."""
    plane = limit * repeat(make_tile("tile", (period, period), rng), pixels.shape)
    plane = plane if pixels.ndim == 2 else plane[..., None]
    values = np.rint(pixels + plane + fractions(pixels.shape, rng)).clip(0, 255).astype(np.uint8)
    seen = uncheck.measure(values).images[0].found.everything
    periods = [c.period for c in seen] + [p for c in seen for p, _ in c.harmonics]
    return any(np.lcm.reduce(one) % period == 0 for one in periods)


def main() -> dict[str, Any]:
    """Try every limit of every picture."""
    rows = []
    for kind, name, pixels in pictures():
        stated = {one.period: one.amplitude for one in uncheck.measure(pixels).images[0].found.limits}
        for period in PERIODS:
            if (period, period) in stated:
                limit = stated[period, period]
                rng = np.random.default_rng(crc32(f"{name} {period}".encode()))
                hits = sum(found(pixels, period, limit, rng) for _ in range(DRAWS))
                rows.append({"kind": kind, "name": name, "period": period, "limit": limit, "found": hits})
    return {
        "draws": DRAWS,
        "tuned_on": TUNED_ON,
        "together": _rate(rows),
        "kinds": {kind: _rate([r for r in rows if r["kind"] == kind]) for kind in {r["kind"] for r in rows}},
        "periods": {str(p): _rate([r for r in rows if r["period"] == p]) for p in PERIODS},
        "limits": rows,
    }


def _rate(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return rate(sum(row["found"] for row in rows), DRAWS * len(rows))
