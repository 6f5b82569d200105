"""Segmentation, optical flow and heads of detectors of torchvision; nnU-Net."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from zoo_case import case, pyramid, up


def built(name: str, size: int = 128) -> Any:
    """A segmentation network at random weights, three classes."""
    from torchvision.models import segmentation

    model = getattr(segmentation, name)(weights=None, weights_backbone=None, num_classes=3)
    return model, (torch.rand(1, 3, size, size),)


@case("FCN", "segmentation", "resize", up("linear", 8, 8, times=2))
def fcn() -> Any:
    from torchvision.models import segmentation

    # With its auxiliary output: both are resized.
    model = segmentation.fcn_resnet50(weights=None, weights_backbone=None, num_classes=3, aux_loss=True)
    return model, (torch.rand(1, 3, 64, 64),)


@case("LRASPP", "segmentation", "resize", up("linear", 2, 16), up("linear", 8, 8))
def lraspp() -> Any:
    return built("lraspp_mobilenet_v3_large")


@case("RAFT", "optical flow", "icnr", up("sub-pixel", 8, 8, times=2))
def raft() -> Any:
    from torchvision.models.optical_flow import raft_large

    return Flow(raft_large(weights=None)), (torch.rand(1, 3, 128, 128), torch.rand(1, 3, 128, 128))


@case("RAFT, small", "optical flow", "resize", up("linear", 8, 8, times=2))
def raft_small() -> Any:
    from torchvision.models.optical_flow import raft_small

    return Flow(raft_small(weights=None)), (torch.rand(1, 3, 128, 128), torch.rand(1, 3, 128, 128))


@case("Mask R-CNN, mask head", "segmentation", "even", up("transposed", 2, 2))
def mask_head() -> Any:
    from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor

    head = nn.Sequential(MaskRCNNHeads(32, (32, 32), 1), MaskRCNNPredictor(32, 32, 3))
    return head, (torch.randn(8, 32, 14, 14),)


@case("Keypoint R-CNN, keypoint head", "pose", "even", up("transposed", 2, 4), up("linear", 2, 2))
def keypoint_head() -> Any:
    from torchvision.models.detection.keypoint_rcnn import KeypointRCNNHeads, KeypointRCNNPredictor

    head = nn.Sequential(KeypointRCNNHeads(32, (32, 32)), KeypointRCNNPredictor(32, 5))
    return head, (torch.randn(8, 32, 14, 14),)


@case("Feature pyramid of detectors", "features", "resize", pyramid("nearest", 2, 3))
def pyramid_network() -> Any:
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

    return resnet_fpn_backbone(backbone_name="resnet18", weights=None), (torch.rand(1, 3, 256, 256),)


def nnunet(name: str, **options: Any) -> Any:
    from dynamic_network_architectures.architectures import unet

    sizes = {"n_stages": 4, "features_per_stage": [8, 16, 32, 32], "kernel_sizes": 3, "strides": [1, 2, 2, 2]}
    model = getattr(unet, name)(
        1,
        conv_op=nn.Conv2d,
        num_classes=3,
        norm_op=nn.InstanceNorm2d,
        nonlin=nn.LeakyReLU,
        conv_bias=True,
        **sizes,
        **options,
    )
    return model, (torch.rand(1, 1, 96, 96),)


@case("nnU-Net, residual, deeply supervised", "segmentation", "even", pyramid("transposed", 2, 3))
def nnunet_residual() -> Any:
    return nnunet(
        "ResidualEncoderUNet", n_blocks_per_stage=1, n_conv_per_stage_decoder=1, deep_supervision=True
    )


class Flow(nn.Module):
    """RAFT with two updates instead of twelve."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> Any:
        return self.model(first, second, num_flow_updates=2)
