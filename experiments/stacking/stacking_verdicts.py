"""Verdicts on stacked layers, from the rows alone."""

from __future__ import annotations

from math import inf
from statistics import mean, median
from typing import Any

from lab.claims import OPEN, holds, spread, verdict

Rows = list[dict[str, Any]]

EXACT = 1e-6


def ranks(a: list[float], b: list[float]) -> float:
    """Spearman's rank correlation, ties shared."""
    from scipy.stats import spearmanr

    return float(spearmanr(a, b).statistic)


def strength(seen: dict[str, float]) -> float:
    """Root of the summed squares over the periods."""
    return sum(v * v for v in seen.values()) ** 0.5


def ratio(row: dict[str, Any]) -> float:
    return inf if row["ratio"] is None else float(row["ratio"])


def singles(rows: Rows) -> dict[str, Rows]:
    """The networks of one layer."""
    out: dict[str, Rows] = {}
    for row in rows:
        if "chain" in row and len(row["chain"]) == 1:
            out.setdefault(row["chain"][0], []).append(row)
    return out


def verdicts(rows: Rows, config: dict[str, Any]) -> dict[str, dict[str, str]]:
    """All claims."""
    chains = [row for row in rows if "chain" in row]
    return {
        "ones": _ones([row for row in rows if "ones" in row]),
        "geometry": _geometry(chains),
        "weights": _weights(chains),
        "scales": _scales(chains, config),
        "compound": _compound([row for row in rows if "pair" in row], config),
        "counted": _counted(next(row for row in rows if "counted" in row)),
        "cancel": _cancel(rows),
        "last": _last(rows, config),
        "average": _average([row for row in rows if "average" in row]),
    }


def _ones(rows: Rows) -> dict[str, str]:
    worst = max(row["deviation"] for row in rows)
    return verdict(holds(worst <= EXACT), f"at most {worst:.1g} of the largest count in {len(rows)} chains")


def _geometry(chains: Rows) -> dict[str, str]:
    single = singles(chains)
    if len(single) < 3:
        return verdict(OPEN, "too few layers")
    seen = {name: mean(strength(r["measured"]) for r in some) for name, some in single.items()}
    layers = ranks([ratio(some[0]) for some in single.values()], list(seen.values()))
    networks = ranks([ratio(r) for r in chains], [strength(r["measured"]) for r in chains])
    even = [strength(r["measured"]) for some in single.values() for r in some if r["even"]]
    uneven = [strength(r["measured"]) for some in single.values() for r in some if not r["even"]]
    outcome = holds(layers >= 0.8 and mean(even) < mean(uneven) / 2)
    if outcome == "refuted" and layers >= 0.3:
        outcome = "depends on the weights"
    said = (
        f"rank correlation {layers:.2f} over single layers, {networks:.2f} over all networks; "
        f"even overlap {spread(even, 1)} levels, uneven {spread(uneven, 1)}"
    )
    return verdict(outcome, said)


def _weights(chains: Rows) -> dict[str, str]:
    exact = max(row["deviation"] for row in chains)
    measured = [strength(r["measured"]) for r in chains]
    foretold = [strength(r["foretold"]) for r in chains]
    order = ranks(foretold, measured)
    off = [abs(f - m) / max(m, 1e-9) for f, m in zip(foretold, measured, strict=True)]
    several = [o for o, r in zip(off, chains, strict=True) if len(r["chain"]) > 1]
    said = (
        f"linear: within {exact:.1g}; with ReLU: rank correlation {order:.3f}, median deviation "
        f"{100 * median(off):.1f} %, of chains of several layers {100 * median(several):.1f} %"
    )
    return verdict(holds(exact <= EXACT and order >= 0.95 and median(off) <= 0.15), said)


def _scales(chains: Rows, config: dict[str, Any]) -> dict[str, str]:
    good, said = {}, []
    for layer in ("3/2", "4/2"):
        for count in (2, 3):
            seen = [r["measured"] for r in chains if r["chain"] == [layer] * count]
            if not seen:
                return verdict(OPEN, "not measured")
            periods = [str(2**i) for i in range(1, count + 1)]
            good[layer, count] = sum(all(s[p] >= config["visible"] for p in periods) for s in seen) / len(
                seen
            )
            levels = ", ".join(f"period {p} {spread((s[p] for s in seen), 1)}" for p in periods)
            said.append(f"{count} times k{layer[0]} s2: {levels} levels, all in {good[layer, count]:.0%}")
    outcome = holds(all(share == 1 for share in good.values()))
    if outcome == "refuted" and all(share == 1 for (_, count), share in good.items() if count == 2):
        outcome = "depends on the depth"
    return verdict(outcome, "; ".join(said))


def _compound(pairs: Rows, config: dict[str, Any]) -> dict[str, str]:
    good, said = [], []
    for pair in config["pairs"]:
        some = [r for r in pairs if r["pair"] == pair]
        share = mean(r["more_than_first"] for r in some)
        always = min(r["more_than_second"] for r in some)
        good.append(share >= 0.75 and always == 1)
        unevenness = ", ".join(f"{k} {spread(r[k] for r in some)}" for k in ("first", "second", "both"))
        said.append(
            f"{' then '.join(pair)}: more than the first in {100 * share:.0f} %, than the second in "
            f"{100 * always:.0f} % (unevenness: {unevenness})"
        )
    return verdict(holds(all(good)), "; ".join(said))


def _counted(row: dict[str, Any]) -> dict[str, str]:
    alone, pairs = row["alone"], row["pairs"]
    every = [
        (a, b, both)
        for a, line in zip(alone, pairs, strict=True)
        for b, both in zip(alone, line, strict=True)
    ]
    above = mean(both > max(a, b) + 1e-3 for a, b, both in every)
    below = sum(both < b - 1e-3 for _, b, both in every)
    less = mean(both < a - 1e-3 for a, _, both in every)
    said = (
        f"of {len(every)} pairs {above:.0%} above both, {less:.0%} below the first, "
        f"{below} below the second alone"
    )
    return verdict(holds(above >= 0.4 and not below), said)


def _cancel(rows: Rows) -> dict[str, str]:
    built = next(row for row in rows if "built" in row)
    chance = mean(row["cancelled"] for row in rows if "pair" in row)
    even = max(built["3/2 4/2"], built["any 3/2, then 4/2"])
    said = (
        f"all-ones k4 s2 after k3 s2: {even:.1g} of {built['first alone']:.2f} left, before it "
        f"{built['4/2 3/2']:.2f}; by chance in {100 * chance:.1f} % of pairs"
    )
    return verdict(holds(even <= EXACT and built["4/2 3/2"] > 0.01), said)


def _last(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    said, medians = [], []
    for last in config["lasts"]:
        for period in ("2", "4"):
            some = [r[period] for r in rows if r.get("last") == last]
            middle = [r["quartiles"][1] for r in some]
            stronger = mean(r["stronger"] for r in some)
            medians.append(mean(middle))
            said.append(
                f"{last[1:]} x {last[1:]}, period {period}: {spread(middle)}, stronger in {stronger:.0%}"
            )
    # Random layers are one kind of weights, those that average another.
    averaging = [r["factors"]["2 along one"][1] < 1 for r in rows if "average" in r]
    outcome = holds(max(medians) < 0.8)
    if outcome == "refuted" and all(averaging):
        outcome = "depends on the weights"
    return verdict(outcome, "; ".join(said))


def _average(rows: Rows) -> dict[str, str]:
    exact = max(row["deviation"] for row in rows)
    said, good = [], exact <= EXACT
    for row in rows:
        k, seen = int(row["average"][1:]), row["factors"]
        for period in (2, 4):
            one, both = seen[f"{period} along one"], seen[f"{period} along both"]
            if k % 2:
                good &= abs(one[1] - 1 / k) < 1e-3 and abs(both[0] - 1 / k**2) < 1e-3
            elif k % period == 0:
                good &= max(one[1], both[1]) < 1e-3
        said.append(f"k{k}: period 2 {seen['2 along one'][1]:.2f}, period 4 {seen['4 along one'][1]:.2f}")
    return verdict(
        holds(bool(good)), "; ".join(said) + f" along one axis; within {exact:.1g} of the response"
    )
