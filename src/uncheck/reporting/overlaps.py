"""An overlap map as text: its picture and the taps of each phase."""

from __future__ import annotations

from rich.text import Text

from uncheck.geometry import Layer, Overlap, surviving_periods
from uncheck.geometry.picture import picture
from uncheck.reporting.page import Page, Part, table
from uncheck.reporting.words import listed, sizes

#: Phases shown per axis; the rest are counted.
MOST_PHASES = 16


def overlap_text(result: Overlap, page: Page | None = None) -> str:
    """Return the count of `uncheck.overlap` or `uncheck.chain` as a page of text.

    Args:
        result: of either; beside its dictionary its layers, and the taps that `geometry` draws.
        page: width and colour; plain text if None.
    """
    report = result.to_dict()
    if report["even"]:
        parts: list[Part] = [
            Text(
                "Even: every output pixel away from the border gets the same number of taps.",
                style="bold green",
            )
        ]
    else:
        parts = [Text(_uneven(result, report["ratio"]), style="bold red")]
    parts.append("")
    if len(result.layers) > 1:
        parts += [f"{i}. {_layer(one)}" for i, one in enumerate(result.layers, 1)]
    rows = [(str(axis), _taps(taps)) for axis, taps in enumerate(result.axis_taps)]
    parts += picture(result.taps).splitlines()
    parts.append(table("Taps per phase (axes multiply)", (">axis", "phase 0, 1, ..."), rows))
    if len(report["scales"]) > 1:
        scales = [
            (
                str(scale["layer"] + 1),
                sizes(scale["period"]),
                _ratio(scale["ratio"]),
                "yes" if scale["survives"] else "no, a later layer evens it",
            )
            for scale in report["scales"]
        ]
        parts.append(table("Scales", (">layer", ">period", ">own ratio", "in the result"), scales))
    return (page or Page()).draw(parts)


def _uneven(result: Overlap, ratio: float | None) -> str:
    periods = sorted({p for axis in surviving_periods(result) for p in axis})
    most = (
        "some output pixels get no tap at all"
        if ratio is None
        else f"{_ratio(ratio)} between the output pixels that get most and fewest taps"
    )
    return f"Uneven: {most}; period{'s' if len(periods) > 1 else ''} {listed(list(map(str, periods)))}."


def _taps(taps: tuple[int, ...]) -> str:
    shown = "  ".join(map(str, taps[:MOST_PHASES]))
    return shown if len(taps) <= MOST_PHASES else f"{shown}  ... ({len(taps)} phases)"


def _ratio(ratio: float | None) -> str:
    return "inf" if ratio is None else f"{ratio:.4g}:1"


def _layer(one: Layer) -> str:
    kind = "transposed convolution" if one.transposed else "convolution"
    extra = [
        f"{name} {sizes(value)}"
        for name, value, usual in (
            ("padding", one.padding, 0),
            ("output padding", one.output_padding, 0),
            ("dilation", one.dilation, 1),
        )
        if any(v != usual for v in value)
    ]
    return ", ".join([f"{kind}, kernel {sizes(one.kernel_size)}", f"stride {sizes(one.stride)}", *extra])
