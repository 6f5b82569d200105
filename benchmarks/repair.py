"""What `uncheck.repair` makes of released networks; writes benchmarks/results/repair.json.

Run with `python benchmarks/repair.py [NAME ...]` where the released networks lie beside the checkout. Every
network gets ten minutes, all cores, the twelve photographs or codes made by a seed; figures are those of the
inputs that nothing was fitted on.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from machine import describe
from torch import Tensor

import uncheck

RESULTS = Path(__file__).parent / "results" / "repair.json"
CASES = Path(__file__).parents[2] / "shared" / "cases"

#: Side of the cut-outs of the photographs, pixels.
SIDES = {"style_rain_princess": 512, "fsrcnn_x2": 384, "upconv7_photo": 256, "espcn_x3": 384}

CODES = 2048


def photographs(cases: Any, side: int) -> Tensor:
    """All photographs, cut from the middle, RGB 0..1."""
    names = sorted(path.name for path in (CASES / "photos").glob("*.png"))
    return torch.cat([cases.photo(name, side) for name in names])


def inputs_of(cases: Any, name: str) -> Tensor:
    """Real inputs of a network, as its authors gave them to it."""
    if name not in SIDES:
        return cases.example_input(name, CODES)
    pictures = photographs(cases, SIDES[name])
    if name == "style_rain_princess":
        return pictures * 255
    if name == "fsrcnn_x2":
        ycbcr = torch.einsum("oc,nchw->nohw", cases.RGB_TO_YCBCR, pictures)
        ycbcr[:, 1:] += 128 / 255
        return ycbcr
    if name == "espcn_x3":
        return (pictures * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    return pictures


def bench_repair(cases: Any, name: str, tell: Callable[[str], None]) -> dict[str, Any]:
    """One network, by the default settings."""
    result = uncheck.repair(cases.load(name), inputs_of(cases, name))
    tell(f"{name}: {result} in {result.seconds:.0f} s")
    return result.to_dict()


def main(names: list[str]) -> None:
    sys.path.insert(0, str(CASES))
    import networks

    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"networks": {}}
    for name in names or [*SIDES, "dcgan_svhn", "cwgan_mnist", "cvae_sketch"]:
        stored["networks"][name] = bench_repair(networks, name, print)
        stored |= {"machine": describe(), "threads": torch.get_num_threads()}
        RESULTS.write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
