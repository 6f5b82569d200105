"""Initialised transposed convolutions are the interpolations they claim to be, or have all phases alike."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations
from torch.nn.utils.spectral_norm import spectral_norm
from torch.nn.utils.weight_norm import weight_norm

from oracles.layers_smooth_naive import linear_by_loops, phase_variances, power_off_mean
from uncheck.errors import UncheckError
from uncheck.layers.assign import effective_weight
from uncheck.layers.gains import equal_gain
from uncheck.layers.init import bilinear_, icnr_transpose_
from uncheck.layers.smooth import SmoothConvTranspose2d
from uncheck.phases import from_conv_transpose, gain_spread, strang_fix_order

TORCH = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
NORMS = {
    "weight_norm": weight_norm,
    "parametrised weight_norm": parametrizations.weight_norm,
    "spectral_norm": spectral_norm,
    "parametrised spectral_norm": parametrizations.spectral_norm,
}
pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")


def noise(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(sum(shape)))


# kernel, stride, padding, output_padding; output exactly stride times the input
ALIGNED = [(4, 2, 1, 0), (6, 2, 2, 0), (5, 2, 2, 1), (5, 3, 1, 0), (6, 3, 2, 1), (8, 4, 2, 0), (9, 5, 2, 0)]


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize(("k", "s", "p", "extra"), ALIGNED)
def test_bilinear_is_torchs_interpolation_away_from_borders(ndim, k, s, p, extra):
    layer = bilinear_(TORCH[ndim](2, 2, k, s, p, extra))
    x = noise(1, 2, *(6,) * ndim)
    expected = F.interpolate(x, scale_factor=s, mode=LINEAR[ndim], align_corners=False)
    inner = (..., *(slice(s, -s),) * ndim)
    assert layer(x).shape == expected.shape
    torch.testing.assert_close(layer(x)[inner], expected[inner], rtol=0, atol=5e-6)
    # factor 2 averages two pixels besides, which gives it order 3
    assert strang_fix_order(from_conv_transpose(layer.weight, None, s), 1e-6) == (3 if s == 2 else 2)


@pytest.mark.parametrize(("k", "s", "p"), [(3, 2, 1), (3, 2, 0), (4, 2, 0), (4, 2, 2), (7, 4, 1), (8, 3, 0)])
def test_bilinear_elsewhere_interpolates_about_the_middle_of_the_kernel(k, s, p):
    layer = bilinear_(nn.ConvTranspose2d(1, 1, (k, k), s, p).double())
    x = noise(1, 1, 7, 8, dtype=torch.float64)
    y = layer(x)[0, 0]
    expected = linear_by_loops(x[0, 0], lambda _, j: (j + p - (k - 1) / 2) / s, tuple(y.shape))
    inner = (slice(2 * s, -2 * s), slice(2 * s, -2 * s))
    torch.testing.assert_close(y[inner], expected[inner], rtol=0, atol=1e-12)


def test_the_oracle_of_interpolation_catches_half_a_pixel():
    layer = bilinear_(nn.ConvTranspose1d(1, 1, 3, 2, 1).double())
    x = noise(1, 1, 9, dtype=torch.float64)
    wrong = linear_by_loops(x[0, 0], lambda _, j: (j + 0.5) / 2 - 0.5, (17,))
    assert float((layer(x)[0, 0] - wrong)[4:-4].abs().max()) > 0.1


@pytest.mark.parametrize("stride", [(2,), (3,), (2, 5), (4, 1), (2, 3, 2)])
@pytest.mark.parametrize("more", [0, 1, 2, 3])
def test_bilinear_has_equal_gains_for_every_kernel(stride, more):
    k = [s + more for s in stride]
    weight = bilinear_(torch.empty(2, 2, *k, dtype=torch.float64), stride)
    kernel = from_conv_transpose(weight, None, stride)
    assert gain_spread(kernel) < 1e-12
    assert float(weight[0, 0].sum()) == pytest.approx(float(torch.tensor(stride).prod()), abs=1e-12)


@pytest.mark.parametrize(
    ("ins", "outs", "groups"), [(4, 4, 1), (4, 4, 4), (2, 6, 2), (6, 2, 2), (6, 4, 2), (3, 5, 1)]
)
def test_bilinear_keeps_the_level_of_matching_channels(ins, outs, groups):
    layer = bilinear_(nn.ConvTranspose2d(ins, outs, 4, 2, 1, groups=groups))
    levels = torch.arange(1.0, 1 + ins)
    y = layer(levels.reshape(1, -1, 1, 1).expand(1, ins, 6, 6))[0, :, 6, 6].tolist()
    a, b = ins // groups, outs // groups
    for g in range(groups):
        for o in range(b):
            own = [levels[g * a + i].item() for i in range(a) if i % min(a, b) == o % min(a, b)]
            assert y[g * b + o] == pytest.approx(sum(own) / len(own), rel=1e-5)


@pytest.mark.parametrize(("k", "s"), [(2, 2), (3, 2), (4, 2), (5, 2), (3, 3), (16, 10), (25, 4)])
@pytest.mark.parametrize("groups", [1, 4])
def test_icnr_transpose_starts_with_all_phases_alike(k, s, groups):
    torch.manual_seed(0)
    layer = icnr_transpose_(nn.ConvTranspose1d(8, 4, k, s, groups=groups))
    assert gain_spread(from_conv_transpose(layer.weight, None, s, groups=groups)) < 1e-6
    assert power_off_mean(layer(torch.ones(1, 8, 24)), (s,), 3 + k // s) < 1e-10
    # the same numbers in every phase of the taps in use
    first = (k % s) // 2
    used = layer.weight.detach()[..., first : first + k // s * s]
    assert torch.equal(used.unflatten(2, (k // s, s)), used[..., ::s, None].expand(-1, -1, -1, s))
    assert float(used.abs().min()) > 0
    assert int((layer.weight == 0).any(0).any(0).sum()) == k % s


def test_icnr_transpose_starts_with_the_variance_of_a_convolution():
    torch.manual_seed(0)
    layer = icnr_transpose_(nn.ConvTranspose2d(64, 64, 4, 2, 1, groups=2))
    variances = phase_variances(layer(noise(8, 64, 24, 24)), (2, 2), 2)
    assert variances.tolist() == pytest.approx([1 / 3] * 4, rel=0.1)


def test_icnr_transpose_gives_the_initialiser_a_convolution():
    shapes = []

    def init(kernel: torch.Tensor) -> None:
        shapes.append(tuple(kernel.shape))
        nn.init.constant_(kernel, 0.5)

    weight = icnr_transpose_(torch.empty(6, 2, 5, 4), 2, init, groups=2)
    assert shapes == [(4, 3, 2, 2)]
    assert torch.equal(weight[:, :, :4], torch.full((6, 2, 4, 4), 0.5))
    assert torch.equal(weight[:, :, 4], torch.zeros(6, 2, 4))


def test_groups_and_channels_go_where_the_initialiser_put_them():
    def init(kernel: torch.Tensor) -> None:
        kernel.copy_(torch.arange(kernel.numel(), dtype=kernel.dtype).reshape(kernel.shape))

    weight = icnr_transpose_(torch.empty(6, 2, 2), 2, init, groups=2)
    # K (4, 3): output 2 g + o of input 3 g + i holds 3 (2 g + o) + i
    for g in range(2):
        for o in range(2):
            for i in range(3):
                assert weight[3 * g + i, o].tolist() == [3 * (2 * g + o) + i] * 2


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("initialise", [bilinear_, icnr_transpose_])
@pytest.mark.parametrize("first", ["init", "norm"])
def test_the_effective_weight_is_even_under_a_norm(norm, initialise, first):
    torch.manual_seed(0)
    layer = nn.ConvTranspose2d(4, 4, 4, 2, 1)
    assert gain_spread(from_conv_transpose(layer.weight, None, 2)) > 0.5
    if first == "init":
        initialise(layer)
    layer = NORMS[norm](layer)
    if first == "norm":
        initialise(layer)
    assert power_off_mean(layer(torch.ones(1, 4, 8, 8)), (2, 2), 2) < 1e-10
    assert gain_spread(from_conv_transpose(effective_weight(layer), None, 2)) < 1e-6
    if initialise is bilinear_ and "weight_norm" in norm:
        x = noise(1, 4, 6, 6)
        expected = F.interpolate(x, scale_factor=2, mode="bilinear")
        torch.testing.assert_close(layer(x)[..., 2:-2, 2:-2], expected[..., 2:-2, 2:-2], rtol=0, atol=1e-5)


def test_layers_with_equal_gains_take_what_has_their_order():
    layer = bilinear_(SmoothConvTranspose2d(2, 2, 4, 2, 1, order=2))
    x = noise(1, 2, 6, 6)
    expected = F.interpolate(x, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(layer(x)[..., 2:-2, 2:-2], expected[..., 2:-2, 2:-2], rtol=0, atol=1e-6)
    icnr_transpose_(SmoothConvTranspose2d(2, 2, 4, 2))
    bilinear_(equal_gain(nn.ConvTranspose2d(2, 2, 4, 2)))
    for layer in (SmoothConvTranspose2d(2, 2, 4, 2, order=2), equal_gain(nn.ConvTranspose2d(2, 2, 4, 2), 2)):
        before = [value.clone() for value in layer.state_dict().values()]
        with pytest.raises(
            UncheckError, match="changes the weight, so that its initialisation would not hold"
        ):
            icnr_transpose_(layer)
        assert all(torch.equal(a, b) for a, b in zip(before, layer.state_dict().values(), strict=True))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_every_float_type_and_the_meta_device(dtype):
    for initialise in (bilinear_, icnr_transpose_):
        assert initialise(nn.ConvTranspose2d(2, 2, 4, 2, dtype=dtype)).weight.dtype == dtype
        assert initialise(nn.ConvTranspose2d(2, 2, 4, 2, device="meta")).weight.is_meta


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bilinear_(nn.Conv2d(2, 2, 4)), "a weight or a transposed convolution, not Conv2d"),
        (lambda: bilinear_(torch.zeros(2, 2, 4)), "stride must be given"),
        (lambda: bilinear_(torch.zeros(2, 2), 2), "weight must be"),
        (lambda: bilinear_(nn.ConvTranspose2d(2, 2, 4, 2), 2), "are only for weights: ConvTranspose2d has"),
        (lambda: bilinear_(torch.zeros(2, 2, 2), 3), "2 taps with stride 3 and dilation 1 leave a phase"),
        (
            lambda: bilinear_(nn.ConvTranspose1d(2, 2, 3, 2, dilation=2)),
            "3 taps with stride 2 and dilation 2",
        ),
        (lambda: bilinear_(torch.zeros(3, 2, 4), 2, groups=2), "groups must divide the input channels"),
        (
            lambda: icnr_transpose_(nn.ConvTranspose1d(2, 2, 2, 3)),
            r"a kernel of size \(2,\) with stride \(3,\)",
        ),
        (lambda: icnr_transpose_(nn.ConvTranspose1d(2, 2, 3, 2, dilation=3)), "takes no dilation"),
        (lambda: icnr_transpose_(nn.LazyConvTranspose2d(2, 4, 2)), "LazyConvTranspose2d has no weight yet"),
    ],
)
def test_bad_arguments_are_sentences(call, message):
    with pytest.raises(UncheckError, match=message):
        call()
