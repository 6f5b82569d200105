"""Faults of other smoothing layers, each planted here, caught by a check, and absent from these layers."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from uncheck.layers import BlurPool, Hold
from uncheck.layers.filters import hold_power
from uncheck.phases import PhaseKernel, phase_gains


def border_loss(layer: nn.Module) -> float:
    """Largest share of its value that a constant loses anywhere."""
    return float((1 - layer(torch.ones(1, 1, 24, 24, dtype=torch.float64))).abs().max())


def gains(layer: nn.Module, stride: int) -> torch.Tensor:
    """Phase gains of a smoothing layer as an upsampler, from its answer to one pixel."""
    impulse = torch.zeros(1, 1, 24 * stride, dtype=torch.float64)
    impulse[..., 12 * stride] = stride
    return phase_gains(PhaseKernel(layer(impulse), (stride,)))[0, 0]


class PadPool(nn.Module):
    """Zeros before each axis, then an average over the stride."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.avg_pool2d(F.pad(x, [self.stride - 1, 0] * 2), self.stride, 1)


class Smooth1d(nn.Module):
    """A filter on one axis with zeros beyond the border."""

    def __init__(self, taps: list[int], total: int) -> None:
        super().__init__()
        self.taps = torch.tensor(taps, dtype=torch.float64)[None, None] / total

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.conv1d(x, self.taps, padding="same")


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_pad_pool_halves_the_border(stride):
    # the corner keeps 1 / stride^2, an edge 1 / stride of its value
    assert border_loss(PadPool(stride)) == pytest.approx(1 - 1 / stride**2)
    for order in (0, 1, 2):
        assert border_loss(Hold(stride, order, dtype=torch.float64)) < 1e-14
    for mode in ("reflect", "replicate", "symmetric"):
        assert border_loss(BlurPool(stride=stride, padding_mode=mode, dtype=torch.float64)) < 1e-14


@pytest.mark.parametrize(("stride", "order"), [(4, 1), (4, 2), (5, 1), (8, 1), (8, 3)])
def test_a_fixed_smooth_layer_truncates_its_kernel_for_strides_of_4_and_more(stride, order):
    whole = hold_power(stride, order + 1)
    truncated = Smooth1d(whole[1:-1], stride ** (order + 1))
    spread = gains(truncated, stride)
    assert float(spread.max() - spread.min()) > 1e-3
    even = gains(Hold(stride, order, ndim=1, dtype=torch.float64), stride)
    torch.testing.assert_close(even, torch.ones_like(even), rtol=0, atol=1e-13)


def test_the_truncated_kernel_of_stride_4_has_phase_sums_4_3_4_3():
    whole = hold_power(4, 2)
    assert whole == [1, 2, 3, 4, 3, 2, 1]
    assert sorted(sum(whole[1:-1][p::4]) for p in range(4)) == [3, 3, 4, 4]
    assert {sum(whole[p::4]) for p in range(4)} == {4}


@pytest.mark.parametrize("stride", [2, 3, 4])
@pytest.mark.parametrize("order", [0, 1])
def test_a_fixed_smooth_layer_never_normalises_its_gain(stride, order):
    inside = torch.ones(1, 1, 12 * stride, dtype=torch.float64)
    raw = Smooth1d(hold_power(stride, order + 1), 1)(inside)[..., 4 * stride : -4 * stride]
    assert raw.unique().tolist() == [stride ** (order + 1)]
    assert border_loss(Hold(stride, order, dtype=torch.float64)) < 1e-14
