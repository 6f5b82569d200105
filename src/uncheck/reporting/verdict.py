"""What an inspection says in sentences below its first lines."""

from __future__ import annotations

from uncheck.advising.inspected import guilty_stages
from uncheck.advising.naming import typed_name
from uncheck.advising.scale import scale_of
from uncheck.reporting.page import MOST_COMPONENTS, Report, plural

#: Grey levels that generators leave before training, least and most over networks and seeds, in one picture
#: and in the mean of 256 (experiments/gan): built from transposed convolutions, and from resizes or layers
#: of equal gain.
TRANSPOSED, EVEN = (22, 52), (0.0, 2.8)

_ORDERS = {
    1: "its phases, the places within a cell of its output, get unequal means (first order).",
    2: "its phases, the places within a cell of its output, get unequal variances, which a nonlinearity "
    "after it turns into unequal means (second order).",
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


def notes_below(report: Report) -> list[str]:
    """Return the notes that the headline does not say."""
    said = report["verdict"] == "undetermined" and not report["operations"]["unsupported"]
    return list(report["notes"][1:] if said else report["notes"])


def reasons(report: Report) -> list[str]:
    """Return the kind of fault of each guilty stage, where the lattice comes from, and how bad it is."""
    guilty = [stage for stage in guilty_stages(report["stages"]) if stage["blame_order"]]
    lines = [f"{typed_name(s)}: {_ORDERS[s['blame_order']]}" for s in guilty[:MOST_COMPONENTS]]
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


def evidence_line(report: Report) -> list[str]:
    """Return what the verdict rests on, in a line."""
    evidence = report.get("evidence")
    if not evidence:
        return []
    passes = f", {evidence['passes']:.3g} forward passes" if evidence["passes"] > 1 else ""
    why = _STOPPED.get(evidence.get("stopped", ""), "")
    return [f"Evidence: {plural(evidence['inputs'], 'input')}{passes}{why}."]
