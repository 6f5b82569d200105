"""Verdicts on borders, from the rows alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from boundary_sizes import reach
from lab.claims import holds, spread, verdict

Rows = list[dict[str, Any]]


def some(rows: Rows, layer: str, *, trained: bool, stages: int = 2) -> Rows:
    return [r for r in rows if r["layer"] == layer and r["trained"] == trained and r["stages"] == stages]


def strength(row: dict[str, Any], kind: str) -> float:
    """Levels; where the measure could tell no border from the middle, 0."""
    return float(row[kind]["strength"]) if row[kind] else 0.0


def mean(values: Iterable[float]) -> float:
    seen = list(values)
    return sum(seen) / len(seen)


def each(rows: Rows, layers: Iterable[str], kind: str, *, trained: bool) -> str:
    return ", ".join(
        f"{name} {spread((strength(r, kind) for r in some(rows, name, trained=trained)), 1)}"
        for name in layers
    )


def verdicts(rows: Rows, config: dict[str, Any]) -> dict[str, dict[str, str]]:
    """All claims."""
    return {
        "depth": _depth(rows),
        "same": _same(rows),
        "zeros": _zeros(rows, config),
        "cut": _cut(rows),
        "training": _training(rows, config),
        "trained": _trained(rows, config),
        "deconvolution": _deconvolution(rows, config),
        "cost": _cost(rows),
        "lacking": _lacking(rows, config),
    }


def _depth(rows: Rows) -> dict[str, str]:
    untrained = [r for r in rows if not r["trained"]]
    deepest = [
        (max(r[kind]["depth"] for kind in ("flat", "cut") if r[kind]), reach(r["layer"], r["stages"]), r)
        for r in untrained
    ]
    deeper = sum(seen > bound for seen, bound, _ in deepest)
    zeros = [(seen, bound) for seen, bound, r in deepest if r["layer"].startswith("zeros")]
    exact = sum(seen == bound for seen, bound in zeros)
    all_exact = sum(seen == bound for seen, bound, _ in deepest)
    said = (
        f"deeper in {deeper} of {len(deepest)} networks; exactly so with zeros in {exact} of {len(zeros)}, "
        f"in {all_exact} of all"
    )
    return verdict(holds(not deeper and exact == len(zeros)), said)


def _same(rows: Rows) -> dict[str, str]:
    apart = max(r["from_replicate"] for r in rows if "from_replicate" in r)
    reflect, replicate = (
        [strength(r, "cut") for r in some(rows, f"{name} k5", trained=False)]
        for name in ("reflect", "replicate")
    )
    said = (
        f"k3: apart by at most {apart:.1g} of the output's standard deviation; k5, cut: reflect "
        f"{spread(reflect, 1)}, replicate {spread(replicate, 1)} levels"
    )
    return verdict(holds(apart < 1e-5 and reflect != replicate), said)


def _zeros(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    names = ("zeros k3", "deconv k3", "deconv k4", "reflect k3", "replicate k3", "circular k3")
    least = {name: min(strength(r, "flat") for r in some(rows, name, trained=False)) for name in names[:3]}
    most = max(strength(r, "flat") for name in names[3:] for r in some(rows, name, trained=False))
    outcome = holds(min(least.values()) >= 10 and most < config["faint"])
    if outcome == "refuted" and least["zeros k3"] >= 10 and most < config["faint"]:
        outcome = "depends on the layer"
    said = ", ".join(f"{name} {value:.1f}" for name, value in least.items())
    return verdict(
        outcome, f"flat colour: {each(rows, names, 'flat', trained=False)} levels; at least {said}"
    )


def _cut(rows: Rows) -> dict[str, str]:
    names = ("zeros k3", "replicate k3", "circular k3")
    zeros, replicate, circular = (
        mean(strength(r, "cut") for r in some(rows, name, trained=False)) for name in names
    )
    said = f"photographs: {each(rows, names, 'cut', trained=False)} levels"
    return verdict(holds(replicate <= zeros / 2 and replicate < circular < zeros), said)


def _training(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    before = [strength(r, "flat") for r in some(rows, "zeros k3", trained=False)]
    trained = some(rows, "zeros k3", trained=True)
    after = [strength(r, "flat") for r in trained]
    scaled = [42.5 * strength(r, "flat") / r["sigma"] for r in trained]
    outcome = holds(mean(scaled) <= mean(before) / 3 and min(after) >= config["faint"])
    said = (
        f"{spread(before, 1)} levels before, {spread(scaled, 1)} after (42.5 = 1 s.d.): "
        f"{spread(after, 1)} grey levels"
    )
    return verdict(outcome, said)


def _trained(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    names = ("zeros k3", "replicate k3", "circular k3", "zeros k5", "reflect k5", "replicate k5")
    seen = {name: mean(strength(r, "cut") for r in some(rows, name, trained=True)) for name in names}
    ratio = seen["zeros k3"] / seen["replicate k3"]
    good = 1.1 <= ratio <= 2 and seen["circular k3"] >= max(seen["zeros k3"], seen["replicate k3"])
    flat = {n: [strength(r, "flat") for r in some(rows, n, trained=True)] for n in names[:2]}
    outcome = holds(good)
    if not good and min(flat["zeros k3"]) >= config["faint"] > max(flat["replicate k3"]):
        outcome = "depends on how one looks"
    said = (
        f"photographs: zeros {ratio:.2f} times replicate; {each(rows, names, 'cut', trained=True)} grey "
        f"levels; flat colour: {each(rows, names[:2], 'flat', trained=True)}"
    )
    return verdict(outcome, said)


def _deconvolution(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    names = ("deconv k3", "deconv k4", "zeros k3")
    seen = {name: [strength(r, "flat") for r in some(rows, name, trained=True)] for name in names}
    zeros = mean(seen["zeros k3"])
    good = all(min(seen[n]) >= config["faint"] and zeros / 3 <= mean(seen[n]) <= 3 * zeros for n in names[:2])
    said = f"flat colour: {each(rows, names, 'flat', trained=True)} grey levels"
    return verdict(holds(good), said)


def _squares(rows: Rows, layer: str) -> list[float]:
    return [r["errors"]["square"] for r in some(rows, layer, trained=True)]


def _cost(rows: Rows) -> dict[str, str]:
    def apart(layer: str, base: str) -> list[float]:
        pairs = zip(_squares(rows, layer), _squares(rows, base), strict=True)
        return [100 * (a / b - 1) for a, b in pairs]

    close = {
        "zeros k3": apart("zeros k3", "replicate k3"),
        "zeros k5": apart("zeros k5", "replicate k5"),
        "reflect k5": apart("reflect k5", "replicate k5"),
    }
    circular = apart("circular k3", "replicate k3")
    good = all(abs(mean(v)) <= 3 for v in close.values()) and 1 <= mean(circular) <= 10
    said = ", ".join(f"{name} {spread(v, 1)} %" for name, v in {**close, "circular k3": circular}.items())
    return verdict(holds(good), f"{said} more squared error than replicate")


def _lacking(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    ratios, shared = {}, {}
    for name in config["trained"]:
        found = [r["errors"] for r in some(rows, name, trained=True)]
        ratios[name] = [e["by_ring"][0] / mean(e["by_ring"][4:]) for e in found]
        shared[name] = [e["mean_by_ring"][0] for e in found]
    good = all(1.1 <= mean(ratios[name]) <= 1.4 for name in ("replicate k3", "zeros k3"))
    even = all(mean(v) < 2 for name, v in shared.items() if not name.startswith("circular"))
    said = "; ".join(
        f"{name}: {spread(ratios[name])} times, mean error {spread(shared[name], 1)} levels"
        for name in ratios
    )
    return verdict(holds(good and even), said)
