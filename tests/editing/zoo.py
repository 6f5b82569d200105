"""Small upsampling networks."""

from itertools import product

import torch
import torch.nn.functional as F
from torch import nn


def seeded(make):
    torch.manual_seed(0)
    return make()


class Shuffled(nn.Module):
    """A convolution and a pixel shuffle, torch's own or written by hand."""

    def __init__(self, by_hand, groups=1, bias=True):
        super().__init__()
        self.by_hand = by_hand
        self.conv = nn.Conv2d(4, 8, 3, padding=1, groups=groups, bias=bias)

    def forward(self, x):
        y = self.conv(x)
        if not self.by_hand:
            return F.pixel_shuffle(y, 2)
        n, c, h, w = y.shape
        y = y.reshape(n, 2, 2, c // 4, h, w)  # phases outside, as TensorFlow's depth_to_space
        return y.permute(0, 3, 4, 1, 5, 2).reshape(n, c // 4, 2 * h, 2 * w)


class Unpatchify(nn.Module):
    """Tokens of a 4 x 6 grid to patches of 2 x 2 pixels, 3 channels."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(5, 12)

    def forward(self, x):
        y = self.head(x.flatten(2).transpose(1, 2))
        return y.reshape(-1, 4, 6, 2, 2, 3).permute(0, 5, 1, 3, 2, 4).reshape(-1, 3, 8, 12)


class Functional(nn.Module):
    """A call with a parameter of its own, used as it is, scaled, or for two calls."""

    def __init__(self, how="plain"):
        super().__init__()
        self.how = how
        self.w = nn.Parameter(torch.randn(3, 3, 3, 3))

    def forward(self, x):
        if self.how == "scaled":
            return F.conv_transpose2d(x, self.w * 0.5, stride=2)
        y = F.conv_transpose2d(x, self.w, stride=2)
        if self.how == "twice":
            y = F.conv_transpose2d(y, self.w, stride=2)
        if self.how == "mixed":
            y = F.conv2d(y, self.w)
        return y


class Resized(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2))


def slow(kernel, x):
    """Explicit sums: y[n] = sum_m h[n + offset - s m] x[m] + b[n mod s]."""
    size = kernel.output_size(x.shape[2:])
    bias = kernel.phase_bias()
    y = torch.zeros(len(x), kernel.out_channels, *size, dtype=x.dtype)
    for n in product(*map(range, size)):
        total = bias[(slice(None), *(i % s for i, s in zip(n, kernel.stride, strict=True)))][None]
        for m in product(*map(range, x.shape[2:])):
            u = [a + o - s * b for a, o, s, b in zip(n, kernel.offset, kernel.stride, m, strict=True)]
            if all(0 <= i < k for i, k in zip(u, kernel.kernel_size, strict=True)):
                total = total + x[(..., *m)] @ kernel.weight[(..., *u)].T
        y[(..., *n)] = total
    return y
