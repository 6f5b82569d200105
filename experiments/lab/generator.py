"""The generator of these experiments: a code becomes a picture, by two upsamplings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lab.upsamplers import UPSAMPLERS

CODE = 64


class Generator(nn.Module):
    """linear to base x base; upsampling by 2, BatchNorm, ReLU; upsampling by 2 to three channels; tanh.

    The last layer makes the picture, as in the article's figures: what it leaves, nothing can smooth. A
    lattice of the first upsampling has period 4 in the picture, one of the second period 2.

    Args:
        first, second: names of `lab.upsamplers`.
        base: pixels of the smallest grid; the picture has four times as many.
        width: channels of the smallest grid.
    """

    def __init__(self, first: str, second: str, *, base: int = 8, width: int = 64) -> None:
        super().__init__()
        self.base, self.width = base, width
        self.start = nn.Linear(CODE, width * base * base)
        self.norm0 = nn.BatchNorm2d(width)
        self.up1 = UPSAMPLERS[first](width, width // 2)
        self.norm1 = nn.BatchNorm2d(width // 2)
        self.up2 = UPSAMPLERS[second](width // 2, 3)

    def forward(self, codes: Tensor) -> Tensor:
        x = self.start(codes).view(-1, self.width, self.base, self.base)
        x = self.norm0(x).relu()
        x = self.norm1(self.up1(x)).relu()
        picture: Tensor = self.up2(x).tanh()
        return picture


def samples(generator: Generator, count: int, seed: int) -> Tensor:
    """(count, 3, H, W) in -1..1 of codes drawn with `seed`; BatchNorm by the statistics of these codes."""
    codes = torch.randn(count, CODE, generator=torch.Generator().manual_seed(seed))
    was = generator.training
    # In training mode without a trace: the statistics are those of the batch, as in training.
    kept = {name: value.clone() for name, value in generator.named_buffers()}
    with torch.no_grad():
        pictures = generator.train()(codes)
        for name, value in generator.named_buffers():
            value.copy_(kept[name])
    generator.train(was)
    return pictures
