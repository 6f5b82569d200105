"""Restoration and super-resolution networks of spandrel, and the generators that come with it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import torch
from zoo_case import case, pyramid, up


def built(where: str, name: str, *shapes: tuple[int, ...], **options: Any) -> tuple[Any, tuple[Any, ...]]:
    """A network of `spandrel.architectures`, whose file is `where`."""
    folder, _, file = where.partition("/")
    module = import_module(f"spandrel.architectures.{folder}.__arch.{file}")
    return getattr(module, name)(**options), tuple(torch.rand(*shape) for shape in shapes)


@case("Real-ESRGAN Compact x4", "super-resolution", "icnr", up("sub-pixel", 4, 4), up("nearest", 4, 4))
def compact() -> Any:
    return built("Compact/SRVGG", "SRVGGNetCompact", (1, 3, 48, 48), num_feat=32, num_conv=8)


@case("ESRGAN x4", "super-resolution", "resize", pyramid("nearest", 2, 2))
def esrgan() -> Any:
    return built("ESRGAN/RRDB", "RRDBNet", (1, 3, 32, 32), num_filters=32, num_blocks=2)


@case("SwinIR x4, real photographs", "super-resolution", "resize", pyramid("nearest", 2, 2))
def swinir_real() -> Any:
    small = {"embed_dim": 24, "depths": [2, 2], "num_heads": [2, 2], "window_size": 8, "img_size": 32}
    return built("SwinIR/SwinIR", "SwinIR", (1, 3, 32, 32), upscale=4, upsampler="nearest+conv", **small)


@case(
    "OmniSR x4",
    "super-resolution",
    "icnr",
    # The spatial attention resizes 3 positions to the input's 32, whatever that is.
    up("linear", 32 / 3, 128),
    up("sub-pixel", 4, 4),
)
def omnisr() -> Any:
    return built("OmniSR/OmniSR", "OmniSR", (1, 3, 32, 32), num_feat=32)


@case(
    "SAFMN x4",
    "super-resolution",
    "icnr",
    # In each of two blocks maximum pools by 2, 4 and 8, resized back.
    *(up("nearest", factor, 4 * factor) for _ in range(2) for factor in (2, 4, 8)),
    up("sub-pixel", 4, 4),
)
def safmn() -> Any:
    return built("SAFMN/safmn", "SAFMN", (1, 3, 32, 32), dim=32, n_blocks=2)


@case("NAFNet", "deblurring", "icnr", pyramid("sub-pixel", 2, 3))
def nafnet() -> Any:
    return built(
        "NAFNet/NAFNet_arch", "NAFNet", (1, 3, 128, 128), enc_blk_nums=[1, 1, 1], dec_blk_nums=[1, 1, 1]
    )


@case("LaMa", "inpainting", "even", pyramid("transposed", 2, 3))
def lama() -> Any:
    return built("LaMa/LaMa", "LaMa", (1, 3, 64, 64), (1, 1, 64, 64), in_nc=4)


@case(
    "Real-CUGAN x4",
    "super-resolution",
    "mixed",
    up("transposed", 2, 8),
    up("transposed", 2, 4),
    up("transposed", 2, 8),
    up("transposed", 2, 4),
    up("sub-pixel", 2, 2),
    up("nearest", 4, 4),
)
def cugan4() -> Any:
    return built("RealCUGAN/upcunet_v3", "UpCunet4x", (1, 3, 32, 32))


@case(
    "Real-CUGAN x3",
    "super-resolution",
    "even",
    # The second network takes every second pixel twice over, so that 3 repeats after 12.
    up("transposed", 2, 12),
    up("transposed", 3, 12),
    up("transposed", 2, 4),
    up("transposed", 2, 2),
)
def cugan3() -> Any:
    return built("RealCUGAN/upcunet_v3", "UpCunet3x", (1, 3, 32, 32))


@case(
    "StyleGAN2",
    "generation",
    "fixed",
    # At every scale a transposed convolution before a blur, and zeros inserted into the picture.
    *(
        up(kind, 2, period)
        for period in (16, 8, 4, 2)
        for kind in ("transposed", "zero insertion|transposed")
    ),
)
def stylegan() -> Any:
    without_extension()
    small = {"out_size": 64, "num_style_feat": 64, "channel_multiplier": 1, "narrow": 0.125}
    model, _ = built("GFPGAN/stylegan2_arch", "StyleGAN2Generator", **small)
    return Styles(model), (torch.randn(1, 64),)


@case(
    "GFPGAN",
    "face restoration",
    "resize",
    # A U-Net, then a StyleGAN2 whose features and skips are resized; two stages at every scale of each.
    *(up("linear", 2, period, times=2) for _ in range(2) for period in (32, 16, 8, 4, 2)),
)
def gfpgan() -> Any:
    small = {"out_size": 128, "num_style_feat": 64, "channel_multiplier": 1, "narrow": 0.125}
    return built("GFPGAN/gfpganv1_clean_arch", "GFPGANv1Clean", (1, 3, 128, 128), **small)


@case("Uformer", "denoising", "even", pyramid("transposed", 2, 4))
def uformer() -> Any:
    small = {"img_size": 128, "embed_dim": 8, "depths": [1] * 9}
    return built("Uformer/Uformer", "Uformer", (1, 3, 128, 128), **small)


class Styles(torch.nn.Module):
    """StyleGAN2 from a batch of codes, which it takes as a list; without random noise."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        return self.model([codes], randomize_noise=False)[0]


def without_extension() -> None:
    """Write the activation that StyleGAN2 has as a CUDA extension as its equation, which runs anywhere."""
    from spandrel.architectures.GFPGAN.__arch import fused_act, stylegan2_arch

    def fused_leaky_relu(x: Any, bias: Any, negative_slope: float = 0.2, scale: float = 2**0.5) -> Any:
        bias = bias.view(1, -1, *[1] * (x.dim() - 2))
        return torch.nn.functional.leaky_relu(x + bias, negative_slope) * scale

    fused_act.fused_leaky_relu = fused_leaky_relu
    stylegan2_arch.fused_leaky_relu = fused_leaky_relu
