"""What the rows say of each claim. "After training" is the mean of the measurements of its second half."""

from __future__ import annotations

from statistics import mean
from typing import Any

from lab.claims import CONFIRMED, holds, spread, verdict
from lab.curves import late

PERIODS = (2, 4)
Rows = list[dict[str, Any]]


def of(rows: Rows, short: str) -> Rows:
    return [row for row in rows if row["short"] == short]


def levels(rows: Rows) -> str:
    """What both ways of looking see after training, mean and spread over the seeds."""
    return "; ".join(
        f"period {p}: {spread(late(r, f'single_{p}') for r in rows)} levels in one picture, "
        f"{spread(late(r, f'amplitude_{p}') for r in rows)} in the mean"
        for p in PERIODS
    )


def every(rows: Rows, key: str, low: float, high: float, periods: tuple[int, ...] = PERIODS) -> bool:
    """Whether every seed lies in low..high at each of the periods."""
    return all(low <= late(row, f"{key}_{p}") <= high for row in rows for p in periods)


def seen(rows: Rows, key: str, periods: tuple[int, ...], absent: tuple[int, ...], config: Any) -> bool:
    """Whether exactly these periods are visible in every seed."""
    return every(rows, key, config["visible"], 1e9, periods) and every(
        rows, key, 0, config["visible"], absent
    )


def scales(rows: Rows, there: tuple[int, ...], absent: tuple[int, ...], config: Any) -> dict[str, str]:
    """A claim of which periods there are, to an eye on one picture and in the mean of all."""
    agree = {key: seen(rows, key, there, absent, config) for key in ("single", "amplitude")}
    outcome = holds(agree["single"])
    if agree["single"] != agree["amplitude"]:
        outcome = "depends on how one looks"
    return verdict(outcome, levels(rows))


def conclude(rows: Rows, config: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The article's claims by whether the periods are there; the others by their predictions."""
    two, k4, plain, icnr = (of(rows, name) for name in ("two", "k4", "sub-pixel", "ICNR"))
    visible = config["visible"]
    there = {name: every(of(rows, name), "single", visible, 1e9) for name in ("k4", "sub-pixel", "ICNR")}
    out = {
        "two": scales(two, (2, 4), (), config),
        "one": scales(of(rows, "one"), (2,), (4,), config),
        "none": scales(of(rows, "none"), (), (2, 4), config),
        "k4": verdict(holds(there["k4"]), levels(k4)),
        "subpixel": verdict(holds(there["sub-pixel"]), levels(plain)),
        "linear": scales(of(rows, "linear"), (), (2, 4), config),
    }
    start = [row["strengths"][0] for row in icnr]
    share = mean(late(r, "strengths") for r in icnr) / max(1e-9, mean(late(r, "strengths") for r in plain))
    out["icnr"] = verdict(
        # Confirmed: it starts clean and does not end so.
        holds(max(start) < visible and there["ICNR"] and share >= 1 / 3),
        f"{spread(start)} levels in one picture before training, after it {levels(icnr)} "
        f"({share:.2f} times as much as without ICNR)",
    )
    order1, order2 = of(rows, "smooth"), of(rows, "order 2")
    clean = [every(order1, "single", 0, 0.5), every(order2, "single", 0, visible)]
    out["smooth"] = verdict(
        holds(all(clean)) if clean[0] == clean[1] else "depends on the order",
        f"order 1: {levels(order1)}; order 2: {levels(order2)}",
    )
    return {**out, "weights": weights(two), "discriminator": discriminators(rows, visible)}


def weights(two: Rows) -> dict[str, str]:
    """Whether gains stay uneven; how far the lattice weakens is told beside it."""
    parts = ("spread_first", "spread_second")
    uneven = all(late(row, part) >= 0.5 for row in two for part in parts)
    said = ", ".join(
        f"gain spread of the {part.split('_')[1]} layer {spread(r[part][0] for r in two)} before, "
        f"{spread(late(r, part) for r in two)} after"
        for part in parts
    )
    before, after = spread(r["strengths"][0] for r in two), spread(late(r, "strengths") for r in two)
    return verdict(holds(uneven), f"{said}; {before} levels in one picture before, {after} after")


def discriminators(rows: Rows, visible: float) -> dict[str, str]:
    """Two deconvolutions and none, judged by strides and by pooling."""
    two, pooled, none = (of(rows, name) for name in ("two", "two, pooled", "none, pooled"))
    ratios = [
        mean(late(r, f"single_{p}") for r in pooled) / max(1e-9, mean(late(r, f"single_{p}") for r in two))
        for p in PERIODS
    ]
    near = all(0.5 <= ratio <= 2 for ratio in ratios)
    outcome = CONFIRMED if near and every(none, "single", 0, visible) else "depends on the discriminator"
    said = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    return verdict(
        outcome,
        f"two deconvolutions: {levels(pooled)} ({said} times as much as with strides); none: {levels(none)}",
    )
