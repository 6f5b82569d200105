"""Verdicts of bright-colours, from its rows alone."""

from __future__ import annotations

from statistics import mean
from typing import Any

from lab.claims import OPEN, holds, spread, verdict

Row = dict[str, Any]

#: Below this p-value a slope counts.
SURE = 1e-3


def of(rows: list[Row], kind: str, **wanted: Any) -> list[Row]:
    return [r for r in rows if r["kind"] == kind and all(r[k] == v for k, v in wanted.items())]


def rises(against: Row) -> bool:
    return bool(against["slope"] > 0 and against["p"] < SURE)


def said_of(seen: list[Row], which: str) -> str:
    chosen = [r["dependence"][which] for r in seen]
    return (
        f"slope {spread((a['slope'] for a in chosen), 3)} levels per level, "
        f"correlation {spread(a['correlation'] for a in chosen)}"
    )


def conclude(rows: list[Row], config: Row) -> dict[str, dict[str, str]]:
    """One verdict per claim of config.toml."""
    untrained, trained = of(rows, "generator", trained=False), of(rows, "generator", trained=True)
    return {
        "trained": from_the_mean(trained, expected=True),
        "untrained": from_the_mean(untrained, expected=False),
        "average": average(untrained, trained),
        "before_tanh": before_tanh(trained),
        "gans": gans(of(rows, "gan")),
        "gans_before_tanh": gans_before_tanh(of(rows, "gan")),
        "activations": activations(untrained + trained),
        "saturation": saturation(untrained + trained),
        "phases": phases(rows, config),
        "released": released(rows),
        "flat": flat(rows),
    }


def from_the_mean(seen: list[Row], *, expected: bool) -> dict[str, str]:
    """Whether the lattice grows with the distance from the mean colour in every network, or in none."""
    found = [rises(r["dependence"]["from_mean"]) for r in seen]
    near = spread(r["dependence"]["from_mean"]["near_over_far"] or 0.0 for r in seen)
    amplitude = spread(r["dependence"]["amplitude"] for r in seen)
    said = (
        f"in {sum(found)} of {len(found)}; {said_of(seen, 'from_mean')}; nearest bin over farthest {near}; "
        f"{amplitude} levels in all"
    )
    if any(found) and not all(found):
        return verdict("depends on the seed", said)
    return verdict(holds(all(found) == expected), said)


def average(untrained: list[Row], trained: list[Row]) -> dict[str, str]:
    """Which distance tells more: from the mean colour or from that of the bias alone."""

    def gap(seen: list[Row]) -> list[float]:
        both = [(r["dependence"]["from_bias"], r["dependence"]["from_mean"]) for r in seen]
        return [b["correlation"] - m["correlation"] for b, m in both]

    agree = [all(g > 0 for g in gap(untrained)), all(g < 0 for g in gap(trained))]
    apart = spread((r["dependence"]["bias_to_mean"] for r in trained), 1)
    said = (
        f"from the bias' colour, untrained: {said_of(untrained, 'from_bias')}; trained: "
        f"{said_of(trained, 'from_bias')}; {apart} levels from the mean colour when trained"
    )
    return verdict("depends on training" if agree == [True, False] else holds(all(agree)), said)


def before_tanh(trained: list[Row]) -> dict[str, str]:
    """Whether the lattice grows with the distance from the bias' colour where nothing saturates."""
    seen = [{"dependence": r["before_tanh"]} for r in trained]
    found = [rises(r["dependence"]["from_bias"]) for r in seen]
    said = f"in {sum(found)} of {len(found)}; {said_of(seen, 'from_bias')}; from the mean colour " + said_of(
        seen, "from_mean"
    )
    return verdict("depends on the seed" if any(found) and not all(found) else holds(all(found)), said)


def gans(seen: list[Row]) -> dict[str, str]:
    """Whether most GANs show more of it far from the mean colour."""
    found = [rises(r["dependence"]["from_mean"]) for r in seen]
    amplitude = spread(r["dependence"]["amplitude"] for r in seen)
    said = f"in {sum(found)} of {len(found)}; {said_of(seen, 'from_mean')}; {amplitude} levels in all"
    return verdict(holds(sum(found) >= 0.75 * len(found)), said)


def gans_before_tanh(seen: list[Row]) -> dict[str, str]:
    """Whether it grows from the bias' colour where nothing saturates, more than from the mean colour."""
    before = [r["before_tanh"] for r in seen]
    own = [r["from_bias"]["correlation"] for r in before]
    agree = all(rises(r["from_bias"]) for r in before) and all(0.3 <= c <= 0.8 for c in own)
    closer = mean(own) > mean(r["from_mean"]["correlation"] for r in before)
    made = [{"dependence": r} for r in before]
    said = (
        f"in {sum(rises(r['from_bias']) for r in before)} of {len(before)}; {said_of(made, 'from_bias')}; "
        f"from the mean colour {said_of(made, 'from_mean')}"
    )
    return verdict(holds(agree and closer), said)


def activations(seen: list[Row]) -> dict[str, str]:
    """Before the tanh: amplitude per factor, and its change with the bias."""
    constant = []
    for row in seen:
        unit = next(a for f, _, a, _ in row["by_activations"] if f == 1)
        constant += [abs(a / (f * unit) - 1) for f, _, a, _ in row["by_activations"] if f]
    change = [abs(a / row["by_bias"][0][2] - 1) for row in seen for _, _, a, _ in row["by_bias"]]
    nothing = max(a for row in seen for f, _, a, _ in row["by_activations"] if f == 0)
    agree = max(constant) <= 0.01 and max(change) <= 0.01 and nothing <= 0.01
    said = (
        f"proportional to the activations within {max(constant):.1e}, changed by the bias by at most "
        f"{max(change):.1e}, {nothing:.3f} levels without activations"
    )
    return verdict(holds(agree), said)


def peak(curve: list[list[float]]) -> tuple[float, float, float]:
    """Distance at the largest amplitude behind the tanh; and the last amplitude over the largest."""
    best = max(curve, key=lambda point: point[3])
    return best[1], curve[-1][3] / best[3], best[3]


def saturation(seen: list[Row]) -> dict[str, str]:
    """Where the lattice behind the tanh is largest, and what is left at the end."""
    peaks = [peak(row["by_activations"]) for row in seen]
    left = [row["by_bias"][-1][3] / row["by_bias"][0][3] for row in seen]
    agree = all(last <= 0.7 for _, last, _ in peaks) and all(share <= 0.3 for share in left)
    said = (
        f"by activations it is largest {spread((p for p, *_ in peaks), 0)} levels away and falls to "
        f"{spread(last for _, last, _ in peaks)} of that; the largest shift of the bias leaves {spread(left)}"
    )
    return verdict(holds(agree), said)


def phases(rows: list[Row], config: Row) -> dict[str, str]:
    """Layers without activation; espcn_x3 the same way."""
    levels = {layer: [r["amplitude"] for r in of(rows, "zero", layer=layer)] for layer in config["layers"]}
    zero = {r["network"]: r["flat"]["zero"] for r in of(rows, "released") if "flat" in r}
    own = all((min(seen) >= 1) == (layer == "sub-pixel") for layer, seen in levels.items())
    none = all(max(seen) < 1e-3 for layer, seen in levels.items() if layer != "sub-pixel")
    theirs = all((value >= 0.1) == (name == "espcn_x3") for name, value in zero.items())
    said = ", ".join(f"{layer} {spread(seen)}" for layer, seen in levels.items()) + "".join(
        f", {name} {value:.2f}" for name, value in zero.items()
    )
    return verdict(holds(own and none and theirs), f"{said} levels")


def released(rows: list[Row]) -> dict[str, str]:
    """Slopes of the released networks."""
    seen = [r for r in of(rows, "released") if "from_mean" in r["dependence"]]
    if not seen:
        return verdict(OPEN, "the released networks are not at hand")
    found = {r["network"]: rises(r["dependence"]["from_mean"]) for r in seen}
    said = "; ".join(
        f"{r['network']} {r['dependence']['from_mean']['slope']:+.4f} "
        f"(p {r['dependence']['from_mean']['p']:.1g}, {r['dependence']['amplitude']:.2f} levels)"
        for r in seen
    )
    outcome = "depends on the network" if len(set(found.values())) == 2 else holds(all(found.values()))
    return verdict(outcome, f"slope in levels per level: {said}")


def correlation(pairs: list[tuple[float, float]]) -> float:
    centred = [[v - mean(values) for v in values] for values in zip(*pairs, strict=True)]
    size = [sum(v * v for v in values) ** 0.5 for values in centred]
    return sum(a * b for a, b in zip(*centred, strict=True)) / (size[0] * size[1] or 1.0)


def flat(rows: list[Row]) -> dict[str, str]:
    """On flat colours: does the distance from the mean colour tell the amplitude, or that from the bias'?"""
    seen = [r for r in of(rows, "released") if "flat" in r]
    if not seen:
        return verdict(OPEN, "the released networks are not at hand")
    found, said = [], []
    for row in seen:
        points = row["flat"]["points"]
        mean_, bias = (correlation([(p[i], p[2]) for p in points]) for i in (0, 1))
        found.append(bias > max(mean_, 0.5))
        said.append(
            f"{row['network']}: {mean_:+.2f} with the distance from the mean colour, "
            f"{bias:+.2f} with that from the bias'"
        )
    outcome = "depends on the network" if any(found) and not all(found) else holds(all(found))
    return verdict(outcome, "correlation " + "; ".join(said))
