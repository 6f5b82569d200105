"""The figures of the calibration, from results/*.json alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FIGURES = HERE / "figures"
#: Colours that stay apart for the colour-blind (Okabe and Ito).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")


def read(part: str) -> dict[str, Any] | None:
    """The result of one part, or None where it has not been made."""
    path = HERE / "results" / f"{part}.json"
    return json.loads(path.read_text()) if path.exists() else None


def main() -> None:
    """Draw what there are results for."""
    try:
        import matplotlib
    except ImportError as error:
        raise SystemExit("figures need matplotlib; pip install matplotlib") from error
    matplotlib.use("Agg")
    FIGURES.mkdir(exist_ok=True)
    for draw, part in (
        (false_alarms, "false_alarms"),
        (nominal, "false_alarms"),
        (detection, "detection"),
        (sets, "sets"),
        (comparison, "comparison"),
    ):
        result = read(part)
        if result and "skipped" not in result:
            figure = draw(result)
            figure.savefig(FIGURES / f"{draw.__name__}.png", dpi=110, metadata={"Software": None})


def false_alarms(result: dict[str, Any]) -> Any:
    """Rate of the verdict "lattice" by kind and treatment, with intervals."""
    from matplotlib.figure import Figure

    rows = list(reversed(result["default"]))
    figure = Figure(figsize=(8, 0.24 * len(rows) + 1.3), layout="constrained")
    axes = figure.subplots()
    for y, row in enumerate(rows):
        share, (low, high) = row["lattice"]["rate"], row["lattice"]["interval"]
        colour = COLOURS[0] if row["kind"] in ("photograph", "noise") else COLOURS[1]
        axes.plot([100 * low, 100 * high], [y, y], color=colour, alpha=0.4, lw=4, solid_capstyle="butt")
        axes.plot(100 * share, y, "o", color=colour, ms=4)
        axes.text(125, y, f"{row['lattice']['hits']}/{row['lattice']['of']}", fontsize=7, va="center")
    axes.axvline(1, color="black", lw=0.8, ls=":")
    axes.text(1, len(rows) - 0.3, "target 1 %", fontsize=7, ha="center", va="bottom")
    axes.set_yticks(range(len(rows)), [label(row) for row in rows], fontsize=7)
    axes.set_xscale("symlog", linthresh=1, linscale=0.6)
    axes.set_xticks([0, 0.5, 1, 5, 10, 50, 100], ["0", "0.5", "1", "5", "10", "50", "100"])
    axes.set_xlim(-0.03, 115)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlabel('pictures called "lattice" at the default setting, % (bars: 95 % if independent)')
    return figure


def label(row: dict[str, Any]) -> str:
    """Of a kind and treatment."""
    return row["kind"] if row["treatment"] == "made" else f"{row['kind']}, {row['treatment']}"


def nominal(result: dict[str, Any]) -> Any:
    """Nominal against observed rate without the threshold: on noise, and per period."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    curves = {k: v for k, v in result["nominal"].items() if k.startswith("noise")}
    others = {k: v for k, v in result["nominal"].items() if not k.startswith("noise")}
    for number, (name, curve) in enumerate([*curves.items(), *others.items()]):
        field = "any" if name in curves else "elsewhere"
        points = [(float(n), r["rate"], r["interval"]) for n, r in curve[field].items()]
        x = [n * (1 + 0.05 * (number - 4)) for n, _, _ in points]
        y = [max(r, 2e-4) for _, r, _ in points]
        bars = [
            [max(0.0, v - max(i[0], 2e-4)) for v, (_, _, i) in zip(y, points, strict=True)],
            [max(0.0, i[1] - v) for v, (_, _, i) in zip(y, points, strict=True)],
        ]
        style = "o" if name in curves else "s"
        left.errorbar(
            x,
            y,
            bars,
            fmt=style,
            ms=4,
            lw=0.8,
            color=COLOURS[number % 8],
            label=name,
            alpha=0.9,
            mfc=COLOURS[number % 8] if name in curves else "white",
        )
    left.plot([5e-4, 0.2], [5e-4, 0.2], color="black", lw=0.8, ls=":")
    left.set(xscale="log", yscale="log", xlabel="nominal rate per picture", ylabel="observed rate")
    left.set_title("noise; photographs away from known lines", fontsize=9)
    left.legend(fontsize=6, loc="lower right")
    left.set_xlim(2e-4, 1)
    seen: dict[int, list[float]] = {}
    for curve in curves.values():
        for period, count in curve["periods"]["0.1"].items():
            total = seen.setdefault(int(period), [0, 0.0])
            total[0] += count["observed"]
            total[1] += count["allowed"]
    periods = sorted(seen)
    ratio = [seen[p][0] / seen[p][1] for p in periods]
    spread = [1.96 * max(seen[p][0], 1) ** 0.5 / seen[p][1] for p in periods]
    right.errorbar(periods, ratio, spread, fmt="o", ms=4, lw=0.8, color=COLOURS[0])
    right.axhline(1, color="black", lw=0.8, ls=":")
    right.set(xlabel="period, pixels", ylabel="observed / nominal", ylim=(0, None))
    right.set_title("all noises, by period, nominal 0.1", fontsize=9)
    return figure


def detection(result: dict[str, Any]) -> Any:
    """Rate of detection by amplitude: periods, and ways to put a lattice in."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.5, 6.5), layout="constrained")
    axes = figure.subplots(2, 2)
    rows = result["first_order"]
    tiles = [r for r in rows if r["condition"] == "tile"]
    curves(axes[0, 0], "square tiles", [(f"period {r['period'][0]}", r) for r in tiles if square(r)])
    for place, period in ((axes[0, 1], 2), (axes[1, 0], 4), (axes[1, 1], 8)):
        mine = [(r["condition"], r) for r in rows if r["period"] == [period, period]]
        curves(place, f"period {period}", mine)
        wanted = next(t["wanted"] for t in result["targets"] if t["period"] == period)
        place.plot(wanted, 0.9, "*", color="black", ms=12, label="target")
        beside(place)
    return figure


def square(row: dict[str, Any]) -> bool:
    """Whether the period is the same along both axes."""
    return bool(row["period"][0] == row["period"][1])


def curves(axes: Any, title: str, rows: list[tuple[str, dict[str, Any]]]) -> None:
    """One curve each."""
    for number, (name, row) in enumerate(sorted(rows, key=lambda r: r[1]["period"])):
        style = "-" if number < len(COLOURS) else "--"
        colour = COLOURS[number % len(COLOURS)]
        axes.plot(row["amplitudes"], row["rates"], style, marker=".", color=colour, label=name, lw=1.2)
    axes.axhline(0.9, color="black", lw=0.8, ls=":")
    ticks = [0.125, 0.25, 0.5, 1, 2, 4, 8, 16]
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.set(title=title, xlabel="amplitude put in, grey levels", ylabel="found", ylim=(-0.03, 1.03))
    beside(axes)


def beside(axes: Any) -> None:
    """The legend, right of the curves."""
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)


def sets(result: dict[str, Any]) -> Any:
    """Rate of detection by amplitude in sets."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5, 3.5), layout="constrained")
    axes = figure.subplots()
    for row, colour in zip(result["detection"], COLOURS, strict=False):
        axes.plot(row["amplitudes"], row["rates"], marker=".", color=colour, label=f"period {row['period']}")
    axes.plot(0.1, 0.9, "*", color="black", ms=12, label="target, period 2")
    axes.axhline(0.9, color="black", lw=0.8, ls=":")
    ticks = [0.025, 0.05, 0.1, 0.2, 0.4]
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.set(xlabel="amplitude put in, grey levels", ylabel="found", ylim=(-0.03, 1.03))
    axes.set_title(f"sets of {result['size']} pictures", fontsize=10)
    axes.legend(fontsize=7)
    return figure


def comparison(result: dict[str, Any]) -> Any:
    """Area under the ROC curve, and detection at 1 % false alarms, for each measure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6.5), layout="constrained")
    axes = figure.subplots(2, 3, sharey="row")
    measures = list(result["rules"])
    for column, period in enumerate((2, 4, 8)):
        for number, measure in enumerate(measures):
            for pictures, style in (("uncompressed", "-"), ("JPEG", ":")):
                row = next(
                    r
                    for r in result["rows"]
                    if (r["pictures"], r["period"], r["measure"]) == (pictures, period, measure)
                )
                name = measure if pictures == "uncompressed" else None
                shared = {"ls": style, "marker": ".", "color": COLOURS[number], "label": name, "lw": 1.2}
                axes[0, column].plot(row["amplitudes"], row["auc"], **shared)
                axes[1, column].plot(row["amplitudes"], row["at_1_percent"], **shared)
        axes[0, column].set_title(f"period {period}", fontsize=10)
        for line in (0, 1):
            ticks = next(r["amplitudes"] for r in result["rows"] if r["period"] == period)
            axes[line, column].set_xscale("log")
            axes[line, column].set_xticks(ticks, [f"{t:g}" for t in ticks])
            axes[line, column].minorticks_off()
        axes[1, column].set_xlabel("amplitude put in, grey levels")
    axes[0, 0].set_ylabel("area under the ROC curve")
    axes[0, 0].set_ylim(0.45, 1.01)
    axes[1, 0].set_ylabel("found at 1 % false alarms")
    axes[1, 0].set_ylim(-0.03, 1.03)
    title = "solid: uncompressed, dotted: JPEG"
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(
        handles, names, loc="outside lower center", ncols=3, fontsize=8, title=title, title_fontsize=8
    )
    return figure


if __name__ == "__main__":
    main()
