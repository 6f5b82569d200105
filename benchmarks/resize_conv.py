"""ResizeConv against torch's upsampling and convolution, and against the transposed convolution it stands in
for."""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Iterable

import torch
from cells import Cell, call_of, deconvolution, grid, input_of, layer_of, median, together, two_steps
from memory import peaks_of

THREADS = 2
TARGETS = {
    "faster than the two steps, geometric mean": 2.0,
    "never slower than, of any cell": 0.95,
    "times the transposed convolution, at most": 1.05,
    "times the memory of the two steps, at most": 0.5,
}


def bench_resize_conv(seconds: float) -> dict[str, object]:
    """Time and memory over the grid; k 3 and factor 2 on pictures densely, the rest sparsely."""
    torch.set_num_threads(THREADS)
    center = list(grid(2, (2,), (3,), ("nearest",), (3, 16, 64, 128, 256, 512), (16, 64, 256), 4e10))
    wide = [
        *grid(2, (3, 4), (3,), ("nearest",), (16, 128), (16, 64), 6e9, batches=(1,)),
        *grid(2, (2, 3, 4), (5,), ("nearest",), (16, 128), (16, 64), 6e9, batches=(1,)),
        *grid(
            1,
            (2, 3, 4),
            (3, 5),
            ("nearest",),
            (16, 128),
            (256, 4096),
            6e9,
            batches=(1, 8),
            dtypes=("float32",),
        ),
        *grid(3, (2, 3), (3,), ("nearest",), (16, 64), (8, 16), 6e9, batches=(1,)),
        *grid(3, (2,), (5,), ("nearest",), (16, 64), (8, 16), 6e9, batches=(1,)),
        *grid(2, (2, 3, 4), (3,), ("linear",), (16, 128), (16, 64), 6e9, batches=(1,)),
    ]
    rows = timed(center, seconds, "k 3, factor 2, pictures")
    others = timed(wide, seconds, "the rest")
    return {
        "threads": THREADS,
        "target": TARGETS,
        "summary": summary(rows),
        "summary_of_the_rest": summary(others),
        "compiled": compiled(seconds),
        "memory": memory(),
        "cells": rows,
        "other_cells": others,
    }


def timed(cells: Iterable[Cell], seconds: float, what: str) -> list[dict[str, object]]:
    """Median milliseconds of the three, in turns, and the two ratios."""
    rows, began = [], time.monotonic()
    todo = list(cells)
    for number, cell in enumerate(todo):
        padding_mode = "zeros" if cell.mode == "nearest" else "replicate"
        x = input_of(cell)
        calls = {
            "two steps": call_of(two_steps(cell, padding_mode), x, cell.training),
            "transposed": call_of(deconvolution(cell), x, cell.training),
            "ResizeConv": call_of(layer_of(cell, padding_mode), x, cell.training),
        }
        rows.append(row(cell, together(calls, seconds, 5, 60)))
        if number % 50 == 0:
            print(f"{what}: {number} of {len(todo)}, {time.monotonic() - began:.0f} s", file=sys.stderr)
    return rows


def row(cell: Cell, times: dict[str, list[float]]) -> dict[str, object]:
    """One line of the table."""
    ms = {name: median(values) for name, values in times.items()}
    return {
        **cell.to_dict(),
        "ms": {name: round(value, 4) for name, value in ms.items()},
        "faster": round(ms["two steps"] / ms["ResizeConv"], 3),
        "of_transposed": round(ms["ResizeConv"] / ms["transposed"], 3),
    }


def mean(values: Iterable[float]) -> float:
    """Geometric mean."""
    logs = [math.log(value) for value in values]
    return round(math.exp(sum(logs) / max(1, len(logs))), 3)


def summary(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Geometric means over all cells, and over each layout, type and direction."""
    found = []
    slices: list[tuple[str, dict[str, object]]] = [("all", {})]
    for training in (False, True):
        for dtype in ("float32", "bfloat16"):
            for layout in ("contiguous", "channels_last"):
                name = f"{layout}, {dtype}, {'forward and backward' if training else 'forward'}"
                slices.append((name, {"training": training, "dtype": dtype, "layout": layout}))
    slices += [
        ("width 64 and more", {"least": 64}),
        ("width 64 and more, forward", {"least": 64, "training": False}),
    ]
    for name, wanted in slices:
        least = wanted.get("least", 0)
        chosen = [
            r
            for r in rows
            if r["width"] >= least
            and all(r[word] == value for word, value in wanted.items() if word != "least")
        ]
        if chosen:
            found.append(
                {
                    "slice": name,
                    "cells": len(chosen),
                    "faster": mean(r["faster"] for r in chosen),
                    "worst": min(r["faster"] for r in chosen),
                    "below_0.95": sum(r["faster"] < 0.95 for r in chosen),
                    "of_transposed": mean(r["of_transposed"] for r in chosen),
                    "worst_of_transposed": max(r["of_transposed"] for r in chosen),
                }
            )
    return found


def compiled(seconds: float) -> dict[str, object]:
    """The same under torch.compile, where a C++ compiler is at hand."""
    if shutil.which("g++") is None:
        return {"left_out": "torch.compile needs a C++ compiler, and there is none"}
    rows = []
    for cell in grid(
        2, (2,), (3,), ("nearest",), (3, 16, 64, 256), (16, 64), 4e9, batches=(1,), dtypes=("float32",)
    ):
        x = input_of(cell)
        modules = {
            "two steps": two_steps(cell),
            "transposed": deconvolution(cell),
            "ResizeConv": layer_of(cell),
        }
        torch.compiler.reset()
        calls = {
            name: call_of(torch.compile(module, dynamic=False), x, cell.training)
            for name, module in modules.items()
        }
        rows.append(row(cell, together(calls, seconds, 5, 60)))
    return {"summary": summary(rows), "cells": rows}


def memory() -> dict[str, object]:
    """Peak memory over a part of the grid, cells whose output has a megabyte at least."""
    rows = []
    cells = grid(
        2, (2,), (3,), ("nearest",), (16, 64, 256), (64, 256), 1.6e10, batches=(1, 8), dtypes=("float32",)
    )
    chosen = [*cells, Cell(2, 2, 3, "nearest", "contiguous", "float32", False, 512, 16, 1)]
    peaks = peaks_of([cell.to_dict() for cell in chosen], THREADS)
    for cell, peak in zip(chosen, peaks, strict=True):
        rows.append(
            {
                **cell.to_dict(),
                "output_bytes": cell.output_bytes,
                "peak_bytes": peak,
                "of_two_steps": round(peak["ResizeConv"] / peak["two steps"], 3),
                "of_transposed": round(peak["ResizeConv"] / peak["transposed"], 3),
            }
        )
    return {
        "of_two_steps": mean(r["of_two_steps"] for r in rows),
        "worst_of_two_steps": max(r["of_two_steps"] for r in rows),
        "of_transposed": mean(r["of_transposed"] for r in rows),
        "cells": rows,
    }
