"""Segmentation networks of segmentation-models-pytorch, each on a ResNet-18."""

from __future__ import annotations

from typing import Any

import torch
from zoo_case import case, pyramid, up


def built(name: str, size: int = 128) -> tuple[Any, tuple[Any, ...]]:
    """A network of the library at random weights, three classes."""
    import segmentation_models_pytorch as smp

    model = getattr(smp, name)("resnet18", encoder_weights=None, classes=3)
    return model, (torch.rand(1, 3, size, size),)


@case("Unet", "segmentation", "resize", pyramid("nearest", 2, 5))
def unet() -> Any:
    return built("Unet")


@case(
    "UnetPlusPlus",
    "segmentation",
    "resize",
    # x_d_d of the four levels, then the denser ones, and x_0_4 last.
    *(up("nearest", 2, period) for period in (32, 16, 8, 4, 16, 8, 4, 8, 4, 4, 2)),
)
def unet_plus_plus() -> Any:
    return built("UnetPlusPlus")


@case("MAnet", "segmentation", "resize", pyramid("nearest", 2, 5))
def manet() -> Any:
    return built("MAnet")


@case("Linknet", "segmentation", "even", pyramid("transposed", 2, 5))
def linknet() -> Any:
    return built("Linknet")


@case(
    "FPN",
    "segmentation",
    "resize",
    *(up("nearest", 2, period) for period in (32, 16, 8)),
    # Three, two and one of each level of the pyramid, and the head.
    *(up("linear", 2, period) for period in (32, 16, 8, 16, 8, 8)),
    up("linear", 4, 4),
)
def fpn() -> Any:
    return built("FPN")


@case(
    "PSPNet",
    "segmentation",
    "resize",
    # Pools of 2, 3 and 6 positions resized to 12; that of one position is the same everywhere.
    up("linear", 6, 48),
    up("linear", 4, 32),
    up("linear", 2, 16),
    up("linear", 8, 8),
)
def pspnet() -> Any:
    return built("PSPNet", 96)


@case("DeepLabV3", "segmentation", "resize", up("linear", 8, 8))
def deeplab() -> Any:
    return built("DeepLabV3")


@case("DeepLabV3Plus", "segmentation", "resize", up("linear", 4, 16), up("linear", 4, 4))
def deeplab_plus() -> Any:
    return built("DeepLabV3Plus")


@case(
    "PAN",
    "segmentation",
    "resize",
    # The attention's pyramid of 2, 4 and 8 positions, two steps up, and the head. One position is the same
    # everywhere: resizing it leaves nothing.
    *(up("linear", 2, period) for period in (64, 32, 16, 8)),
    up("linear", 4, 4),
)
def pan() -> Any:
    return built("PAN")


@case(
    "UPerNet",
    "segmentation",
    "resize",
    # Pools of 2 and 3 positions resized to 6, the pyramid, its levels resized to the finest, the head.
    up("linear", 3, 96),
    up("linear", 2, 64),
    *(up("linear", 2, period) for period in (32, 16, 8)),
    *(up("linear", factor, 4 * factor) for factor in (8, 4, 2)),
    up("linear", 4, 4),
)
def upernet() -> Any:
    return built("UPerNet", 192)


@case(
    "Segformer of smp",
    "segmentation",
    "resize",
    *(up("linear", factor, 4 * factor) for factor in (8, 4, 2)),
    up("linear", 4, 4),
    source="segmentation_models_pytorch.Segformer",
)
def segformer() -> Any:
    return built("Segformer")
