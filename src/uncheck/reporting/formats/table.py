"""CSV: a row per picture and lattice component, or per stage; numbers in full."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from uncheck.advising.visibility import visibility
from uncheck.reporting.formats.findings import errors_of, kind_of
from uncheck.reporting.page import Report, sizes

Row = dict[str, Any]

#: First characters by which spreadsheets know a formula (OWASP, "CSV Injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r")

#: Columns by command. A cell is empty where a row has no such thing.
COLUMNS: dict[str, Sequence[str]] = {
    "measure": (
        *("path", "kind", "verdict", "period", "amplitude", "p_value", "visibility"),
        *("strength", "rival", "error"),
    ),
    "inspect": (
        *("row", "name", "verdict", "period", "amplitude", "p_value", "visibility", "kind", "type", "stride"),
        *("kernel_size", "overlap", "gain_spread", "order", "blame"),
    ),
    "overlap": ("layer", "kernel_size", "stride", "even", "ratio", "period", "survives"),
    "fuse": ("resize", "fused", "conv", "factor", "mode", "kernel_size", "reason"),
    "repair": ("network", "method", "period", "before", "after", "significant_before", "significant_after"),
}


def csv_text(report: Report) -> str:
    """Return a report as CSV with a header line (RFC 4180, but lines end in a single newline).

    Text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    kind = kind_of(report)
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS[kind], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _inert(cell) for name, cell in row.items()} for row in _ROWS[kind](report))
    return file.getvalue().rstrip("\n")


def _inert(cell: Any) -> Any:
    # Names of files and layers are other people's; numbers stay numbers.
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _measured(report: Report) -> Iterable[Row]:
    made = report.get("set")
    if made is not None:
        whole = {"path": "", "kind": "set", "verdict": made["verdict"]}
        yield from _components(whole, made["lattice"])
    for image in report["images"]:
        about = {name: image[name] for name in ("path", "kind", "verdict", "strength", "rival")}
        found = image["lattice"] if image["verdict"] != "blocks" else image["blocks"]
        yield from _components(about, found, seen=image["kind"] != "audio")
    for path, message in errors_of(report):
        yield {"path": path, "verdict": "error", "error": message}


def _components(about: Row, found: Sequence[Report], seen: bool = True) -> Iterable[Row]:
    for one in found:
        word = visibility([one]) if seen else ""
        named = {"amplitude": one["amplitude"], "p_value": one["p_value"], "visibility": word}
        yield {**about, "period": sizes(one["period"]), **named}
    if not found:
        yield about


def _inspected(report: Report) -> Iterable[Row]:
    about = {"row": "output", "name": report.get("target") or "", "verdict": report["verdict"]}
    seen = not any(len(one["period"]) == 1 for one in report["lattice"])
    yield from _components(about, report["lattice"], seen)
    for stage in report["stages"]:
        row = {"row": "stage", "name": stage["name"], "period": sizes(stage["output_period"])}
        row |= {name: sizes(stage[name]) for name in ("stride", "kernel_size")}
        row |= {name: stage[name] for name in ("kind", "overlap", "gain_spread", "order", "blame")}
        yield {**row, "type": stage.get("type")}


def _counted(report: Report) -> Iterable[Row]:
    scales = {one["layer"]: one for one in report["scales"]}
    for index, layer in enumerate(report["layers"]):
        row = {"layer": index + 1, **{name: sizes(layer[name]) for name in ("kernel_size", "stride")}}
        if index in scales:
            scale = scales[index]
            row |= {"even": scale["ratio"] == 1, "ratio": scale["ratio"], "survives": scale["survives"]}
            row["period"] = sizes(scale["period"])
        yield row


def _fused(report: Report) -> Iterable[Row]:
    for one in report["fused"]:
        named = {name: sizes(one[name]) for name in ("factor", "kernel_size")}
        yield {"resize": one["resize"], "fused": True, "conv": one["conv"], "mode": one["mode"], **named}
    for one in report["refused"]:
        yield {"resize": one["resize"], "fused": False, "reason": one["reason"]}


def _repaired(report: Report) -> Iterable[Row]:
    before, after = (
        {tuple(one["period"]): one for one in (look["lattice"] if look else ())}
        for look in (report["before"], report["after"])
    )
    about = {name: report[name] for name in ("network", "method")}
    for period in dict.fromkeys([*before, *after]):
        row = {**about, "period": sizes(period)}
        for name, look in (("before", before), ("after", after)):
            if period in look:
                row[name] = look[period]["amplitude"]
                row[f"significant_{name}"] = look[period]["significant"]
        yield row
    if not before and not after:
        yield about


_ROWS: dict[str, Callable[[Report], Iterable[Row]]] = {
    "measure": _measured,
    "inspect": _inspected,
    "overlap": _counted,
    "fuse": _fused,
    "repair": _repaired,
}
