"""What the networks are trained for: denoising, colourisation, style transfer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from lab.patches import photograph
from torch import Tensor

CHANNELS = {"denoising": 3, "colourisation": 1, "style": 3}

#: Standard deviation of the noise to be removed, of a range of 1.
NOISE = 25 / 255


def given(task: str, photographs: Tensor, generator: torch.Generator) -> Tensor:
    """What the network sees of photographs (N, 3, H, W) in 0..1."""
    if task == "denoising":
        return photographs + NOISE * torch.randn(photographs.shape, generator=generator)
    if task == "colourisation":
        return (photographs * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    return photographs


class Style:
    """Content in local means, and the Gram matrices of random filters of one picture; without a grid.

    Loss: L1 of the means of all 4 x 4 windows to those of the photograph, and `weight` times the relative
    squared distance of Gram matrices from those of the style picture, at full resolution and with filters
    spread by two after smoothing. Nothing is pooled with a stride: such a loss would bring a lattice itself.
    """

    def __init__(self, picture: str, weight: float) -> None:
        bank = torch.randn(24, 3, 5, 5, generator=torch.Generator().manual_seed(1))
        bank = bank - bank.mean((2, 3), keepdim=True)
        self.bank = bank / bank.flatten(1).norm(dim=1)[:, None, None, None]
        self.weight = weight
        self.wanted = self.grams(photograph(picture)[None])

    def grams(self, x: Tensor) -> list[Tensor]:
        out = []
        for dilation in (1, 2):
            f = F.conv2d(F.avg_pool2d(x, dilation, 1), self.bank, dilation=dilation).relu().flatten(2)
            out.append((f @ f.transpose(1, 2) / f.shape[2]).mean(0))
        return out

    def __call__(self, output: Tensor, photographs: Tensor) -> Tensor:
        content = F.l1_loss(F.avg_pool2d(output, 4, 1), F.avg_pool2d(photographs, 4, 1))
        pairs = zip(self.grams(output), self.wanted, strict=True)
        distances = [((g - w) ** 2).sum() / (w**2).sum() for g, w in pairs]
        return content + self.weight * torch.stack(distances).mean()


def loss_of(task: str, config: dict[str, Any]) -> Callable[[Tensor, Tensor], Tensor]:
    """(output, photographs) -> loss, the mean over the batch."""
    return Style(config["style_picture"], config["style_weight"]) if task == "style" else F.l1_loss
