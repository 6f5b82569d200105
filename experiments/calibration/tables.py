"""The tables of docs/calibration.md, from results/*.json alone, between their markers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import predictions
from figures import HERE, label, read
from intervals import rate

PAGE = HERE.parents[1] / "docs" / "calibration.md"


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(rendered(PAGE.read_text()))


def rendered(text: str) -> str:
    """`text` with what lies between <!-- NAME --> and <!-- /NAME --> made anew from the results."""
    for name, (part, make) in TABLES.items():
        result = read(part)
        if result is None:
            body = "Not run."
        elif "skipped" in result:
            body = f"Skipped: {result['skipped']}."
        else:
            body = make(result)
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"docs/calibration.md: no markers for the table {name}; add <!-- {name} -->")
        text = pattern.sub(lambda m, body=body: f"{m[1]}{body}\n{m[2]}", text)
    return text


def table(head: list[str], rows: list[list[Any]]) -> str:
    """In Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def percent(rate: dict[str, Any]) -> str:
    """A rate and its interval."""
    low, high = (digits(100 * v) for v in rate["interval"])
    return f"{digits(100 * rate['rate'])} % ({low} to {high})"


def digits(value: float) -> str:
    """Two significant digits, never as a power."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def made(result: dict[str, Any]) -> str:
    """What the results were made with."""
    machine = result["machine"]
    versions = ", ".join(f"{k} {v}" for k, v in machine["versions"].items())
    share = f" A random share of {result['share']:g}." if result.get("share", 1) < 1 else ""
    return f"{machine['date']}, Python {machine['python']}, {versions}; {result['seconds']:.0f} s.{share}"


def targets(_: dict[str, Any]) -> str:
    """Each target, and what was reached."""
    rows: list[list[Any]] = []
    alarms, found, sets = read("false_alarms"), read("detection"), read("sets")
    if alarms:
        for kind, name in (
            ("target", "false alarms, photographs, noise, screenshots, woven and brick textures"),
            ("photograph", "- of these, photographs in all treatments"),
            ("noise", "- noise"),
            ("screenshot", "- screenshots"),
            ("woven", "- woven textures"),
            ("brick", "- brick textures"),
        ):
            share = alarms["total"][kind]["lattice"]
            rows.append([name, "at most 1 %", percent(share), yes(share["rate"] <= 0.01)])
        # Noise is most of the pictures, and the easiest.
        pooled, noise = (alarms["total"][kind]["lattice"] for kind in ("target", "noise"))
        share = rate(pooled["hits"] - noise["hits"], pooled["of"] - noise["of"])
        rows.insert(
            1, ["- without the noise", "at most 1 %", percent(share), yes(float(share["rate"]) <= 0.01)]
        )
    for row in (found or {}).get("targets", []):
        name = f"period {row['period']}, found in 90 %"
        rows.append([name, f"at {row['wanted']:g} levels", at(row["found_90"]), yes(row["met"])])
    for row in (sets or {}).get("detection", []):
        if "target" in row:
            wanted, share = row["target"]["wanted"], row["target"]["rate_there"]
            name = f"set of {sets['size']}, period {row['period']}, found in 90 %"
            rows.append([name, f"at {wanted:g} levels", at(row["found_90"]), yes(share >= 0.9)])
    return table(["what", "target", "outcome (95 %)", "met"], rows)


def yes(met: bool) -> str:
    """In a word."""
    return "yes" if met else "**no**"


def at(crossing: dict[str, Any]) -> str:
    """An amplitude and its interval; beyond what was tried: "not found"."""
    if crossing["at"] is None:
        return "not reached"
    low, high = crossing["interval"]
    return f"{crossing['at']:.2g} ({low:.2g} to {'?' if high is None else f'{high:.2g}'})"


def predicted(_: dict[str, Any]) -> str:
    """Every prediction and what came out."""
    parts = (read(part) for part in ("false_alarms", "detection", "sets", "comparison"))
    return table(["predicted", "came out"], predictions.rows(*parts))


def false_alarms(result: dict[str, Any]) -> str:
    """Verdicts by kind and treatment."""
    rows = [
        [
            label(row),
            row["lattice"]["of"],
            percent(row["lattice"]),
            f"{row['by_source']['hits']} of {row['by_source']['of']}",
            row["rival"],
            ", ".join(f"{p}: {n}" for p, n in row["periods"].items()) or "-",
        ]
        for row in result["default"]
    ]
    head = ["pictures", "number", "lattice (95 %)", "photographs", "rival", "periods: pictures"]
    return table(head, rows)


def alarms(result: dict[str, Any]) -> str:
    """Every photograph that was called a lattice."""
    seen: dict[tuple[str, str], list[str]] = {}
    for alarm in result["alarms"]:
        if alarm["kind"] in ("photograph", "enlarged"):
            parts = ", ".join(f"{' x '.join(map(str, p))}: {a:.2f}" for p, a, _ in alarm["present"])
            key = (alarm["kind"], alarm["treatment"])
            seen.setdefault(key, []).append(f"{alarm['name'].split(' x')[0]} ({parts})")
    rows = [[f"{kind}, {treatment}", "; ".join(names)] for (kind, treatment), names in seen.items()]
    return table(["pictures", "called a lattice (period: grey levels)"], rows)


def nominal(result: dict[str, Any]) -> str:
    """Observed rates without the threshold."""
    rows = []
    for name, curve in result["nominal"].items():
        row: list[Any] = [name, curve["pictures"]]
        for field in ("any", "elsewhere"):
            row += [percent(curve[field][n]) for n in ("0.001", "0.01")]
        row.append(percent(curve["reported_elsewhere"]))
        second = curve.get("second_order")
        row += [percent(second["any"]), percent(second["elsewhere"])] if second else ["-", "-"]
        rows.append(row)
    head = ["pictures", "number", "any period, 0.1 %", "any, 1 %", "elsewhere, 0.1 %", "elsewhere, 1 %"]
    head += ["reported elsewhere, 0.1 %", "second order, any, 0.1 %", "second order, elsewhere, 0.1 %"]
    return table(head, rows)


def long_periods(result: dict[str, Any]) -> str:
    """Periods to 64."""
    rows = [
        [name, percent(r["lattice"]), ", ".join(f"{p}: {n}" for p, n in r["periods"].items()) or "-"]
        for name, r in result["long"].items()
    ]
    return table(["photographs", "lattice (95 %)", "periods: pictures"], rows)


def detection(result: dict[str, Any]) -> str:
    """Amplitudes found, and how right they are."""
    rows = [
        [
            row["condition"],
            " x ".join(map(str, row["period"])),
            row["photographs"],
            at(row["found_50"]),
            at(row["found_90"]),
            "-" if row["bias"]["median"] is None else f"{row['bias']['median']:.2f}",
            first_bias(row),
            "-" if not row["bias"]["of"] else percent(row["other_periods_too"]),
            f"{100 * max(row['named_rival']):.0f} %",
        ]
        for row in result["first_order"]
    ]
    head = [
        "lattice",
        "period",
        "photographs",
        "50 % found at",
        "90 % found at",
        "measured / true",
        "at 50 % found",
    ]
    head += ["other periods too"]
    head += ["named a rival, at most"]
    return table(head, rows)


def first_bias(row: dict[str, Any]) -> str:
    """Median of measured over true at the weakest amplitude of which half are found, where found."""
    enough = [b for b, r in zip(row["bias_by_amplitude"], row["rates"], strict=True) if r >= 0.5 and b]
    return f"{enough[0]:.2f}" if enough else "-"


def second_order(result: dict[str, Any]) -> str:
    """Verdicts on pictures whose variance depends on the phase."""
    rows = [
        [r["case"], percent(r["first_order"]), percent(r["second_order"]) if r["second_order"] else "-"]
        for r in result["second_order"]
    ]
    return table(["pictures", "first order reported", "second order found"], rows)


def sets(result: dict[str, Any]) -> str:
    """Detection and false alarms of sets."""
    found = [
        [
            r["period"],
            r["side"],
            r["sets"],
            at(r["found_90"]),
            "-" if r["bias"] is None else f"{r['bias']:.2f}",
        ]
        for r in result["detection"]
    ]
    false = [
        [r["case"], percent(r["lattice"]), r["rival"], percent(r["significant"]), r["periods"] or "-"]
        for r in result["false_alarms"]
    ]
    detected = table(["period", "side", "sets", "90 % found at", "measured / true"], found)
    head = ["sets of", "lattice (95 %)", "rival", "any trace", "periods"]
    return f"{detected}\n\n{table(head, false)}"


def comparison(result: dict[str, Any]) -> str:
    """All measures, uncompressed and JPEG."""
    rows = [
        [
            row["pictures"],
            row["period"],
            row["measure"],
            f"{row['amplitudes'][1]:g}",
            f"{row['auc'][1]:.2f}",
            f"{100 * row['at_1_percent'][1]:.0f} %",
            result["rules"][row["measure"]],
            f"{100 * row['usual_false_alarms']['rate']:.1f} %",
            f"{100 * row['usual_detection'][1]:.0f} %",
        ]
        for row in result["rows"]
    ]
    head = [
        "pictures",
        "period",
        "measure",
        "levels",
        "area",
        "found at 1 %",
        "usual rule",
        "false alarms",
        "found",
    ]
    return table(head, rows)


def made_with(_: dict[str, Any]) -> str:
    """Versions and dates of all parts."""
    parts = ("false_alarms", "detection", "sets", "comparison", "blocks", "rivals", "areas", "fields")
    results = {part: read(part) for part in parts}
    return "\n".join(f"- {part}: {made(result)}" for part, result in results.items() if result)


def fields(result: dict[str, Any]) -> str:
    """Weather, depth and CT: false alarms, and the amplitude from which 90 % are found."""
    rows: list[list[Any]] = []
    for name, row in result["false_alarms"].items():
        found = {one["period"]: one["ninety"] for one in result["detection"] if one["material"] == name}
        shown = ["not reached" if at is None else digits(at) for at in found.values()]
        alarms = row["alarms"]
        rows.append([name, f"{alarms['hits']} of {alarms['of']}", percent(alarms), *shown])
    units, deep = result["units"], result["sixteen_bits"]["same_verdict"]
    said = (
        f"\n\nFields with a lattice, in other units: the same verdict in {units['same_verdict']['hits']} of "
        f"{units['same_verdict']['of']}, strengths that differ by at most a share of "
        f"{units['largest_relative_difference']:g}. Photographs in 16 bits instead of 8, with and without a "
        f"lattice: the same verdict in {deep['hits']} of {deep['of']}."
    )
    periods = [f"period {one}" for one in found]
    return table(["material", "alarms", "rate (95 %)", *periods], rows) + said


def areas(result: dict[str, Any]) -> str:
    """False alarms on canvases, and which pictures they are."""
    found = result["false_alarms"]
    rows = [[canvas, one["of"], percent(one)] for canvas, one in found["by_canvas"].items()]
    one = found["in_parts"]
    rows.append(["as it is, in a part", one["of"], percent(one)])
    each = [
        [a["canvas"], a["name"], a["treatment"], "a part" if a["in_a_part"] else "the whole", _shown(a)]
        for a in found["alarms"]
    ]
    alarms = table(["canvas", "photograph", "treatment", "seen in", "periods: levels"], each)
    later = result.get("again")
    said = ""
    if later:
        left, plain, parts = (later[key] for key in ("still", "still_as_it_is", "still_in_a_part"))
        said = (
            f"\n\nAfter that run two rules were added. Of its {later['of']} alarms {left} are left, "
            f"{plain} of them as they are, {parts} in a part."
        )
    return table(["photographs", "number", "lattice (95 %)"], rows) + "\n\n" + alarms + said


def _shown(alarm: dict[str, Any]) -> str:
    return ", ".join(f"{' x '.join(map(str, p))}: {level:.2f}" for p, level, _ in alarm["present"])


def places(result: dict[str, Any]) -> str:
    """Amplitudes at which lattices are found, by place; of a quarter against the whole."""
    rows = []
    for one in result["detection"]:
        period, place = one["period"], one["place"]
        at = [f"{one[level]['at']:.2f}" if one[level]["at"] else "-" for level in ("found_50", "found_90")]
        rows.append([place, f"{period} x {period}", one["photographs"], *at])
    head = ["lattice", "period", "photographs", "50 % found at", "90 % found at"]
    ratios = [
        [f"{t['period']} x {t['period']}", *(_times(t[level]["ratio"]) for level in ("found_50", "found_90"))]
        for t in result["targets"]
    ]
    return table(head, rows) + "\n\n" + table(["quarter / whole, period", "50 % found", "90 % found"], ratios)


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.1f}"


def block_alarms(result: dict[str, Any]) -> str:
    """Blocks where none were put, all treatments together and those that have any."""
    rows = result["false_alarms"]
    groups = {
        "photographs in 19 treatments": [
            r for r in rows if not r["treatment"].startswith(("res", "pix", "coded"))
        ],
        "resized by interpolation": [r for r in rows if r["treatment"].startswith("resized")],
        "saved as JPEG, then enlarged by interpolation": [
            r for r in rows if r["treatment"].startswith("coded")
        ],
        "pixels repeated": [r for r in rows if r["treatment"].startswith("pixels")],
    }
    out = []
    for name, some in groups.items():
        hits, of = (sum(r["blocks"][key] for r in some) for key in ("hits", "of"))
        named: dict[str, int] = {}
        for rival, count in (pair for r in some for pair in r["named"].items()):
            named[rival] = named.get(rival, 0) + count
        examples = "; ".join(f"{r['treatment']}: {e}" for r in some for e in r["examples"])
        out.append([name, of, percent(rate(hits, of)), _counted(named), examples or "-"])
    return table(["pictures", "number", "blocks (95 %)", "rivals", "called blocks"], out)


def block_detection(result: dict[str, Any]) -> str:
    """Share of photographs in which blocks are found with their period."""
    rows = [
        [
            row["blocks"],
            row["saved"],
            f"{row['levels']:g}",
            percent(row["found"]),
            "-" if row["amplitude"] is None else f"{row['amplitude']:.2f}",
        ]
        for row in result["detection"]
    ]
    return table(["blocks", "saved as", "levels", "found (95 %)", "median amplitude"], rows)


def block_rivals(result: dict[str, Any]) -> str:
    """What repeated pixels and JPEG are called."""
    rows = [[row["pictures"], row["saved"], _counted(row["called"])] for row in result["rivals"]]
    return table(["pictures", "saved as", "called"], rows)


def rivals(result: dict[str, Any]) -> str:
    """What strong lattices and their rivals are called."""
    rows = [[row["pictures"], sum(row["called"].values()), _counted(row["called"])] for row in result["rows"]]
    return table(["pictures", "number", "called"], rows)


def _counted(called: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(called.items())) or "-"


TABLES: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "targets": ("false_alarms", targets),
    "predicted": ("false_alarms", predicted),
    "false_alarms": ("false_alarms", false_alarms),
    "alarms": ("false_alarms", alarms),
    "nominal": ("false_alarms", nominal),
    "long_periods": ("false_alarms", long_periods),
    "detection": ("detection", detection),
    "second_order": ("detection", second_order),
    "areas": ("areas", areas),
    "places": ("areas", places),
    "sets": ("sets", sets),
    "comparison": ("comparison", comparison),
    "blocks": ("blocks", block_alarms),
    "block_detection": ("blocks", block_detection),
    "block_rivals": ("blocks", block_rivals),
    "rivals": ("rivals", rivals),
    "fields": ("fields", fields),
    "made_with": ("false_alarms", made_with),
}


if __name__ == "__main__":
    main()
