"""Time and memory of inspect, measure, ResizeConv and fuse; writes benchmarks/results/*.json.

Run with `make bench`, or `python benchmarks/run.py` in an environment where uncheck is installed. Pictures
and networks are made by script, so that the figures can be had anywhere; where released networks lie beside
the checkout they are measured as well.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one core: before numpy and torch are imported

import numpy as np
import torch
from fuse import bench_fuse
from machine import describe
from peers import peers
from PIL import Image
from resize_conv import bench_resize_conv
from timing import peak_memory, time_call
from torch import nn

from uncheck import inspect, measure
from uncheck.probing import made_up

RESULTS = Path(__file__).parent / "results"
CASES = Path(__file__).parents[2] / "shared" / "cases"


def bench_measure(repeats: int) -> dict[str, object]:
    """measure of 768 x 512 RGB pictures against Pillow's decoding of the same PNG, on one core.

    Both orders, harmonics and rivals are part of it. NIQE and BRISQUE of pyiqa beside it, where installed.
    """
    rows = []
    others, source = peers()
    for name, png in pictures().items():

        def decode(data: bytes = png) -> np.ndarray:
            return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

        pixels = decode()
        decoding = time_call(decode, repeats)
        measuring = time_call(lambda pixels=pixels: measure(pixels), repeats)
        memory = peak_memory(lambda pixels=pixels: measure(pixels))
        long = time_call(lambda pixels=pixels: measure(pixels, periods=range(2, 65)), max(3, repeats // 3))
        long_memory = peak_memory(lambda pixels=pixels: measure(pixels, periods=range(2, 65)))
        grid = np.random.default_rng(0).normal(0, 3, (8, 8, 1))
        tiled = np.tile(grid, (-(-pixels.shape[0] // 8), -(-pixels.shape[1] // 8), 1))
        holding = pixels + tiled[: pixels.shape[0], : pixels.shape[1]]
        holding = np.rint(holding).clip(0, 255).astype(np.uint8)
        found = time_call(lambda holding=holding: measure(holding), 3)
        beside = {n: time_call(lambda f=f, pixels=pixels: f(pixels), 3).median for n, f in others.items()}
        megapixels = pixels.shape[0] * pixels.shape[1] / 1e6
        rows.append(
            {
                "picture": name,
                "decode_ms": decoding.to_dict(),
                "measure_ms": measuring.to_dict(),
                "ratio": measuring.median / decoding.median,
                "peak_memory_in_float32_images": memory / (pixels.size * 4),
                "measure_with_a_lattice_ms": found.to_dict(),
                "measure_2_to_64_ms": long.to_dict(),
                "ratio_2_to_64": long.median / decoding.median,
                "peak_memory_2_to_64_in_float32_images": long_memory / (pixels.size * 4),
                "megapixels_per_second": {
                    "measure, periods 2 to 16": megapixels / measuring.median * 1e3,
                    "measure, periods 2 to 64": megapixels / long.median * 1e3,
                    **{n: megapixels / ms * 1e3 for n, ms in beside.items()},
                },
            }
        )
    ratios = [row["ratio"] for row in rows]
    return {
        "target": {"ratio": 2.0, "ratio_2_to_64": 6.0, "peak_memory_in_float32_images": 8.0},
        "worst_ratio": max(ratios),
        "worst_ratio_2_to_64": max(row["ratio_2_to_64"] for row in rows),
        "worst_memory": max(
            max(row["peak_memory_in_float32_images"], row["peak_memory_2_to_64_in_float32_images"])
            for row in rows
        ),
        "median_ms_with_a_lattice": float(
            np.median([row["measure_with_a_lattice_ms"]["median"] for row in rows])
        ),
        "median_megapixels_per_second": {
            n: float(np.median([row["megapixels_per_second"][n] for row in rows]))
            for n in rows[0]["megapixels_per_second"]
        },
        "peers": source,
        "pictures": rows,
    }


def pictures() -> dict[str, bytes]:
    """PNG bytes of made-up pictures, and of photographs where they are at hand."""
    out = {}
    for seed in range(3):
        noise = made_up((1, 3, 512, 768)).roll(37 * seed, -1)[0].permute(1, 2, 0).numpy()
        out[f"made-up {seed}"] = _png(Image.fromarray((noise * 255).astype(np.uint8)))
    for path in sorted((CASES / "photos").glob("*.png"))[:6]:
        out[path.stem] = _png(Image.open(path).convert("RGB"))
    return out


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


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
