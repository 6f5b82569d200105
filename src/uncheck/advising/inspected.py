"""Faults and sentences of an inspection."""

from __future__ import annotations

from collections.abc import Sequence

from uncheck.advising.fault import Fault, Report
from uncheck.advising.limits import limit_words
from uncheck.advising.naming import full_name, typed_name
from uncheck.advising.request import Request
from uncheck.advising.scale import scale_of
from uncheck.advising.visibility import visibility
from uncheck.words import MOST_NAMED, levels, listed, listed_some, plural, sizes

#: A stage that answers for less is not named.
NAMED = 0.1

#: How a stage makes a grid, by cause.
REASONS = {
    "uneven-overlap": "its kernel is not divisible by its stride, so output {points} get {taps}",
    "even-overlap": "its taps overlap evenly, but the sums of its weights differ from one output {point} of "
    "a cell to the next",
    "sub-pixel": "each output {point} of a cell has weights of its own, and their sums differ",
    "second-order": "within each cell of its output some {points} have more {contrast} than others (second "
    "order), which a nonlinearity after it turns into {brightness}",
    "unpooling": "it leaves zeros between the values it places",
    "resize": "it repeats {points}, and the layers after it keep the repetition",
}

#: Words of pictures and of sound.
PICTURE = {"point": "pixel", "points": "pixels", "contrast": "contrast", "brightness": "brightness"}
SOUND = {"point": "sample", "points": "samples", "contrast": "energy", "brightness": "a tone"}


def faults(report: Report, request: Request) -> list[Fault]:
    """Return a fault for each stage to blame, the worst first, or for what was left open."""
    found = []
    if report["verdict"] == "undetermined":
        found.append(Fault(_unknown(report), what(report), report, request))
    elif report["verdict"] == "lattice" and not is_invisible(report):
        for stage in guilty_stages(report["stages"]):
            problem = f"{full_name(stage)}: {reason(stage)}."
            found.append(Fault(cause_of(stage), problem, report, request, stage))
        if not found and not report["stages"]:
            found.append(Fault("picture", what(report), report, request))
    gradient = report["gradient"] or {}
    if gradient.get("lattice") or gradient.get("magnitude"):
        problem = "The gradient with respect to the input has a grid."
        found.append(Fault("strided-gradient", problem, report, request))
    return found


def what(report: Report) -> str:
    """Return the verdict in one sentence."""
    if report["verdict"] == "lattice":
        scale = scale_of(report)
        sound = scale.sound and "db" in report["lattice"][0]
        return grid(report["lattice"], report["strength"], _where(report), sound=sound, rate=scale.rate)
    if report["verdict"] == "clean":
        return _clean(report)
    return f"Undetermined: {_open(report)}."


def grid(
    lattice: Sequence[Report],
    strength: float,
    where: str = "",
    *,
    sound: bool = False,
    rate: float | None = None,
) -> str:
    """Return a sentence about a lattice: periods, how visible it is, and its strength."""
    named = [sizes(c["period"]) for c in lattice[:MOST_NAMED]]
    named += [f"{len(lattice) - MOST_NAMED} more"] if len(lattice) > MOST_NAMED else []
    if sound:
        loudest = max(c["db"] for c in lattice)
        unit = "samples" if rate is None else f"samples ({rate / lattice[0]['period'][0]:.0f} Hz)"
        return f"Tones{where} of period {listed(named)} {unit}: {loudest:.0f} dB against the rest."
    seen = visibility(lattice)
    return f"Grid{where} of period {listed(named)}, {seen}: {levels(strength)} of 255 grey levels."


def _where(report: Report) -> str:
    """Name the outputs that have a lattice, where there are several."""
    outputs = report.get("outputs") or ()
    having = [f"`{one['name']}`" for one in outputs if one["verdict"] == "lattice"]
    return f" in {listed_some(having)}" if len(outputs) > 1 and having else ""


def _clean(report: Report) -> str:
    scale, traces, gradient = scale_of(report), report["traces"], report["gradient"] or {}
    pulled = bool(gradient.get("lattice") or gradient.get("magnitude"))
    limits = limit_words(report.get("limit") or (), scale)
    found = [f"period {scale.period(c)} at {scale.strong(c)}" for c in traces[:MOST_NAMED]]
    found += [f"{len(traces) - MOST_NAMED} more"] if len(traces) > MOST_NAMED else []
    parts = [f"nothing above {limits}"] if limits else []
    parts += [f"only traces, {listed(found)}"] if traces else []
    if not parts and not report["stages"] and not pulled:
        return "Clean: no grid in the output, and no upsampling layer that could leave one."
    said = "; ".join(parts) or "no grid in the output"
    return f"Clean: {said}{'; but the gradient has a grid' if pulled else ''}."


def why(report: Report) -> str:
    """Return which layer makes it, and how."""
    if report["verdict"] == "undetermined":
        return "Without that, a grid cannot be ruled out."
    if report["verdict"] != "lattice":
        return ""
    guilty = guilty_stages(report["stages"])
    if not guilty:
        return _nobody(report)
    first, *rest = guilty
    also = f" So does {listed([typed_name(s) for s in rest[:MOST_NAMED]])}." if len(rest) == 1 else ""
    also = f" So do {listed([typed_name(s) for s in rest[:MOST_NAMED]])}." if len(rest) > 1 else also
    return f"Made by {full_name(first)}: {reason(first)}.{also}"


def _nobody(report: Report) -> str:
    """Return why no layer is named."""
    stages, unread = report["stages"], sorted(report["operations"]["unsupported"])
    if stages and all(stage["blame"] is None for stage in stages):
        return "Which layer makes it was not looked for, as the time was over."
    if stages:
        return "No upsampling layer answers for it."
    if unread:
        return f"{listed(unread)} was not understood, so what makes it is not known."
    if any(note.startswith("not understood") for note in report["notes"]):
        return "What makes it is not known, because not all was understood."
    return "There is no upsampling layer, so upsampling is not to blame."


def nothing(report: Report) -> str:
    """Return what to do where there is no advice."""
    if report["verdict"] == "lattice" and is_invisible(report):
        return "Nothing to do: it is too weak to be seen (`uncheck explain visibility`)."
    if report["verdict"] == "lattice":
        return "Look at the input and at what repeats in the network; no upsampling layer is to be mended."
    if report["verdict"] == "clean" and _hidden(report) not in ("", "invisible"):
        return f"Nothing to do; but a grid up to that limit would be {_hidden(report)}: more inputs lower it."
    return "Nothing to do."


def _hidden(report: Report) -> str:
    """Return how visible the strongest lattice would be that could have been missed; "" for sound."""
    return "" if scale_of(report).sound else visibility(report.get("limit") or ())


def cause_of(stage: Report) -> str:
    """Return the name of the cause for which a stage is to blame."""
    if stage.get("blame_order") == 2:
        return "second-order"
    kind = stage["kind"]
    if kind == "transposed":
        return "uneven-overlap" if stage["overlap"] == "uneven" else "even-overlap"
    return {"sub-pixel": "sub-pixel", "un-patchify": "sub-pixel", "unpool": "unpooling"}.get(kind, "resize")


def reason(stage: Report) -> str:
    """Return how a stage makes it, a clause."""
    words = SOUND if len(stage["stride"]) == 1 else PICTURE
    return REASONS[cause_of(stage)].format(taps=_taps(stage), **words)


def _taps(stage: Report) -> str:
    """Return how many taps the output pixels of a transposed convolution get: "1, 2 or 4 taps".

    >>> _taps({"kernel_size": [3, 3], "stride": [2, 2]})
    '1, 2 or 4 taps'
    """
    counts = {1}
    dilations = stage.get("dilation") or [1] * len(stage["stride"])
    for kernel, stride, dilation in zip(stage["kernel_size"], stage["stride"], dilations, strict=True):
        phases = [tap * dilation % int(stride) for tap in range(kernel)]
        counts = {n * phases.count(phase) for n in counts for phase in range(int(stride))}
    ordered = [str(n) for n in sorted(counts)]
    if len(ordered) < 2:
        return "different numbers of taps"
    return f"{', '.join(ordered[:-1])} or {ordered[-1]} taps"


def guilty_stages(stages: Sequence[Report]) -> list[Report]:
    """Return the stages to blame, the worst first."""
    return sorted((s for s in stages if (s["blame"] or 0) >= NAMED), key=lambda s: -s["blame"])


def is_invisible(report: Report) -> bool:
    """Test whether a lattice of pictures is too weak to be seen."""
    return not scale_of(report).sound and visibility(report["lattice"]) == "invisible"


def _unknown(report: Report) -> str:
    if report["operations"]["unsupported"]:
        return "unread-operation"
    return "too-small" if report["not_tested"] else "not-measured"


def _open(report: Report) -> str:
    """Return why nothing was decided."""
    unread = sorted(report["operations"]["unsupported"])
    if unread:
        verb = "is" if len(unread) == 1 else "are"
        return f"no grid was found, but {listed(unread)} on the way to the output {verb} not understood"
    if report["not_tested"]:
        periods = listed([str(period) for period in report["not_tested"]])
        noun = "periods" if len(report["not_tested"]) > 1 else "period"
        return f"no grid was found, but the output is too small to test {noun} {periods}"
    if report["notes"]:
        return f"no grid was found, but {str(report['notes'][0]).rstrip('.')}"
    return "no grid was found, but something on the way to the output is not understood"


def untested(report: Report) -> str:
    """Return the possible periods that the verdict says nothing about; "" if there are none."""
    periods = [str(period) for period in report.get("not_tested") or ()]
    if not periods:
        return ""
    noun = plural(len(periods), "period").partition(" ")[2]
    return f"Not tested: {noun} {listed_some(periods)}, too long for the output; give a larger input."
