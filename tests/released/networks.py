"""Three released networks as modules of our own, with the names of their weights."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SameConv2d(nn.Module):
    """A convolution of odd size whose output has the size of its input, as TensorFlow's "SAME"."""

    def __init__(self, inside: int, outside: int, size: int):
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, size, padding=size // 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Espcn(nn.Module):
    """Luma (N, 1, H, W) in 0..1 to (N, 1, 3H, 3W): three convolutions and a shuffle of pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = SameConv2d(1, 64, 5)
        self.conv2 = SameConv2d(64, 32, 3)
        self.conv3 = SameConv2d(32, 9, 3)
        self.shuffle = nn.PixelShuffle(3)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.shuffle(self.conv3(self.conv2(self.conv1(x).relu()).relu())))


class Fsrcnn(nn.Module):
    """YCbCr (N, 3, H, W) in 0..1 to (N, 3, 2H, 2W): a transposed convolution of 9 x 9 is the last layer."""

    def __init__(self) -> None:
        super().__init__()
        self.feature_extract, self.activation_1 = nn.Conv2d(3, 56, 5, padding=2), nn.PReLU(56)
        self.shrink, self.activation_2 = nn.Conv2d(56, 12, 1), nn.PReLU(12)
        self.map_1 = nn.Conv2d(12, 12, 3, padding=1)
        self.map_2 = nn.Conv2d(12, 12, 3, padding=1)
        self.map_3 = nn.Conv2d(12, 12, 3, padding=1)
        self.map_4, self.activation_3 = nn.Conv2d(12, 12, 3, padding=1), nn.PReLU(12)
        self.expand, self.activation_4 = nn.Conv2d(12, 56, 1), nn.PReLU(56)
        self.deconv = nn.ConvTranspose2d(56, 3, 9, stride=2, padding=4, output_padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation_1(self.feature_extract(x))
        x = self.activation_2(self.shrink(x))
        x = self.activation_3(self.map_4(self.map_3(self.map_2(self.map_1(x)))))
        return self.deconv(self.activation_4(self.expand(x))).clamp(0, 1)


class SlicedConvTranspose2d(nn.Module):
    """A transposed convolution of stride 1 that cuts its output to the size of its input."""

    def __init__(self, inside: int, outside: int):
        super().__init__()
        self.deconv = nn.ConvTranspose2d(inside, outside, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.deconv(x)[:, :, : x.shape[2], : x.shape[3]]


class CvaeSketch(nn.Module):
    """Codes (N, 67), sixteen normal numbers and one of 51 classes, to drawings (N, 1, 28, 28) in 0..1."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(67, 16 * 7 * 7)
        self.body = nn.Sequential(
            SlicedConvTranspose2d(16, 32),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            SlicedConvTranspose2d(32, 16),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            SlicedConvTranspose2d(16, 1),
            nn.Sigmoid(),
        )

    def forward(self, codes: Tensor) -> Tensor:
        return self.body(F.relu(self.fc(codes)).reshape(-1, 7, 7, 16).movedim(3, 1))


NETWORKS = {"espcn_x3": Espcn, "fsrcnn_x2": Fsrcnn, "cvae_sketch": CvaeSketch}
