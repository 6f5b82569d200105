"""Phase gains are equal by construction: at once, after training, in every order of wrapping."""

import copy
from math import gcd

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations, parametrize
from torch.nn.utils.weight_norm import weight_norm

from layers.contract import check_contract, check_onnx
from oracles.layers_smooth_naive import phase_variances, power_off_mean, project_by_frequencies
from oracles.phases_torch import gains_by_constants, ripple_of_polynomial
from uncheck.errors import UncheckError
from uncheck.layers.gains import EqualGain, equal_gain
from uncheck.layers.smooth import (
    SmoothConvTranspose,
    SmoothConvTranspose1d,
    SmoothConvTranspose2d,
    SmoothConvTranspose3d,
)
from uncheck.phases import from_conv_transpose, gain_spread, project, strang_fix_order

LAYERS = {1: SmoothConvTranspose1d, 2: SmoothConvTranspose2d, 3: SmoothConvTranspose3d}
TORCH = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}


def noise(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(sum(shape)))


def spread(layer: nn.Module, channels: int, size: tuple[int, ...], stride: tuple[int, ...]) -> float:
    """Largest difference of phase gains, read from pictures, relative to the largest gain."""
    near = tuple(n * s // 2 for n, s in zip(size, stride, strict=True))
    gains = gains_by_constants(copy.deepcopy(layer).double(), channels, size, stride, near).flatten(2)
    return float((gains.amax(2) - gains.amin(2)).max() / gains.abs().max())


@given(st.data())
def test_the_projection_equals_the_oracle_and_phases_project(data):
    ndim, order = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 3))
    stride = tuple(data.draw(st.integers(1, 3)) for _ in range(ndim))
    k = tuple(data.draw(st.integers(1, 6 if ndim == 1 else 4)) for _ in range(ndim))
    dilation = tuple(data.draw(st.sampled_from([1, 1, 2, 3])) for _ in range(ndim))
    weight = noise(2, 1, *k, dtype=torch.float64)
    fits = all(
        n >= order * (s - 1) + 1 and gcd(s, d) == 1 for n, s, d in zip(k, stride, dilation, strict=True)
    )
    if not fits:
        with pytest.raises(UncheckError, match=f"too small for order {order}|share a factor, so that some"):
            EqualGain(k, stride, dilation, order, dtype=torch.float64)
        return
    even = EqualGain(k, stride, dilation, order, dtype=torch.float64)
    result = even(weight)
    expected = project_by_frequencies(weight, stride, dilation, order)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-7)
    kernel = project(from_conv_transpose(weight, None, stride, dilation=dilation), order)
    ours = from_conv_transpose(result, None, stride, dilation=dilation)
    torch.testing.assert_close(ours.weight, kernel.weight, rtol=0, atol=1e-10)
    torch.testing.assert_close(even(result), result, rtol=0, atol=1e-12)


def test_the_oracle_catches_a_projection_to_the_mean_of_the_gains():
    # equal gains as well, but not the nearest kernel: phases of one and two taps weigh differently
    weight = noise(1, 1, 3, dtype=torch.float64)
    a, b, c = weight.flatten()
    target = (a + b + c) / 2
    wrong = torch.stack([a + (target - a - c) / 2, target, c + (target - a - c) / 2]).reshape(1, 1, 3)
    right = project_by_frequencies(weight, (2,), (1,), 1)
    assert float((wrong - right).abs().max()) > 0.01
    assert gain_spread(from_conv_transpose(wrong, None, 2)) < 1e-12


CASES = [
    {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1},
    {"kernel_size": 4, "stride": 2, "padding": 1},
    {"kernel_size": 5, "stride": 3, "dilation": 2, "groups": 2},
    {"kernel_size": 3, "stride": 2, "order": 2},
    {"kernel_size": 7, "stride": 3, "order": 3, "padding": 2},
    {"kernel_size": 3, "stride": 1},
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("ndim", [1, 2])
def test_constants_come_out_constant_also_after_training(case, ndim):
    torch.manual_seed(0)
    layer = LAYERS[ndim](4, 2, **case)
    size, stride = (9,) * ndim, (case["stride"],) * ndim
    assert spread(layer, 4, size, stride) < 1e-6
    optimiser = torch.optim.Adam(layer.parameters(), 0.1)
    for _ in range(3):
        optimiser.zero_grad()
        layer(noise(1, 4, *size)).sin().sum().backward()
        optimiser.step()
    assert spread(layer, 4, size, stride) < 1e-5
    kernel = from_conv_transpose(
        layer.even(layer.weight), None, case["stride"], 0, 0, case.get("dilation", 1), case.get("groups", 1)
    )
    assert strang_fix_order(kernel, 1e-5, case.get("order", 1)) == case.get("order", 1)


def test_constants_in_three_axes_and_unequal_strides():
    layer = SmoothConvTranspose3d(2, 2, (3, 4, 2), (2, 3, 1))
    assert spread(layer, 2, (5, 5, 5), (2, 3, 1)) < 1e-6


@pytest.mark.parametrize(("order", "k"), [(1, 3), (2, 3), (2, 4), (3, 5)])
def test_polynomials_below_the_order_pass_without_ripple(order, k):
    torch.manual_seed(0)
    layer = SmoothConvTranspose1d(1, 1, k, 2, bias=False, order=order).double()
    for power in range(order):
        assert ripple_of_polynomial(layer, (power,), (30,), power + 1) < 1e-9
    plain = nn.ConvTranspose1d(1, 1, k, 2, bias=False).double()
    assert ripple_of_polynomial(plain, (0,), (30,), 1) > 1e-3


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_it_is_torchs_layer_with_the_projected_weight(ndim):
    for case in CASES:
        layer = LAYERS[ndim](4, 2, **case)
        x = noise(2, 4, *(4,) * ndim)
        plain = layer.to_conv_transpose()
        assert type(plain) is TORCH[ndim]
        torch.testing.assert_close(layer(x), plain(x), rtol=0, atol=1e-6)
        assert list(layer.state_dict()) == list(plain.state_dict())
        layer.load_state_dict(
            TORCH[ndim](4, 2, **{k: v for k, v in case.items() if k != "order"}).state_dict()
        )
        torch.testing.assert_close(layer(x[0]), layer(x)[0], rtol=0, atol=1e-6)


def test_output_size_is_torchs():
    layer = SmoothConvTranspose2d(3, 2, 3, 2, 1)
    x = noise(1, 3, 5, 6)
    plain = layer.to_conv_transpose()
    torch.testing.assert_close(layer(x, [10, 11]), plain(x, output_size=[10, 11]), rtol=0, atol=1e-6)
    with pytest.raises(UncheckError, match=r"\) cannot give output_size \[12, 12\]"):
        layer(x, [12, 12])
    with pytest.raises(UncheckError, match="needs an output_size of 2 axes"):
        layer(x, [12])


@pytest.mark.parametrize(("k", "padding", "extra"), [(2, 0, 0), (3, 1, 1), (4, 1, 0), (5, 2, 1)])
def test_order_one_starts_with_equal_means_and_variances(k, padding, extra):
    torch.manual_seed(0)
    layer = SmoothConvTranspose2d(64, 64, k, 2, padding, extra, bias=False)
    flat = layer(torch.ones(1, 64, 8, 8))
    assert power_off_mean(flat, (2, 2), 2) < 1e-12
    variances = phase_variances(layer(noise(4, 64, 24, 24)), (2, 2), 2)
    assert float(variances.min()) == pytest.approx(1 / 3, rel=0.05)
    assert float(variances.max()) == pytest.approx(1 / 3, rel=0.05)
    plain = nn.ConvTranspose2d(64, 64, k, 2, padding, extra, bias=False)
    assert power_off_mean(plain(torch.ones(1, 64, 8, 8)), (2, 2), 2) > 0.6


def test_order_two_starts_with_equal_means_and_the_same_mean_variance():
    torch.manual_seed(0)
    for k, ratio in ((3, 0.5), (4, 1.0)):
        layer = SmoothConvTranspose2d(64, 64, k, 2, bias=False, order=2)
        variances = phase_variances(layer(noise(4, 64, 24, 24)), (2, 2), 2)
        assert float(variances.mean()) == pytest.approx(1 / 3, rel=0.05)
        assert float(variances.min() / variances.max()) == pytest.approx(ratio, rel=0.1)


def test_groups_start_with_the_same_variance():
    torch.manual_seed(0)
    layer = SmoothConvTranspose2d(64, 64, 3, 2, groups=16, bias=False)
    assert phase_variances(layer(noise(4, 64, 24, 24)), (2, 2), 2).tolist() == pytest.approx(
        [1 / 3] * 4, rel=0.1
    )


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        pytest.param(
            lambda **f: SmoothConvTranspose1d(2, 1, 5, 3, **f), (1, 2, 4), marks=pytest.mark.integration
        ),
        (lambda **f: SmoothConvTranspose(2, 2, 3, 2, 1, 1, groups=2, **f), (2, 2, 2, 3)),
        (lambda **f: SmoothConvTranspose2d(2, 1, 4, 2, 1, order=2, **f), (1, 2, 2, 3)),
        pytest.param(
            lambda **f: SmoothConvTranspose3d(1, 1, (3, 2, 2), (2, 2, 1), **f),
            (1, 1, 2, 2, 2),
            marks=pytest.mark.integration,
        ),
    ],
)
def test_contract(make, shape):
    check_contract(
        make, noise(*shape), keys=["weight", "bias"], atol=1e-5, half_atol=5e-2, gradient_atol=1e-6
    )


@pytest.mark.integration
@pytest.mark.parametrize("ndim", [1, 2])
def test_contract_onnx(ndim):
    check_onnx(lambda **f: LAYERS[ndim](2, 2, 3, 2, 1, 1, **f), noise(1, 2, *(4,) * ndim), atol=1e-5)


def test_the_projection_is_exact_again_after_half_precision_and_the_meta_device():
    layer = SmoothConvTranspose2d(2, 2, 5, 3, order=2)
    exact = layer.even.projection.clone()
    layer.half().float()
    assert torch.equal(layer.even.projection, exact)
    with torch.device("meta"):
        empty = SmoothConvTranspose2d(2, 2, 5, 3, order=2)
    assert empty.even.projection.is_meta
    assert torch.equal(empty.to_empty(device="cpu").even.projection, exact)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_gains_in_half_precision_are_equal_to_its_rounding(dtype):
    torch.manual_seed(0)
    layer = SmoothConvTranspose2d(8, 8, 3, 2, dtype=dtype)
    kernel = from_conv_transpose(layer.even(layer.weight).double(), None, 2)
    assert gain_spread(kernel) < torch.finfo(dtype).eps


# equal_gain


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("order", [1, 2])
def test_an_existing_layer_gets_equal_gains_and_keeps_its_checkpoint(ndim, order):
    torch.manual_seed(0)
    layer = TORCH[ndim](4, 2, 5, 3, 1, output_padding=2, groups=2)
    old = copy.deepcopy(layer.state_dict())
    assert spread(layer, 4, (5,) * ndim, (3,) * ndim) > 0.1
    assert equal_gain(layer, order) is layer
    assert spread(layer, 4, (5,) * ndim, (3,) * ndim) < 1e-6
    assert sorted(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert torch.equal(layer.state_dict()["parametrizations.weight.original"], old["weight"])
    x = noise(1, 4, *(4,) * ndim)
    expected = layer(x)
    # a checkpoint from before and one from now
    for state in (old, layer.state_dict()):
        other = equal_gain(TORCH[ndim](4, 2, 5, 3, 1, output_padding=2, groups=2), order)
        other.load_state_dict(state)
        assert torch.equal(other(x), expected)
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
    assert sorted(layer.state_dict()) == ["bias", "weight"]
    assert type(layer) is TORCH[ndim]
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-6)
    layer.load_state_dict(layer.state_dict())


def test_a_checkpoint_inside_a_network_loads_too():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ConvTranspose2d(4, 3, 4, 2))
    state = copy.deepcopy(network.state_dict())
    equal_gain(network[1])
    network.load_state_dict(state)
    assert torch.equal(network[1].parametrizations.weight.original, state["1.weight"])


def test_equal_gain_compiles_exports_and_copies():
    layer = equal_gain(nn.ConvTranspose2d(2, 2, 3, 2))
    x = noise(1, 2, 4, 4)
    expected = layer(x)
    torch.compiler.reset()
    for other in (
        torch.compile(layer, backend="eager", fullgraph=True),
        torch.export.export(layer, (x,)).module(),
        copy.deepcopy(layer),
    ):
        torch.testing.assert_close(other(x), expected, rtol=0, atol=1e-6)


def test_the_gradient_is_projected_too():
    layer = equal_gain(nn.ConvTranspose2d(2, 2, 4, 2))
    layer(noise(1, 2, 5, 5)).square().sum().backward()
    gradient = layer.parametrizations.weight.original.grad
    assert gain_spread(from_conv_transpose(gradient, None, 2)) < 1e-5
    assert layer.parametrizations.weight.original.grad.abs().max() > 0


NORMS = {"weight_norm": parametrizations.weight_norm, "spectral_norm": parametrizations.spectral_norm}


@pytest.mark.parametrize("norm", NORMS)
def test_gains_stay_equal_over_a_norm_that_was_there_before(norm):
    torch.manual_seed(0)
    layer = equal_gain(NORMS[norm](nn.ConvTranspose2d(4, 2, 3, 2)))
    for _ in range(3):
        layer(noise(1, 4, 5, 5)).sin().sum().backward()
        torch.optim.SGD(layer.parameters(), 0.5).step()
        assert gain_spread(from_conv_transpose(layer.weight, None, 2)) < 1e-6


def test_a_spectral_norm_put_on_afterwards_only_scales():
    layer = parametrizations.spectral_norm(equal_gain(nn.ConvTranspose2d(4, 2, 3, 2)))
    assert gain_spread(from_conv_transpose(layer.weight, None, 2)) < 1e-6


@pytest.mark.parametrize("dim", [0, 1, None])
def test_a_weight_norm_over_an_axis_of_taps_is_evened_if_equal_gain_comes_last(dim):
    for each in (dim, 2):
        layer = parametrizations.weight_norm(nn.ConvTranspose2d(4, 2, 3, 2), dim=each)
        assert gain_spread(from_conv_transpose(equal_gain(layer).weight, None, 2)) < 1e-6


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: equal_gain(nn.Conv2d(2, 2, 3)), "takes a transposed convolution of torch.nn, not Conv2d"),
        (
            lambda: equal_gain(nn.ConvTranspose2d(2, 2, 2, 3)),
            "equal_gain on ConvTranspose2d: a kernel of size .2, 2. with stride .3, 3. is too small",
        ),
        (lambda: equal_gain(nn.ConvTranspose2d(2, 2, 3, 3), 2), "too small for order 2"),
        (lambda: equal_gain(equal_gain(nn.ConvTranspose2d(2, 2, 4, 2))), "has equal gains already"),
        (lambda: equal_gain(weight_norm(nn.ConvTranspose2d(2, 2, 4, 2))), "is not a parameter: use torch.nn"),
        (lambda: equal_gain(nn.LazyConvTranspose2d(2, 4, 2)), "LazyConvTranspose2d has no weight yet"),
        (lambda: equal_gain(nn.ConvTranspose2d(2, 2, 4, 2), 0), "order must be at least 1, not 0"),
        (lambda: SmoothConvTranspose(2, 2, 2, 3), "a kernel of size .2, 2. with stride"),
        (
            lambda: SmoothConvTranspose(2, 2, 3, 2, dilation=2),
            "share a factor, so that some phase has no",
        ),
        (
            lambda: SmoothConvTranspose(2, 2, 4, 2, output_padding=2),
            "output_padding 2 must be below stride 2",
        ),
        (lambda: SmoothConvTranspose(3, 2, 4, 2, groups=2), "groups must divide in_channels"),
        (lambda: SmoothConvTranspose(3, 2, 4, 1.5), "stride must be an integer"),
        (
            lambda: SmoothConvTranspose(3, 2, 4, 2, padding_mode="reflect"),
            "padding_mode of a transposed convolution must be one of zeros",
        ),
    ],
)
def test_bad_arguments_are_sentences(make, message):
    with pytest.raises(UncheckError, match=message):
        make()


def test_bad_inputs_are_sentences():
    layer = SmoothConvTranspose2d(3, 2, 4, 2)
    with pytest.raises(
        UncheckError, match=r"stride=\(2, 2\)\) takes \(batch, 3, 2 axes\), not shape \[1, 2, 4, 4\]"
    ):
        layer(noise(1, 2, 4, 4))


def test_repr_names_what_differs_from_the_default():
    text = repr(SmoothConvTranspose2d(4, 2, 3, 2, 1, 1, groups=2, bias=False, order=2))
    assert "4, 2, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), output_padding=(1, 1), groups=2" in text
    assert "bias=False" in text
    assert "order=2" in text
