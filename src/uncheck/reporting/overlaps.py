"""An overlap map as text: its picture and the taps of each phase."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from uncheck.geometry.result import picture
from uncheck.reporting.opening import one_line, opening
from uncheck.reporting.page import Detail, Page, Part, Report, Result, sizes, table

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
    report, page = result.to_dict(), page or Page()
    if page.detail is Detail.quiet:
        return one_line(report, page)
    parts = [*opening(report, "bold green" if report["even"] else "bold red"), ""]
    if len(layers) > 1:
        parts += [f"{i}. {layer_words(one)}" for i, one in enumerate(layers, 1)]
    parts += picture(np.asarray(report["taps"])).split("\n")
    if not page.verbose:
        return page.draw([*parts, "", "More: -v counts the taps of each phase (place within a period)."])
    parts += taps_table(axis_taps)
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
    return page.draw(parts)


def taps_table(axis_taps: Sequence[Sequence[int]]) -> Sequence[Part]:
    """Return the taps of each phase, an axis a row."""
    rows = [(str(axis), _taps(taps)) for axis, taps in enumerate(axis_taps)]
    return table("Taps per phase (axes multiply)", (">axis", "phase 0, 1, ..."), rows)


def _survival(scale: Report) -> str:
    if scale["survives"]:
        return "yes"
    return "no, it is even" if scale["ratio"] == 1 else "no, a later layer evens it"


def _taps(taps: Sequence[int]) -> str:
    shown = "  ".join(map(str, taps[:MOST_PHASES]))
    return shown if len(taps) <= MOST_PHASES else f"{shown}  ... ({len(taps)} phases)"


def _ratio(ratio: float | None) -> str:
    return "inf" if ratio is None else f"{ratio:.4g}:1"


def layer_words(one: Report) -> str:
    """Return the sizes of a layer in words."""
    kind = "transposed convolution" if one["transposed"] else "convolution"
    usual = {"padding": 0, "output_padding": 0, "dilation": 1}
    extra = [
        f"{name.replace('_', ' ')} {sizes(one[name])}"
        for name, value in usual.items()
        if any(v != value for v in one[name])
    ]
    stride = f"stride {sizes(one['stride'])}"
    return ", ".join([f"{kind}, kernel {sizes(one['kernel_size'])}", stride, *extra])
