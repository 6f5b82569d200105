"""The small networks with their inputs and the stages expected of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from reading.zoo_layouts import (
    bare_unpatchify,
    channels_last_shuffle,
    depth_to_space,
    expand_nearest,
    repeat_nearest,
    shuffle_1d,
    shuffle_3d,
    swapped_shuffle,
    video_unpatchify,
)
from reading.zoo_networks import (
    Fn,
    HiFiGAN,
    Pix2PixUNet,
    TensorFlowDCGAN,
    ViT,
    WaveGAN,
    dcgan,
    dynamic,
    old_weight_norm,
    pad_relu_conv,
    parametrized,
    pix2pixhd,
    shared,
    srgan,
    stacked_twice,
    unet,
    unpool,
    vae_decoder,
)


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


def transposed(name: str, k: int, s: int, period: int, ndim: int = 2) -> Expected:
    overlap = "uneven" if k % s else "even"
    return Expected(name, "transposed", (s,) * ndim, (k,) * ndim, (period,) * ndim, overlap)


def resized(name: str, period: int, k: int = 3, kind: str = "nearest", s: int = 2, **more: Any) -> Expected:
    return Expected(name, kind, (s, s), (k, k), (period, period), **more)


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
