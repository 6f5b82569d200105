"""What the monitor costs, and how often its alarms and its verdict are false; results/monitor.json.

Run with `python benchmarks/monitor.py`, or with some of its parts: cost, alarms, verdicts. Steps with and
without a measurement take turns, in processor time of one thread, so that other work on the machine does not
count. Whole intervals of training are not compared: their noise of some per cent exceeds the target. The
curves of the verdicts are synthetic; those of real runs are in experiments/.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported

import torch
import torch.nn.functional as F
from machine import describe
from torch import Tensor, nn

from uncheck.measuring.components import VISIBLE
from uncheck.training import LatticeMetric, LatticeTracker, gain_penalty, lattice_penalty, lattice_trend
from uncheck.training.alarm import SIGNIFICANCE
from uncheck.training.tracker import EVERY

RESULTS = Path(__file__).parent / "results" / "monitor.json"
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "training"))
SPAN = (-1.0, 1.0)
TARGET = 0.02


@dataclass(frozen=True)
class Job:
    """A training step, the network that makes images, and inputs for it."""

    name: str
    step: Callable[[], object]
    network: nn.Module
    inputs: Tensor


def gan(size: int, width: int, batch: int) -> Job:
    """DCGAN: generator and discriminator of k4 s2 layers, both updated in a step."""
    torch.manual_seed(0)
    doublings = size.bit_length() - 3
    widths = [width * 2**i for i in reversed(range(doublings))]
    up: list[nn.Module] = [nn.ConvTranspose2d(100, widths[0], 4, 1, 0), nn.BatchNorm2d(widths[0]), nn.ReLU()]
    down: list[nn.Module] = []
    for a, b in zip(widths, [*widths[1:], 3], strict=True):
        up += [nn.ConvTranspose2d(a, b, 4, 2, 1)] + (
            [nn.BatchNorm2d(b), nn.ReLU()] if b != 3 else [nn.Tanh()]
        )
        down = [nn.Conv2d(b, a, 4, 2, 1), nn.LeakyReLU(0.2), *down]
    generator = nn.Sequential(*up)
    discriminator = nn.Sequential(*down, nn.Conv2d(widths[0], 1, 4))
    one = torch.optim.Adam(generator.parameters(), 2e-4, betas=(0.5, 0.999))
    two = torch.optim.Adam(discriminator.parameters(), 2e-4, betas=(0.5, 0.999))
    real = torch.rand(batch, 3, size, size) * 2 - 1

    def step() -> None:
        fake = generator(torch.randn(batch, 100, 1, 1))
        loss = F.softplus(discriminator(fake.detach())).mean() + F.softplus(-discriminator(real)).mean()
        two.zero_grad()
        loss.backward()
        two.step()
        loss = F.softplus(-discriminator(fake)).mean()
        one.zero_grad()
        loss.backward()
        one.step()

    return Job(f"DCGAN, {size} px, width {width}, batch {batch}", step, generator, torch.randn(16, 100, 1, 1))


class Residual(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(width, width), nn.Conv2d(width, width, 3, 1, 1), nn.InstanceNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Add."""
        return x + self.body(x)


def conv(a: int, b: int, stride: int = 1) -> nn.Module:
    """Convolution, norm, activation."""
    return nn.Sequential(nn.Conv2d(a, b, 3, stride, 1), nn.InstanceNorm2d(b, affine=True), nn.ReLU())


def style(size: int, batch: int, measured: int) -> Job:
    """Image to image as in style transfer, with a loss on pixels alone: a step could not be cheaper."""
    torch.manual_seed(0)
    network = nn.Sequential(
        conv(3, 32), conv(32, 64, 2), conv(64, 128, 2), *[Residual(128) for _ in range(5)],
        nn.ConvTranspose2d(128, 64, 3, 2, 1, 1), nn.InstanceNorm2d(64), nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 3, 2, 1, 1), nn.InstanceNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 3, 9, 1, 4), nn.Tanh(),
    )  # fmt: skip
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    images = torch.rand(batch, 3, size, size) * 2 - 1

    def step() -> None:
        loss = (network(images) - images).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return Job(
        f"style network, {size} px, batch {batch}", step, network, torch.rand(measured, 3, size, size) * 2 - 1
    )


def bench_job(job: Job, pairs: int) -> dict[str, object]:
    """Steps alone and steps followed by a measurement, in turns; and what the penalties cost."""
    tracker = LatticeTracker(job.network, job.inputs, every=1, span=SPAN, visible=1e9)
    job.step()
    first = seconds(tracker.measure)
    alone, together = [], []
    for i in range(pairs):
        for which in (0, 1) if i % 2 else (1, 0):
            if which:
                together.append(seconds(lambda: (job.step(), tracker.measure())))
            else:
                alone.append(seconds(job.step))
    step = statistics.median(alone)
    cost = statistics.median(b - a for a, b in zip(alone, together, strict=True))
    penalty = statistics.median(
        seconds(lambda: gain_penalty(job.network, job.inputs).backward()) for _ in range(5)
    )
    images = job.network(job.inputs[:4]).detach().requires_grad_()
    lattice = statistics.median(
        seconds(lambda: lattice_penalty(images, span=SPAN).backward()) / len(images) for _ in range(5)
    )
    return {
        "network": job.name,
        "images_measured": len(job.inputs),
        "pairs": pairs,
        "step_seconds": step,
        "first_measurement_seconds": first,
        "measurement_seconds": cost,
        "measurement_in_steps": cost / step,
        "share_of_a_step": cost / step / EVERY,
        "gain_penalty_share_of_a_step": penalty / step,
        "lattice_penalty_seconds_an_image": lattice,
    }


def seconds(call: Callable[[], object]) -> float:
    """Processor time of one call."""
    began = time.process_time()
    call()
    return time.process_time() - began


def untrained() -> dict[str, tuple[Callable[[], nn.Module], int, tuple[int, ...]]]:
    """By name: untrained networks, the side of their input, and the periods they cannot make."""

    def first() -> list[nn.Module]:
        return [nn.Conv2d(1, 4, 3, 1, 1), nn.ReLU()]

    def up() -> nn.Module:
        return nn.Sequential(*first(), nn.ConvTranspose2d(4, 1, 3, 2, 1, 1))

    def resize() -> nn.Module:
        return nn.Sequential(*first(), nn.Upsample(scale_factor=2), nn.Conv2d(4, 1, 3, 1, 1))

    def plain() -> nn.Module:
        return nn.Sequential(*first(), nn.Conv2d(4, 1, 3, 1, 1))

    return {
        "transposed convolution, 32 px": (up, 16, (4, 8)),
        "transposed convolution, 64 px": (up, 32, (4, 8)),
        "resize-convolution, 32 px": (resize, 16, (4, 8)),
        "no upsampling, 32 px": (plain, 32, (2, 4, 8)),
        "none at all: independent noise, 32 px": (nn.Identity, 32, (2, 4, 8)),
    }


def bench_alarms(count: int) -> list[dict[str, object]]:
    """In how many untrained networks, on 16 inputs of noise, a period is there that none of them can make."""
    rows = []
    for name, (make, side, periods) in untrained().items():
        found: Counter[str] = Counter()
        for seed in range(count):
            torch.manual_seed(seed)
            network, inputs = make(), torch.rand(16, 1, side, side)
            measured = LatticeTracker(network, inputs, every=1, periods=(2, 4, 8), span=SPAN).measure()
            assert measured is not None
            metric = LatticeMetric((2, 4, 8), span=SPAN)
            with torch.no_grad():
                metric.update(network(inputs))
            whole = {p: metric.compute()[f"p_value_{p}"].item() for p in periods}
            inner = {p: measured.p_values[p] for p in periods}
            for limit in (1e-3, SIGNIFICANCE):
                found[f"whole picture, p < {limit:g}"] += any(p < limit for p in whole.values())
                found[f"border left out, p < {limit:g}"] += any(p < limit for p in inner.values())
            there = [p for p in periods if inner[p] < SIGNIFICANCE and measured.strengths[p] >= VISIBLE]
            found["warned of"] += bool(there)
        rows.append({"network": name, "periods": periods, "networks": count, "found": dict(found)})
    return rows


def bench_verdicts(count: int) -> list[dict[str, object]]:
    """How often each verdict falls, and how often the end contradicts it, on synthetic curves."""
    from curves import END, KINDS, VISIBLE, curve, is_false

    rows = []
    for correlation, noise in ((0.0, 0.2), (0.5, 0.2), (0.8, 0.3)):
        for kind in KINDS:
            for share in (0.2, 0.5, 0.9):
                said: Counter[str] = Counter()
                false = 0
                for seed in range(count):
                    steps, strengths, final = curve(kind, seed, share, correlation, noise)
                    verdict = lattice_trend(steps, strengths, end=END, visible=VISIBLE).verdict
                    said[verdict] += 1
                    false += is_false(verdict, final)
                row = {"kind": kind, "share_of_training": share, "correlation": correlation, "noise": noise}
                rows.append({**row, "curves": count, "verdicts": dict(said), "false": false})
    return rows


def main() -> None:
    """Write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["cost", "alarms", "verdicts"])
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--networks", type=int, default=100)
    parser.add_argument("--curves", type=int, default=300)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    found |= {"machine": describe(), "interval": EVERY, "target": TARGET}
    found["clock"] = "processor time of one thread"
    if "cost" in options.parts:
        jobs = [gan(64, 64, 64), style(256, 4, 16), style(256, 4, 4), gan(32, 32, 64)]
        found["steps"] = [bench_job(job, options.pairs) for job in jobs]
    if "alarms" in options.parts:
        found["alarms"] = bench_alarms(options.networks)
    if "verdicts" in options.parts:
        found["verdicts"] = bench_verdicts(options.curves)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    print(f"wrote {RESULTS}; largest share {max(row['share_of_a_step'] for row in found['steps']):.2%}")


if __name__ == "__main__":
    main()
