"""Faults of other libraries' upsamplers, each planted, each caught by the check that this package passes."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations
from torch.nn.utils.weight_norm import weight_norm

from oracles.layers_smooth_naive import power_off_mean
from oracles.layers_subpixel_naive import flat, lattice_of_flat
from uncheck.layers.gains import equal_gain
from uncheck.layers.icnr import icnr_
from uncheck.layers.smooth import SmoothConvTranspose2d

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")

Initialise = Callable[[nn.Conv2d, int], object]


def ripple(
    initialise: Initialise, factor: int, wrap: Callable[[nn.Module], nn.Module] = lambda conv: conv
) -> float:
    """Lattice on a flat picture of a convolution and a pixel shuffle, relative to the picture."""
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 2 * factor**2, 3, padding=1)
    conv = wrap(conv)
    initialise(conv, factor)
    y = nn.PixelShuffle(factor)(conv(flat(3, (5, 5), 0.5)))
    return lattice_of_flat(y, (factor, factor), 1) / float(y.detach().abs().mean())


def small_kernel(conv: nn.Conv2d, phases: int) -> torch.Tensor:
    kernel = torch.empty(conv.out_channels // phases, *conv.weight.shape[1:])
    return nn.init.kaiming_uniform_(kernel, a=math.sqrt(5))


def ties_weights_only(conv: nn.Conv2d, factor: int) -> None:
    conv.weight.data.copy_(small_kernel(conv, factor**2).repeat_interleave(factor**2, 0))


def ties_groups_of_four(conv: nn.Conv2d, factor: int) -> None:
    conv.weight.data.copy_(small_kernel(conv, 4).repeat_interleave(4, 0))
    nn.init.zeros_(conv.bias)


def tiles(conv: nn.Conv2d, factor: int) -> None:
    conv.weight.data.copy_(small_kernel(conv, factor**2).repeat(factor**2, 1, 1, 1))
    nn.init.zeros_(conv.bias)


def ties_weight_and_zeroes_bias(conv: nn.Conv2d, factor: int) -> None:
    ties_weights_only(conv, factor)
    nn.init.zeros_(conv.bias)


def test_the_reference_passes_the_check():
    assert ripple(ties_weight_and_zeroes_bias, 2) < 1e-5
    assert ripple(ties_weight_and_zeroes_bias, 4) < 1e-5


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_monai_torchlayers_faceswap_leave_the_bias_per_phase(factor):
    assert ripple(icnr_, factor) < 1e-5
    assert ripple(ties_weights_only, factor) > 0.01


def test_fastai_ties_groups_of_four_at_scale_four():
    assert ripple(ties_groups_of_four, 2) < 1e-5
    assert ripple(icnr_, 4) < 1e-5
    assert ripple(ties_groups_of_four, 4) > 0.1


@pytest.mark.parametrize("wrap", [weight_norm, parametrizations.weight_norm])
def test_icnr_under_weight_norm_was_a_silent_no_op(wrap):
    # the weight is recomputed from magnitude and direction before the next forward
    assert ripple(icnr_, 2, wrap) < 1e-5
    assert ripple(ties_weight_and_zeroes_bias, 2, wrap) > 0.1


@pytest.mark.parametrize("factor", [2, 3])
def test_copies_tile_the_kernel_where_it_must_be_interleaved(factor):
    assert ripple(icnr_, factor) < 1e-5
    assert ripple(tiles, factor) > 0.1


@pytest.mark.parametrize("order", [1, 2])
def test_monai_unet_defaults_to_kernel_three_stride_two(order):
    torch.manual_seed(0)
    arguments = {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}
    faulty = nn.ConvTranspose2d(8, 4, **arguments)
    x = flat(8, (8, 8), 0.5)
    assert power_off_mean(faulty(x), (2, 2), 2) > 0.1
    smooth = SmoothConvTranspose2d(8, 4, **arguments, order=order)
    assert smooth(x).shape == faulty(x).shape
    assert power_off_mean(smooth(x), (2, 2), 2) < 1e-10
    # its checkpoints load, and are evened
    smooth.load_state_dict(faulty.state_dict())
    assert power_off_mean(smooth(x), (2, 2), 2) < 1e-10
    assert power_off_mean(equal_gain(faulty, order)(x), (2, 2), 2) < 1e-10
