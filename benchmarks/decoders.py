"""A decoder of the layout published with latent diffusion models: nearest x 2 and 3 x 3, group norm, SiLU.

Residual blocks at 512, 512, 256 and 128 channels, three to a level, one attention in the middle, an
upsampler after every level but the last (Rombach et al., High-Resolution Image Synthesis with Latent
Diffusion Models, 2022). The weights are random: only time, memory and equality are looked at.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Residual(nn.Module):
    """Norm, SiLU, convolution, twice, around a shortcut."""

    def __init__(self, inside: int, out: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(32, inside, 1e-6), nn.Conv2d(inside, out, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(32, out, 1e-6), nn.Conv2d(out, out, 3, padding=1)
        self.shortcut = nn.Conv2d(inside, out, 1) if inside != out else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Add the block to its input."""
        y = self.conv1(F.silu(self.norm1(x)))
        return self.shortcut(x) + self.conv2(F.silu(self.norm2(y)))


class Attention(nn.Module):
    """One head over all pixels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(32, channels, 1e-6)
        self.qkv, self.out = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Add the attention to its input."""
        q, k, v = (part.flatten(2).transpose(1, 2) for part in self.qkv(self.norm(x)).chunk(3, 1))
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
        return x + self.out(y)


class Upsampler(nn.Module):
    """Nearest by two as a functional call, then a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Double the size."""
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Decoder(nn.Module):
    """(N, 4, H, W) -> (N, 3, 8 H, 8 W)."""

    def __init__(self, widths: tuple[int, ...] = (512, 512, 256, 128), blocks: int = 3) -> None:
        super().__init__()
        first = widths[0]
        self.inlet = nn.Conv2d(4, first, 3, padding=1)
        self.middle = nn.Sequential(Residual(first, first), Attention(first), Residual(first, first))
        levels: list[nn.Module] = []
        inside = first
        for number, width in enumerate(widths):
            level: list[nn.Module] = []
            for _ in range(blocks):
                level.append(Residual(inside, width))
                inside = width
            if number < len(widths) - 1:
                level.append(Upsampler(width))
            levels.append(nn.Sequential(*level))
        self.levels = nn.ModuleList(levels)
        self.norm, self.outlet = nn.GroupNorm(32, inside, 1e-6), nn.Conv2d(inside, 3, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """Decode a latent."""
        x = self.middle(self.inlet(z))
        for level in self.levels:
            x = level(x)
        return self.outlet(F.silu(self.norm(x)))


def decoder(**arguments: object) -> nn.Module:
    """One with weights that are the same each time."""
    torch.manual_seed(0)
    return Decoder(**arguments).eval()  # type: ignore[arg-type]
