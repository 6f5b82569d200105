"""A small trained network that paints photographs, and the lattice of its two transposed convolutions."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load as read_weights
from torch import Tensor, nn

from uncheck.errors import UncheckError

_WEIGHTS = "weights.safetensors"
_PICTURES = ("astronaut.png", "coffee.png")

#: Where the weights and the two pictures come from, and under which terms.
origin = """\
weights.safetensors: trained for this package by experiments/demo-network/train.py on photographs that come
with scikit-image and may be used freely (CC0, public domain, or no known copyright restrictions). Nothing
was done to put the lattice there. Apache-2.0, like the package.

astronaut.png: Eileen Collins, photographed by NASA, https://flic.kr/p/r9qvLn; no known copyright
restrictions, released into the public domain. Rows 0 to 255, columns 96 to 351 of the copy in scikit-image.

coffee.png: a cup of coffee, by Rachel Michetti, courtesy of Pikolo Espresso Bar; CC0. Rows 60 to 315,
columns 170 to 425 of the copy in scikit-image.

The network was trained on neither picture.
"""


class DemoNetwork(nn.Module):
    """Photograph in, "oil painting" out: the layout of the usual image-to-image networks, made small.

        encoder   conv 7x7, 3 -> 16;  conv 3x3 stride 2, 16 -> 32;  conv 3x3 stride 2, 32 -> 48
        blocks    two residual blocks at 48 channels
        decoder   transposed conv 3x3 stride 2 padding 1 output_padding 1, 48 -> 32, then 32 -> 16
        output    conv 7x7, 16 -> 3, sigmoid

    BatchNorm and ReLU follow every convolution of the encoder and the decoder. A kernel of 3 at stride 2
    overlaps unevenly, so the first transposed convolution can leave a lattice of period 4 and the second
    one of period 2.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.ReflectionPad2d(3),
            *_normed(nn.Conv2d(3, 16, 7), 16),
            *_normed(nn.Conv2d(16, 32, 3, stride=2, padding=1), 32),
            *_normed(nn.Conv2d(32, 48, 3, stride=2, padding=1), 48),
        )
        self.blocks = nn.Sequential(_Residual(48), _Residual(48))
        self.decoder = nn.Sequential(
            *_normed(nn.ConvTranspose2d(48, 32, 3, stride=2, padding=1, output_padding=1), 32),
            *_normed(nn.ConvTranspose2d(32, 16, 3, stride=2, padding=1, output_padding=1), 16),
        )
        self.output = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(16, 3, 7), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        """Paint photographs.

        Args:
            x: (N, 3, H, W) RGB in 0..1; H and W multiples of 4, at least 8.

        Returns:
            (N, 3, H, W) RGB in 0..1.

        Cost: about 14 000 multiplications per pixel.
        """
        painted: Tensor = self.output(self.decoder(self.blocks(self.encoder(x))))
        return painted


class _Residual(nn.Module):
    """x + two 3x3 convolutions of x; (N, C, H, W) in and out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            *_normed(nn.Conv2d(channels, channels, 3, padding=1), channels),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = self.change(x)
        return x + changed


def _normed(conv: nn.Module, channels: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    return conv, nn.BatchNorm2d(channels), nn.ReLU()


def load() -> DemoNetwork:
    """Load the trained network, in eval mode, float32, on the CPU.

    Returns:
        A fresh `DemoNetwork` (the weights are stored in half precision and widened on loading).

    Raises:
        UncheckError: the weights that come with the package are missing or damaged.

    Example:
        >>> painted = load()(pictures())
        >>> tuple(painted.shape)
        (2, 3, 256, 256)
    """
    with torch.device("meta"):  # no random start, so the caller's random state stays as it was
        network = DemoNetwork()
    try:
        stored = read_weights((files("uncheck.demo") / _WEIGHTS).read_bytes())
        wide = {name: t.float() if t.is_floating_point() else t.clone() for name, t in stored.items()}
        network.load_state_dict(wide, strict=True, assign=True)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise UncheckError(
            f"the demo weights {_WEIGHTS} are missing or damaged; reinstall uncheck ({error})"
        ) from error
    return network.eval()


def pictures() -> Tensor:
    """Load the two photographs of the demo, which the network was not trained on.

    Returns:
        (2, 3, 256, 256) float32 RGB in 0..1: an astronaut, a cup of coffee.

    Raises:
        UncheckError: a picture that comes with the package is missing or damaged.
    """
    return torch.stack([_picture(name) for name in _PICTURES])


def _picture(name: str) -> Tensor:
    try:
        with (files("uncheck.demo") / name).open("rb") as file, Image.open(file) as image:
            levels = np.array(image.convert("RGB"), np.float32)
    except OSError as error:
        raise UncheckError(
            f"the demo picture {name} is missing or damaged; reinstall uncheck ({error})"
        ) from error
    return torch.from_numpy(levels / 255).permute(2, 0, 1).contiguous()
