"""Small networks with an uneven upsampler, and pictures that say on which side of the split they are."""

import torch
from torch import nn

from judging.zoo import photographs


class Halved(nn.Module):
    """Half the resolution and back: its output is the input, a little blurred, and a lattice of period 2."""

    def __init__(self, uneven=0.04, kernel=4):
        super().__init__()
        torch.manual_seed(0)
        self.down = nn.Conv2d(3, 3, 2, 2)
        self.up = nn.ConvTranspose2d(3, 3, kernel, 2, (kernel - 2) // 2)
        self.head = nn.Conv2d(3, 3, 1)
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4 if kernel == 4 else torch.ones(2)
        weight = taps[:, None] * taps
        weight = weight * (1 + uneven * (-1.0) ** torch.arange(kernel)[:, None])
        with torch.no_grad():
            for layer, values in (
                (self.down, torch.full((2, 2), 0.25)), (self.up, weight), (self.head, torch.ones(1, 1)),
            ):  # fmt: skip
                layer.weight.zero_()
                layer.bias.zero_()
                for channel in range(3):
                    layer.weight[channel, channel] = values

    def forward(self, x):
        return self.head(self.up(self.down(x)).relu())


def pictures(count=6, size=96):
    """Of the values n / 256, those that repair holds out have odd n and those to fit on even n."""
    whole = (photographs(count, size) * 127).round() * 2
    held = torch.arange(count) % 3 == 2
    return (whole + held[:, None, None, None].to(whole)) / 256


def is_held(picture):
    """Whether most values are those of a picture that is held out."""
    n = picture.detach() * 256
    return bool(((n % 2 - 1).abs() < 1e-3).float().mean() > 0.5)
