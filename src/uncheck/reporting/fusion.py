"""A fusion as text: what was fused, what was refused and why, and how far the outputs differ."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from uncheck.reporting.page import Page, Part, Report, Result, plural, sizes, table


def fuse_text(result: Result, page: Page | None = None) -> str:
    """Return the report of `uncheck.fuse` as a page of text."""
    report = result.to_dict()
    colour = "bold yellow" if report["refused"] else "bold green"
    parts: list[Part] = [Text(headline(report), style=colour)]
    parts += _fused(report["fused"])
    if report["refused"]:
        parts += ["", Text("Left as they were", style="bold"), *map(_refusal, report["refused"])]
    if report["fused"]:
        parts += ["", _difference(report["difference"])]
    parts += [f"Note: {note}." for one in report["fused"] for note in one["notes"]]
    parts += [f"Note: {note}." for note in report["notes"]]
    return (page or Page()).draw(parts)


def headline(report: Report) -> str:
    """Return how many were fused and how many refused, in one sentence."""
    fused, refused = len(report["fused"]), len(report["refused"])
    if not fused and not refused:
        return "Nothing to fuse: no resize makes an axis longer."
    if not refused:
        return f"Fused: {plural(fused, 'resize')}, and none was refused."
    return f"Fused: {fused or 'none'} of {plural(fused + refused, 'resize')}; {refused} refused."


def _fused(entries: Sequence[Report]) -> Sequence[Part]:
    rows = [
        (
            one["resize"],
            one["conv"],
            one["folded"] or "-",
            one["mode"],
            sizes(one["factor"]),
            sizes(one["kernel_size"]),
            _padding(one),
        )
        for one in entries
    ]
    columns = ("resize", "convolution", "folded norm", "mode", ">factor", ">kernel", "padding")
    return table("Now one layer each, where the convolution was", columns, rows)


def _padding(one: Report) -> str:
    amounts = [n for pair in one["padding"] for n in pair]
    if not any(amounts):
        return "none"
    if len(set(amounts)) == 1:
        return f"{amounts[0]} {one['padding_mode']}"
    return f"{', '.join(f'{a}+{b}' for a, b in one['padding'])} {one['padding_mode']}"


def _refusal(one: Report) -> str:
    again = f" ({one['calls']} calls)" if one["calls"] > 1 else ""
    return f"{one['resize']}{again}: {one['reason']}."


def _difference(measured: Report) -> str:
    random = measured["random"]
    second = "" if random is None else f", {random:.2g} on a random input"
    return (
        f"Largest difference of the outputs: {measured['example']:.2g} on the example{second}; "
        f"{measured['relative']:.2g} of the largest value ({measured['allowed']:.2g} is allowed)."
    )
