"""The tables of docs/upsampling.md, from results/*.json alone, between their markers."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from candidates import CANDIDATES, PLAIN
from layer_cost import relative

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "upsampling.md"
Results = dict[str, dict[str, Any]]
#: Shared lattices weaker than this are not reported by uncheck.measure.
LEAST = 0.05


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(rendered(PAGE.read_text(), results()))


def results() -> Results:
    """What was measured, by part."""
    return {
        part: json.loads((HERE / "results" / f"{part}.json").read_text())
        for part in ("layers", "training", "cost")
    }


def rendered(text: str, measured: Results) -> str:
    """`text` with what lies between <!-- NAME --> and <!-- /NAME --> made anew."""
    for name, make in TABLES.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"docs/upsampling.md: no markers for the table {name}; add <!-- {name} -->")
        body = make(measured)
        text = pattern.sub(lambda m, body=body: f"{m[1]}{body}\n{m[2]}", text)
    return text


def table(head: list[str], rows: Iterable[list[Any]]) -> str:
    """In Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def runs(measured: Results, name: str, loss: str | None = None) -> list[dict[str, Any]]:
    """The trainings of one candidate."""
    rows = [r for r in measured["training"]["rows"] if r["candidate"] == name]
    return [r for r in rows if loss is None or r["loss"] == loss]


def stages(measured: Results, name: str, field: str, point: int) -> float:
    """Mean over both stages, the losses and the seeds; point 0 is the start, -1 the end."""
    return statistics.mean(s[field] for r in runs(measured, name) for s in r["points"][point]["stages"])


def per_layer(measured: Results) -> str:
    """Order and spreads."""
    rows = []
    for row in measured["layers"]["rows"]:
        name = row["candidate"]
        rows.append(
            [
                name,
                row["order"],
                share(row["gain_spread"]),
                share(stages(measured, name, "gain_spread", -1)),
                share(row["variance_spread"]),
                share(row["ripple_after_relu"]),
                share(stages(measured, name, "variance_spread", -1)),
                share(stages(measured, name, "ripple_after_relu", -1)),
                f"{row['output_variance']:.2f}",
            ]
        )
    head = ["upsampling", "order", "gains, start", "gains, trained", "variances on noise, start"]
    head += ["after ReLU on noise, start", "variances, trained", "after ReLU, trained", "output variance"]
    return table(head, rows)


def lattices(measured: Results) -> str:
    """On held-out photographs and on flat colour."""
    rows = []
    for c in CANDIDATES:
        ends = {loss: runs(measured, c.name, loss) for loss in measured["training"]["settings"]["losses"]}
        start = runs(measured, c.name)
        row = [c.name, levels(r["points"][0]["shared"] for r in start)]
        for of_loss in ends.values():
            row.append(levels(r["points"][-1]["shared"] for r in of_loss))
        for of_loss in ends.values():
            single = [s for r in of_loss for s in r["points"][-1]["strengths"]]
            row.append(
                f"{sum(s > 0 for s in single)} of {len(single)}"
                + (f", {max(single):.1f}" if any(single) else "")
            )
        row.append(f"{max(r['points'][-1]['flat'] for r in start):.2f}")
        rows.append(row)
    losses = list(measured["training"]["settings"]["losses"])
    head = ["upsampling", "start", *(f"trained, {x}" for x in losses)]
    head += [*(f"pictures, strongest, {x}" for x in losses), "flat colour"]
    return table(head, rows)


def levels(values: Iterable[float]) -> str:
    """Mean and range."""
    found = list(values)
    if max(found) < LEAST:
        return "none"
    if len(found) == 1:
        return f"{found[0]:.2f}"
    return f"{statistics.mean(found):.2f} ({min(found):.2f} to {max(found):.2f})"


def share(value: float) -> str:
    """A spread; rounding of float32 is nothing."""
    return "0" if value < 5e-4 else f"{value:.2f}" if value >= 0.005 else "< 0.01"


def error_and_cost(measured: Results) -> str:
    """PSNR, multiplications, time, memory."""
    losses = list(measured["training"]["settings"]["losses"])
    cost = measured["cost"]
    rows = []
    for c in (*CANDIDATES, *PLAIN):
        timed = c.timed or c.name
        psnr = [
            f"{statistics.mean(r['points'][-1]['psnr'] for r in of):.2f}"
            if (of := runs(measured, c.name, loss))
            else ""
            for loss in losses
        ]
        rows.append(
            [
                c.name,
                *psnr,
                c.multiplications,
                *(f"{relative(cost, timed, training, 'ms'):.2f}" for training in (False, True)),
                *(f"{relative(cost, timed, training, 'peak_mib'):.2f}" for training in (False, True)),
            ]
        )
    head = ["upsampling", *(f"PSNR, {x}" for x in losses), "multiplications", "time", "time, both passes"]
    head += ["peak memory", "peak memory, both passes"]
    return table(head, rows)


def milliseconds(measured: Results) -> str:
    """Times by shape."""
    cost = measured["cost"]
    shapes = sorted({tuple(r["shape"]) for r in cost["rows"]})
    cells = {(r["candidate"], tuple(r["shape"]), r["training"]): r["ms"] for r in cost["rows"]}
    rows = [
        [c.name, *(f"{cells[c.name, s, False]:.2f} / {cells[c.name, s, True]:.2f}" for s in shapes)]
        for c in (*CANDIDATES, *PLAIN)
        if c.timed is None
    ]
    return table(["layer", *(f"{b} x {w} x {n} x {n}" for b, w, n in shapes)], rows)


def curve(loss: str) -> Callable[[Results], str]:
    """The shared lattice over the steps."""

    def make(measured: Results) -> str:
        rows = []
        for c in CANDIDATES:
            of = runs(measured, c.name, loss)
            means = [
                statistics.mean(p["shared"] for p in at)
                for at in zip(*(r["points"] for r in of), strict=True)
            ]
            rows.append([c.name, *("none" if m < LEAST / 2 else f"{m:.2f}" for m in means)])
        steps = [p["step"] for p in runs(measured, CANDIDATES[0].name)[0]["points"]]
        return table(["steps", *steps], rows)

    return make


def made_with(measured: Results) -> str:
    """Versions, machine and dates."""
    lines = []
    for part, result in measured.items():
        machine = result["machine"]
        versions = ", ".join(f"{k} {v}" for k, v in machine["versions"].items())
        lines.append(
            f"- {part}: {machine['date']}, {machine['processor']}, {machine['cores']} cores, "
            f"Python {machine['python']}, {versions}; {result['seconds']:.0f} s."
        )
    return "\n".join(lines)


TABLES: dict[str, Callable[[Results], str]] = {
    "per_layer": per_layer,
    "lattices": lattices,
    "error_and_cost": error_and_cost,
    "curve_l1": curve("L1"),
    "curve_texture": curve("L1 + texture"),
    "milliseconds": milliseconds,
    "made_with": made_with,
}


if __name__ == "__main__":
    main()
