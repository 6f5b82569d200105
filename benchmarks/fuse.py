"""Whole decoders before and after `uncheck.fuse`: time, memory, the largest difference of their outputs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from cells import median, together
from decoders import decoder
from memory import alone, peak_beyond
from torch import Tensor, nn

import uncheck

CASES = Path(__file__).parents[2] / "shared" / "cases"
THREADS = 2


def bench_fuse(seconds: float) -> dict[str, object]:
    """Decoders that resize and convolve; eager, in evaluation, without gradients."""
    torch.set_num_threads(THREADS)
    rows, peaks = [], json.loads(alone(__file__, str(THREADS)))
    for name, model, x in networks():
        result = uncheck.fuse(model, x)
        calls = {"before": forward(model, x), "after": forward(result.model, x)}
        ms = {which: median(times) for which, times in together(calls, seconds, 5, 60).items()}
        rows.append(
            {
                "network": name,
                "input": list(x.shape),
                "fused": [str(one) for one in result.fused],
                "refused": [str(one) for one in result.refused],
                "largest_difference": result.difference.to_dict(),
                "ms": ms,
                "faster": ms["before"] / ms["after"],
                "peak_bytes": peaks[name],
            }
        )
    return {"threads": THREADS, "networks": rows}


def forward(model: nn.Module, x: Tensor) -> Callable[[], object]:
    """One pass."""

    def call() -> object:
        with torch.no_grad():
            return model(x)

    return call


def networks() -> Iterator[tuple[str, nn.Module, Tensor]]:
    """Made by script, then released ones where they are at hand."""
    torch.manual_seed(0)
    for size in (16, 32):
        yield f"latent decoder, {size} x {size}", decoder(), torch.randn(1, 4, size, size)
    narrow = decoder(widths=(256, 256, 128, 64), blocks=1)
    yield "latent decoder, half as wide, one block a level", narrow, torch.randn(1, 4, 32, 32)
    last = decoder(widths=(256, 256, 128, 64), blocks=1).to(memory_format=torch.channels_last)
    x = torch.randn(1, 4, 32, 32).to(memory_format=torch.channels_last)
    yield "latent decoder, half as wide, one block a level, channels_last", last, x
    if CASES.exists():
        sys.path.insert(0, str(CASES))
        import networks as released

        for name in ("cwgan_mnist", "cvae_sketch"):
            example = released.example_input(name)
            yield name, released.load(name), example
            repeated = example.repeat(64 // len(example) + 1, *[1] * (example.ndim - 1))[:64]
            yield f"{name}, batch 64", released.load(name), repeated


def memory() -> dict[str, dict[str, float]]:
    """Peak memory of each network before and after; to be run in a process of its own."""
    found = {}
    for name, model, x in networks():
        fused = uncheck.fuse(model, x).model
        found[name] = {"before": peak_beyond(forward(model, x)), "after": peak_beyond(forward(fused, x))}
    return found


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    print(json.dumps(memory()))
