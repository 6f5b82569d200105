"""The verdicts on verdicts, from the rows alone."""

from __future__ import annotations

from math import lcm
from typing import Any

from lab.claims import holds, verdict


def strength(components: list[dict[str, Any]]) -> float:
    """Root of the summed squares of the amplitudes."""
    return float(sum(c["amplitude"] ** 2 for c in components) ** 0.5)


def stated(row: dict[str, Any], period: list[int]) -> float:
    """The amplitude that a report leaves room for at a period: its limit, or what it found there."""
    cycle = lcm(*period)
    said = [one["amplitude"] for one in row["limit"] if lcm(*one["period"]) == cycle]
    said += [c["amplitude"] for c in (*row["traces"], *row["lattice"]) if lcm(*c["period"]) == cycle]
    return max(said, default=0.0)


def hidden(row: dict[str, Any]) -> float:
    """How many times its stated limit a component of the truth is, the worst; 0 where nothing is there."""
    return max((c["amplitude"] / max(stated(row, c["period"]), 1e-6) for c in row["truth"]), default=0.0)


def visible(row: dict[str, Any], config: dict[str, Any]) -> bool:
    """Whether the mean of many outputs shows a lattice."""
    return any(c["amplitude"] >= config["visible"] for c in row["truth"])


def dominated(row: dict[str, Any], config: dict[str, Any]) -> bool:
    """Whether a lattice was found, and the planted fault makes most of what is there."""
    without = config["dominates"] * strength(row.get("without", []))
    return row["verdict"] == "lattice" and row["guilty"] is not None and strength(row["truth"]) > without


def right(row: dict[str, Any]) -> bool:
    """Whether the stage at fault is blamed most."""
    return max(row["blame"]) > 0 and row["blame"].index(max(row["blame"])) == row["guilty"]


def conclude(rows: list[dict[str, Any]], config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """One verdict per claim of config.toml."""
    clean = [row for row in rows if row["verdict"] == "clean"]
    over = [row for row in clean if hidden(row) > 1]
    shown = [row for row in rows if visible(row, config)]
    found = [row for row in shown if row["verdict"] == "lattice"]
    more = [row for row in rows if row["verdict"] == "lattice" and row["inputs"] > config["samples"]]
    limits = [max((one["amplitude"] for one in row["limit"]), default=0.0) for row in clean]
    low = sum(limit <= config["visible"] for limit in limits)
    told = [row for row in rows if dominated(row, config)]
    first = [row for row in told if right(row)]
    worst = max((hidden(row) for row in clean), default=0.0)
    return {
        "hidden": verdict(
            holds(not over),
            f"{len(over)} of {len(clean)} called clean; the worst holds {worst:.2f} of its limit",
        ),
        "found": verdict(
            holds(len(found) >= 0.95 * len(shown)), f"{len(found)} of {len(shown)} that the mean shows"
        ),
        "evidence": verdict(
            holds(bool(more) and low >= 0.8 * len(clean)),
            f"{len(more)} show only with more inputs; {low} of {len(clean)} called clean have limits of at "
            f"most {config['visible']} levels, the highest {max(limits, default=0.0):.2f}",
        ),
        "ranked": verdict(holds(len(first) >= 0.97 * len(told)), f"{len(first)} of {len(told)}"),
    }
