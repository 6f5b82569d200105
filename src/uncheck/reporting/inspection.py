"""An inspection as text: the verdict and the layer to blame, then the evidence."""

from __future__ import annotations

from collections.abc import Sequence

from uncheck.advising.inspected import cause_of, guilty_stages, untested
from uncheck.advising.limits import limit_words
from uncheck.advising.naming import name_of
from uncheck.advising.scale import Scale, scale_of
from uncheck.reporting.loaded import weights_line
from uncheck.reporting.opening import one_line, opening
from uncheck.reporting.page import (
    Detail,
    Page,
    Part,
    Report,
    Result,
    bar,
    chance,
    components,
    listed,
    listed_some,
    plural,
    shortened,
    sizes,
    table,
)
from uncheck.reporting.verdict import evidence_line, notes_below, reasons

#: Rows of a table of periods: the rest is in the JSON.
MOST_ROWS = 8

#: Characters of a cell that names several layers, and of one name in it.
ORIGINS, SHORT_NAME = 48, 40

GLOSSARY = (
    "Words: `uncheck explain WORD` says what spread, order, period, phase and blame mean; kernel /stride."
)

_COLOURS = {"lattice": "bold red", "clean": "bold green", "undetermined": "bold yellow"}


def inspect_text(result: Result, page: Page | None = None) -> str:
    """Return the report of `uncheck.inspect` as a page of text."""
    report, page = result.to_dict(), page or Page()
    if page.detail is Detail.quiet:
        return one_line(report, page)
    parts = opening(report, _COLOURS.get(report["verdict"], "bold"), untested(report))
    parts += weights_line(report)
    parts += _details(report) if page.verbose else _hints(report)
    return page.draw(parts)


def _hints(report: Report) -> list[Part]:
    """Return the worst note, and where the rest is."""
    notes = notes_below(report)
    causes = list(dict.fromkeys(cause_of(s) for s in guilty_stages(report["stages"])))
    page = (
        f"; `uncheck explain {causes[0]}` has the cause" if report["verdict"] == "lattice" and causes else ""
    )
    return [*[f"Note: {note}." for note in notes[:1]], f"More: -v has the details{page}."]


def _details(report: Report) -> list[Part]:
    """Return everything that the first lines rest on."""
    scale = scale_of(report)
    parts: list[Part] = ["", *reasons(report)] if reasons(report) else []
    parts += _outputs(report.get("outputs") or ())
    parts += _stages(report["stages"])
    parts += _lattice(report, scale)
    parts += _other(report.get("other") or (), scale)
    parts += _probes(report, scale)
    parts += _gradient(report["gradient"])
    parts += ["", *evidence_line(report), *_boundary(report["boundary"], scale), _operations(report)]
    return [*parts, *[f"Note: {note}." for note in notes_below(report)], GLOSSARY]


def _outputs(outputs: Sequence[Report]) -> list[Part]:
    """Return the verdict on each output, where there are several: in grey levels, as they share no scale."""
    if len(outputs) < 2:
        return []
    scale = Scale()
    rows = [
        (one["name"], one["verdict"], scale.components(one["lattice"], "-"), _worst(one, scale))
        for one in outputs
    ]
    columns = ("output", "verdict", f"lattice ({scale.column})", "nothing else above")
    return [*table("Outputs", columns, rows)]


def _worst(one: Report, scale: Scale) -> str:
    """Return the worst limit of an output."""
    return limit_words(one["limit"], scale, 1) or (
        "not measured" if one["verdict"] == "undetermined" else "-"
    )


def _stages(stages: Sequence[Report]) -> list[Part]:
    if not stages:
        return ["", "There are no upsampling stages."]
    rows = [
        (
            _cell(s),
            _built(s),
            sizes(s["output_period"]),
            "-" if s["gain_spread"] is None else f"{s['gain_spread']:.3f}",
            "-" if s["order"] is None else str(s["order"]),
            bar(s["blame"]) + (" *" if s["interacts"] else ""),
        )
        for s in stages
    ]
    columns = ("stage", "built as", ">period", ">spread", ">order", "blame")
    parts: list[Part] = [*table("Upsampling stages, in forward order", columns, rows)]
    if any(s["interacts"] for s in stages):
        parts.append("* interacts with other stages: mend these together.")
    return parts


def _cell(stage: Report) -> str:
    """Return the name of a layer in a table, with the number of the call if it is called again."""
    again = f" (call {stage['call'] + 1})" if stage.get("call") else ""
    return f"{stage['name'] or 'the model itself'}{again}"


def _built(stage: Report) -> str:
    """Return kind, kernel, stride and overlap of a layer: "transposed 3 /2 uneven"."""
    overlap = f" {stage['overlap']}" if stage.get("overlap", "none") != "none" else ""
    kernel, stride = sizes(stage["kernel_size"]), sizes(stage["stride"])
    return f"{stage['kind']} {kernel} /{stride}{overlap}"


def _lattice(report: Report, scale: Scale) -> list[Part]:
    found = [(c, _origin(report["stages"], c)) for c in report["lattice"]]
    found += [(c, "trace, below the threshold") for c in report["traces"]]
    apart = [one["period"] for one in report.get("other") or ()]
    brought = [c for c in report["from_input"] if c["period"] not in apart]
    found += [(c, "the input brought it") for c in brought]
    return _periods("Lattice of the output", found, scale, "comes from")


def _other(other: Sequence[Report], scale: Scale) -> list[Part]:
    """Return what else repeats; nothing here makes a verdict."""
    title = "Also repeats in the output, at periods that no upsampling stage can leave"
    return _periods(title, [(c, c["source"]) for c in other], scale, "likely source")


def _periods(title: str, found: Sequence[tuple[Report, str]], scale: Scale, last: str) -> list[Part]:
    """Return a table of components, and how many it does not show."""
    rows = []
    for c, source in found[:MOST_ROWS]:
        pitch = [scale.frequencies(c)] if scale.pitch else []
        rows.append([sizes(c["period"]), *pitch, scale.strength(c, 1), chance(c["p_value"]), source])
    pitch = [f">{scale.pitch}"] if scale.pitch else []
    columns = [">period", *pitch, f">{scale.column}", ">p-value", last]
    rest = len(found) - MOST_ROWS
    return [
        *table(title, columns, rows),
        *([f"{plural(rest, 'more is', 'more are')} in the JSON."] if rest > 0 else []),
    ]


def _origin(stages: Sequence[Report], component: Report) -> str:
    """Return the stages a period comes from, the most first, and the order of the fault."""
    shares = [
        (entry["share"], shortened(_cell(stage), SHORT_NAME))
        for stage in stages
        for entry in stage["periods"]
        if list(entry["period"]) == list(component["period"])
    ]
    named = [f"{name} {share:.0%}" for share, name in sorted(shares, reverse=True) if share >= 0.01]
    count = sum(len(", ".join(named[: i + 1])) <= ORIGINS for i in range(len(named)))
    order = [f"({component['order']} order)"] if component.get("order") else []
    return " ".join([*([listed_some(named, max(count, 1))] if named else []), *order])


def _probes(report: Report, scale: Scale) -> Sequence[Part]:
    rows = [
        (name, scale.components(probe["lattice"]), scale.components(probe["second_order"]))
        for name, probe in report["probes"].items()
    ]
    random = report["random_weights"]["lattice"]
    if random is not None:
        rows.append(("shuffled weights", scale.components(random), ""))
    columns = ("input", f"lattice ({scale.column})", "lattice of the detail")
    return table("Other inputs", columns, rows)


def _boundary(boundary: Report | None, scale: Scale) -> list[Part]:
    if not boundary:
        return []
    lines: list[Part] = []
    for key, what in (("constant", "a constant input"), ("real", "the real input")):
        edge = boundary.get(key)
        if edge and edge["depth"]:
            lines.append(
                f"Border: on {what} it differs {plural(edge['depth'], scale.lengths[:-1])} deep, "
                f"by up to {scale.strong(edge)}."
            )
    if boundary["paddings"]:
        lines.append(f"Border: made by {listed([_padding(p) for p in boundary['paddings']])}.")
    return lines or ["Border: no boundary artifact."]


def _padding(padding: Report) -> str:
    if padding["mode"] == "any":
        return f"all paddings together ({padding['share']:.0%})"
    return f"the padding of {name_of(padding)} ({padding['mode']}, {padding['share']:.0%})"


def _operations(report: Report) -> str:
    operations = report["operations"]
    handled, ignored = (sum(operations[key].values()) for key in ("handled", "ignored"))
    unknown = [f"{name} ({count})" for name, count in operations["unsupported"].items()]
    # Where something else was not understood, "none" would contradict the note that says so.
    gaps = report["verdict"] == "undetermined" or any("not understood" in note for note in report["notes"])
    rest = (
        [f"not understood: {listed(unknown)}"]
        if unknown
        else []
        if gaps
        else ["none that was not understood"]
    )
    return f"Operations: {', '.join([f'{handled} handled', f'{ignored} ignored on purpose', *rest])}."


def _gradient(gradient: Report | None) -> list[Part]:
    if not gradient:
        return []
    rows = [(_cell(s), _built(s), sizes(s["input_period"]), bar(s["blame"])) for s in gradient["strided"]]
    return [
        "",
        f"Gradient with respect to the input: {components(gradient['lattice'], 'no lattice')}; "
        f"its magnitude: {components(gradient['magnitude'], 'no lattice')} "
        "(42.5 grey levels are one standard deviation).",
        *table("Strided layers", ("layer", "built as", ">period", "blame"), rows),
    ]
