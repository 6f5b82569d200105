"""An inspection as text: the verdict and the layer to blame, then the evidence."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from uncheck.reporting.loaded import weights_line
from uncheck.reporting.page import (
    Page,
    Part,
    Report,
    Result,
    bar,
    chance,
    components,
    levels,
    listed,
    sizes,
    table,
)

#: A stage that answers for less is not named in the headline.
NAMED = 0.1

_COLOURS = {"lattice": "bold red", "clean": "bold green", "undetermined": "bold yellow"}

_ORDERS = {
    1: "its output phases get unequal means (first order).",
    2: "its output phases get unequal variances, which a nonlinearity after it turns into unequal means "
    "(second order).",
}

_FAULTS = {
    "architecture": "It is built in: the same architecture with shuffled weights leaves a lattice too.",
    "learning": "It was learned: the same architecture with shuffled weights leaves none as strong.",
}


def inspect_text(result: Result, page: Page | None = None) -> str:
    """Return the report of `uncheck.inspect` as a page of text."""
    report = result.to_dict()
    parts: list[Part] = [Text(headline(report), style=_COLOURS.get(report["verdict"], "bold"))]
    parts += _reasons(report)
    parts += weights_line(report)
    parts += _stages(report["stages"])
    parts += _lattice(report)
    parts += _probes(report)
    parts += _gradient(report["gradient"])
    parts += ["", *_boundary(report["boundary"]), _operations(report["operations"])]
    parts += [f"Note: {note}." for note in report["notes"]]
    return (page or Page()).draw(parts)


def headline(report: Report) -> str:
    """Return the verdict in one sentence, with the layers to blame."""
    if report["verdict"] == "lattice":
        found = listed(
            [f"period {sizes(c['period'])} at {levels(c['amplitude'])}" for c in report["lattice"]]
        )
        return f"Lattice: {found} grey levels (of 255); {_blamed(report['stages'])}."
    if report["verdict"] == "clean":
        gradient = report["gradient"] or {}
        if gradient.get("lattice") or gradient.get("magnitude"):
            return "Clean: no lattice in the output, but the gradient has one."
        return "Clean: no lattice in the output."
    unknown = listed(sorted(report["operations"]["unsupported"])) or "something"
    return f"Undetermined: no lattice was found, but {unknown} on the way to the output is not understood."


def _blamed(stages: Sequence[Report]) -> str:
    if not stages:
        return "there is no upsampling stage, so upsampling is not to blame"
    guilty = _guilty(stages)
    if not guilty:
        return "no upsampling stage answers for it"
    return "to blame: " + listed([f"{_name(s)} ({s['blame']:.0%})" for s in guilty])


def _guilty(stages: Sequence[Report]) -> list[Report]:
    return sorted((s for s in stages if (s["blame"] or 0) >= NAMED), key=lambda s: -s["blame"])


def _reasons(report: Report) -> list[Part]:
    """Return the kind of fault of each guilty stage, and where the lattice comes from."""
    guilty = [stage for stage in _guilty(report["stages"]) if stage["blame_order"]]
    lines: list[Part] = [f"{_name(stage)}: {_ORDERS[stage['blame_order']]}" for stage in guilty]
    fault = report["random_weights"]["fault"]
    return [*lines, *([_FAULTS[fault]] if fault else [])]


def _name(stage: Report) -> str:
    """Return the name of a layer, with the number of the call if it is called again."""
    again = f" (call {stage['call'] + 1})" if stage.get("call") else ""
    return f"{stage['name'] or 'the model itself'}{again}"


def _built(stage: Report) -> tuple[str, ...]:
    """Return name, kind, stride and kernel of a layer."""
    return _name(stage), stage["kind"], sizes(stage["stride"]), sizes(stage["kernel_size"])


def _stages(stages: Sequence[Report]) -> list[Part]:
    if not stages:
        return ["", "There are no upsampling stages."]
    rows = [
        (
            *_built(s),
            s["overlap"] if s["overlap"] != "none" else "-",
            sizes(s["output_period"]),
            "-" if s["gain_spread"] is None else f"{s['gain_spread']:.3f}",
            "-" if s["order"] is None else str(s["order"]),
            bar(s["blame"]) + (" *" if s["interacts"] else ""),
        )
        for s in stages
    ]
    columns = ("stage", "kind", ">stride", ">kernel", "overlap", ">period", ">gain spread", ">order", "blame")
    parts: list[Part] = [*table("Upsampling stages, in forward order", columns, rows)]
    if any(s["interacts"] for s in stages):
        parts.append("* interacts with other stages: mend these together.")
    return parts


def _lattice(report: Report) -> Sequence[Part]:
    origins = [(c, _shares(report["stages"], c["period"])) for c in report["lattice"]]
    origins += [(c, "trace, below the threshold") for c in report["traces"]]
    origins += [(c, "the input brought it") for c in report["from_input"]]
    rows = [
        (sizes(c["period"]), levels(c["amplitude"]), chance(c["p_value"]), origin) for c, origin in origins
    ]
    return table("Lattice of the output", (">period", ">grey levels", ">p-value", "comes from"), rows)


def _shares(stages: Sequence[Report], period: Sequence[int]) -> str:
    shares = [
        (entry["share"], _name(stage))
        for stage in stages
        for entry in stage["periods"]
        if list(entry["period"]) == list(period)
    ]
    return ", ".join(f"{name} {share:.0%}" for share, name in sorted(shares, reverse=True) if share >= 0.01)


def _probes(report: Report) -> Sequence[Part]:
    rows = [
        (name, components(probe["lattice"]), components(probe["second_order"]))
        for name, probe in report["probes"].items()
    ]
    random = report["random_weights"]["lattice"]
    if random is not None:
        rows.append(("shuffled weights", components(random), ""))
    return table("Other inputs", ("input", "lattice (grey levels)", "lattice of the detail"), rows)


def _boundary(boundary: Report | None) -> list[Part]:
    if not boundary:
        return []
    lines: list[Part] = []
    for key, what in (("constant", "a constant input"), ("real", "the real input")):
        edge = boundary.get(key)
        if edge and edge["depth"]:
            lines.append(
                f"Border: on {what} it differs {edge['depth']} pixels deep, by up to "
                f"{levels(edge['strength'])} grey levels."
            )
    paddings = [f"{_name(p)} ({p['mode']}, {p['share']:.0%})" for p in boundary["paddings"]]
    if paddings:
        lines.append(f"Border: made by the padding of {listed(paddings)}.")
    return lines or ["Border: no boundary artifact."]


def _operations(operations: Report) -> str:
    handled, ignored = (sum(operations[key].values()) for key in ("handled", "ignored"))
    unknown = [f"{name} ({count})" for name, count in operations["unsupported"].items()]
    rest = f"not understood: {listed(unknown)}" if unknown else "none that was not understood"
    return f"Operations: {handled} handled, {ignored} ignored on purpose, {rest}."


def _gradient(gradient: Report | None) -> list[Part]:
    if not gradient:
        return []
    rows = [(*_built(s), sizes(s["input_period"]), bar(s["blame"])) for s in gradient["strided"]]
    return [
        "",
        f"Gradient with respect to the input: {components(gradient['lattice'], 'no lattice')}; "
        f"its magnitude: {components(gradient['magnitude'], 'no lattice')} "
        "(42.5 grey levels are one standard deviation).",
        *table("Strided layers", ("layer", "kind", ">stride", ">kernel", ">period", "blame"), rows),
    ]
