"""Blurred pooling and strided convolutions: the gradient is even, constants stay, sizes are torch's."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

import released
from layers.contract import check_contract, check_onnx, tiers
from oracles.layers_blur_naive import blur_by_loops, max_by_loops, strided_by_loops
from oracles.layers_hold_naive import unevenness
from uncheck.errors import UncheckError
from uncheck.layers import (
    BlurConv,
    BlurConv1d,
    BlurConv2d,
    BlurConv3d,
    BlurPool,
    BlurPool1d,
    BlurPool2d,
    BlurPool3d,
    MaxBlurPool,
    MaxBlurPool1d,
    MaxBlurPool2d,
    MaxBlurPool3d,
    blur_strided,
)
from uncheck.layers.blur import PADDING_MODES, even_filter

CONVS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
MODES = ("zeros", "reflect", "replicate", "circular")


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)


def close(actual, expected, atol):
    torch.testing.assert_close(
        torch.as_tensor(actual).detach(), torch.as_tensor(expected).detach(), rtol=0, atol=atol
    )


def gradient(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Gradient by x of the sum of the outputs, each channel with a weight of its own."""
    x = x.clone().requires_grad_()
    y = layer(x)
    weights = torch.arange(1.0, 1.0 + y.shape[1], dtype=y.dtype).reshape(-1, *[1] * (y.dim() - 2))
    return torch.autograd.grad((y * weights).sum(), x)[0]


def worst(g: torch.Tensor, stride: tuple[int, ...], border: int) -> float:
    """Largest unevenness over channels."""
    return max(unevenness(channel.numpy(), stride, border) for channel in g.mean(0))


@given(st.data())
def test_blur_pool_is_its_loops(data):
    ndim = data.draw(st.integers(1, 2))
    stride = tuple(data.draw(st.integers(1, 4)) for _ in range(ndim))
    size = tuple(s + data.draw(st.integers(0, 5 if s < 4 else 3)) for s in stride)
    mode = data.draw(st.sampled_from(PADDING_MODES))
    x = noise(2, 2, *(5 + data.draw(st.integers(4, 8)) for _ in range(ndim)))
    layer = BlurPool(size, stride, mode, dtype=torch.float64)
    expected = blur_by_loops(x.numpy(), size, stride, mode)
    assert expected.shape[2:] == tuple(-(-n // s) for n, s in zip(x.shape[2:], stride, strict=True))
    close(layer(x), expected, 1e-13)


def test_the_oracle_sees_another_border():
    x = noise(1, 1, 12, 12)
    layer = BlurPool(5, 3, "reflect", dtype=torch.float64)
    close(layer(x), blur_by_loops(x.numpy(), (5, 5), (3, 3), "reflect"), 1e-13)
    assert np.abs(layer(x).numpy() - blur_by_loops(x.numpy(), (5, 5), (3, 3), "symmetric")).max() > 0.01


def test_the_oracles_see_a_shift_another_order_and_another_window():
    conv = nn.Conv2d(1, 1, 3, 2, 1).double()
    x = noise(1, 1, 8, 8)
    arrays = (x.numpy(), conv.weight.detach().numpy(), conv.bias.detach().numpy())
    expected = strided_by_loops(*arrays, (2, 2), (1, 1), (1, 1), 1, "zeros", 1)
    close(blur_strided(conv)(x), expected, 1e-13)
    shifted = blur_strided(conv)
    shifted._pads = [(after, before) for before, after in shifted._pads]
    for wrong in (shifted, blur_strided(conv, order=2), conv):
        assert np.abs(wrong(x).detach().numpy() - expected).max() > 0.01
    pooled = max_by_loops(x.numpy(), (3, 3), (1, 1), (1, 1))
    assert np.abs(nn.MaxPool2d(2, 1)(x).numpy() - pooled[..., 1:, 1:]).max() > 0.01
    close(nn.MaxPool2d(3, 1, 1)(x), pooled, 0.0)


@pytest.mark.parametrize("stride", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("more", [0, 1, 2, 3, 7])
def test_filters_have_equal_phase_sums_at_their_stride(stride, more):
    taps = np.array(even_filter(stride + more, stride))
    sums = [taps[p::stride].sum() for p in range(stride)]
    assert len(taps) == stride + more
    assert len(set(sums)) == 1
    # zeros at the lattice as often as holds fit
    frequency = np.exp(-2j * np.pi / stride * np.arange(len(taps)))
    moments = [abs((taps * np.arange(len(taps)) ** d * frequency).sum()) for d in range(10)]
    holds = (stride + more - 1) // (stride - 1)
    assert max(moments[:holds]) < 1e-9 * (taps * np.arange(len(taps)) ** holds).sum()
    assert moments[holds] > 0.1


def test_known_filters_and_defaults():
    assert even_filter(3, 2) == [1, 2, 1]
    assert even_filter(5, 2) == [1, 4, 6, 4, 1]
    assert even_filter(5, 3) == [1, 2, 3, 2, 1]
    assert even_filter(4, 3) == [1, 2, 2, 1]
    assert even_filter(3, 1) == [1, 2, 1]
    assert BlurPool(stride=(2, 3, 4)).kernel_size == (4, 5, 8)
    # a binomial filter of 3 at stride 3 has phase sums 1, 2, 1
    assert [sum([1, 2, 1][p::3]) for p in range(3)] == [1, 2, 1]


@pytest.mark.parametrize("stride", [2, 3, 4, 5])
def test_the_default_is_the_adjoint_of_linear_resizing(stride):
    x, y = noise(1, 1, 6 * stride), noise(1, 1, 6)
    up = nn.functional.interpolate(y, scale_factor=stride, mode="linear")
    down = BlurPool1d(stride=stride, padding_mode="symmetric", dtype=torch.float64)(x)
    assert float((x * up).sum()) == pytest.approx(float((down * y).sum()) * stride, abs=1e-12)


@pytest.mark.parametrize("mode", PADDING_MODES)
@pytest.mark.parametrize(
    ("size", "stride"), [(None, 2), (3, 2), (None, 3), (4, 3), (None, 4), (6, 4), (9, 2)]
)
def test_constants_stay_and_gradients_are_even(size, stride, mode):
    layer = BlurPool2d(size, stride, mode, dtype=torch.float64)
    x = torch.full((1, 2, 10 * stride, 10 * stride), 0.7, dtype=torch.float64)
    if mode != "zeros":
        close(layer(x), torch.full((1, 2, 10, 10), 0.7, dtype=torch.float64), 1e-15)
    assert worst(gradient(layer, x), (stride, stride), 4) < 1e-14
    g = gradient(layer, x)
    centred = (layer.kernel_size[0] - stride) % 2 == 0
    if mode == "circular" or (mode == "symmetric" and centred):
        close(g, g[..., :1, :1].expand_as(g), 1e-14)


def test_gradients_at_the_border_are_as_documented():
    x = torch.ones(1, 1, 12, dtype=torch.float64)
    g = {
        mode: gradient(BlurPool1d(padding_mode=mode, dtype=torch.float64), x)[0, 0] * 2
        for mode in PADDING_MODES
    }
    assert g["reflect"].tolist() == [0.75, 1.25, *[1] * 8, 1.25, 0.75]
    assert g["zeros"].tolist() == [0.75, *[1] * 10, 0.75]
    assert all(set(g[mode].tolist()) == {1} for mode in ("symmetric", "replicate", "circular"))


def test_strided_layers_of_torch_checker_and_ours_do_not():
    x = noise(8, 3, 48, 48)
    torch.manual_seed(0)
    three = nn.Conv2d(3, 8, 3, 2, 1).double()
    binomial = nn.Conv2d(1, 1, 3, 3, bias=False).double()
    binomial.weight.data = (
        torch.tensor([1.0, 2, 1]).double().outer(torch.tensor([1.0, 2, 1]).double())[None, None]
    )
    found = {
        "Conv2d k3 s2": worst(gradient(three, x), (2, 2), 2),
        "blur_strided": worst(gradient(blur_strided(three), x), (2, 2), 2),
        "MaxPool2d k3 s2": worst(gradient(nn.MaxPool2d(3, 2, 1), x), (2, 2), 2),
        "MaxBlurPool2d k3 s2": worst(gradient(MaxBlurPool2d(3, 2, 1, dtype=torch.float64), x), (2, 2), 2),
        "binomial 3 at stride 3": worst(gradient(binomial, x[:, :1]), (3, 3), 2),
        "BlurPool 5 at stride 3": worst(gradient(BlurPool(5, 3, dtype=torch.float64), x), (3, 3), 2),
    }
    assert found["Conv2d k3 s2"] > 0.1
    assert found["MaxPool2d k3 s2"] > 0.1
    assert found["binomial 3 at stride 3"] > 0.1
    assert found["blur_strided"] < 1e-12
    assert found["BlurPool 5 at stride 3"] < 1e-14
    # where the maxima fall is up to the data: even in the mean, within the noise of 4608 windows per channel
    assert found["MaxBlurPool2d k3 s2"] < 0.05


@given(st.data())
def test_max_blur_pool_has_the_size_of_max_pool_and_is_its_loops(data):
    ndim = data.draw(st.integers(1, 2))
    k, s, d = (tuple(data.draw(st.integers(1, 3)) for _ in range(ndim)) for _ in range(3))
    p = tuple(data.draw(st.integers(0, a // 2)) for a in k)
    x = noise(2, 2, *(10, 11)[:ndim])
    layer = MaxBlurPool(k, s, p, d, padding_mode="replicate", dtype=torch.float64)
    plain = {1: nn.MaxPool1d, 2: nn.MaxPool2d}[ndim](k, s, p, d)
    assert layer(x).shape == plain(x).shape
    expected = blur_by_loops(max_by_loops(x.numpy(), k, p, d), layer.blur.kernel_size, s, "replicate")
    close(layer(x), expected, 1e-13)


@given(st.data())
def test_blur_strided_is_its_loops_and_keeps_the_size(data):
    ndim = data.draw(st.integers(1, 2))
    k, s = (tuple(data.draw(st.integers(1, 3)) for _ in range(ndim)) for _ in range(2))
    s = (max(2, s[0]), *s[1:])
    p, d = tuple(data.draw(st.integers(0, 2)) for _ in range(ndim)), data.draw(st.integers(1, 2))
    mode, groups = data.draw(st.sampled_from(MODES)), data.draw(st.integers(1, 2))
    order = data.draw(st.integers(1, 2))
    conv = CONVS[ndim](2, 4, k, s, p, d, groups, data.draw(st.booleans()), mode).double()
    x = noise(1, 2, *(9, 10)[:ndim])
    layer = blur_strided(conv, order)
    assert layer(x).shape == conv(x).shape
    weight = conv.weight.detach().numpy()
    bias = None if conv.bias is None else conv.bias.detach().numpy()
    expected = strided_by_loops(x.numpy(), weight, bias, s, p, (d,) * ndim, groups, mode, order)
    close(layer(x), expected, 1e-12)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("k", "s", "p", "d", "groups"), [(3, 2, 1, 1, 1), (4, 3, 1, 1, 2), (3, 4, 2, 2, 1), (1, 2, 0, 1, 4)]
)
def test_blur_strided_has_an_even_gradient_whatever_the_weights(mode, k, s, p, d, groups):
    torch.manual_seed(1)
    conv = nn.Conv2d(4, 8, k, s, p, d, groups, padding_mode=mode).double()
    x = noise(1, 4, 12 * s, 12 * s)
    assert worst(gradient(conv, x), (s, s), 4) > 0.1
    for order in (1, 2):
        layer = blur_strided(conv, order)
        assert worst(gradient(layer, x), (s, s), 4) < 1e-12
    if mode != "zeros":
        flat = torch.full_like(x, 0.7)
        close(layer(flat), conv(flat), 1e-13)


def test_blur_strided_shares_weights_and_keys():
    conv = nn.Conv2d(3, 4, 3, 2, 1).eval()
    layer = blur_strided(conv)
    assert layer.weight is conv.weight
    assert layer.bias is conv.bias
    assert list(layer.state_dict()) == list(conv.state_dict())
    assert isinstance(layer, BlurConv2d)
    assert not layer.training
    layer.load_state_dict(nn.Conv2d(3, 4, 3, 2, 1).state_dict())
    assert "kernel_size=(3, 3), stride=(2, 2), padding=(1, 1)" in repr(layer)
    weight_norm(layer)(noise(1, 3, 8, 8).float())
    assert blur_strided(nn.Conv1d(2, 2, 3, 2, dtype=torch.float16)).taps.dtype == torch.float16


MAKE = {
    "BlurPool1d": (lambda **f: BlurPool1d(3, 2, **f), (1, 2, 7), []),
    "BlurPool2d": (lambda **f: BlurPool2d(None, (2, 3), **f), (2, 2, 5, 6), []),
    "BlurPool2d separable": (lambda **f: BlurPool2d(9, 2, "replicate", **f), (1, 2, 5, 6), []),
    "BlurPool2d symmetric": (lambda **f: BlurPool2d(None, 4, "symmetric", **f), (1, 1, 8, 7), []),
    "BlurPool3d": (lambda **f: BlurPool3d(2, 2, **f), (1, 2, 4, 3, 4), []),
    "MaxBlurPool1d": (lambda **f: MaxBlurPool1d(3, 2, 1, **f), (1, 2, 7), []),
    "MaxBlurPool2d": (lambda **f: MaxBlurPool2d(2, **f), (2, 2, 6, 5), []),
    "MaxBlurPool3d": (lambda **f: MaxBlurPool3d(2, 2, **f), (1, 1, 4, 5, 4), []),
    "BlurConv1d": (lambda **f: BlurConv1d(2, 3, 3, 2, 1, **f), (2, 2, 6), ["weight", "bias"]),
    "BlurConv2d": (
        lambda **f: BlurConv2d(2, 4, 3, 3, 1, groups=2, bias=False, padding_mode="reflect", **f),
        (1, 2, 6, 7),
        ["weight"],
    ),
    "BlurConv3d": (lambda **f: BlurConv3d(1, 2, 2, 2, **f), (1, 1, 4, 4, 5), ["weight", "bias"]),
}


@pytest.mark.parametrize("name", tiers(MAKE, "BlurPool2d", "MaxBlurPool2d", "BlurConv2d"))
def test_contract(name):
    make, shape, keys = MAKE[name]
    check_contract(make, noise(*shape).float(), keys=keys, atol=1e-6, half_atol=0.05, gradient_atol=1e-7)


@pytest.mark.integration
@pytest.mark.parametrize("name", MAKE)
def test_onnx(name):
    make, shape, _ = MAKE[name]
    check_onnx(make, noise(*shape).float(), atol=1e-6)


def test_without_batch():
    x = noise(2, 8, 9)
    for layer in (BlurPool(), MaxBlurPool(2), BlurConv(2, 3, 3, 2)):
        layer.double()
        close(layer(x), layer(x[None])[0], 1e-14)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BlurPool(2, 3), "no filter of kernel_size (2, 2) has equal phase sums at stride (3, 3)"),
        (
            lambda: BlurPool(3, 2, "same"),
            "padding_mode must be one of reflect, symmetric, replicate, circular",
        ),
        (
            lambda: BlurPool(7, 2, "reflect")(torch.zeros(1, 1, 3, 9)),
            "needs at least [4, 4] pixels, but the input has shape [1, 1, 3, 9]: use a larger",
        ),
        (
            lambda: BlurPool()(torch.zeros(4, 4)),
            "padding_mode='symmetric') takes (batch, channels, 2 axes), not shape [4, 4]",
        ),
        (
            lambda: MaxBlurPool(2, padding=2),
            "padding must be at most half of kernel_size, not (2, 2) for (2, 2)",
        ),
        (
            lambda: MaxBlurPool(3)(torch.zeros(1, 1, 2, 9)),
            "dilation=(1, 1)) needs at least [3, 3] pixels, but the input has shape [1, 1, 2, 9]",
        ),
        (lambda: MaxBlurPool(2)(torch.zeros(4, 4)), "takes (batch, channels, 2 axes), not shape [4, 4]"),
        (lambda: BlurConv(3, 4, 3, 2, groups=2), "groups must divide in_channels: 2 does not divide 3"),
        (lambda: BlurConv(3, 4, 3, 2, padding_mode="same"), "padding_mode must be one of zeros, reflect"),
        (
            lambda: BlurConv(3, 4, 3)(torch.zeros(1, 2, 9, 9)),
            "stride=(2, 2)) takes (batch, 3, 2 axes), not shape",
        ),
        (
            lambda: BlurConv(3, 4, 5)(torch.zeros(1, 3, 4, 9)),
            "needs at least [5, 5] pixels, but the input has shape [1, 3, 4, 9]",
        ),
        (lambda: blur_strided(nn.Conv2d(1, 1, 3)), "this one has stride 1, and an even gradient"),
        (lambda: blur_strided(nn.Linear(1, 1)), "takes nn.Conv1d, nn.Conv2d or nn.Conv3d, not Linear"),
        (lambda: blur_strided(nn.LazyConv2d(1, 3, 2)), "not LazyConv2d"),
        (lambda: blur_strided(weight_norm(nn.Conv2d(1, 1, 3, 2))), "is computed by a parametrisation"),
    ],
)
def test_errors(make, message):
    with pytest.raises(UncheckError, match=re.escape(message)):
        make()


@pytest.mark.integration
@pytest.mark.parametrize("name", ["kodim05", "kodim23"])
def test_the_gradient_at_a_photograph_does_not_checker(name):
    pixels = released.read(*released.files(f"photos/{name}.png"))[64:320, 64:320]
    x = torch.tensor(pixels).permute(2, 0, 1)[None].double() / 255
    torch.manual_seed(0)
    convs = [nn.Conv2d(3, 16, 3, 2, 1), nn.Conv2d(16, 32, 3, 2, 1), nn.Conv2d(32, 8, 3, 2, 1)]
    plain = nn.Sequential(convs[0], nn.ReLU(), convs[1], nn.ReLU(), convs[2]).double()
    even = nn.Sequential(*(blur_strided(one) if isinstance(one, nn.Conv2d) else one for one in plain))
    before, after = (worst(gradient(network, x), (8, 8), 2) for network in (plain, even))
    assert before > 0.5
    assert after < before / 10


@pytest.mark.parametrize("mode", tiers(["symmetric", "reflect", "replicate"], "symmetric"))
@pytest.mark.parametrize("stride", [2, 3])
def test_exports_with_open_sizes(mode, stride):
    layer = BlurPool(stride=stride, padding_mode=mode)
    sizes = {2: torch.export.Dim("h", min=8, max=64), 3: torch.export.Dim("w", min=8, max=64)}
    program = torch.export.export(layer, (torch.randn(2, 3, 16, 20),), dynamic_shapes=(sizes,)).module()
    for shape in ((2, 3, 13, 11), (2, 3, 9, 16), (2, 3, 8, 8)):
        x = torch.randn(shape)
        close(program(x), layer(x), 1e-6)
