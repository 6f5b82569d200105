"""A fusion as text: what was fused, what was refused and why, and how far the outputs differ."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from uncheck.reporting.opening import one_line, opening
from uncheck.reporting.page import Detail, Page, Part, Report, Result, sizes, table


def fuse_text(result: Result, page: Page | None = None) -> str:
    """Return the report of `uncheck.fuse` as a page of text."""
    report, page = result.to_dict(), page or Page()
    if page.detail is Detail.quiet:
        return one_line(report, page)
    parts = opening(report, "bold yellow" if report["refused"] else "bold green")
    if not page.verbose:
        return page.draw([*parts, "More: -v has the details."])
    parts += _fused(report["fused"])
    if report["refused"]:
        parts += ["", Text("Left as they were", style="bold"), *map(_refusal, report["refused"])]
    if report["fused"]:
        parts += ["", _difference(report["difference"])]
    parts += [f"Note: {note}." for one in report["fused"] for note in one["notes"]]
    parts += [f"Note: {note}." for note in report["notes"]]
    return page.draw(parts)


def _fused(entries: Sequence[Report]) -> Sequence[Part]:
    rows = [
        (
            one["resize"],
            one["conv"],
            one["folded"] or "-",
            f"{one['mode']} x {sizes(one['factor'])}",
            sizes(one["kernel_size"]),
            _padding(one),
        )
        for one in entries
    ]
    columns = ("resize", "convolution", "folded norm", "mode", ">kernel", "padding")
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
