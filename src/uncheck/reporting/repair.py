"""A repair as text: what was wrong, what was done, what it costs and what it changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from uncheck.reporting.page import Page, Part, table
from uncheck.reporting.words import MOST, levels, listed, sizes

if TYPE_CHECKING:
    from uncheck.judging.judgement import Cost, Fidelity, Look, Strength
    from uncheck.repairing.result import Repair

Rows = list[tuple[str, ...]]

#: Methods as what they do, for sentences.
DOES = {
    "project": "making the gains of its output phases equal",
    "match": "making the means and variances of its output phases equal",
    "spin": "averaging over shifts of the input",
    "distill": "training a copy without the fault",
    "swap": "replacing its upsamplers",
}

#: PSNR from which two outputs are equal but for rounding, dB.
EQUAL = 144.0


def repair_text(repair: Repair, page: Page | None = None) -> str:
    """What `uncheck.repair` did, as a page of text.

    Args:
        repair: the result.
        page: width and colour; plain text if None.
    """
    title = {"repaired": "bold green", "clean": "bold green", "refused": "bold yellow"}[outcome(repair)]
    parts: list[Part] = [Text(headline(repair), style=title)]
    if sentence := change_sentence(repair):
        parts.append(sentence)
    for title, columns, some in (
        ("Lattice on inputs that nothing was fitted on", PERIOD_COLUMNS, period_rows(repair)),
        ("Contrast that goes with the phase (second order)", SECOND_COLUMNS, second_order_rows(repair)),
        ("Constant colours", COLOUR_COLUMNS, colour_rows(repair)),
        ("Fidelity", FIDELITY_COLUMNS, fidelity_rows(repair)),
        ("Detail off the lattice lines", BAND_COLUMNS, band_rows(repair)),
        ("Cost of one call", COST_COLUMNS, cost_rows(repair.cost)),
        ("Tried", TRIED_COLUMNS, tried_rows(repair)),
    ):
        if some:
            parts.append(table(title, columns[: len(some[0])], some))
    if repair.refused:
        parts += ["", Text("Refused", style="bold")]
        parts += [f"{method}: {sentence_of(reason)}" for method, reason in repair.refused]
    parts += [f"Note: {sentence_of(note)}" for note in repair.notes]
    return (page or Page()).draw(parts)


def outcome(repair: Repair) -> str:
    """One of "repaired", "clean" (there is nothing to repair) and "refused"."""
    if repair.method is not None and repair.judgement is not None:
        return "repaired"
    clean = repair.before is not None and not shown(repair.before)
    none = any(reason.startswith("nothing to repair") for _, reason in repair.refused)
    return "clean" if clean or none else "refused"


def headline(repair: Repair) -> str:
    """The verdict: what was wrong and what was done about it."""
    kind = outcome(repair)
    if kind == "clean":
        if repair.before is not None and not shown(repair.before):
            return f"Nothing to repair: the outputs of {repair.network} show no lattice."
        why = next(reason for _, reason in repair.refused if reason.startswith("nothing to repair"))
        return f"{repair.network}: {sentence_of(why)}"
    wrong = fault(repair)
    if kind == "refused":
        return f"{wrong} It was not repaired: {_why(repair)}"
    label = f" ({repair.label})" if repair.label else ""
    does = DOES.get(repair.method or "", "")
    return f"{wrong} It was repaired by {repair.method}{label}{f', {does}' if does else ''}; {repair.kind}."


def fault(repair: Repair) -> str:
    """What was wrong, in a sentence."""
    if repair.before is None:
        return f"{repair.network} could not be judged."
    periods = sorted(shown(repair.before), key=lambda s: -s.amplitude)
    if not periods:
        return f"{repair.network} shows no lattice."
    named = [sizes(s.period) for s in periods[:MOST]]
    named += [f"{len(periods) - MOST} more"] if len(periods) > MOST else []
    what = f"period{'s' if len(named) > 1 else ''} {listed(named)}"
    return f"{repair.network} leaves a lattice of {levels(repair.before.strength)} grey levels ({what})."


def change_sentence(repair: Repair) -> str:
    """What the repair costs and changed, in a sentence or two; empty where there is none."""
    judged = repair.judgement
    if judged is None or repair.method is None:
        return ""
    left = [s for s in judged.after.lattice if s.significant]
    bound = levels(judged.after.strength)
    now = f"{bound} grey levels of it are left"
    if not left:
        now = f"No lattice can be told from the content any more (at most {bound} grey levels)"
    parts = [now]
    if repair.cost is not None:
        parts.append(f"a call takes {_times(repair.cost.after_ms, repair.cost.before_ms)} the time")
    psnr = judged.fidelity.psnr_to_original
    if psnr >= EQUAL:
        return _joined(parts) + " The output is the same."
    lost = abs(judged.sharpness_change) < 0.0005
    detail = "its detail is as strong" if lost else f"its detail changed by {judged.sharpness_change:+.1%}"
    return _joined(parts) + f" The output is {psnr:.1f} dB from the original's, and {detail}."


def shown(look: Look) -> list[Strength]:
    """The significant periods."""
    return [s for s in look.lattice if s.significant]


PERIOD_COLUMNS = (">period", ">before", ">after", ">times weaker", "significant")


def period_rows(repair: Repair) -> Rows:
    """Grey levels per period, before and after."""
    return _strength_rows(repair.before, repair.judgement.after if repair.judgement else None, "lattice")


SECOND_COLUMNS = (">period", ">before (dB)", ">after (dB)", ">times weaker", "significant")


def second_order_rows(repair: Repair) -> Rows:
    """Decibels per period, before and after."""
    return _strength_rows(repair.before, repair.judgement.after if repair.judgement else None, "second_order")


def _strength_rows(before: Look | None, after: Look | None, which: str) -> Rows:
    old: dict[tuple[int, ...], Strength] = {s.period: s for s in (getattr(before, which) if before else ())}
    new: dict[tuple[int, ...], Strength] = {s.period: s for s in (getattr(after, which) if after else ())}
    if after is None:
        return [(sizes(period), levels(was.amplitude)) for period, was in old.items()]
    rows: Rows = []
    for period in [*old, *(p for p in new if p not in old)]:
        was, now = old.get(period), new.get(period)
        bound = "" if now is None or now.significant else "≤ "
        ratio = was.amplitude / max(now.amplitude, 1e-9) if was and now else None
        rows.append(
            (
                sizes(period),
                levels(was.amplitude) if was else "none",
                "-" if now is None else bound + levels(now.amplitude),
                "-" if ratio is None else f"{'≥ ' if bound else ''}{_ratio(ratio)}",
                "yes" if now and now.significant else "no longer",
            )
        )
    return rows


COLOUR_COLUMNS = ("input", ">before", ">after")


def colour_rows(repair: Repair) -> Rows:
    """Strength on constant inputs."""
    before = repair.before.colours if repair.before else {}
    if repair.judgement is None:
        return [(name, levels(x)) for name, x in before.items()]
    after = repair.judgement.after.colours
    return [(name, levels(x), levels(after[name]) if name in after else "-") for name, x in before.items()]


FIDELITY_COLUMNS = ("to", ">PSNR before (dB)", ">PSNR after (dB)", ">SSIM after")


def fidelity_rows(repair: Repair) -> Rows:
    """How near outputs are to the original's, the spun network's and the truth."""
    if repair.judgement is None:
        return []
    f: Fidelity = repair.judgement.fidelity
    rows: Rows = [("the original", "-", _decibels(f.psnr_to_original), f"{f.ssim_to_original:.3f}")]
    for name, was, now, ssim in (
        ("the original averaged over shifts", f.psnr_to_spun_before, f.psnr_to_spun, f.ssim_to_spun),
        ("the truth", f.psnr_to_truth_before, f.psnr_to_truth, f.ssim_to_truth),
    ):
        if now is not None:
            rows.append((name, _decibels(was), _decibels(now), "-" if ssim is None else f"{ssim:.3f}"))
    return rows


BAND_COLUMNS = ("cycles per pixel", ">energy")


def band_rows(repair: Repair) -> Rows:
    """Change of spectral energy per octave, highest first, and of all."""
    judged = repair.judgement
    if judged is None or not judged.bands:
        return []
    rows: Rows = [(band(low, high), f"{change:+.1%}") for low, high, change in reversed(judged.bands)]
    rows.append(("all", f"{judged.sharpness_change:+.1%}"))
    if judged.sharpness_to_spun is not None:
        rows.append(("all, to the original averaged over shifts", f"{judged.sharpness_to_spun:+.1%}"))
    return rows


def band(low: float, high: float) -> str:
    """An octave as a fraction: "1/8 to 1/4"."""
    if low == 0:
        return f"below 1/{1 / high:g}"
    return f"above 1/{1 / low:g}" if high >= 0.5 else f"1/{1 / low:g} to 1/{1 / high:g}"


COST_COLUMNS = ("", ">before", ">after", ">times")


def cost_rows(cost: Cost | None) -> Rows:
    """Time and memory of both networks."""
    if cost is None:
        return []
    rows: Rows = [
        (
            "time",
            _amount(cost.before_ms, "ms"),
            _amount(cost.after_ms, "ms"),
            _times(cost.after_ms, cost.before_ms),
        )
    ]
    if cost.before_mb is not None and cost.after_mb is not None:
        before, after = cost.before_mb, cost.after_mb
        rows.append(("memory", _amount(before, "MB"), _amount(after, "MB"), _times(after, before)))
    return rows


TRIED_COLUMNS = ("method", "candidate", ">lattice left", ">least factor", ">PSNR (dB)", "verdict")


def tried_rows(repair: Repair) -> Rows:
    """Every candidate judged, in order."""
    return [
        (t.method, t.label, levels(t.strength), _ratio(t.worst), _decibels(t.psnr), t.verdict)
        for t in repair.tried
    ]


def sentence_of(words: str) -> str:
    """A clause with a full stop."""
    return words if words.endswith((".", "!", "?")) else words + "."


def _why(repair: Repair) -> str:
    if not repair.refused:
        return "no method was tried."
    if len(repair.refused) == 1:
        return sentence_of(repair.refused[0][1])
    return f"none of {len(repair.refused)} methods could do it, for the reasons given below."


def _joined(parts: Sequence[str]) -> str:
    return "; ".join(parts) + "."


def _decibels(value: float | None) -> str:
    return "-" if value is None else "equal" if value >= EQUAL else f"{value:.2f}"


def _ratio(value: float) -> str:
    if value > 1000:
        return "over 1000"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _amount(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def _times(after: float, before: float) -> str:
    return f"{after / before:.2f} times" if before > 0 else "-"
