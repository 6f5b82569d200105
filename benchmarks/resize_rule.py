"""Measure the forms of a resize-convolution, and make the table that ResizeConv chooses by.

Run with `python benchmarks/resize_rule.py measure` (half an hour on two cores; adds to what was measured
before), then `python benchmarks/resize_rule.py table`, which writes src/uncheck/layers/rule.json.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import sys
import time
from pathlib import Path

import torch
from cells import Cell, call_of, grid, input_of, layer_of, together
from machine import describe

import uncheck.layers.fused as fused_room
import uncheck.layers.resize as resize_room
from uncheck.layers import FusedResizeConv

RESULTS = Path(__file__).parent / "results" / "resize_conv_rule.json"
RULE = Path(__file__).parents[1] / "src" / "uncheck" / "layers" / "rule.json"
FORMS = ("plain", "transposed", "phases")
LETTERS = {"plain": "p", "transposed": "t", "phases": "f"}
MARGIN = 0.9
"""What share of the plain two steps' time a form may take to be chosen: rather no gain than a loss."""
LAYERS = RESULTS.with_name("resize_conv.json")
GAIN = 1.05
"""By how much compiled layers of a width have to be faster, in the geometric mean, for the fused form."""


def cells() -> list[tuple[int, Cell]]:
    """(threads, cell): the centre, k 3 and factor 2 on pictures, densely; the rest on coarser grids."""
    rows: list[tuple[int, Cell]] = []
    widths, most = (3, 16, 64, 128, 256, 512), 1.5e10
    rows += [(2, c) for c in grid(2, (2,), (3,), ("nearest",), widths, (16, 64, 256), most)]
    rows += [(2, c) for c in grid(2, (2,), (3,), ("nearest",), widths, (32, 128), most)]
    few, most = (3, 16, 64, 256), 3e9
    rows += [(2, c) for c in grid(2, (3, 4), (3,), ("nearest",), few, (16, 64), most)]
    rows += [(2, c) for c in grid(2, (2, 3), (5,), ("nearest",), few, (16, 64), most)]
    rows += [(2, c) for c in grid(1, (2, 4), (3,), ("nearest",), few, (256, 4096, 65536), most)]
    rows += [(2, c) for c in grid(3, (2,), (3,), ("nearest",), (3, 16, 64, 128), (8, 16, 32), most)]
    rows += [(2, c) for c in grid(2, (2, 3, 4), (3,), ("linear",), few, (16, 64), most, batches=(1,))]
    rows += [(1, c) for c in grid(2, (2,), (3,), ("nearest",), few, (16, 64), most)]
    rows += [(2, c) for c in grid(1, (2,), (5,), ("nearest",), few, (256, 4096), most)]
    rows += [(2, c) for c in grid(3, (3,), (3,), ("nearest",), (3, 16, 64), (8, 16), most)]
    rows += [(2, c) for c in grid(3, (2,), (5,), ("nearest",), (3, 16, 64), (8, 16), most)]
    rows += [(2, c) for c in grid(1, (2, 4), (3,), ("linear",), few, (256, 4096), most, batches=(1,))]
    rows += [(2, c) for c in grid(3, (2,), (3,), ("linear",), (3, 16, 64), (8, 16), most, batches=(1,))]
    both = (16, 128)
    rows += [(2, c) for c in grid(1, (3,), (3, 5), ("nearest",), few, (256, 4096), most)]
    rows += [(2, c) for c in grid(1, (4,), (5,), ("nearest",), few, (256, 4096), most)]
    rows += [
        (2, c) for c in grid(2, (3, 4), (3,), ("nearest", "linear"), (128,), (16, 64), most, batches=(1,))
    ]
    rows += [(2, c) for c in grid(2, (2,), (3,), ("linear",), (128,), (16, 64), most, batches=(1,))]
    rows += [(2, c) for c in grid(2, (2, 3), (5,), ("nearest",), (128,), (16, 64), most, batches=(1,))]
    rows += [(2, c) for c in grid(2, (4,), (5,), ("nearest",), both, (16, 64), most, batches=(1,))]
    return rows


def measure(seconds: float, limit: float) -> None:
    """Measure every cell that the results lack, until the limit."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"cells": []}
    done = {key(row["threads"], Cell(**row["cell"])) for row in known["cells"]}
    began = time.monotonic()
    wanted = [pair for pair in cells() if key(*pair) not in done]
    for number, (threads, cell) in enumerate(wanted):
        if time.monotonic() - began > limit:
            break
        torch.set_num_threads(threads)
        known["cells"].append({"threads": threads, "cell": cell.to_dict(), "ms": timed(cell, seconds)})
        if number % 50 == 0:
            save(known)
            print(f"{number} of {len(wanted)}, {time.monotonic() - began:.0f} s", file=sys.stderr)
    save(known)


def key(threads: int, cell: Cell) -> tuple[object, ...]:
    """What tells cells apart."""
    return (threads, *cell.to_dict().values())


def save(known: dict[str, object]) -> None:
    """Write the results with versions, machine and date."""
    head = {"benchmark": "resize_conv_rule", "machine": describe(), "unit": "ms, least of the readings"}
    rows = ",\n".join(json.dumps(row) for row in known["cells"])  # type: ignore[attr-defined]
    RESULTS.write_text(json.dumps(head, indent=2)[:-2] + ',\n  "cells": [\n' + rows + "\n]}\n")


def timed(cell: Cell, seconds: float) -> dict[str, float]:
    """Least milliseconds of each form, of the layer and of the finished layer."""
    padding_mode = "zeros" if cell.mode == "nearest" else "replicate"
    layer = layer_of(cell, padding_mode)
    pads = [(cell.kernel // 2,) * 2] * cell.ndim
    finished = FusedResizeConv.from_conv(
        layer.weight, layer.bias, layer.scale_factor, cell.mode, pads, padding_mode
    ).to(memory_format=cell.format())
    x = input_of(cell)
    calls = {}
    for form in FORMS:
        calls[form] = call_of(Wrapped(copy.deepcopy(layer), resize_room, form), x, cell.training)
    if not cell.training:
        for form in FORMS[1:]:
            calls[f"finished {form}"] = call_of(Wrapped(finished, fused_room, form), x, False)
    return {name: round(min(ms), 5) for name, ms in together(calls, seconds, 3, 60).items()}


class Wrapped(torch.nn.Module):
    """A layer made to take one form."""

    def __init__(self, layer: torch.nn.Module, room: object, form: str) -> None:
        super().__init__()
        self.layer, self.room, self.form = layer, room, form

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the layer with the rule set aside."""
        rule = self.room.choose  # type: ignore[attr-defined]
        self.room.choose = lambda *_: self.form  # type: ignore[attr-defined]
        try:
            return self.layer(x)
        finally:
            self.room.choose = rule  # type: ignore[attr-defined]


def table() -> None:
    """Write rule.json from the results."""
    known = json.loads(RESULTS.read_text())
    kinds: dict[tuple[object, ...], dict[tuple[int, int, int], dict[str, float]]] = {}
    for row in known["cells"]:
        c = row["cell"]
        kind = (
            c["ndim"],
            c["factor"],
            c["kernel"],
            c["mode"],
            c["layout"],
            c["dtype"],
            c["training"],
            row["threads"],
        )
        kinds.setdefault(kind, {})[c["width"], c["size"] ** c["ndim"], c["batch"]] = row["ms"]
    names = ("ndim", "factor", "kernel", "mode", "layout", "dtype", "training", "threads")
    tables = []
    for kind, found in sorted(kinds.items(), key=str):
        widths, pixels, batches = (sorted({place[n] for place in found}) for n in range(3))
        rows: dict[str, list[list[str]]] = {"forms": [], "finished": []}
        for width in widths:
            lines = {"forms": [], "finished": []}
            for count in pixels:
                best = [nearest(found, width, count, batch) for batch in batches]
                lines["forms"].append("".join(LETTERS[fastest(ms)] for ms in best))
                lines["finished"].append("".join(LETTERS[fastest_finished(ms)] for ms in best))
            for name in rows:
                rows[name].append(lines[name])
        tables.append(
            {
                **dict(zip(names, kind, strict=True)),
                "widths": widths,
                "pixels": pixels,
                "batches": batches,
                **rows,
            }
        )
    text = ",\n".join(json.dumps(one) for one in tables)
    machine = json.dumps(known["machine"])
    least = compiled_width()
    RULE.write_text(f'{{"measured_on": {machine},\n"compiled_width": {least},\n"tables": [\n{text}\n]}}\n')


def compiled_width() -> int:
    """The width from which on the fused form gains under torch.compile."""
    cells = json.loads(LAYERS.read_text())["compiled"].get("cells", [])
    widths = sorted({c["width"] for c in cells})
    gains = {w: statistics.geometric_mean(c["faster"] for c in cells if c["width"] == w) for w in widths}
    return next((w for w in widths if all(gains[v] >= GAIN for v in widths if v >= w)), 1)


def nearest(
    found: dict[tuple[int, int, int], dict[str, float]], width: int, pixels: int, batch: int
) -> dict[str, float]:
    """The cell itself, or, where it was too large to measure, the largest one measured of its width or
    batch."""
    places = sorted(found, key=lambda p: (p[0] != width, p[2] != batch, abs(p[1] - pixels)))
    return found[places[0]]


def fastest(ms: dict[str, float]) -> str:
    """The form to take."""
    best = min(FORMS[1:], key=lambda form: ms[form])
    return best if ms[best] < MARGIN * ms["plain"] else "plain"


def fastest_finished(ms: dict[str, float]) -> str:
    """The form to take where the plain two steps are no choice."""
    names = {form: ms.get(f"finished {form}", ms[form]) for form in FORMS[1:]}
    return min(names, key=lambda form: names[form])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("measure", "table", "count"))
    parser.add_argument("--seconds", type=float, default=0.25, help="per cell, about")
    parser.add_argument("--limit", type=float, default=3600.0, help="seconds for all cells")
    arguments = parser.parse_args()
    if arguments.step == "measure":
        measure(arguments.seconds, arguments.limit)
    elif arguments.step == "count":
        print(len(cells()), f"{sum(c.operations * (3 if c.training else 1) for _, c in cells()):.3g}")
    elif arguments.step == "table":
        table()
