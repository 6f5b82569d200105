"""ICNR ties the effective weight and the bias, for any factor, whatever normalisation sits on the layer."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune
from torch.nn.utils.spectral_norm import spectral_norm
from torch.nn.utils.weight_norm import weight_norm

from oracles.layers_subpixel_naive import flat, lattice_of_flat, untied
from uncheck.errors import UncheckError
from uncheck.layers.assign import effective_weight
from uncheck.layers.icnr import icnr_
from uncheck.layers.subpixel import SubpixelConv

CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
NORMS = {
    "weight_norm": weight_norm,
    "weight_norm over inputs": lambda layer: weight_norm(layer, dim=1),
    "weight_norm over all": lambda layer: weight_norm(layer, dim=None),
    "parametrised weight_norm": parametrizations.weight_norm,
    "parametrised weight_norm over inputs": lambda layer: parametrizations.weight_norm(layer, dim=1),
    "spectral_norm": spectral_norm,
    "parametrised spectral_norm": parametrizations.spectral_norm,
    "both": lambda layer: parametrizations.spectral_norm(parametrizations.weight_norm(layer)),
}
pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")


class Frozen(nn.Module):
    """Sets the weight to a constant: cannot be initialised."""

    def __init__(self, value: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("value", value)

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return self.value + 0 * weight

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        return weight


@pytest.mark.parametrize("factor", [(2,), (5,), (2, 2), (2, 3), (4, 1), (2, 1, 3)])
@pytest.mark.parametrize("groups", [1, 3])
def test_all_phases_start_alike(factor, groups):
    torch.manual_seed(0)
    phases = int(torch.tensor(factor).prod())
    conv = CONV[len(factor)](6, 3 * phases, 3, groups=groups)
    assert icnr_(conv, factor) is conv
    assert untied(conv.weight.detach(), 3, factor) == 0
    assert untied(conv.bias.detach(), 3, factor) == 0
    # and nothing else: channels differ, and nothing is zero
    assert untied(conv.weight.detach()[:: max(1, phases)], 1, (3,)) > 0.1
    assert float(conv.weight.detach().abs().min()) > 0
    assert float(conv.bias.detach().abs().min()) > 0


def test_the_weights_are_spread_as_torch_spreads_them():
    torch.manual_seed(0)
    tied, plain = nn.Conv2d(64, 256, 3), nn.Conv2d(64, 256, 3)
    icnr_(tied, 2)
    assert float(tied.weight.detach().std()) == pytest.approx(float(plain.weight.detach().std()), rel=0.02)
    assert float(tied.bias.detach().std()) == pytest.approx(float(plain.bias.detach().std()), rel=0.25)


def test_a_tensor_and_its_bias():
    weight, bias = torch.zeros(2 * 9, 3, 3, 3), torch.zeros(18)
    assert icnr_(weight, 3, bias=bias) is weight
    assert untied(weight, 2, (3, 3)) == 0
    assert untied(bias, 2, (3, 3)) == 0
    assert float(bias.abs().min()) > 0


def test_the_initialiser_sees_the_small_kernel():
    shapes = []

    def init(kernel: torch.Tensor) -> None:
        shapes.append(tuple(kernel.shape))
        nn.init.orthogonal_(kernel)

    weight = icnr_(torch.empty(8, 8, 1, 1), 2, init)
    assert shapes == [(2, 8, 1, 1)]
    kernel = weight[::4, :, 0, 0]
    torch.testing.assert_close(kernel @ kernel.T, torch.eye(2), rtol=0, atol=1e-6)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("first", ["icnr", "norm"])
@pytest.mark.parametrize("training", [True, False])
def test_the_effective_weight_is_tied_under_a_norm(norm, first, training):
    torch.manual_seed(1)
    layer = SubpixelConv(3, 2, 3, (2, 3), padding_mode="circular", icnr=False).train(training)
    if first == "icnr":
        icnr_(layer)
    NORMS[norm](layer.conv)
    if first == "norm":
        icnr_(layer)
    assert layer.conv.training == training
    x = flat(3, (6, 6), 0.5)
    y = layer(x)
    assert float(y.std()) > 1e-3
    assert lattice_of_flat(y, (2, 3), 1) < 1e-5
    assert untied(effective_weight(layer.conv), 2, (2, 3)) < 1e-6


@pytest.mark.parametrize("norm", ["spectral_norm", "parametrised spectral_norm"])
def test_a_spectral_norm_is_settled_on_the_new_weight(norm):
    torch.manual_seed(0)
    layer = NORMS[norm](nn.Conv2d(4, 8, 3).eval())
    icnr_(layer, 2)
    largest = torch.linalg.matrix_norm(effective_weight(layer).flatten(1), 2)
    assert float(largest) == pytest.approx(1, abs=0.02)


def test_state_dicts_keep_their_keys_and_the_mode_is_kept():
    layer = parametrizations.weight_norm(nn.Conv2d(3, 8, 3))
    keys = list(layer.state_dict())
    icnr_(layer, 2)
    assert list(layer.state_dict()) == keys
    assert layer.weight.requires_grad


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_every_float_type_and_the_meta_device(dtype):
    layer = icnr_(parametrizations.weight_norm(nn.Conv2d(3, 8, 3, dtype=dtype)), 2)
    assert layer.weight.dtype == dtype
    assert untied(layer.weight.detach(), 2, (2, 2)) == 0
    assert icnr_(nn.Conv2d(3, 8, 3, device="meta"), 2).weight.is_meta


def test_what_cannot_be_initialised_is_refused_and_left_alone():
    layer = nn.Conv2d(3, 8, 3)
    parametrize.register_parametrization(layer, "weight", Frozen(torch.randn(8, 3, 3, 3)))
    before = {key: value.clone() for key, value in layer.state_dict().items()}
    with pytest.raises(UncheckError, match="of this ParametrizedConv2d changes the weight"):
        icnr_(layer, 2)
    assert all(torch.equal(before[key], value) for key, value in layer.state_dict().items())
    masked = prune.l1_unstructured(nn.Conv2d(3, 8, 3), "weight", 0.5)
    with pytest.raises(UncheckError, match="computed in a way that cannot be initialised"):
        icnr_(masked, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: icnr_(nn.Conv2d(3, 8, 3)), "scale_factor must be given"),
        (lambda: icnr_(torch.zeros(8, 3, 3, 3)), "scale_factor must be given"),
        (lambda: icnr_(nn.Conv2d(3, 6, 3), 2), r"divisible by prod\(scale_factor\) \* groups = 4 \* 1"),
        (lambda: icnr_(nn.Conv2d(4, 8, 3, groups=4), 2), r"= 4 \* 4, so that all phases of a channel read"),
        (lambda: icnr_(nn.Linear(3, 8), 2), "takes a weight, a convolution or a SubpixelConv, not Linear"),
        (lambda: icnr_(nn.ConvTranspose2d(3, 8, 4), 2), "not ConvTranspose2d"),
        (lambda: icnr_(SubpixelConv(3, 2, 3), 3), r"SubpixelConv has scale_factor \(2, 2\), not 3"),
        (lambda: icnr_(nn.LazyConv2d(8, 3), 2), "LazyConv2d has no weight yet"),
        (lambda: icnr_(torch.zeros(8, 3), 2), "weight must be"),
        (lambda: icnr_(torch.zeros(8, 3, 3, 3), 2, bias=torch.zeros(3)), r"bias must have shape \(8,\)"),
        (lambda: icnr_(nn.Conv2d(3, 8, 3), 2, bias=torch.zeros(8)), "bias is only for weights given as"),
        (lambda: icnr_(nn.Conv2d(3, 8, 3), 1.5), "scale_factor must be an integer"),
    ],
)
def test_bad_arguments_are_sentences(call, message):
    with pytest.raises(UncheckError, match=message):
        call()
