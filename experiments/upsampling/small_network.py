"""The network trained with every candidate: photograph in, painting out, as the demo's but smaller."""

from __future__ import annotations

import torch
from candidates import Candidate
from torch import Tensor, nn


def normed(layer: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(layer, nn.BatchNorm2d(channels), nn.ReLU())


class SmallNetwork(nn.Module):
    """conv 3 -> 16; two strided convs to 32; one residual block; upsampling to 24, then 16; conv 16 -> 3."""

    def __init__(self, candidate: Candidate, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)  # everything but the upsamplings starts alike
        self.encoder = nn.Sequential(
            normed(nn.Conv2d(3, 16, 3, padding=1, padding_mode="reflect"), 16),
            normed(nn.Conv2d(16, 24, 3, 2, 1), 24),
            normed(nn.Conv2d(24, 32, 3, 2, 1), 32),
        )
        self.block = nn.Sequential(
            normed(nn.Conv2d(32, 32, 3, padding=1), 32), nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32)
        )
        self.output = nn.Sequential(nn.Conv2d(16, 3, 3, padding=1, padding_mode="reflect"), nn.Sigmoid())
        self.up1 = normed(candidate.make(32, 24), 24)
        self.up2 = normed(candidate.make(24, 16), 16)

    def forward(self, x: Tensor) -> Tensor:
        x = self.encoder(x)
        x = x + self.block(x)
        painted: Tensor = self.output(self.up2(self.up1(x)))
        return painted
