"""An overlap map as text: its picture and the taps of each phase."""

from __future__ import annotations

from math import isinf

from rich.text import Text

from uncheck.geometry import Layer, Overlap, surviving_periods
from uncheck.geometry.picture import picture
from uncheck.reporting.page import Page, Part, table
from uncheck.reporting.words import listed, sizes

#: Phases shown per axis; the rest are counted.
SHOWN = 16


def overlap_text(result: Overlap, page: Page | None = None) -> str:
    """What `uncheck.overlap` or `uncheck.chain` counted, as a page of text.

    Args:
        result: of either.
        page: width and colour; plain text if None.
    """
    style = "bold green" if result.even else "bold red"
    parts: list[Part] = [Text(_headline(result), style=style), ""]
    parts += (
        [f"{i + 1}. {_layer(one)}" for i, one in enumerate(result.layers)] if len(result.layers) > 1 else []
    )
    parts += [picture(result.taps), _phases_table(result)]
    if len(result.scales) > 1:
        rows = [
            (
                str(scale.layer + 1),
                sizes(scale.period),
                _ratio(scale.ratio),
                "yes" if scale.survives else "no, a later layer evens it",
            )
            for scale in result.scales
        ]
        parts.append(table("Scales", (">layer", ">period", ">own ratio", "in the result"), rows))
    return (page or Page()).draw(parts)


def _headline(result: Overlap) -> str:
    if result.even:
        return "Even: every output pixel away from the border gets the same number of taps."
    periods = sorted({p for axis in surviving_periods(result) for p in axis})
    ratio = (
        "some output pixels get no tap at all"
        if isinf(result.ratio)
        else f"{_ratio(result.ratio)} between the output pixels that get most and fewest taps"
    )
    return f"Uneven: {ratio}; period{'s' if len(periods) > 1 else ''} {listed(list(map(str, periods)))}."


def _phases_table(result: Overlap) -> Part:
    rows = []
    for axis, taps in enumerate(result.axis_taps):
        shown = "  ".join(str(count) for count in taps[:SHOWN])
        rows.append((str(axis), shown if len(taps) <= SHOWN else f"{shown}  ... ({len(taps)} phases)"))
    return table("Taps per phase (axes multiply)", (">axis", "phase 0, 1, ..."), rows)


def _ratio(ratio: float) -> str:
    return "inf" if isinf(ratio) else f"{ratio:.4g}:1"


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
