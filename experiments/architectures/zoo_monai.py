"""Medical networks of MONAI; two spatial axes where the network lets one choose, for speed."""

from __future__ import annotations

from typing import Any

import torch
from zoo_case import case, pyramid, up


def built(name: str, *shapes: tuple[int, ...], **options: Any) -> tuple[Any, tuple[Any, ...]]:
    """A network of `monai.networks.nets`."""
    import monai.networks.nets as nets

    return getattr(nets, name)(**options), tuple(torch.rand(*shape) for shape in shapes)


FLAT = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2}


@case("UNet of MONAI", "segmentation", "even", pyramid("transposed", 2, 3), source="monai.networks.nets.UNet")
def unet() -> Any:
    return built(
        "UNet", (1, 1, 96, 96), channels=(16, 32, 64, 128), strides=(2, 2, 2), num_res_units=2, **FLAT
    )


@case("BasicUNet", "segmentation of volumes", "even", pyramid("transposed", 2, 4, ndim=3))
def basic() -> Any:
    return built("BasicUNet", (1, 1, 32, 32, 32), features=(4, 4, 8, 16, 32, 4))


@case(
    "BasicUNetPlusPlus",
    "segmentation",
    "even",
    # upcat_d_j enlarges level d + 1 to level d.
    *(up("transposed", 2, 2 ** (d + 1)) for j in range(1, 5) for d in range(5 - j)),
)
def plus_plus() -> Any:
    return built("BasicUNetPlusPlus", (1, 1, 96, 96), features=(8, 8, 16, 32, 64, 8), **FLAT)


@case("SegResNet", "segmentation of volumes", "resize", pyramid("linear", 2, 3, ndim=3))
def segresnet() -> Any:
    return built("SegResNet", (1, 1, 32, 32, 32))


@case(
    "UNETR",
    "segmentation",
    "even",
    # Three, two and one of the skips out of 16 x 16 patches, then the decoder.
    *(up("transposed", 2, period) for period in (16, 8, 4, 16, 8, 16)),
    pyramid("transposed", 2, 4),
)
def unetr() -> Any:
    small = {"img_size": 96, "feature_size": 8, "hidden_size": 48, "mlp_dim": 96, "num_heads": 4}
    return built("UNETR", (1, 1, 96, 96), **small, **FLAT)


@case("SwinUNETR", "segmentation", "even", pyramid("transposed", 2, 5))
def swin_unetr() -> Any:
    return built("SwinUNETR", (1, 1, 128, 128), feature_size=12, **FLAT)


@case("VarAutoEncoder", "autoencoding", "even", pyramid("transposed", 2, 3))
def variational() -> Any:
    sizes = {"in_shape": (1, 64, 64), "latent_size": 16, "channels": (8, 16, 32), "strides": (2, 2, 2)}
    return built("VarAutoEncoder", (1, 1, 64, 64), spatial_dims=2, out_channels=1, **sizes)


@case("FlexibleUNet", "segmentation", "resize", pyramid("nearest", 2, 5))
def flexible() -> Any:
    return built("FlexibleUNet", (1, 3, 128, 128), in_channels=3, out_channels=2, backbone="efficientnet-b0")


@case("Generator", "generation", "even", pyramid("transposed", 2, 3))
def generator() -> Any:
    sizes = {"start_shape": (16, 8, 8), "channels": (32, 16, 1), "strides": (2, 2, 2)}
    model, _ = built("Generator", latent_shape=(16,), **sizes)
    return model, (torch.randn(4, 16),)


@case("VQVAE", "autoencoding", "even", pyramid("transposed", 2, 2))
def vqvae() -> Any:
    parts = {"channels": (16, 32), "num_res_channels": (16, 32), "num_res_layers": 1, "embedding_dim": 16}
    strides = {"downsample_parameters": ((2, 4, 1, 1),) * 2, "upsample_parameters": ((2, 4, 1, 1, 0),) * 2}
    return built("VQVAE", (1, 1, 96, 96), spatial_dims=2, in_channels=1, out_channels=1, **parts, **strides)


@case("MedNeXt", "segmentation", "even", pyramid("transposed", 2, 4))
def mednext() -> Any:
    return built("MedNext", (1, 1, 96, 96), init_filters=8, **FLAT)


@case("QuickNAT", "segmentation", "fixed", pyramid("unpool", 2, 4))
def quicknat() -> Any:
    return built("Quicknat", (1, 1, 96, 96), num_classes=4, num_filters=16)


@case(
    "LocalNet",
    "registration",
    "even",
    # Each step up adds a resized copy; then coarser displacement fields are resized to the finest.
    *(up(kind, 2, period) for period in (4, 2) for kind in ("transposed", "nearest")),
    up("nearest", 2, 2),
    up("nearest", 4, 4),
)
def localnet() -> Any:
    return built(
        "LocalNet",
        (1, 2, 64, 64),
        spatial_dims=2,
        in_channels=2,
        num_channel_initial=8,
        extract_levels=(0, 1, 2),
    )
