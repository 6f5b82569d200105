"""Small networks, one for each architecture that reading must know, with the answers expected of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize


@dataclass(frozen=True)
class Expected:
    """What is expected of a stage: name, kind, stride, kernel size, overlap, period in output pixels."""

    name: str
    kind: str
    stride: tuple[float, ...]
    kernel_size: tuple[int, ...]
    period: tuple[int, ...] | None
    overlap: str = "none"
    has_kernel: bool = True
    exact: bool = True


@dataclass(frozen=True)
class Case:
    """A network, its input and the stages it has."""

    name: str
    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    stages: tuple[Expected, ...]

    def model(self) -> nn.Module:
        torch.manual_seed(0)
        return self.make().eval()

    def input(self) -> Tensor:
        return torch.randn(self.shape, generator=torch.Generator().manual_seed(1))


class Fn(nn.Module):
    """A module whose forward is a function of itself and the input."""

    def __init__(self, forward: Callable[..., Any], **layers: nn.Module) -> None:
        super().__init__()
        self._forward = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *inputs: Tensor) -> Any:
        return self._forward(self, *inputs)


def transposed(name: str, k: int, s: int, period: int, ndim: int = 2) -> Expected:
    overlap = "uneven" if k % s else "even"
    return Expected(name, "transposed", (s,) * ndim, (k,) * ndim, (period,) * ndim, overlap)


def resized(name: str, period: int, k: int = 3, kind: str = "nearest", s: int = 2, **more: Any) -> Expected:
    return Expected(name, kind, (s, s), (k, k), (period, period), **more)


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


def bare_unpatchify(self: Any, tokens: Tensor) -> Tensor:
    y = self.head(tokens).view(len(tokens), 4, 6, 2, 2, 3)
    return y.permute(0, 5, 1, 3, 2, 4).contiguous().view(len(tokens), 3, 8, 12)


def video_unpatchify(self: Any, tokens: Tensor) -> Tensor:
    y = self.head(tokens).view(len(tokens), 3, 2, 4, 1, 2, 2, 3)
    return y.permute(0, 7, 1, 4, 2, 5, 3, 6).flatten(6, 7).flatten(4, 5).flatten(2, 3)


def shuffle_1d(self: Any, x: Tensor) -> Tensor:
    y = self.conv(x)
    b, c, t = y.shape
    return y.view(b, c // 3, 3, t).transpose(2, 3).reshape(b, c // 3, t * 3)


def shuffle_3d(self: Any, x: Tensor) -> Tensor:
    y = self.conv(x)
    b, c, t, h, w = y.shape
    y = y.view(b, c // 8, 2, 2, 2, t, h, w).permute(0, 1, 5, 2, 6, 3, 7, 4)
    return y.reshape(b, c // 8, 2 * t, 2 * h, 2 * w)


def depth_to_space(self: Any, x: Tensor) -> Tensor:
    """TensorFlow's order: the phases are the outer part of the channels."""
    y = self.conv(x)
    b, c, h, w = y.shape
    y = y.view(b, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2)
    return y.reshape(b, c // 4, 2 * h, 2 * w)


def swapped_shuffle(self: Any, x: Tensor) -> Tensor:
    y = self.conv(x)
    b, c, h, w = y.shape
    return y.view(b, c // 4, 2, 2, h, w).permute(0, 1, 4, 3, 5, 2).reshape(b, c // 4, 2 * h, 2 * w)


def channels_last_shuffle(self: Any, x: Tensor) -> Tensor:
    y = self.conv(x).permute(0, 2, 3, 1)
    b, h, w, c = y.shape
    y = y.reshape(b, h, w, 2, 2, c // 4).permute(0, 1, 3, 2, 4, 5).reshape(b, 2 * h, 2 * w, c // 4)
    return y.permute(0, 3, 1, 2)


def expand_nearest(self: Any, x: Tensor) -> Tensor:
    b, c, h, w = x.shape
    y = x[:, :, :, None, :, None].expand(b, c, h, 2, w, 2).reshape(b, c, 2 * h, 2 * w)
    return self.conv(y)


def repeat_nearest(self: Any, x: Tensor) -> Tensor:
    return self.conv(x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3))


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


CASES = (
    Case("pix2pixhd", pix2pixhd, (1, 8, 4, 4), (transposed("0", 3, 2, 4), transposed("3", 3, 2, 2))),
    Case("pix2pix", Pix2PixUNet, (1, 3, 16, 16), (transposed("up2", 4, 2, 4), transposed("up1", 4, 2, 2))),
    Case("dcgan", dcgan, (2, 6, 1, 1), (transposed("3", 4, 2, 4), transposed("6", 4, 2, 2))),
    Case("tf_dcgan", TensorFlowDCGAN, (2, 10), (transposed("up1", 5, 2, 4), transposed("up2", 5, 2, 2))),
    Case(
        "compression",
        lambda: nn.Sequential(nn.ConvTranspose2d(4, 3, 5, 2, 2, 1)),
        (1, 4, 5, 6),
        (transposed("0", 5, 2, 2),),
    ),
    Case(
        "sam",
        lambda: nn.Sequential(
            nn.ConvTranspose2d(4, 4, 2, 2), nn.GELU(), nn.ConvTranspose2d(4, 2, 2, 2), nn.GELU()
        ),
        (1, 4, 5, 5),
        (transposed("0", 2, 2, 4), transposed("2", 2, 2, 2)),
    ),
    Case("unet2d", lambda: unet(2), (1, 1, 16, 16), (transposed("up2", 3, 2, 4), transposed("up1", 3, 2, 2))),
    Case(
        "unet3d",
        lambda: unet(3),
        (1, 1, 8, 8, 8),
        (transposed("up2", 3, 2, 4, 3), transposed("up1", 3, 2, 2, 3)),
    ),
    Case(
        "hifigan_old_weight_norm",
        lambda: HiFiGAN((16, 4), (8, 2), old_weight_norm),
        (1, 5, 6),
        (transposed("ups.0", 16, 8, 16, 1), transposed("ups.1", 4, 2, 2, 1)),
    ),
    Case(
        "rvc_new_weight_norm",
        lambda: HiFiGAN((16, 16), (10, 6), parametrizations.weight_norm),
        (1, 5, 6),
        (transposed("ups.0", 16, 10, 60, 1), transposed("ups.1", 16, 6, 6, 1)),
    ),
    Case("wavegan", WaveGAN, (1, 10), (transposed("ups.0", 25, 4, 16, 1), transposed("ups.1", 25, 4, 4, 1))),
    Case(
        "diffusers_vae",
        vae_decoder,
        (1, 4, 4, 6),
        (resized("3.interpolate", 4), resized("6.interpolate", 2)),
    ),
    Case(
        "srgan",
        srgan,
        (1, 3, 6, 6),
        (
            Expected("up.1", "sub-pixel", (2, 2), (3, 3), (4, 4)),
            Expected("up.4", "sub-pixel", (2, 2), (3, 3), (2, 2)),
        ),
    ),
    *(
        Case(
            f"vit_{way}_{p}",
            lambda p=p, way=way: ViT(p, way),
            (2, 3, 3 * p, 2 * p),
            (Expected("reshape", "un-patchify", (p, p), (p, p), (p, p)),),
        )
        for p, way in ((14, "permute"), (16, "einsum"), (4, "swapped"))
    ),
    Case(
        "bare_unpatchify",
        lambda: Fn(bare_unpatchify, head=nn.Linear(5, 12)),
        (2, 24, 5),
        (Expected("view", "un-patchify", (2, 2), (2, 2), (2, 2)),),
    ),
    Case(
        "video_unpatchify",
        lambda: Fn(video_unpatchify, head=nn.Linear(5, 12)),
        (1, 24, 5),
        (Expected("flatten", "un-patchify", (1, 2, 2), (1, 2, 2), (1, 2, 2)),),
    ),
    Case(
        "shuffle_1d",
        lambda: Fn(shuffle_1d, conv=nn.Conv1d(4, 6, 5, padding=2)),
        (1, 4, 7),
        (Expected("reshape", "sub-pixel", (3,), (5,), (3,)),),
    ),
    Case(
        "shuffle_3d",
        lambda: Fn(shuffle_3d, conv=nn.Conv3d(2, 16, 3, padding=1)),
        (1, 2, 3, 4, 5),
        (Expected("reshape", "sub-pixel", (2, 2, 2), (3, 3, 3), (2, 2, 2)),),
    ),
    *(
        Case(
            way.__name__,
            lambda way=way: Fn(way, conv=nn.Conv2d(2, 12, 3, padding=1)),
            (1, 2, 4, 5),
            (Expected("reshape", "sub-pixel", (2, 2), (3, 3), (2, 2)),),
        )
        for way in (depth_to_space, swapped_shuffle, channels_last_shuffle)
    ),
    Case(
        "expand_nearest",
        lambda: Fn(expand_nearest, conv=nn.Conv2d(2, 3, 3, padding=1)),
        (1, 2, 4, 5),
        (resized("reshape", 2),),
    ),
    Case(
        "repeat_nearest",
        lambda: Fn(repeat_nearest, conv=nn.Conv2d(2, 3, 3, padding=1)),
        (1, 2, 4, 5),
        (resized("repeat_interleave", 2),),
    ),
    Case(
        "dynamic",
        lambda: Fn(dynamic, up=nn.ConvTranspose2d(4, 4, 4, 2)),
        (1, 4, 3, 3),
        (transposed("conv_transpose2d", 4, 2, 4), transposed("conv_transpose2d", 4, 2, 2)),
    ),
    Case(
        "shared",
        lambda: Fn(shared, up=nn.ConvTranspose2d(4, 4, 4, 2, 1), never=nn.PixelShuffle(2)),
        (1, 4, 3, 3),
        (transposed("up", 4, 2, 4), transposed("up", 4, 2, 2)),
    ),
    Case(
        "grouped",
        lambda: nn.Sequential(nn.ConvTranspose2d(4, 4, 4, 2, 1, groups=4)),
        (1, 4, 3, 3),
        (transposed("0", 4, 2, 2),),
    ),
    Case(
        "spectral_norm",
        lambda: nn.Sequential(parametrizations.spectral_norm(nn.ConvTranspose2d(4, 4, 4, 2, 1))),
        (1, 4, 3, 3),
        (transposed("0", 4, 2, 2),),
    ),
    Case(
        "old_spectral_norm",
        lambda: nn.Sequential(nn.utils.spectral_norm(nn.ConvTranspose2d(4, 4, 4, 2, 1))),
        (1, 4, 3, 3),
        (transposed("0", 4, 2, 2),),
    ),
    Case("parametrized", parametrized, (1, 3, 3, 3), (transposed("0", 4, 2, 2),)),
    Case(
        "unpool",
        lambda: Fn(
            unpool,
            enc=nn.Conv2d(1, 2, 3, padding=1),
            pool=nn.MaxPool2d(2, return_indices=True),
            unpool=nn.MaxUnpool2d(2),
            dec=nn.Conv2d(2, 1, 3, padding=1),
        ),
        (1, 1, 8, 8),
        (Expected("unpool", "unpool", (2, 2), (2, 2), (2, 2), has_kernel=False),),
    ),
    Case(
        "pad_relu_conv",
        lambda: Fn(pad_relu_conv, up=nn.Upsample(scale_factor=2), conv=nn.Conv2d(2, 2, 3)),
        (1, 2, 4, 4),
        (resized("up", 2),),
    ),
    Case(
        "bilinear_relu_conv",
        lambda: Fn(pad_relu_conv, up=nn.Upsample(scale_factor=2, mode="bilinear"), conv=nn.Conv2d(2, 2, 3)),
        (1, 2, 4, 4),
        (resized("up", 2, kind="linear", has_kernel=False, exact=False),),
    ),
    Case(
        "up_and_down",
        lambda: Fn(
            stacked_twice,
            up4=nn.ConvTranspose2d(2, 2, 4, 4),
            down=nn.Conv2d(2, 2, 3, 2, 1),
            up2=nn.ConvTranspose2d(2, 2, 2, 2),
        ),
        (1, 2, 4, 4),
        (transposed("up4", 4, 4, 4), transposed("up2", 2, 2, 2)),
    ),
    Case(
        "one_and_a_half",
        lambda: nn.Sequential(nn.Upsample(scale_factor=1.5), nn.Conv2d(2, 2, 3, padding=1)),
        (1, 2, 8, 8),
        (Expected("0", "nearest", (1.5, 1.5), (3, 3), (3, 3), has_kernel=False),),
    ),
    Case(
        "bicubic",
        lambda: nn.Sequential(nn.Upsample(scale_factor=2, mode="bicubic"), nn.Conv2d(2, 2, 3, padding=1)),
        (1, 2, 8, 8),
        (resized("0", 2, kind="cubic", has_kernel=False),),
    ),
    Case(
        "never",
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 4, 3)),
        (1, 3, 9, 9),
        (),
    ),
)
