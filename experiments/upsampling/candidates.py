"""The upsamplings compared, all by 2 in two dimensions, and the kernel each amounts to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from uncheck.layers import Hold, ResizeConv, SmoothConvTranspose, SubpixelConv, fold_hold, icnr_transpose_
from uncheck.phases import PhaseKernel

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.upsamplers import kernel_of as of_one_layer


@dataclass(frozen=True)
class Candidate:
    """One row of the table.

    `make(in_channels, out_channels)` gives the layer; `multiplications` are per input pixel and pair of
    channels, forward; `timed` names the layer whose time and memory count, where another one computes the
    same.
    """

    name: str
    make: Callable[[int, int], nn.Module]
    multiplications: int
    timed: str | None = None


def transposed3(a: int, b: int) -> nn.Module:
    return nn.ConvTranspose2d(a, b, 3, 2, 1, 1)


def transposed4(a: int, b: int) -> nn.Module:
    return nn.ConvTranspose2d(a, b, 4, 2, 1)


def held(a: int, b: int) -> nn.Module:
    return nn.Sequential(transposed3(a, b), Hold(2))


def smooth(kernel_size: int, order: int) -> Callable[[int, int], nn.Module]:
    def make(a: int, b: int) -> nn.Module:
        return SmoothConvTranspose(a, b, kernel_size, 2, 1, kernel_size % 2, order=order)

    return make


CANDIDATES = (
    Candidate("transposed k3 s2", transposed3, 9),
    Candidate("transposed k4 s2", transposed4, 16),
    Candidate(
        "transposed k4 s2, `icnr_transpose_`",
        lambda a, b: icnr_transpose_(transposed4(a, b)),
        16,
        "transposed k4 s2",
    ),
    Candidate("sub-pixel k3, no ICNR", lambda a, b: SubpixelConv(a, b, 3, icnr=False), 36),
    Candidate("sub-pixel k3, ICNR", lambda a, b: SubpixelConv(a, b, 3), 36, "sub-pixel k3, no ICNR"),
    Candidate("nearest + conv k3", lambda a, b: ResizeConv(a, b, 3), 16),
    # replicate: with reflect padding a linear resize and a convolution are not one kernel at the border
    Candidate(
        "linear + conv k3",
        lambda a, b: ResizeConv(a, b, 3, padding_mode="replicate", mode="linear"),
        36,
    ),
    Candidate("smooth k3, order 1", smooth(3, 1), 9),
    Candidate("smooth k3, order 2", smooth(3, 2), 9, "smooth k3, order 1"),
    Candidate("smooth k4, order 1", smooth(4, 1), 16),
    Candidate("smooth k4, order 2", smooth(4, 2), 16, "smooth k4, order 1"),
    # trained as a pair, folded for use
    Candidate("transposed k3 + Hold, folded", held, 16, "transposed k4 s2"),
)

#: Beside the candidates in the timing: what people write, and the pair before folding.
PLAIN = (
    Candidate(
        "plain nearest + conv k3",
        lambda a, b: nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(a, b, 3, padding=1)),
        36,
    ),
    Candidate(
        "plain linear + conv k3",
        lambda a, b: nn.Sequential(
            nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(a, b, 3, padding=1)
        ),
        36,
    ),
    Candidate("transposed k3 + Hold, two layers", held, 9),
)


def named(name: str) -> Candidate:
    return next(c for c in (*CANDIDATES, *PLAIN) if c.name == name)


def kernel_of(layer: nn.Module) -> PhaseKernel:
    """The kernel a candidate's layer amounts to, with the weights it has now."""
    if isinstance(layer, nn.Sequential):
        return kernel_of(fold_hold(layer[0], layer[1]))
    return of_one_layer(layer)
