"""The verdict of an inspection in words: what there is, how strong, of which order, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from uncheck.reporting.limits import limit_words
from uncheck.reporting.page import MOST_COMPONENTS, Report, listed, listed_some, plural, sizes
from uncheck.reporting.scale import scale_of

#: A stage that answers for less is not named in the headline.
NAMED = 0.1

#: Grey levels that generators leave before training, least and most over networks and seeds, in one picture
#: and in the mean of 256 (experiments/gan): built from transposed convolutions, and from resizes or layers
#: of equal gain.
TRANSPOSED, EVEN = (22, 52), (0.0, 2.8)

_ORDERS = {
    1: "its output phases get unequal means (first order).",
    2: "its output phases get unequal variances, which a nonlinearity after it turns into unequal means "
    "(second order).",
}

_FAULTS = {
    "architecture": "It is built in: the same architecture with shuffled weights leaves a lattice too.",
    "learning": "It was learned: the same architecture with shuffled weights leaves none as strong.",
}

_STOPPED = {
    "stalled": "; more of them would not lower the limit: give inputs that differ more",
    "passes": "; no more, so as not to take long: give more inputs for a lower limit",
    "seconds": "; then the time was over: give more --seconds for a lower limit",
    "inputs": "; no others alike could be made: give more inputs for a lower limit",
    "nothing": "; nothing to test",
}


def headline(report: Report) -> str:
    """Return the verdict in one sentence, with the layers to blame."""
    if report["verdict"] == "lattice":
        return _lattice(report)
    if report["verdict"] == "clean":
        return _clean(report)
    return f"Undetermined: {_unknown(report)}."


def _lattice(report: Report) -> str:
    scale, lattice = scale_of(report), report["lattice"]
    decibels = scale.sound and "db" in lattice[0]
    say = scale.strong if decibels else scale.strength
    found = [f"period {scale.period(c)} at {say(c)}" for c in lattice]
    unit = "" if decibels else " grey levels (of 255)"
    return f"Lattice: {_where(report)}{_first(found)}{unit}{_orders(lattice)}; {_blamed(report)}."


def _first(words: Sequence[str]) -> str:
    """Return the first words of a sentence's list, and how many more there are."""
    rest = len(words) - MOST_COMPONENTS
    return listed([*words[:MOST_COMPONENTS], *([f"{rest} more"] if rest > 0 else [])])


def _where(report: Report) -> str:
    """Name the outputs that have a lattice, where there are several."""
    outputs = report.get("outputs") or ()
    having = [one["name"] for one in outputs if one["verdict"] == "lattice"]
    return f"in {listed_some(having)}, " if len(outputs) > 1 and having else ""


def _orders(lattice: Sequence[Report]) -> str:
    """Return ", first order", or which periods have which."""
    by_order = {
        order: [sizes(c["period"]) for c in lattice if c.get("order") == order]
        for order in ("first", "second")
    }
    having = {order: periods for order, periods in by_order.items() if periods}
    if len(having) == 1:
        return f", {next(iter(having))} order"
    named = [f"{o} order (period {listed_some(periods)})" for o, periods in having.items()]
    return f", {listed(named)}" if named else ""


def _clean(report: Report) -> str:
    gradient = report["gradient"] or {}
    pulled = gradient.get("lattice") or gradient.get("magnitude")
    scale, traces = scale_of(report), report["traces"]
    limits = limit_words(report.get("limit") or (), scale)
    found = _first([f"period {scale.period(c)} at {scale.strong(c)}" for c in traces])
    parts = [f"nothing above {limits}"] if limits else []
    parts += [f"only traces, {found}"] if traces else []
    if parts:
        return f"Clean: {'; '.join(parts)}{'; but the gradient has a lattice' if pulled else ''}."
    if not report["stages"] and not pulled:
        return "Clean: no lattice in the output, and no upsampling stage that could leave one."
    return f"Clean: no lattice in the output{', but the gradient has one' if pulled else ''}."


def _unknown(report: Report) -> str:
    """Return why nothing was decided."""
    unsupported = sorted(report["operations"]["unsupported"])
    if unsupported:
        is_ = "is" if len(unsupported) == 1 else "are"
        return (
            f"no lattice was found, but {listed(unsupported)} on the way to the output {is_} not understood"
        )
    if report["notes"]:
        return f"no lattice was found, but {report['notes'][0].rstrip('.')}"
    return "no lattice was found, but something on the way to the output is not understood"


def notes_below(report: Report) -> list[str]:
    """Return the notes that the headline does not say."""
    said = report["verdict"] == "undetermined" and not report["operations"]["unsupported"]
    return list(report["notes"][1:] if said else report["notes"])


def _blamed(report: Report) -> str:
    stages = report["stages"]
    if not stages:
        unread = report["operations"]["unsupported"]
        if unread:
            return f"{listed(sorted(unread))} was not understood, so what makes it is not known"
        if any(note.startswith("not understood") for note in report["notes"]):
            return "what makes it is not known, because not all was understood"
        return "there is no upsampling stage, so upsampling is not to blame"
    if all(stage["blame"] is None for stage in stages):
        return "which stage makes it was not looked for, as the time was over"
    guilty = guilty_stages(stages)
    if not guilty:
        return "no upsampling stage answers for it"
    return "to blame: " + _first([f"{name_of(s)} ({s['blame']:.0%})" for s in guilty])


def guilty_stages(stages: Sequence[Report]) -> list[Report]:
    """Return the stages to blame, the worst first."""
    return sorted((s for s in stages if (s["blame"] or 0) >= NAMED), key=lambda s: -s["blame"])


def name_of(stage: Report) -> str:
    """Return the name of a layer, with the number of the call if it is called again."""
    again = f" (call {stage['call'] + 1})" if stage.get("call") else ""
    return f"{stage['name'] or 'the model itself'}{again}"


def reasons(report: Report) -> list[str]:
    """Return the kind of fault of each guilty stage, where the lattice comes from, and how bad it is."""
    guilty = [stage for stage in guilty_stages(report["stages"]) if stage["blame_order"]]
    lines = [f"{name_of(s)}: {_ORDERS[s['blame_order']]}" for s in guilty[:MOST_COMPONENTS]]
    fault = report["random_weights"]["fault"]
    return [*lines, *([_FAULTS[fault]] if fault else []), *_comparison(report)]


def _comparison(report: Report) -> list[str]:
    """Compare the second-order lattice of layers of equal gain with that of transposed convolutions."""
    lattice, stages = report["lattice"], guilty_stages(report["stages"]) or report["stages"]
    second = bool(lattice) and all(c.get("order") == "second" for c in lattice)
    even = bool(stages) and all((s["order"] or 0) >= 1 for s in stages)
    if report["verdict"] != "lattice" or scale_of(report).sound or not (second and even):
        return []
    return [
        f"For comparison: before training, generators of transposed convolutions leave {TRANSPOSED[0]} to "
        f"{TRANSPOSED[1]} grey levels, those of resizes or layers of equal gain, as here, at most {EVEN[1]} "
        "(experiments/gan). So this is no reason to go back to transposed convolutions."
    ]


def untested_line(report: Report) -> list[str]:
    """Return the possible periods that the verdict says nothing about."""
    periods = [str(period) for period in report.get("not_tested") or ()]
    if not periods:
        return []
    noun = "period" if len(periods) == 1 else "periods"
    return [f"Not tested: {noun} {listed_some(periods)}, too long for the output; give a larger input."]


def next_steps(report: Report) -> list[str]:
    """Return what was left open and what to do next; nothing where nothing has to be done."""
    steps = _next(report)
    return [*untested_line(report), *([f"Next: {'; '.join(steps)}."] if steps else [])]


def _next(report: Report) -> list[str]:
    verdict, outputs = report["verdict"], report.get("outputs") or ()
    if verdict == "lattice":
        if not guilty_stages(report["stages"]):
            return []
        swap = [] if _comparison(report) else ["`uncheck.swap` gives other layers to train on with"]
        return ["`uncheck repair` mends trained weights", *swap]
    if verdict == "clean":
        return []
    unread = report["operations"]["unsupported"]
    teach = "`uncheck.reading.register` teaches uncheck an operation (CONTRIBUTING.md)"
    steps = [teach if unread else "another `--input` may show more", "`--periods` names periods to test"]
    if len(outputs) > 1:
        measured = [one["name"] for one in outputs if one["verdict"] != "undetermined"]
        steps += [f"`--which {measured[0]}` judges one output alone"] if measured else []
    return steps


def evidence_line(report: Report) -> list[str]:
    """Return what the verdict rests on, in a line."""
    evidence = report.get("evidence")
    if not evidence:
        return []
    passes = f", {evidence['passes']:.3g} forward passes" if evidence["passes"] > 1 else ""
    why = _STOPPED.get(evidence.get("stopped", ""), "")
    return [f"Evidence: {plural(evidence['inputs'], 'input')}{passes}{why}."]
