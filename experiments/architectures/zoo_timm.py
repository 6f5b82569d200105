"""Feature extractors of timm: maps of several resolutions, most without any upsampling."""

from __future__ import annotations

from typing import Any

import torch
from zoo_case import case, up


def built(name: str, size: int = 128, **options: Any) -> Any:
    """The feature maps of a network at random weights."""
    import timm

    return timm.create_model(name, pretrained=False, features_only=True, **options), (
        torch.rand(1, 3, size, size),
    )


@case("ResNet-18", "features", "nothing")
def resnet() -> Any:
    return built("resnet18")


@case(
    "HRNet",
    "features",
    "resize",
    # Coarse branches resized to fine ones in three stages; periods in the largest map that each reaches.
    up("nearest", 2, 2),
    up("nearest", 2, 2),
    up("nearest", 4, 4),
    up("nearest", 2, 4),
    *(up("nearest", factor, factor) for factor in (2, 4, 8)),
    *(up("nearest", factor, factor) for factor in (2, 4)),
    up("nearest", 2, 2),
)
def hrnet() -> Any:
    return built("hrnet_w18_small")


@case("MobileViT", "features", "nothing")
def mobilevit() -> Any:
    return built("mobilevit_xxs")


@case("Swin", "features", "nothing")
def swin() -> Any:
    return built("swin_tiny_patch4_window7_224", 112, img_size=112)
