"""Photographs that come with scikit-image, cut and reduced to patches: data anyone has."""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

#: Colour photographs in the package itself: CC0, public domain, or no known copyright restrictions.
TRAINING = ("chelsea", "rocket", "retina", "hubble_deep_field", "immunohistochemistry")
HELD_OUT = ("astronaut", "coffee")

#: Reduced by at least this much before use, which takes what cameras and JPEG left at short periods.
REDUCED = 2


@cache
def photograph(name: str) -> Tensor:
    """(3, H, W) in 0..1, reduced by 2."""
    from skimage import data

    pixels = torch.from_numpy(getattr(data, name)()[..., :3].copy())
    return F.avg_pool2d(pixels.permute(2, 0, 1).float() / 255, REDUCED)


def patches(names: tuple[str, ...], count: int, size: int, generator: torch.Generator) -> Tensor:
    """(count, 3, size, size) in 0..1: random crops of one to three times the size, reduced, mirrored."""
    out = []
    for _ in range(count):
        picture = photograph(names[_below(len(names), generator)])
        side = min(size * (1 + _below(3, generator)), *(n - n % size for n in picture.shape[1:]))
        i, j = (_below(n - side + 1, generator) for n in picture.shape[1:])
        crop = F.avg_pool2d(picture[:, i : i + side, j : j + side], side // size)
        out.append(crop.flip(2) if _below(2, generator) else crop)
    return torch.stack(out)


def _below(n: int, generator: torch.Generator) -> int:
    return int(torch.randint(n, (), generator=generator))
