"""An overlap map as text: its picture and the taps of each phase."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.text import Text

from uncheck.geometry.result import picture
from uncheck.reporting.page import Page, Part, Report, Result, listed, sizes, table

#: Phases shown per axis; the rest are counted.
MOST_PHASES = 16


def overlap_text(
    result: Result,
    layers: Sequence[Report],
    axis_taps: Sequence[Sequence[int]],
    periods: Sequence[Sequence[int]],
    page: Page | None = None,
) -> str:
    """Return the count of `uncheck.overlap` or `uncheck.chain` as a page of text.

    It lists the layers counted, and per axis the taps of each phase and the periods that the pattern holds.
    """
    report = result.to_dict()
    style = "bold green" if report["even"] else "bold red"
    parts: list[Part] = [Text(_headline(report, periods), style=style), ""]
    if len(layers) > 1:
        parts += [f"{i}. {_layer(one)}" for i, one in enumerate(layers, 1)]
    parts += picture(np.asarray(report["taps"])).split("\n")
    rows = [(str(axis), _taps(taps)) for axis, taps in enumerate(axis_taps)]
    parts += table("Taps per phase (axes multiply)", (">axis", "phase 0, 1, ..."), rows)
    if len(report["scales"]) > 1:
        scales = [
            (
                str(scale["layer"] + 1),
                sizes(scale["period"]),
                _ratio(scale["ratio"]),
                _survival(scale),
            )
            for scale in report["scales"]
        ]
        parts += table("Scales", (">layer", ">period", ">own ratio", "in the result"), scales)
    return (page or Page()).draw(parts)


def _survival(scale: Report) -> str:
    if scale["survives"]:
        return "yes"
    return "no, it is even" if scale["ratio"] == 1 else "no, a later layer evens it"


def _headline(report: Report, periods: Sequence[Sequence[int]]) -> str:
    if report["even"]:
        return "Even: every output pixel away from the border gets the same number of taps."
    ratio, named = report["ratio"], [str(p) for p in sorted({p for axis in periods for p in axis})]
    between = "between the output pixels that get most and fewest taps"
    most = "some output pixels get no tap at all" if ratio is None else f"{_ratio(ratio)} {between}"
    return f"Uneven: {most}; period{'s' if len(named) > 1 else ''} {listed(named)}."


def _taps(taps: Sequence[int]) -> str:
    shown = "  ".join(map(str, taps[:MOST_PHASES]))
    return shown if len(taps) <= MOST_PHASES else f"{shown}  ... ({len(taps)} phases)"


def _ratio(ratio: float | None) -> str:
    return "inf" if ratio is None else f"{ratio:.4g}:1"


def _layer(one: Report) -> str:
    kind = "transposed convolution" if one["transposed"] else "convolution"
    usual = {"padding": 0, "output_padding": 0, "dilation": 1}
    extra = [
        f"{name.replace('_', ' ')} {sizes(one[name])}"
        for name, value in usual.items()
        if any(v != value for v in one[name])
    ]
    stride = f"stride {sizes(one['stride'])}"
    return ", ".join([f"{kind}, kernel {sizes(one['kernel_size'])}", stride, *extra])
