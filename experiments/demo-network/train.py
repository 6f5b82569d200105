"""Train the demo network and its resize-convolution twin; measure the lattice of both on held-out pictures.

python experiments/demo-network/train.py        # both networks, weights into src/uncheck/demo; minutes
python experiments/demo-network/train.py --smoke --out smoke        # one step of each, a few seconds
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import platform
import sys
import time
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import skimage
import torch
import torch.nn.functional as F
from PIL import Image
from skimage import data
from torch import Tensor, nn

from uncheck.demo.network import DemoNetwork
from uncheck.measuring import find_lattice

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1] / "src" / "uncheck" / "demo"

#: scikit-image photographs to train on: CC0, public domain, or no known copyright restrictions.
TRAINING = ("chelsea", "rocket", "retina", "hubble_deep_field", "immunohistochemistry")
TRAINING += ("camera", "brick", "grass", "gravel")

#: Held out, with the corner of the 256 x 256 crop that is shipped.
HELD_OUT = {"astronaut": (0, 96), "coffee": (60, 170)}

CROP, BATCH, RATE = 96, 8, 2e-3


@cache
def photograph(name: str) -> Tensor:
    """(3, H, W) in 0..1; grey ones repeated into three channels, very large ones halved."""
    pixels = np.asarray(getattr(data, name)())
    pixels = np.repeat(pixels[..., None], 3, 2) if pixels.ndim == 2 else pixels[..., :3]
    picture = torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255
    return F.avg_pool2d(picture, 2) if max(picture.shape) > 900 else picture


def held_out() -> Tensor:
    """(2, 3, 256, 256) in 0..1."""
    crops = [photograph(n)[:, i : i + 256, j : j + 256] for n, (i, j) in HELD_OUT.items()]
    return torch.stack(crops)


def oil_paint(x: Tensor, radius: int = 4) -> Tensor:
    """The target: Kuwahara filter (the calmest of four quadrants around each pixel), stronger colours."""
    padded = F.pad(x, (radius,) * 4, mode="reflect")
    grey = padded.mean(1, keepdim=True)
    mean = F.avg_pool2d(padded, radius + 1, 1)
    spread = F.avg_pool2d(grey**2, radius + 1, 1) - F.avg_pool2d(grey, radius + 1, 1) ** 2
    height, width = x.shape[-2:]
    corners = [(i, j) for i in (0, radius) for j in (0, radius)]
    means = torch.stack([mean[..., i : i + height, j : j + width] for i, j in corners])
    spreads = torch.stack([spread[..., i : i + height, j : j + width] for i, j in corners])
    calmest = spreads.argmin(0, keepdim=True).expand(-1, -1, 3, -1, -1)
    painted = means.gather(0, calmest)[0]
    grey = painted.mean(1, keepdim=True)
    return (0.5 + 1.1 * (grey + 1.5 * (painted - grey) - 0.5)).clamp(0, 1)


class Texture:
    """Gram matrices of fixed random filters at three scales: a style loss without a pretrained network."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(1)
        self.banks = []
        for size in (3, 7):
            bank = torch.randn(32, 3, size, size, generator=generator)
            bank = bank - bank.mean((2, 3), keepdim=True)
            self.banks.append(bank / bank.flatten(1).norm(dim=1)[:, None, None, None])

    def grams(self, x: Tensor) -> list[Tensor]:
        """Six (N, 32, 32) matrices."""
        out = []
        for _ in range(3):
            for bank in self.banks:
                f = F.conv2d(x, bank).relu().flatten(2)
                out.append(f @ f.transpose(1, 2) / f.shape[2])
            x = F.avg_pool2d(x, 2)
        return out

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        """Relative squared distance of the Gram matrices, averaged over scales and filter sizes."""
        with torch.no_grad():
            wanted = self.grams(target)
        parts = [((g - w) ** 2).sum() / (w**2).sum() for g, w in zip(self.grams(output), wanted, strict=True)]
        return torch.stack(parts).mean()


def batches(seed: int) -> Any:
    """Endless (BATCH, 3, CROP, CROP) crops, mirrored, colours varied."""
    rng = np.random.default_rng(seed)
    photographs = [photograph(name) for name in TRAINING]
    while True:
        crops = []
        for _ in range(BATCH):
            x = photographs[rng.integers(len(photographs))]
            i, j = rng.integers(x.shape[1] - CROP + 1), rng.integers(x.shape[2] - CROP + 1)
            crop = x[:, i : i + CROP, j : j + CROP]
            crop = crop.flip(2) if rng.random() < 0.5 else crop
            crop = crop[torch.from_numpy(rng.permutation(3))] if rng.random() < 0.3 else crop
            crops.append(crop ** torch.from_numpy(rng.uniform(0.8, 1.25, (3, 1, 1))).float())
        yield torch.stack(crops)


def with_resize(network: DemoNetwork) -> DemoNetwork:
    """The twin: the same network, every transposed convolution replaced by nearest resize and convolution."""
    twin = copy.deepcopy(network)
    for i, layer in enumerate(twin.decoder):
        if isinstance(layer, nn.ConvTranspose2d):
            conv = nn.Conv2d(layer.in_channels, layer.out_channels, 3, padding=1)
            twin.decoder[i] = nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), conv)
    return twin


def lattices(network: nn.Module, inputs: Tensor) -> dict[str, dict[str, float]]:
    """Amplitude in grey levels per period found on each held-out picture; outputs rounded to 8 bits first."""
    was_training = network.training
    network.eval()
    with torch.no_grad():
        outputs = (network(inputs) * 255).round().permute(0, 2, 3, 1).numpy()
    network.train(was_training)
    return {
        name: {"x".join(map(str, c.period)): round(c.amplitude, 3) for c in find_lattice(out).present}
        for name, out in zip(HELD_OUT, outputs, strict=True)
    }


def halved(network: nn.Module) -> dict[str, Tensor]:
    """The weights as they are stored: half precision, running statistics in full."""
    return {
        name: (t.half() if t.is_floating_point() and "running" not in name else t).contiguous()
        for name, t in network.state_dict().items()
    }


def train(network: DemoNetwork, steps: int, seed: int, style: float, label: str) -> dict[str, Any]:
    """Train in place; the network ends with the rounded weights that are stored. Returns the numbers."""
    inputs, texture, crops = held_out(), Texture(), batches(seed)
    before = lattices(network, inputs)
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    started, curve, recent = time.perf_counter(), [], []
    every = max(1, steps // 10)
    network.train()
    for step in range(1, steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * (step - 1) / steps))
        x = next(crops)
        target, output = oil_paint(x), network(x)
        colour = F.l1_loss(output, target)
        loss = colour + style * texture(output, target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        recent.append((loss.item(), colour.item()))
        if step % every == 0 or step == steps:
            mean_loss, mean_colour = np.mean(recent, axis=0)
            point = {
                "step": step,
                "loss": round(float(mean_loss), 4),
                "colour_l1": round(float(mean_colour), 4),
            }
            curve.append({**point, "lattice": lattices(network, inputs)})
            print(f"{label} {step}/{steps} {curve[-1]}", file=sys.stderr, flush=True)
            recent = []
    seconds = time.perf_counter() - started
    network.load_state_dict(halved(network))
    network.eval()
    with torch.no_grad():
        error = F.l1_loss(network(inputs), oil_paint(inputs)).item()
    return {
        "lattice_random_weights": before,
        "lattice_trained": lattices(network, inputs),
        "held_out_l1": round(error, 4),
        "seconds": round(seconds),
        "curve": curve,
    }


def machine() -> dict[str, Any]:
    """Processor, cores, platform, versions."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        cpu = names[0] if names else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "threads_used": torch.get_num_threads(),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "scikit-image": skimage.__version__,
        "safetensors": safetensors.__version__,
    }


def to_png(picture: Tensor) -> Image.Image:
    return Image.fromarray((picture * 255).round().permute(1, 2, 0).byte().numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--style", type=float, default=0.1, help="weight of the texture loss; 0 for none")
    parser.add_argument("--decoder", choices=("both", "transposed", "resize"), default="both")
    parser.add_argument("--out", type=Path, help="folder for everything; default: the package and results/")
    parser.add_argument("--smoke", action="store_true", help="one step of each network")
    options = parser.parse_args()
    steps = 1 if options.smoke else options.steps
    weights, results = options.out or PACKAGE, options.out or HERE / "results"
    weights.mkdir(parents=True, exist_ok=True)
    results.mkdir(parents=True, exist_ok=True)

    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    network = DemoNetwork()
    twin = with_resize(network)
    record: dict[str, Any] = {
        "date": date.today().isoformat(),
        "machine": machine(),
        "settings": {
            **{"steps": steps, "seed": options.seed, "style_weight": options.style},
            **{"crop": CROP, "batch": BATCH, "learning_rate": RATE},
        },
        "parameters": sum(p.numel() for p in network.parameters()),
        "training_pictures": TRAINING,
        "unit": "grey levels of 255, peak amplitude per period, on outputs for the held-out pictures",
        "lattice_of_inputs": lattices(nn.Identity(), held_out()),
        "lattice_of_targets": lattices(Target(), held_out()),
    }
    if options.decoder != "resize":
        record["transposed"] = train(network, steps, options.seed, options.style, "transposed")
        (weights / "weights.safetensors").write_bytes(safetensors.torch.save(halved(network)))
        for name, picture in zip(HELD_OUT, held_out(), strict=True):
            to_png(picture).save(weights / f"{name}.png", optimize=True)
    if options.decoder != "transposed":
        record["resize"] = train(twin, steps, options.seed, options.style, "resize")
    path = results / "demo-network.json"
    earlier = json.loads(path.read_text()) if path.exists() else {}
    if earlier.get("settings") == record["settings"]:  # the other decoder, trained by a command of its own
        record = {**earlier, **record}
    path.write_text(json.dumps(record, indent=1) + "\n")


class Target(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return oil_paint(x)


if __name__ == "__main__":
    main()
