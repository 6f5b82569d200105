"""Faults of other tools that no other file of tests names: what they hide or miscount, this package shows.

The faults of upsamplers and of smoothing are in tests/layers/test_layers_peers_*.py, those of graph rewriters
in tests/fusing/test_fusing_peers.py.
"""

import subprocess
import sys
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import uncheck
from uncheck.layers import FusedResizeConv, ResizeConv2d


class Functional(nn.Module):
    """Resizes by a functional call, which lists of layers do not show."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0))


def multiplications(module: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> int:
    with FlopCounterMode(display=False) as counter:
        module(x)
    return counter.get_total_flops() // 2


def test_torchinfo_does_not_show_interpolate():
    found = uncheck.inspect(Functional(), torch.rand(1, 3, 32, 32))
    assert [(one.stage.kind, one.stage.stride) for one in found.stages] == [("nearest", (2, 2))]


def test_torchinfo_counts_a_transposed_convolution_on_the_output_grid():
    # 16 multiplications per input pixel and pair of channels, not per output pixel: 2.25 times less than 36
    two = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(4, 6, 3, padding=1))
    one = FusedResizeConv.from_conv(two[1].weight, two[1].bias, (2, 2), "nearest", [(1, 1)] * 2)
    x = torch.randn(2, 4, 8, 8)
    assert multiplications(two, x) == 2 * 64 * 24 * 36
    assert multiplications(one._transposed, x) == 2 * 64 * 24 * 16
    assert ResizeConv2d(4, 6, 3)._forms.plan.taps == (4, 4)


def test_monai_unet_defaults_to_k3_s2(tmp_path):
    # found without running anything, and an exit code that a pipeline sees: TorchFix exits 0 with findings
    command = [sys.executable, "-m", "uncheck", "overlap", "--kernel-size", "3", "--stride", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "some output pixels get 4 times the taps of others; period 2" in done.stdout
