"""Verdicts on gradients, from the rows alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lab.claims import OPEN, holds, spread, verdict

Rows = list[dict[str, Any]]

STRIDED = ("stride 2 k3", "stride 2 k4", "stride 2 k5")
EVEN = ("average 2", "BlurPool", "BlurConv k3", "MaxBlurPool 3")
PLAIN, TWICE = "stride 1 k3", "stride 2 k3 twice"


def of(rows: Rows, name: str) -> Rows:
    return [row for row in rows if row.get("network") == name]


def level(seen: dict[str, Any], kind: str = "signed", period: int = 2) -> float:
    """Levels of one period in a gradient; 0 where none was found."""
    return float(seen[kind].get(str(period), 0.0))


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def verdicts(rows: Rows, config: dict[str, Any]) -> dict[str, dict[str, str]]:
    """All claims; "open" for those whose networks were not measured."""
    classifiers = [row for row in rows if "network" in row]
    games = [row for row in rows if "maker" in row]
    out = {}
    claims: dict[str, Callable[[Rows, dict[str, Any]], dict[str, str]]] = {
        "strided": _strided,
        "training": _training,
        "favoured": _favoured,
        "scales": _scales,
        "max": _max,
        "flat": _flat,
        "cure": _cure,
        "visualisation": _visualisation,
    }
    for name, judge in claims.items():
        out[name] = _tried(judge, classifiers, config)
    out["pictures"] = _pictures([row for row in rows if "article" in row])
    out["inherited"] = _tried(_inherited, games, config)
    out["resized"] = _tried(_resized, games, config)
    out["border"] = _tried(_border, games, config)
    out["steps"] = _tried(_steps, games, config)
    return out


def _tried(judge: Any, rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    try:
        return judge(rows, config)
    except _Missing as missing:
        return verdict(OPEN, f"{missing} not measured")


class _Missing(Exception):
    pass


def _seen(rows: Rows, names: Sequence[str]) -> dict[str, Rows]:
    found = {name: of(rows, name) for name in names}
    for name, some in found.items():
        if not some:
            raise _Missing(name)
    return found


def _levels(seen: dict[str, Rows], when: str, kind: str = "signed", period: int = 2) -> str:
    return ", ".join(
        f"{name} {spread((level(r[when], kind, period) for r in some), 1)}" for name, some in seen.items()
    )


def _strided(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    seen, plain = _seen(rows, STRIDED), of(rows, PLAIN)
    every = [row for some in seen.values() for row in some]
    good = all(level(r[when]) >= config["strong"] for r in every for when in ("before", "after"))
    clean = all(not r[when]["signed"] for r in plain for when in ("before", "after"))
    least = {name: min(level(r["after"]) for r in some) for name, some in seen.items()}
    outcome = holds(good and clean)
    if clean and not good and min(least.values()) > 0 and max(least.values()) >= config["strong"]:
        outcome = "depends on the kernel size"
    highest = max(max(r[when]["signed"].values(), default=0.0) for r in plain for when in ("before", "after"))
    said = (
        f"before: {_levels(seen, 'before')}; after: {_levels(seen, 'after')}; stride 1 at most {highest:.1f}"
    )
    said += "; least after: " + ", ".join(f"{name} {value:.1f}" for name, value in least.items())
    return verdict(outcome, said)


def _training(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    seen = _seen(rows, STRIDED)
    each = {n: [level(r["after"]) / max(level(r["before"]), 1e-9) for r in some] for n, some in seen.items()}
    ratios = [ratio for some in each.values() for ratio in some]
    said = "; ".join(f"{name} {spread(some)} times" for name, some in each.items())
    return verdict(holds(0.5 <= mean(ratios) <= 1.5), said)


def _favoured(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    seen = _seen(rows, (*STRIDED, PLAIN))
    after = {name: [r["after"]["favoured"] for r in some] for name, some in seen.items()}
    many = [name for name in STRIDED if mean(after[name]) >= 2]
    said = "; ".join(f"{name} {spread(some)}" for name, some in after.items())
    before = "; ".join(f"{n} {spread(r['before']['favoured'] for r in some)}" for n, some in seen.items())
    outcome = holds(len(many) == len(STRIDED) and mean(after[PLAIN]) < 1.05)
    if 0 < len(many) < len(STRIDED):
        outcome = "depends on the kernel size"
    return verdict(outcome, f"times the gradient, trained: {said}; untrained: {before}")


def _scales(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    seen = _seen(rows, (TWICE, STRIDED[0]))
    both = all(level(r["after"], period=p) >= 5 for r in seen[TWICE] for p in (2, 4))
    one = all(level(r["after"], period=4) < config["faint"] for r in seen[STRIDED[0]])
    said = "; ".join(f"period {p}: {_levels(seen, 'after', period=p)}" for p in (2, 4))
    return verdict(holds(both and one), said)


def _max(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    seen = _seen(rows, ("max 3 s2", "max 2"))
    overlapping = [level(r["after"]) for r in seen["max 3 s2"]]
    apart = [level(r["after"]) for r in seen["max 2"]]
    outcome = holds(min(overlapping) >= 5 and min(apart) >= 5)
    if min(overlapping) >= 5 and max(apart) < 2:
        outcome = "depends on whether the windows overlap"
    said = (
        f"signed, trained: {_levels(seen, 'after')}; of the magnitude: {_levels(seen, 'after', 'magnitude')}"
    )
    return verdict(outcome, said)


def _flat(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    seen = _seen(rows, ("max 2", "stride 2 k3", "average 2", "BlurPool", "MaxBlurPool 3"))
    good = all(level(r["flat"]) >= 20 for r in seen["max 2"])
    even = all(
        level(r["flat"]) < config["faint"]
        for n in ("average 2", "BlurPool", "MaxBlurPool 3")
        for r in seen[n]
    )
    return verdict(holds(good and even), _levels(seen, "flat"))


def _cure(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    seen = _seen(rows, EVEN)
    good = all(
        level(r[when]) < (3 if name.startswith("Max") else config["faint"])
        and level(r[when], "magnitude") <= 10
        for name, some in seen.items()
        for r in some
        for when in ("before", "after")
    )
    said = (
        f"signed, trained: {_levels(seen, 'after')}; of the magnitude: {_levels(seen, 'after', 'magnitude')}"
    )
    return verdict(holds(good), said)


def _visualisation(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    seen = _seen(rows, (*STRIDED, PLAIN))
    made = {
        kind: {name: [r[kind]["amplitude_2"] for r in some] for name, some in seen.items()}
        for kind in ("fixed", "jittered")
    }
    fixed = [value for name in STRIDED for value in made["fixed"][name]]
    jittered = [value for name in STRIDED for value in made["jittered"][name]]
    good = min(fixed) >= config["strong"] and mean(jittered) < mean(fixed) / 4
    plain = mean(made["fixed"][PLAIN]) < mean(fixed) / 4
    said = "; ".join(
        f"{kind}: " + ", ".join(f"{name} {spread(values, 1)}" for name, values in some.items())
        for kind, some in made.items()
    )
    return verdict(holds(good and plain), said + " levels")


def _pictures(rows: Rows) -> dict[str, str]:
    if not rows:
        return verdict(OPEN, "the article's pictures are not at hand")
    said = "; ".join(
        f"{r['article'].removesuffix('.png')}: period 2 {r['lattice']['amplitude_2']:.1f}, "
        f"period 4 {r['lattice']['amplitude_4']:.1f} levels"
        for r in rows
    )
    good = all((r["lattice"]["amplitude_2"] > 0) == ("0x0" in r["article"]) for r in rows)
    return verdict(holds(good), said)


def _ends(games: Rows, maker: str, discriminator: str, period: int = 2) -> list[float]:
    found = [
        r["end"][f"amplitude_{period}"]
        for r in games
        if r["maker"] == maker and r["discriminator"] == discriminator
    ]
    if not found:
        raise _Missing(f"{maker} against {discriminator}")
    return found


def _inherited(games: Rows, config: dict[str, Any]) -> dict[str, str]:
    good, said = [], []
    for maker in ("pixels", "sub-pixel ICNR"):
        strided, plain = _ends(games, maker, STRIDED[0]), _ends(games, maker, PLAIN)
        twice = _ends(games, maker, TWICE, 4)
        once = _ends(games, maker, PLAIN, 4)
        good += [min(strided) >= 1 and mean(strided) >= 5 * mean(plain) and min(twice) >= 1]
        said.append(
            f"{maker}: period 2 {spread(strided)} levels against k3 s2, {spread(plain)} against stride 1; "
            f"period 4 {spread(twice)} against two, {spread(once)} against stride 1"
        )
    outcome = holds(all(good))
    if any(good) and not all(good):
        outcome = "depends on the generator"
    return verdict(outcome, "; ".join(said))


def _resized(games: Rows, config: dict[str, Any]) -> dict[str, str]:
    resized = _ends(games, "nearest", STRIDED[0])
    blurred, plain = _ends(games, "pixels", "BlurConv k3"), _ends(games, "pixels", PLAIN)
    out, blind = max(resized) < 1, mean(blurred) <= 2 * mean(plain)
    outcome = holds(out and blind)
    if out and not blind:
        outcome = "depends on whether the generator or the discriminator is cured"
    said = (
        f"resize-convolution against k3 s2 {spread(resized)} levels; "
        f"pixels against BlurConv {spread(blurred)}, against stride 1 {spread(plain)}"
    )
    return verdict(outcome, said)


def _border(games: Rows, config: dict[str, Any]) -> dict[str, str]:
    seen = {name: _ends(games, "pixels", f"{name} wrapped") for name in (PLAIN, STRIDED[0], "BlurConv k3")}
    good = mean(seen["BlurConv k3"]) <= 2 * mean(seen[PLAIN]) and mean(seen[STRIDED[0]]) >= 5
    said = ", ".join(f"{name} {spread(values)}" for name, values in seen.items())
    return verdict(holds(good), f"pixels, wrapped borders: {said} levels")


def _steps(games: Rows, config: dict[str, Any]) -> dict[str, str]:
    moved = {
        name: [r["moved"] for r in games if "moved" in r and r["discriminator"] == f"{name} wrapped"]
        for name in (PLAIN, STRIDED[0], "BlurConv k3")
    }
    if not all(moved.values()):
        raise _Missing("plain steps")
    good = max(moved["BlurConv k3"]) < 0.01 and min(moved[STRIDED[0]]) >= 1
    adam = _ends(games, "pixels", "BlurConv k3 wrapped")
    said = ", ".join(f"{name} at most {max(values):.2g}" for name, values in moved.items())
    return verdict(
        holds(good), f"phase means moved apart: {said} levels (with Adam BlurConv leaves {spread(adam)})"
    )
