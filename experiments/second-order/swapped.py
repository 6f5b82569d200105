"""Whole generators with one thing changed where the second order arises: untrained and released ones."""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import torch
import torch.nn.functional as F
from lab.generator import Generator
from lab.upsamplers import kernel_of
from phase_variances import expected, normalised
from torch import Tensor

from uncheck.layers import Hold
from uncheck.probing.evening import even_phases


def evened(x: Tensor, *, second_order: bool) -> Tensor:
    """The phases of a map of an upsampling by 2 made alike in mean, or in covariance too."""
    return even_phases(x, (2, 3), (2, 2), second_order=second_order)


def means_evened(x: Tensor) -> Tensor:
    return evened(x, second_order=False)


def variances_evened(x: Tensor) -> Tensor:
    return evened(x, second_order=True)


#: name -> first upsampling, what follows it, the nonlinearity, what follows that.
SWAPS: dict[
    str, tuple[str, Callable[[Tensor], Tensor], Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]
]
SWAPS = {
    "as it is": ("nearest", torch.nn.Identity(), torch.relu, torch.nn.Identity()),
    "identity for ReLU": ("nearest", torch.nn.Identity(), torch.nn.Identity(), torch.nn.Identity()),
    "linear": ("linear", torch.nn.Identity(), torch.relu, torch.nn.Identity()),
    "order 2": ("smooth k4 order 2", torch.nn.Identity(), torch.relu, torch.nn.Identity()),
    "ICNR": ("sub-pixel ICNR", torch.nn.Identity(), torch.relu, torch.nn.Identity()),
    "means evened": ("nearest", means_evened, torch.relu, torch.nn.Identity()),
    "variances evened": ("nearest", variances_evened, torch.relu, torch.nn.Identity()),
    "smoothed after ReLU": ("nearest", torch.nn.Identity(), torch.relu, Hold(2)),
}


class Swapped(Generator):
    """The generator without deconvolution of before-training, with one swap at its first upsampling."""

    def __init__(self, swap: str, *, base: int, width: int) -> None:
        first, before, function, after = SWAPS[swap]
        super().__init__(first, "nearest", base=base, width=width)
        self.before, self.function, self.after = before, function, after

    def forward(self, codes: Tensor) -> Tensor:
        x = self.start(codes).view(-1, self.width, self.base, self.base)
        x = self.norm0(x).relu()
        x = self.after(self.function(self.norm1(self.before(self.up1(x)))))
        return self.up2(x).tanh()


def predicted(generator: Generator, pictures: Tensor) -> float:
    """Grey levels at period 4, from the weights: pixels of the smallest grid taken as independent.

    Behind BatchNorm and ReLU each has mean 1 / sqrt(2 pi) and variance 1/2 - 1 / (2 pi). The pattern passes
    the second upsampling as it is, and the tanh with its mean slope, which is seen in `pictures`.
    """
    width = generator.width
    alone = torch.zeros(width, width, 11, 11, dtype=torch.float64)
    alone[range(width), range(width), 5, 5] = 0.5 - 1 / (2 * pi)
    mean = torch.full((width,), (2 * pi) ** -0.5, dtype=torch.float64)
    pattern = expected(torch.relu, *normalised(kernel_of(generator.up1), mean, alone))
    doubled = F.interpolate(pattern[None], scale_factor=2, mode="nearest")
    weight = generator.up2.weight.detach().double()
    picture = F.conv2d(F.pad(doubled, (1,) * 4, mode="circular"), weight)[0]
    slope = (1 - pictures.double() ** 2).mean((0, 2, 3))
    return 127.5 * float((lines_of_period_4(picture) * slope).max())


def lines_of_period_4(pattern: Tensor) -> Tensor:
    """(channels,): root of the summed squares of the peak amplitudes of (channels, 4, 4), less period 2.

    A line and its conjugate are one wave of twice their size; a real line is one of its own.
    """
    power = (torch.fft.fft2(pattern).abs() / 16) ** 2
    power[:, ::2, ::2] = 0
    return (2 * power.sum((1, 2))).sqrt()


#: Released generators with resize-convolutions: the layers after each resizing, and the period of each.
RELEASED = {"cwgan_mnist": ("conv_blocks.2", 4), "cvae_sketch": ("body.3", 4)}


def released(name: str, count: int) -> tuple[dict[str, float], bool]:
    """Grey levels at the period of its first resizing, with the phases behind that as they are and evened.

    And whether the pictures share a lattice of that period at all.
    """
    from lab.cases import network
    from lab.lattice import lattice, together

    cases, model = network(name)
    where, period = RELEASED[name]
    codes = cases.example_input(name, count)
    span = (-1, 1) if name == "cwgan_mnist" else (0, 1)
    edits = {
        "as it is": torch.nn.Identity(),
        "means evened": means_evened,
        "variances evened": variances_evened,
    }
    out = {}
    for said, edit in edits.items():
        hook = model.get_submodule(where).register_forward_hook(lambda m, i, y, edit=edit: edit(y))
        with torch.no_grad():
            out[said] = round(together(model(codes), span, period), 3)
        hook.remove()
    with torch.no_grad():
        there = lattice(model(codes), span, (period,))[f"there_{period}"]
    return out, bool(there)
