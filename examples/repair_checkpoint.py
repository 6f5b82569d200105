"""Repair a checkpoint without training data, save the result, and load it in another program."""

import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

import uncheck
from uncheck.cli import main
from uncheck.demo import pictures


def make():
    """Make the network: it enlarges by two. Import yours from your own code."""
    return nn.Sequential(nn.ConvTranspose2d(3, 3, 4, 2, 1, groups=3, bias=False)).eval()


def inputs():
    """Return a dozen real inputs: small parts of two photographs."""
    photos = pictures()
    return torch.cat([photos[:, :, y : y + 96, x : x + 96] for y in (0, 80, 160) for x in (20, 140)])


if __name__ == "__main__":
    folder = Path(tempfile.mkdtemp())
    line = torch.tensor([0.25, 0.75, 0.75, 0.25])
    uneven = (line[:, None] * line).clone()
    uneven[1::2, 1::2] *= 1.05  # one phase in four learnt to be brighter
    save_file({"0.weight": uneven.expand(3, 1, 4, 4).contiguous()}, folder / "checkpoint.safetensors")

    # uncheck repair repair_checkpoint.py:make --weights checkpoint.safetensors --input ... -o repaired
    weights = str(folder / "checkpoint.safetensors")
    main(["repair", f"{__file__}:make", "--weights", weights, "--input", f"{__file__}:inputs",
          "--method", "project", "-o", str(folder / "repaired")])  # fmt: skip

    repaired = uncheck.load_repaired(make(), folder / "repaired" / "repaired.safetensors")
    left = uncheck.lattice_strength(repaired(inputs()), span=(0, 1), together=True)
    print(f"after loading: {left.item():.2f} grey levels")
