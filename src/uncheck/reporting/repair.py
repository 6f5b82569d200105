"""A repair as text: the fault, its removal, the cost, and other changes of the output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text

from uncheck.repairing.methods import METHODS
from uncheck.reporting.page import MOST_COMPONENTS, Page, Part, Report, Result, levels, listed, sizes, table

#: PSNR from which two outputs are equal but for rounding, dB.
EQUAL = 144.0

#: Methods by their effect, for sentences.
DOES = {one.name: one.label for one in METHODS}

_COLOURS = {"repaired": "bold green", "clean": "bold green", "refused": "bold yellow"}

_TITLES = {
    "lattice": "Lattice on inputs that nothing was fitted on",
    "second_order": "Contrast that goes with the phase (second order)",
    "colours": "Constant colours",
    "fidelity": "Fidelity",
    "bands": "Detail off the lattice lines",
    "cost": "Cost of one call",
    "tried": "Tried",
}


class Rows(NamedTuple):
    """A table of a report: a column named ">..." is set to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def repair_text(result: Result, page: Page | None = None) -> str:
    """Return the report of `uncheck.repair` as a page of text."""
    report = result.to_dict()
    parts: list[Part] = [Text(headline(report), style=_COLOURS[outcome(report)])]
    if sentence := change_sentence(report):
        parts.append(sentence)
    for name, some in tables(report).items():
        parts += table(_TITLES[name], *some)
    if report["refused"]:
        parts += ["", Text("Refused", style="bold")]
        parts += [f"{one['method']}: {sentence_of(one['reason'])}" for one in report["refused"]]
    parts += [f"Note: {sentence_of(note)}" for note in report["notes"]]
    return (page or Page()).draw(parts)


def outcome(report: Report) -> str:
    """Return "repaired", "clean" (there is nothing to repair) or "refused"."""
    if report["method"] is not None:
        return "repaired"
    clean = report["before"] is not None and not significant(report["before"])
    return "clean" if clean or _nothing_to_do(report) else "refused"


def headline(report: Report) -> str:
    """Return the verdict: the fault, and the repair."""
    kind, network, before = outcome(report), report["network"], report["before"]
    if kind == "clean" and before is not None and not significant(before):
        return f"Nothing to repair: the outputs of {network} show no lattice."
    if kind == "clean":
        return f"{network}: {sentence_of(_nothing_to_do(report)[0])}"
    if kind == "refused":
        return f"{fault(report)} It was not repaired: {_why(report)}"
    label = f" ({report['label']})" if report["label"] else ""
    does = f", {DOES[report['method']]}" if report["method"] in DOES else ""
    return f"{fault(report)} It was repaired by {report['method']}{label}{does}; {report['kind']}."


def _nothing_to_do(report: Report) -> list[str]:
    """Return why there is nothing to repair: the network was judged, and all methods refused at once."""
    if report["before"] is None:
        return []
    return [one["reason"] for one in report["refused"] if one["method"] == "all"]


def fault(report: Report) -> str:
    """Return a sentence about the lattice of the original."""
    network, before = report["network"], report["before"]
    if before is None:
        return f"{network} could not be judged."
    periods = sorted(significant(before), key=lambda one: -one["amplitude"])
    if not periods:
        return f"{network} shows no lattice."
    named = [sizes(one["period"]) for one in periods[:MOST_COMPONENTS]]
    named += [f"{len(periods) - MOST_COMPONENTS} more"] if len(periods) > MOST_COMPONENTS else []
    which = f"period{'s' if len(named) > 1 else ''} {listed(named)}"
    return f"{network} leaves a lattice of {levels(before['strength'])} grey levels ({which})."


def change_sentence(report: Report) -> str:
    """Return a sentence on the lattice left, the cost and the change of the output; "" without a repair."""
    after, cost = report["after"], report["cost"]
    if after is None or report["method"] is None:
        return ""
    bound = levels(after["strength"])
    now = f"{bound} grey levels of it are left"
    if not significant(after):
        now = f"No lattice can be told from the content any more (at most {bound} grey levels)"
    if cost["before_ms"] is not None:
        now += f"; a call takes {_times(cost['before_ms'], cost['after_ms'])} the time"
    psnr, sharpness = report["fidelity"]["psnr_to_original"], report["sharpness_change"]
    if psnr >= EQUAL:
        return f"{now}. The output is the same."
    detail = f"its detail changed by {sharpness:+.1%}"
    if abs(sharpness) < 0.0005:
        detail = "its detail is as strong"
    return f"{now}. The output is {psnr:.1f} dB from the original's, and {detail}."


def significant(look: Report) -> list[Report]:
    """Return the significant periods."""
    return [one for one in look["lattice"] if one["significant"]]


def tables(report: Report) -> dict[str, Rows]:
    """Return all tables of a report by name; some have no rows."""
    return {
        "lattice": _periods(report, "lattice", ""),
        "second_order": _periods(report, "second_order", " (dB)"),
        "colours": _colours(report),
        "fidelity": _fidelity(report),
        "bands": _bands(report),
        "cost": _cost(report["cost"]),
        "tried": Rows(
            ("method", "candidate", ">lattice left", ">least factor", ">PSNR (dB)", "verdict"),
            [
                (
                    one["method"],
                    one["label"],
                    levels(one["strength"]),
                    _ratio(one["worst"]),
                    _decibels(one["psnr"]),
                    one["verdict"],
                )
                for one in report["tried"]
            ],
        ),
    }


def _periods(report: Report, order: str, unit: str) -> Rows:
    """Return the strength of each period before and after."""
    before, after = report["before"], report["after"]
    old = {tuple(one["period"]): one for one in (before[order] if before else ())}
    if after is None:
        return Rows(
            (">period", f">before{unit}"), [(sizes(p), levels(was["amplitude"])) for p, was in old.items()]
        )
    new = {tuple(one["period"]): one for one in after[order]}
    rows = []
    for period in old | new:
        was, now = old.get(period), new.get(period)
        bound = now is not None and not now["significant"]
        ratio = was["amplitude"] / max(now["amplitude"], 1e-9) if was and now else None
        rows.append(
            (
                sizes(period),
                levels(was["amplitude"]) if was else "none",
                "-" if now is None else "≤ " * bound + levels(now["amplitude"]),
                "-" if ratio is None else "≥ " * bound + _ratio(ratio),
                "yes" if now and now["significant"] else "no longer",
            )
        )
    return Rows((">period", f">before{unit}", f">after{unit}", ">times weaker", "significant"), rows)


def _colours(report: Report) -> Rows:
    """Return the strength on constant inputs."""
    before = report["before"]["colours"] if report["before"] else {}
    if report["after"] is None:
        return Rows(("input", ">before"), [(name, levels(x)) for name, x in before.items()])
    after = report["after"]["colours"]
    rows = [(name, levels(x), levels(after[name]) if name in after else "-") for name, x in before.items()]
    return Rows(("input", ">before", ">after"), rows)


def _fidelity(report: Report) -> Rows:
    """Return how near the outputs are to the original's, the spun network's and the truth."""
    columns = ("to", ">PSNR before (dB)", ">PSNR after (dB)", ">SSIM after")
    if report["after"] is None:
        return Rows(columns, [])
    near = report["fidelity"]
    rows = [("the original", "-", _decibels(near["psnr_to_original"]), f"{near['ssim_to_original']:.3f}")]
    for what, name in (("the original averaged over shifts", "spun"), ("the truth", "truth")):
        was, now, ssim = (
            near[f"{key}"] for key in (f"psnr_to_{name}_before", f"psnr_to_{name}", f"ssim_to_{name}")
        )
        if now is not None:
            rows.append((what, _decibels(was), _decibels(now), "-" if ssim is None else f"{ssim:.3f}"))
    return Rows(columns, rows)


def _bands(report: Report) -> Rows:
    """Return the change of spectral energy per octave, highest first, and of all."""
    rows = [(band(low, high), f"{change:+.1%}") for low, high, change in reversed(report["bands"])]
    if rows:
        rows.append(("all", f"{report['sharpness_change']:+.1%}"))
        if report["sharpness_to_spun"] is not None:
            rows.append(("all, to the original averaged over shifts", f"{report['sharpness_to_spun']:+.1%}"))
    return Rows(("cycles per pixel", ">energy"), rows)


def band(low: float, high: float) -> str:
    """Return an octave as fractions: "1/8 to 1/4"."""
    if low == 0:
        return f"below 1/{1 / high:g}"
    return f"above 1/{1 / low:g}" if high >= 0.5 else f"1/{1 / low:g} to 1/{1 / high:g}"


def _cost(cost: Report) -> Rows:
    """Return time and memory of both networks."""
    rows = [
        (what, _amount(before, unit), _amount(after, unit), _times(before, after))
        for what, unit in (("time", "ms"), ("memory", "MB"))
        for before, after in [(cost[f"before_{unit.lower()}"], cost[f"after_{unit.lower()}"])]
        if before is not None and after is not None
    ]
    return Rows(("", ">before", ">after", ">times"), rows)


def sentence_of(words: str) -> str:
    """Return a clause with a full stop."""
    return words if words.endswith((".", "!", "?")) else words + "."


def _why(report: Report) -> str:
    reasons = [one["reason"] for one in report["refused"]]
    if not reasons:
        return "no method was tried."
    if len(reasons) == 1:
        return sentence_of(reasons[0])
    return f"none of {len(reasons)} methods could do it, for the reasons given below."


def _decibels(value: float | None) -> str:
    return "-" if value is None else "equal" if value >= EQUAL else f"{value:.2f}"


def _ratio(value: float) -> str:
    if value > 1000:
        return "over 1000"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _amount(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def _times(before: float, after: float) -> str:
    return f"{after / before:.2f} times" if before > 0 else "-"
