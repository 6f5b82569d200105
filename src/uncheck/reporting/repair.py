"""A repair as text: the fault, its removal, the cost, and other changes of the output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text

from uncheck.advising.repaired import (
    EQUAL,
    TIME_NOISE,
    band,
    is_good,
    nothing_tried,
    significant,
    times,
    what,
    why,
    worst_octave,
)
from uncheck.reporting.opening import one_line, opening
from uncheck.reporting.page import Detail, Page, Report, Result, levels, sizes, table

__all__ = [
    "EQUAL",
    "Rows",
    "band",
    "change_sentence",
    "headline",
    "outcome",
    "repair_text",
    "sentence_of",
    "significant",
    "tables",
    "tone",
]

_COLOURS = {"good": "bold green", "mixed": "bold yellow"}

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
    report, page = result.to_dict(), page or Page()
    if page.detail is Detail.quiet:
        return one_line(report, page)
    parts = opening(report, _COLOURS[tone(report)])
    if sentence := change_sentence(report):
        parts.append(sentence)
    if not page.verbose:
        notes = [f"Note: {sentence_of(note)}" for note in report["notes"][:1]]
        more = "More: -v has the details, report.html the pictures."
        return page.draw([*parts, *notes, more])
    for name, some in tables(report).items():
        parts += table(_TITLES[name], *some)
    if report["refused"]:
        parts += ["", Text("Refused", style="bold")]
        parts += [f"{one['method']}: {sentence_of(one['reason'])}" for one in report["refused"]]
    parts += [f"Note: {sentence_of(note)}" for note in report["notes"]]
    return page.draw(parts)


def outcome(report: Report) -> str:
    """Return "repaired", "clean" (there is nothing to repair) or "refused"."""
    if report["method"] is not None:
        return "repaired"
    return "clean" if report["before"] is not None and nothing_tried(report) else "refused"


def tone(report: Report) -> str:
    """Return "good", "mixed" or "clean": a repair with a price, or a refusal, is not good."""
    kind = outcome(report)
    return "good" if kind == "clean" or (kind == "repaired" and is_good(report)) else "mixed"


def headline(report: Report) -> str:
    """Return what happened, and how or why, in two sentences."""
    return " ".join(part for part in (what(report), why(report)) if part)


def change_sentence(report: Report) -> str:
    """Return a sentence on the change of the output; "" without a repair."""
    if report["after"] is None or report["method"] is None:
        return ""
    psnr, sharpness = report["fidelity"]["psnr_to_original"], report["sharpness_change"]
    if psnr >= EQUAL:
        return "The output is the same."
    detail = f"its detail changed by {sharpness:+.1%}"
    if abs(sharpness) < 0.0005:
        detail = "its detail is as strong"
    harm = worst_octave(report)
    worst = f" ({harm[2]:+.0%} in the worst octave, {band(*harm[:2])} cycles per pixel)" if harm else ""
    return f"The output is {psnr:.1f} dB from the original's, and {detail} in the mean{worst}."


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
    for where, name in (("the original averaged over shifts", "spun"), ("the truth", "truth")):
        was, now, ssim = (
            near[f"{key}"] for key in (f"psnr_to_{name}_before", f"psnr_to_{name}", f"ssim_to_{name}")
        )
        if now is not None:
            rows.append((where, _decibels(was), _decibels(now), "-" if ssim is None else f"{ssim:.3f}"))
    return Rows(columns, rows)


def _bands(report: Report) -> Rows:
    """Return the change of spectral energy per octave, highest first, and of all."""
    rows = [(band(low, high), f"{change:+.1%}") for low, high, change in reversed(report["bands"])]
    if rows:
        rows.append(("all", f"{report['sharpness_change']:+.1%}"))
        if report["sharpness_to_spun"] is not None:
            rows.append(("all, to the original averaged over shifts", f"{report['sharpness_to_spun']:+.1%}"))
    return Rows(("cycles per pixel", ">energy"), rows)


def _cost(cost: Report) -> Rows:
    """Return time and memory of both networks."""
    rows = [
        (kind, _amount(before, unit), _amount(after, unit), _times(before, after))
        for kind, unit in (("time", "ms"), ("memory", "MB"))
        for before, after in [(cost[f"before_{unit.lower()}"], cost[f"after_{unit.lower()}"])]
        if before is not None and after is not None
    ]
    return Rows(("", ">before", ">after", ">times"), rows)


def sentence_of(words: str) -> str:
    """Return a clause with a full stop."""
    return words if words.endswith((".", "!", "?")) else words + "."


def _decibels(value: float | None) -> str:
    return "-" if value is None else "equal" if value >= EQUAL else f"{value:.2f}"


def _ratio(value: float) -> str:
    if value > 1000:
        return "over 1000"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _amount(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def _times(before: float, after: float) -> str:
    """Return a ratio; within the noise of timing it is none."""
    if before <= 0:
        return "-"
    ratio = after / before
    return "unchanged" if abs(ratio - 1) <= TIME_NOISE else times(ratio)
