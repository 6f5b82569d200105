"""Edges, corners, lines and super-resolution of kornia."""

from __future__ import annotations

from typing import Any

import torch
from zoo_case import case, pyramid, up


@case(
    "ESPCN x3", "super-resolution", "icnr", up("sub-pixel", 3, 3), source="kornia.models.small_sr.SmallSRNet"
)
def small() -> Any:
    from kornia.models.small_sr import SmallSRNet

    return SmallSRNet(3, pretrained=False), (torch.rand(1, 1, 48, 48),)


@case(
    "DexiNed",
    "edges",
    "even",
    # Each of six scales is brought back to full size by steps of two.
    *(pyramid("transposed", 2, steps) for steps in (1, 1, 2, 3, 4, 4)),
)
def dexined() -> Any:
    from kornia.models.dexined import DexiNed

    return DexiNed(pretrained=False), (torch.rand(1, 3, 64, 64),)


@case("DISK", "keypoints", "resize", pyramid("linear", 2, 4), source="kornia.feature.disk._unets.Unet")
def disk() -> Any:
    from kornia.feature.disk._unets import Unet

    return Unet(in_features=3, size=5, down=[8, 16, 16, 16, 16], up=[16, 16, 16, 9]), (
        torch.rand(1, 3, 96, 96),
    )


@case(
    "SOLD2",
    "lines",
    "icnr",
    # The hourglass, then a grid of 8 x 8 for the junctions and two steps for the lines.
    up("nearest", 2, 16),
    up("nearest", 2, 8),
    up("sub-pixel", 8, 8),
    pyramid("sub-pixel", 2, 2),
    source="kornia.feature.sold2.backbones.SOLD2Net",
)
def sold2() -> Any:
    from kornia.feature.sold2.backbones import SOLD2Net

    shape = {"grid_size": 8, "keep_border_valid": True, "use_descriptor": True}
    backbone = {"input_channel": 1, "depth": 2, "num_stacks": 1, "num_blocks": 1, "num_classes": 5}
    return SOLD2Net({**shape, "backbone_cfg": backbone}), (torch.rand(1, 1, 128, 128),)
