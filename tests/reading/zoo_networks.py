"""Small networks built as released ones are, one for each architecture that reading must know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize


class Fn(nn.Module):
    """A module whose forward is a function of itself and the input."""

    def __init__(self, forward: Callable[..., Any], **layers: nn.Module) -> None:
        super().__init__()
        self._forward = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *inputs: Tensor) -> Any:
        return self._forward(self, *inputs)


def pix2pixhd() -> nn.Module:
    return nn.Sequential(
        *(nn.ConvTranspose2d(8, 4, 3, 2, 1, 1), nn.InstanceNorm2d(4), nn.ReLU(True)),
        *(nn.ConvTranspose2d(4, 4, 3, 2, 1, 1), nn.InstanceNorm2d(4), nn.ReLU(True)),
        *(nn.ReflectionPad2d(3), nn.Conv2d(4, 3, 7), nn.Tanh()),
    )


class Pix2PixUNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down1 = nn.Conv2d(3, 4, 4, 2, 1)
        self.down2 = nn.Conv2d(4, 8, 4, 2, 1)
        self.norm = nn.BatchNorm2d(8)
        self.up2 = nn.ConvTranspose2d(8, 4, 4, 2, 1)
        self.drop = nn.Dropout(0.5)
        self.up1 = nn.ConvTranspose2d(8, 3, 4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.down1(x)
        b = self.norm(self.down2(F.leaky_relu(a, 0.2)))
        c = self.drop(self.up2(F.relu(b)))
        return torch.tanh(self.up1(F.relu(torch.cat([c, a], 1))))


def dcgan() -> nn.Module:
    return nn.Sequential(
        *(nn.ConvTranspose2d(6, 8, 4, 1, 0, bias=False), nn.BatchNorm2d(8), nn.ReLU(True)),
        *(nn.ConvTranspose2d(8, 4, 4, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(True)),
        *(nn.ConvTranspose2d(4, 3, 4, 2, 1, bias=False), nn.Tanh()),
    )


class TensorFlowDCGAN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(10, 6 * 16)
        self.up1 = nn.ConvTranspose2d(6, 4, 5, 2, 1)
        self.up2 = nn.ConvTranspose2d(4, 3, 5, 2, 1)

    def forward(self, z: Tensor) -> Tensor:
        x = F.relu(self.fc(z)).view(-1, 6, 4, 4)
        for up in (self.up1, self.up2):
            x = torch.tanh(up(x)[:, :, : 2 * x.shape[2], : 2 * x.shape[3]])
        return x


def unet(ndim: int) -> nn.Module:
    conv = (nn.Conv2d, nn.Conv3d)[ndim - 2]
    up = (nn.ConvTranspose2d, nn.ConvTranspose3d)[ndim - 2]

    def forward(self: Any, x: Tensor) -> Tensor:
        a = self.down1(x)
        b = self.act(self.down2(a))
        return self.up1(torch.cat([a, self.up2(b)], dim=1))

    return Fn(
        forward,
        down1=conv(1, 4, 3, 2, 1),
        down2=conv(4, 4, 3, 2, 1),
        act=nn.PReLU(),
        up2=up(4, 4, 3, 2, 1, 1),
        up1=up(8, 2, 3, 2, 1, 1),
    )


class HiFiGAN(nn.Module):
    def __init__(self, kernels: tuple[int, ...], strides: tuple[int, ...], norm: Any) -> None:
        super().__init__()
        self.pre = nn.Conv1d(5, 8, 7, padding=3)
        self.ups = nn.ModuleList(
            norm(nn.ConvTranspose1d(8, 8, k, s, (k - s) // 2)) for k, s in zip(kernels, strides, strict=True)
        )
        self.blocks = nn.ModuleList(norm(nn.Conv1d(8, 8, 3, dilation=3, padding=3)) for _ in kernels)
        self.post = nn.Conv1d(8, 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pre(x)
        for up, block in zip(self.ups, self.blocks, strict=True):
            x = up(F.leaky_relu(x, 0.1))
            x = x + block(F.leaky_relu(x, 0.1))
        return torch.tanh(self.post(F.leaky_relu(x)))


def old_weight_norm(layer: nn.Module) -> nn.Module:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nn.utils.weight_norm(layer)


class WaveGAN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(10, 6 * 4)
        self.ups = nn.ModuleList(nn.ConvTranspose1d(a, b, 25, 4, 11, 1) for a, b in ((6, 4), (4, 1)))

    def forward(self, z: Tensor) -> Tensor:
        x = self.fc(z).reshape(-1, 6, 4)
        for up in self.ups:
            x = torch.tanh(up(F.relu(x)))
        return x


class Upsample2D(nn.Module):
    """As in diffusers: nearest by 2 in float32, then a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        dtype = x.dtype
        x = F.interpolate(x.to(torch.float32), scale_factor=2.0, mode="nearest").to(dtype)
        return self.conv(x)


class ResnetBlock2D(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(2, channels)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return (x + self.conv(F.silu(self.norm(x)))) / 1.0


class Attention2D(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(channels, 3 * channels)

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        q, k, v = self.qkv(x.view(b, c, h * w).transpose(1, 2)).chunk(3, dim=-1)
        q, k, v = (t.view(b, -1, 2, c // 2).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, -1, c)
        return x + y.transpose(-1, -2).reshape(b, c, h, w)


def vae_decoder() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(4, 8, 3, padding=1), ResnetBlock2D(8), Attention2D(8), Upsample2D(8)),
        *(ResnetBlock2D(8), Attention2D(8), Upsample2D(8), ResnetBlock2D(8)),
        *(nn.GroupNorm(2, 8), nn.SiLU(), nn.Conv2d(8, 3, 3, padding=1)),
    )


def srgan() -> nn.Module:
    def forward(self: Any, x: Tensor) -> Tensor:
        x = self.head(x)
        x = x + self.body(x)
        return self.tail(self.up(x))

    return Fn(
        forward,
        head=nn.Sequential(nn.Conv2d(3, 4, 9, padding=4), nn.PReLU()),
        body=nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.PReLU()),
        up=nn.Sequential(
            *(nn.Conv2d(4, 16, 3, padding=1), nn.PixelShuffle(2), nn.PReLU()),
            *(nn.Conv2d(4, 16, 3, padding=1), nn.PixelShuffle(2), nn.PReLU()),
        ),
        tail=nn.Conv2d(4, 3, 9, padding=4),
    )


class ViT(nn.Module):
    """Tokens with a class token, a transformer layer, then an un-patchify written by hand."""

    def __init__(self, patch: int, way: str) -> None:
        super().__init__()
        self.patch, self.way = patch, way
        self.embed = nn.Conv2d(3, 8, patch, patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, 8))
        self.block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, patch * patch * 3)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.embed(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls.expand(len(x), -1, -1), tokens], 1)
        y = self.head(self.block(tokens))[:, 1:]
        p, n, h, w = self.patch, len(x), x.shape[2] // self.patch, x.shape[3] // self.patch
        y = y.reshape(n, h, w, p, p, 3)
        if self.way == "einsum":
            return torch.einsum("nhwpqc->nchpwq", y).reshape(n, 3, h * p, w * p)
        if self.way == "swapped":
            return y.permute(0, 5, 1, 4, 2, 3).reshape(n, 3, h * p, w * p)
        return y.permute(0, 5, 1, 3, 2, 4).reshape(n, 3, h * p, w * p)


def dynamic(self: Any, x: Tensor) -> Tensor:
    for _ in range(x.shape[1] // 2):
        if x.mean() < 1e9:
            x = F.conv_transpose2d(x, self.up.weight, stride=2)
    return x


def shared(self: Any, x: Tensor) -> Tensor:
    return self.up(F.relu(self.up(x)))


def pad_relu_conv(self: Any, x: Tensor) -> Tensor:
    return self.conv(F.relu(F.pad(self.up(x), (1, 1, 1, 1), mode="replicate")))


class Halved(nn.Module):
    """A parametrisation: the weight used is half the weight held."""

    def forward(self, weight: Tensor) -> Tensor:
        return weight / 2


def parametrized() -> nn.Module:
    up = nn.ConvTranspose2d(3, 3, 4, 2, 1)
    parametrize.register_parametrization(up, "weight", Halved())
    return nn.Sequential(up)


def unpool(self: Any, x: Tensor) -> Tensor:
    y, where = self.pool(self.enc(x))
    return self.dec(self.unpool(y, where))


def stacked_twice(self: Any, x: Tensor) -> dict[str, Any]:
    """Down after up: the lattice of the first stage is subsampled away before the output."""
    y = self.down(self.up4(x))
    return {"image": self.up2(y), "features": [y]}
