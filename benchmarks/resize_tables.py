"""The tables of docs/resize-convolution.md, from results/*.json alone, between their markers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "resize-convolution.md"


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(rendered(PAGE.read_text()))


def rendered(text: str) -> str:
    """`text` with what lies between <!-- NAME --> and <!-- /NAME --> made anew from the results."""
    for name, (file, make) in TABLES.items():
        body = make(json.loads((HERE / "results" / f"{file}.json").read_text()))
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"docs/resize-convolution.md: no markers for the table {name}")
        text = pattern.sub(lambda m, body=body: f"{m[1]}{body}\n{m[2]}", text)
    return text


def table(head: list[str], rows: list[list[Any]]) -> str:
    """In Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def machine(result: dict[str, Any]) -> str:
    """What the results were made with."""
    made = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    return f"{made['date']}, {made['processor']}, {result['threads']} threads, {versions}."


def targets(result: dict[str, Any]) -> str:
    """The targets and what came out over all cells."""
    everything, memory = result["summary"][0], result["memory"]
    wanted = list(result["target"].values())
    rows = [
        ["faster than the two steps, geometric mean", f">= {wanted[0]}", everything["faster"]],
        ["worst cell", f">= {wanted[1]}", everything["worst"]],
        ["cells below that", 0, f"{everything['below_0.95']} of {everything['cells']}"],
        [
            "of the transposed convolution's time, geometric mean",
            f"<= {wanted[2]}",
            everything["of_transposed"],
        ],
        ["peak memory of the two steps', geometric mean", f"<= {wanted[3]}", memory["of_two_steps"]],
    ]
    return table(["", "target", "came out"], rows)


def slices(key: str) -> Callable[[dict[str, Any]], str]:
    """Geometric means by layout, type and direction."""

    def make(result: dict[str, Any]) -> str:
        rows = result[key]
        if "left_out" in rows:
            return str(rows["left_out"])
        rows = rows["summary"] if isinstance(rows, dict) else rows
        head = ["cells", "number", "faster than two steps", "worst", "below 0.95", "of transposed", "worst"]
        names = ("slice", "cells", "faster", "worst", "below_0.95", "of_transposed", "worst_of_transposed")
        return table(head, [[row[name] for name in names] for row in rows])

    return make


def widths(result: dict[str, Any]) -> str:
    """Times faster by width and size, forward and training, over layouts and batches, float32."""
    cells = [c for c in result["cells"] if c["dtype"] == "float32"]
    sizes = sorted({c["size"] for c in cells})
    rows = []
    for width in sorted({c["width"] for c in cells}):
        row: list[Any] = [width]
        for training in (False, True):
            for size in sizes:
                found = [
                    c["faster"]
                    for c in cells
                    if (c["width"], c["size"], c["training"]) == (width, size, training)
                ]
                row.append(f"{min(found):.2f} to {max(found):.2f}" if found else "")
        rows.append(row)
    head = ["width"]
    head += [f"forward, {size}" for size in sizes] + [f"with backward, {size}" for size in sizes]
    return table(head, rows)


def kinds(result: dict[str, Any]) -> str:
    """The rest of the grid, by axes, factor, kernel and mode."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for cell in result["other_cells"]:
        groups.setdefault((cell["ndim"], cell["factor"], cell["kernel"], cell["mode"]), []).append(cell)
    rows = []
    for (ndim, factor, kernel, mode), cells in sorted(groups.items()):
        faster = [c["faster"] for c in cells]
        taps = kernel + factor - 1 if mode == "nearest" else kernel + 2 * factor - factor % 2 - 1
        limit = (kernel * factor / taps) ** ndim
        rows.append(
            [
                f"{ndim}-D",
                factor,
                kernel,
                mode,
                len(cells),
                mean(faster),
                min(faster),
                max(faster),
                f"{limit:.2f}",
            ]
        )
    head = ["axes", "factor", "kernel", "mode", "cells", "faster", "worst", "best", "in arithmetic"]
    return table(head, rows)


def mean(values: list[float]) -> str:
    """Geometric mean."""
    product = 1.0
    for value in values:
        product *= value ** (1 / len(values))
    return f"{product:.2f}"


def memory(result: dict[str, Any]) -> str:
    """Peak memory, in multiples of the output."""
    rows = []
    for cell in result["memory"]["cells"]:
        peak, out = cell["peak_bytes"], cell["output_bytes"]
        what = "with backward" if cell["training"] else "forward"
        row = [cell["width"], cell["size"], cell["batch"], cell["layout"], what]
        row += [f"{peak[name] / out:.1f}" for name in ("two steps", "transposed", "ResizeConv")]
        rows.append([*row, cell["of_two_steps"]])
    head = ["width", "size", "batch", "layout", "", "two steps", "transposed", "ResizeConv", "of two steps"]
    return table(head, rows)


def decoders(result: dict[str, Any]) -> str:
    """Whole networks."""
    rows = []
    for row in result["networks"]:
        ms, peak = row["ms"], row["peak_bytes"]
        rows.append(
            [
                row["network"],
                len(row["fused"]),
                f"{ms['before']:.2f}",
                f"{ms['after']:.2f}",
                f"{row['faster']:.2f}",
                f"{peak['after'] / max(peak['before'], 1):.2f}" if peak["before"] > 1e6 else "",
                f"{row['largest_difference']['relative']:.1e}",
            ]
        )
    head = ["network", "fused", "ms before", "ms after", "faster", "of peak memory", "largest difference"]
    return table(head, rows)


TABLES: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "machine": ("resize_conv", machine),
    "targets": ("resize_conv", targets),
    "slices": ("resize_conv", slices("summary")),
    "widths": ("resize_conv", widths),
    "kinds": ("resize_conv", kinds),
    "compiled": ("resize_conv", slices("compiled")),
    "memory": ("resize_conv", memory),
    "decoders": ("fuse", decoders),
}

if __name__ == "__main__":
    main()
