"""One image-to-image network for all tasks: down by 4, a residual block, up by 4 with the layer compared."""

from __future__ import annotations

import torch
from lab.upsamplers import UPSAMPLERS
from torch import Tensor, nn


def normed(layer: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(layer, nn.BatchNorm2d(channels), nn.ReLU())


class ImageNetwork(nn.Module):
    """Convolution to `width`; two strided to 2 `width`; a residual block; up twice; convolution; sigmoid.

    The plan of the style networks the article shows, smaller. There is no path around the upsamplings, so all
    that the picture is made of passes them.

    Args:
        channels: of the input, 1 or 3; the output has three.
        layer: of `lab.upsamplers`.
        width: channels at full resolution.
        seed: everything but the upsamplings starts alike for all layers.
    """

    def __init__(self, channels: int, layer: str, width: int, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        w = width
        self.encoder = nn.Sequential(
            normed(nn.Conv2d(channels, w, 3, padding=1, padding_mode="reflect"), w),
            normed(nn.Conv2d(w, w * 3 // 2, 3, 2, 1), w * 3 // 2),
            normed(nn.Conv2d(w * 3 // 2, 2 * w, 3, 2, 1), 2 * w),
        )
        self.block = nn.Sequential(
            normed(nn.Conv2d(2 * w, 2 * w, 3, padding=1), 2 * w),
            nn.Conv2d(2 * w, 2 * w, 3, padding=1),
            nn.BatchNorm2d(2 * w),
        )
        self.output = nn.Sequential(nn.Conv2d(w, 3, 3, padding=1, padding_mode="reflect"), nn.Sigmoid())
        make = UPSAMPLERS[layer]
        self.up1 = normed(make(2 * w, w * 3 // 2), w * 3 // 2)
        self.up2 = normed(make(w * 3 // 2, w), w)

    def forward(self, x: Tensor) -> Tensor:
        x = self.encoder(x)
        x = x + self.block(x)
        picture: Tensor = self.output(self.up2(self.up1(x)))
        return picture
