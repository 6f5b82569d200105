"""Time and peak memory of every candidate's layer, and of what people write in its place."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
from pathlib import Path

import torch
from candidates import CANDIDATES, PLAIN, Candidate, named

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "benchmarks"))

#: (batch, channels in and out, height and width).
SHAPES = ((1, 16, 128), (1, 64, 64), (1, 256, 32), (8, 64, 32))
THREADS, SECONDS = 2, 6.0
#: All times and memories are published in units of this layer's.
UNIT = "transposed k4 s2"


def measured() -> list[Candidate]:
    """Those that are not timed under another name."""
    return [c for c in (*CANDIDATES, *PLAIN) if c.timed is None]


def call(name: str, shape: tuple[int, int, int], training: bool):
    """One forward pass, or one forward and backward pass."""
    from cells import call_of

    torch.manual_seed(0)
    batch, width, size = shape
    layer = named(name).make(width, width)
    x = torch.randn(batch, width, size, size, requires_grad=training)
    return call_of(layer, x, training)


def peaks(shape: tuple[int, int, int], training: bool) -> dict[str, float]:
    """Bytes beyond what was there before the call, output included, in a process apart."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, json.dumps([shape, training])],
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"},
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def main() -> dict[str, object]:
    """All layers in turns, per shape and pass."""
    from cells import together

    torch.set_num_threads(THREADS)
    names = [c.name for c in measured()]
    rows = []
    for shape in SHAPES:
        for training in (False, True):
            beyond = peaks(shape, training)
            times = together({n: call(n, shape, training) for n in names}, SECONDS, 7, 60)
            for n in names:
                rows.append(
                    {
                        "candidate": n,
                        "shape": shape,
                        "training": training,
                        "ms": round(statistics.median(times[n]), 3),
                        "readings": len(times[n]),
                        "peak_mib": round(beyond[n] / 2**20, 2),
                    }
                )
            print(f"{shape} {'both passes' if training else 'forward'}", file=sys.stderr, flush=True)
    return {"threads": THREADS, "unit": UNIT, "rows": rows}


def relative(result: dict, name: str, training: bool, field: str) -> float:
    """Geometric mean over the shapes of a layer's time or memory, the unit's being 1."""
    by = {(r["candidate"], tuple(r["shape"])): r[field] for r in result["rows"] if r["training"] is training}
    ratios = [value / by[result["unit"], shape] for (n, shape), value in by.items() if n == name]
    return math.exp(statistics.mean(map(math.log, ratios)))


if __name__ == "__main__":
    from memory import peak_beyond

    shape, training = json.loads(sys.argv[1])
    torch.set_num_threads(THREADS)
    print(json.dumps({c.name: peak_beyond(call(c.name, tuple(shape), training)) for c in measured()}))
