"""Time and memory of inspect, measure, ResizeConv and fuse; writes benchmarks/results/*.json.

Run with `make bench`, or `python benchmarks/run.py` in an environment where uncheck is installed. Pictures
and networks are made by script, so that the figures can be had anywhere; where released networks lie beside
the checkout they are measured as well.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one core: before numpy and torch are imported

import torch
from fuse import bench_fuse
from machine import describe
from resize_conv import bench_resize_conv
from timing import time_call
from torch import nn

from measuring import bench_measure
from uncheck import inspect
from uncheck.probing import made_up

RESULTS = Path(__file__).parent / "results"
CASES = Path(__file__).parents[2] / "shared" / "cases"


def bench_inspect(repeats: int) -> dict[str, object]:
    """inspect in multiples of one forward pass: passes counted, and wall time."""
    rows = []
    for name, (model, signal) in networks().items():
        model.eval()
        with torch.no_grad():
            forward = time_call(lambda m=model, x=signal: m(x), repeats)
        result = inspect(model, signal)
        whole = time_call(lambda m=model, x=signal: inspect(m, x), max(1, repeats // 3))
        stages = len(result.stages)
        rows.append(
            {
                "network": name,
                "stages": stages,
                "verdict": result.verdict,
                "passes": result.passes,
                "budget": 8 + 4 * stages,
                "forward_ms": forward.to_dict(),
                "inspect_ms": whole.to_dict(),
                "inspect_in_forward_passes": whole.median / forward.median,
            }
        )
    return {
        "target": "passes <= 8 + 4 stages",
        "held": all(r["passes"] <= r["budget"] for r in rows),
        "networks": rows,
    }


def networks() -> dict[str, tuple[nn.Module, torch.Tensor]]:
    """Decoders with one to four stages; released networks where they are at hand."""
    out: dict[str, tuple[nn.Module, torch.Tensor]] = {}
    for stages in range(1, 5):
        torch.manual_seed(stages)
        layers: list[nn.Module] = [nn.Conv2d(3, 32, 3, padding=1), nn.ReLU()]
        for _ in range(stages):
            layers += [nn.ConvTranspose2d(32, 32, 3, 2, 1, 1), nn.ReLU()]
        out[f"k3 s2, {stages} stages"] = (
            nn.Sequential(*layers, nn.Conv2d(32, 3, 3, padding=1)),
            made_up((1, 3, 256 // 2**stages, 256 // 2**stages)),
        )
    if CASES.exists():
        sys.path.insert(0, str(CASES))
        import networks as released

        for name in released.NETWORKS:
            out[name] = (released.load(name), released.example_input(name))
    return out


def main() -> None:
    """Run the benchmarks named, or all, and write their results."""
    benches = {
        "measure": bench_measure,
        "inspect": bench_inspect,
        "resize_conv": lambda repeats: bench_resize_conv(repeats / 50),
        "fuse": lambda repeats: bench_fuse(repeats / 5),
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(benches)}; all if none is given"
    )
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    for name in arguments.names or benches:
        torch.set_num_threads(1)
        result = {"benchmark": name, "machine": describe(), **benches[name](arguments.repeats)}
        path = RESULTS / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(result, indent=2) + "\n")
        print(f"{path.relative_to(Path(__file__).parents[1])} written", file=sys.stderr)


if __name__ == "__main__":
    main()
