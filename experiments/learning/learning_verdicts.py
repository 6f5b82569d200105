"""What the rows say of each claim. "After" is the mean over the second half of the steps."""

from __future__ import annotations

from statistics import mean
from typing import Any

from lab.claims import holds, spread, verdict
from lab.curves import PowerLaw, late, power_law

Rows = list[dict[str, Any]]
PARTS = ("spread_first", "spread_second")
#: Values of one kernel and seed count as zero below it, grey levels.
NOTHING = 0.01
#: How much longer a training the power laws are carried on to.
AHEAD = 100


def of(rows: Rows, kernel: int, tied: bool = False) -> Rows:
    return [row for row in rows if row["kernel"] == kernel and row["tied"] == tied]


def laws(rows: Rows, key: str, config: dict[str, Any]) -> list[PowerLaw]:
    return [power_law(row["steps"], row[key], start=config["fit_from"]) for row in rows]


def ahead(rows: Rows, key: str, config: dict[str, Any]) -> list[float]:
    """What the power laws expect at a hundred times as many steps."""
    last = rows[0]["steps"][-1]
    return [law.at(AHEAD * last) for law in laws(rows, key, config)]


def fitted(rows: Rows, key: str, config: dict[str, Any]) -> str:
    """Exponent and floor over the seeds, and where the law leads."""
    found = laws(rows, key, config)
    return (
        f"exponent {spread(f.exponent for f in found)}, floor {spread(f.floor for f in found)}, "
        f"{spread(ahead(rows, key, config))} expected after {AHEAD} times as many steps"
    )


def nearest(row: dict[str, Any], step: float) -> int:
    """Index of the measurement next to a step."""
    return min(range(len(row["steps"])), key=lambda i: abs(row["steps"][i] - step))


def conclude(rows: Rows, config: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Each claim by the thresholds of its prediction."""
    return {
        "even": even(of(rows, 3), config),
        "free": free(rows, config),
        "longer": longer(rows, config),
        "fourfold": fourfold(rows, config),
        "settling": settling(rows),
        "capacity": capacity(rows),
        "tied": nothing(rows, config),
    }


def even(k3: Rows, config: dict[str, Any]) -> dict[str, str]:
    uneven = [
        all(late(row, part) >= 0.5 for row in k3) and mean(ahead(k3, part, config)) >= 0.4 for part in PARTS
    ]
    said = "; ".join(
        f"gain spread of the {part.split('_')[1]} layer {spread(r[part][0] for r in k3)} before, "
        f"{spread(late(r, part) for r in k3)} after, {fitted(k3, part, config)}"
        for part in PARTS
    )
    peak, after = spread(max(r["flat"]) for r in k3), spread(late(r, "flat") for r in k3)
    levels = f"while the lattice on flat colour falls from {peak} at its highest to {after} levels"
    # The article's "struggles": uneven still, and not on its way to even.
    outcome = holds(all(uneven)) if uneven[0] == uneven[1] else "depends on the layer"
    return verdict(outcome, f"{said}; {levels}")


def free(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    k2, k3, k4 = (of(rows, kernel) for kernel in (2, 3, 4))
    # The article speaks of what is seen; the gain spreads that were predicted, too, are told beside it.
    seen = all(late(row, "flat") >= config["visible"] for row in k2 + k4)
    said = "; ".join(
        f"k{kernel}: gain spreads {spread(late(r, PARTS[0]) for r in some)} and "
        f"{spread(late(r, PARTS[1]) for r in some)}, {spread(late(r, 'flat') for r in some)} levels on flat "
        f"colour, {spread(late(r, 'shared') for r in some)} in the mean of the held-out pictures"
        for kernel, some in ((2, k2), (4, k4), (3, k3))
    )
    return verdict(holds(seen), said)


def longer(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    """Whether eight times as many steps still halve it, and where its power law ends."""
    said, stalls = [], []
    for kernel in config["kernels"]:
        some = of(rows, kernel)
        thousand = mean(r["flat"][nearest(r, r["steps"][-1] / 8)] for r in some)
        after = mean(late(r, "flat") for r in some)
        later = mean(ahead(some, "flat", config))
        stalls.append(after > thousand / 2 and later >= config["visible"])
        said.append(
            f"k{kernel}: on flat colour {spread(max(r['flat']) for r in some)} levels at the highest, "
            f"{thousand:.2f} at an eighth of the steps, {after:.2f} after, {fitted(some, 'flat', config)}"
        )
    # The claim is that it goes away.
    outcome = "depends on the kernel" if any(stalls) and not all(stalls) else holds(not any(stalls))
    return verdict(outcome, "; ".join(said))


def joined(row: dict[str, Any], key: str) -> list[float]:
    """The curve of both parts of a longer training."""
    return [*row[key], *row["longer"][key]]


def fourfold(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    """Whether what eight times longer than the first fall leaves goes away in four times as many steps."""
    said, there = [], []
    for kernel in config["longer_kernels"]:
        some = of(rows, kernel)
        for key, name in (("flat", "on flat colour"), ("shared", "in the mean")):
            ratios = [late(r["longer"], key) / max(late(r, key), NOTHING) for r in some]
            found = [power_law(joined(r, "steps"), joined(r, key), start=config["fit_late"]) for r in some]
            there += [late(r["longer"], key) >= config["visible"] for r in some]
            said.append(
                f"k{kernel} {name} {spread(late(r['longer'], key) for r in some)} levels, "
                f"{spread(ratios)} times as much; from step {config['fit_late']} on exponent "
                f"{spread(f.exponent for f in found)}, floor {spread(f.floor for f in found)}"
            )
    # The claim is that it goes away.
    outcome = "depends on the network" if any(there) and not all(there) else holds(not any(there))
    return verdict(outcome, "; ".join(said))


def settling(rows: Rows) -> dict[str, str]:
    said, gone, moved = [], [], []
    for kernel in (2, 3, 4):
        some = of(rows, kernel)
        before, after = (mean(late(r, "flat") for r in some), mean(r["settled"]["flat"] for r in some))
        moved += [abs(r["settled"][part] - r[part][-1]) for r in some for part in PARTS]
        gone.append(after < 0.1)
        said.append(
            f"k{kernel}: {before:.2f} levels on flat colour to {spread(r['settled']['flat'] for r in some)}"
        )
    # The claim is that it goes away when the steps become small.
    outcome = "depends on the kernel" if any(gone) and not all(gone) else holds(all(gone))
    return verdict(outcome, f"{'; '.join(said)}; no gain spread moved by more than {max(moved):.3f}")


def costs(rows: Rows, kernel: int) -> list[float]:
    """Per seed: how much more the tied network loses on held-out pictures, after settling."""
    pairs = zip(of(rows, kernel, True), of(rows, kernel), strict=True)
    return [tied["settled"]["loss"] / free["settled"]["loss"] - 1 for tied, free in pairs]


def training_costs(rows: Rows, kernel: int) -> list[float]:
    """The same of the training loss in the second half of the steps."""
    pairs = zip(of(rows, kernel, True), of(rows, kernel), strict=True)
    return [late(tied, "training_loss") / late(free, "training_loss") - 1 for tied, free in pairs]


def capacity(rows: Rows) -> dict[str, str]:
    found = {kernel: costs(rows, kernel) for kernel in (2, 3, 4)}
    dear = {kernel: mean(values) > 0.02 for kernel, values in found.items()}
    outcome = "depends on the kernel" if len(set(dear.values())) > 1 else holds(all(dear.values()))
    said = (
        f"k{kernel}: {spread(100 * v for v in values)} % (in training "
        f"{spread(100 * v for v in training_costs(rows, kernel))} %)"
        for kernel, values in found.items()
    )
    return verdict(outcome, f"held-out loss of tied over free: {', '.join(said)}")


def nothing(rows: Rows, config: dict[str, Any]) -> dict[str, str]:
    some = [row for row in rows if row["tied"]]
    flat = max(max(row["flat"]) for row in some)
    clean = all(late(row, "shared") < config["visible"] for row in some)
    said = "; ".join(
        f"k{kernel}: {spread(late(r, 'strengths') for r in of(rows, kernel, True))} levels in one held-out "
        f"picture, {spread(late(r, 'shared') for r in of(rows, kernel, True))} in the mean"
        for kernel in (2, 3, 4)
    )
    outcome = holds(flat < NOTHING) if clean or flat >= NOTHING else "depends on the order"
    return verdict(outcome, f"at most {flat:.3f} levels on flat colour; {said}")
