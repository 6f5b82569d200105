"""Verdicts of second-order, from its rows alone."""

from __future__ import annotations

from statistics import mean, median
from typing import Any

from lab.claims import OPEN, holds, spread, verdict

Row = dict[str, Any]

#: Inputs that are Gaussian, for which the prediction is exact.
GAUSSIAN = ("white", "1/f")

#: Nonlinearities that turn unequal variances into unequal means.
BENT = ("ReLU", "LeakyReLU 0.2", "GELU", "square")


def of(rows: list[Row], kind: str, **wanted: Any) -> list[Row]:
    return [r for r in rows if r["kind"] == kind and all(r[k] == v for k, v in wanted.items())]


def pairs(rows: list[Row], drives: tuple[str, ...], functions: tuple[str, ...]) -> list[tuple[float, float]]:
    """(predicted, measured) grey levels."""
    chosen = [r for r in of(rows, "law") if r["drive"] in drives]
    return [(r["predicted"][f], r["measured"][f]) for r in chosen for f in functions]


def conclude(rows: list[Row], config: Row) -> dict[str, dict[str, str]]:
    """One verdict per claim of config.toml."""
    return {
        "variances": variances(rows),
        "linear": linear(rows, config),
        "law": law(rows),
        "odd": odd(rows, config),
        "order": order(rows),
        "cure": cure(rows),
        "deeper": deeper(rows),
        "generator": generator(rows, config),
        "trained": trained(rows),
        "released": released(rows),
    }


def variances(rows: list[Row]) -> dict[str, str]:
    seen = [r for r in of(rows, "law") if "spread" in r]
    worst = max(abs(r["spread"][0] - r["spread"][1]) for r in seen)
    white: dict[str, list[float]] = {}
    for r in seen:
        if r["drive"] == "white":
            white.setdefault(r["layer"], []).append(r["spread"][1])
    said = ", ".join(f"{layer} {spread(values, 3)}" for layer, values in white.items())
    return verdict(
        holds(worst <= 0.005), f"on white noise: {said}; off the prediction by at most {worst:.4f}"
    )


def linear(rows: list[Row], config: Row) -> dict[str, str]:
    drives = tuple(d for d in config["drives"] if d != "constant")
    without = max(m for _, m in pairs(rows, drives, ("identity",)))
    constant = max((m for _, m in pairs(rows, ("constant",), ("identity", *BENT))), default=0.0)
    low = max(without, constant) < config["visible"]
    said = f"at most {without:.2f} levels without a nonlinearity, {constant:.2f} on constants with any"
    return verdict(holds(low), said)


def law(rows: list[Row]) -> dict[str, str]:
    gaussian = pairs(rows, GAUSSIAN, BENT)
    close = mean(abs(m - p) <= 0.1 * p + 0.3 for p, m in gaussian)
    ratio = median(m / p for p, m in gaussian if p >= 1)
    real = [m / p for p, m in pairs(rows, ("photographs",), BENT) if p >= 1]
    said = f"{close:.0%} of noise cases within; median of measured over predicted {ratio:.2f}" + (
        f"; on photographs {median(real):.2f}, from {min(real):.2f} to {max(real):.2f}" if real else ""
    )
    agree = close >= 0.95 and all(0.5 <= ratio <= 1.5 for ratio in real)
    return verdict(holds(agree), said)


def odd(rows: list[Row], config: Row) -> dict[str, str]:
    noise = [m for _, m in pairs(rows, GAUSSIAN, ("tanh",))]
    real = [m for _, m in pairs(rows, ("photographs",), ("tanh",))]
    said = f"at most {max(noise):.2f} levels on noise, {max(real, default=0.0):.2f} on photographs"
    return verdict(holds(max(noise) < config["visible"]), said)


def order(rows: list[Row]) -> dict[str, str]:
    """ReLU, levels relative to the transposed convolution of order 1."""
    ratios, said = {}, []
    for drive in dict.fromkeys(r["drive"] for r in of(rows, "law") if r["drive"] != "constant"):
        levels = {
            layer: mean(r["measured"]["ReLU"] for r in of(rows, "law", drive=drive, layer=layer))
            for layer in ("smooth k4", "smooth k4 order 2", "smooth k6 order 3", "nearest", "linear")
        }
        first = levels["smooth k4"]
        ratios[drive] = [levels["smooth k4 order 2"] / first, levels["smooth k6 order 3"] / first]
        said.append(
            f"{drive}: order 1 {first:.2f} levels, 2 {levels['smooth k4 order 2']:.2f}, "
            f"3 {levels['smooth k6 order 3']:.2f}, nearest {levels['nearest']:.2f}, "
            f"linear {levels['linear']:.2f}"
        )
    white, smooth = min(ratios["white"]), [r for d, r in ratios.items() if d != "white"]
    agree = white >= 0.67 and all(two <= 0.8 and three <= 0.5 for two, three in smooth)
    return verdict(holds(agree), "; ".join(said))


def cured(rows: list[Row], depth: int) -> dict[str, list[float]]:
    """name -> levels, of all drives and seeds."""
    seen = of(rows, "cures", depth=depth)
    return {name: [r["cures"][name] for r in seen] for name in seen[0]["cures"]}


def cure(rows: list[Row]) -> dict[str, str]:
    levels = cured(rows, 1)
    base = mean(levels["as it is"])
    gone = {name: base / max(0.01, mean(seen)) for name, seen in levels.items() if name != "as it is"}
    agree = all(gone[n] >= 8 for n in ("sub-pixel ICNR", "norm of each phase", "hold after")) and (
        gone["hold before"] >= 2
    )
    said = ", ".join(f"{name} {mean(levels[name]):.2f}" for name in gone)
    return verdict(holds(agree), f"nearest {base:.2f} levels; {said}")


def deeper(rows: list[Row]) -> dict[str, str]:
    one, two = cured(rows, 1), cured(rows, 2)
    base = mean(two["as it is"])
    icnr = mean(two["sub-pixel ICNR"]) / mean(one["as it is"])
    agree = (
        icnr >= 0.5
        and mean(two["hold after"]) <= base / 2
        and mean(two["hold after, order 1"]) <= base / 4
        and mean(two["hold after, order 2"]) <= base / 6
    )
    said = ", ".join(f"{name} {mean(seen):.2f}" for name, seen in two.items() if name != "as it is")
    return verdict(holds(agree), f"nearest {base:.2f} levels; {said}")


def generator(rows: list[Row], config: Row) -> dict[str, str]:
    seen = {s: [r["amplitude_4"] for r in of(rows, "generator", swap=s)] for s in config["swaps"]}
    base = of(rows, "generator", swap="as it is")
    ratio = median(r["amplitude_4"] / r["predicted_4"] for r in base)
    whole = mean(seen["as it is"])
    agree = (
        0.75 <= ratio <= 1.33
        and mean(seen["identity for ReLU"]) < config["visible"]
        and mean(seen["linear"]) <= whole / 3
        and abs(mean(seen["means evened"]) / whole - 1) <= 0.1
        and mean(seen["variances evened"]) <= whole / 5
    )
    said = ", ".join(f"{name} {spread(levels)}" for name, levels in seen.items())
    predicted = spread(r["predicted_4"] for r in base)
    return verdict(holds(agree), f"{said} levels; predicted {predicted}, measured {ratio:.2f} of it")


def trained(rows: list[Row]) -> dict[str, str]:
    """Style networks with resize-convolutions: levels shared by all pictures."""
    seen = [r["levels"] for r in of(rows, "style")]
    agree = [
        s["means evened"][0] >= 0.5 * s["as it is"][0] and s["variances evened"][0] <= 0.5 * s["as it is"][0]
        for s in seen
    ]
    said = "; ".join(f"{k} " + ", ".join(f"{s[k][0]:.2f}" for s in seen) for k in seen[0])
    outcome = "depends on the seed" if any(agree) and not all(agree) else holds(all(agree))
    return verdict(outcome, f"{said} levels")


def released(rows: list[Row]) -> dict[str, str]:
    seen = {r["network"]: r["amplitudes"] for r in of(rows, "released")}
    if not seen:
        return verdict(OPEN, "the released networks are not at hand")
    agree = [
        a["means evened"] >= 0.5 * a["as it is"] and a["variances evened"] <= 0.3 * a["as it is"]
        for a in seen.values()
    ]
    there = {r["network"]: r["there"] for r in of(rows, "released")}
    said = "; ".join(
        f"{n}{'' if there[n] else ' (no significant lattice)'}: "
        + ", ".join(f"{k} {v:.2f}" for k, v in a.items())
        for n, a in seen.items()
    )
    if any(agree) and not all(agree):
        return verdict("depends on the network", f"{said} levels")
    return verdict(holds(all(agree)), f"{said} levels")
