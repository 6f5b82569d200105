"""SubpixelConv equals a convolution and a pixel shuffle by loops, and starts without a lattice."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from layers.contract import check_contract, check_onnx
from oracles.layers_subpixel_naive import flat, lattice_of_flat, subpixel_by_loops
from uncheck.errors import UncheckError
from uncheck.layers.subpixel import SubpixelConv, SubpixelConv1d, SubpixelConv2d, SubpixelConv3d
from uncheck.phases import from_pixel_shuffle, gain_spread, pixel_shuffle

LAYERS = {1: SubpixelConv1d, 2: SubpixelConv2d, 3: SubpixelConv3d}


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


@given(st.data())
def test_it_is_a_convolution_and_a_pixel_shuffle(data):
    ndim = data.draw(st.integers(1, 3))
    factor = tuple(data.draw(st.integers(1, 4)) for _ in range(ndim))
    k = tuple(data.draw(st.sampled_from([1, 3])) for _ in range(ndim))
    dilation = tuple(data.draw(st.integers(1, 2)) for _ in range(ndim))
    groups = data.draw(st.integers(1, 2))
    layer = SubpixelConv(4, 2, k, factor, dilation=dilation, groups=groups, icnr=False)
    size = (5, 6, 4)[:ndim]
    x = noise(2, 4, *size)
    padding = tuple(d * (n - 1) // 2 for d, n in zip(dilation, k, strict=True))
    expected = subpixel_by_loops(x, layer.conv.weight, layer.conv.bias, factor, padding, dilation, groups)
    assert expected.shape == (2, 2, *(n * f for n, f in zip(size, factor, strict=True)))
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-5)
    kernel = from_pixel_shuffle(layer.conv.weight, layer.conv.bias, factor, padding, dilation, groups)
    torch.testing.assert_close(layer(x), kernel.apply(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("factor", [(2,), (3, 3), (2, 5), (2, 1, 3)])
def test_shuffle_moves_channels_as_the_kernels_do(factor):
    phases = torch.tensor(factor).prod().item()
    x = noise(2, 3 * phases, *(3, 4, 2)[: len(factor)])
    assert torch.equal(pixel_shuffle(x[0], factor), pixel_shuffle(x, factor)[0])


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("factor", [2, 3])
def test_it_starts_without_a_lattice(ndim, factor):
    torch.manual_seed(ndim)
    layer = LAYERS[ndim](3, 2, 3, factor, padding_mode="circular")
    x = flat(3, (5,) * ndim, 0.7)
    assert lattice_of_flat(layer(x), (factor,) * ndim, 1) < 1e-6
    untied = LAYERS[ndim](3, 2, 3, factor, padding_mode="circular", icnr=False)
    assert lattice_of_flat(untied(x), (factor,) * ndim, 1) > 0.1
    kernel = from_pixel_shuffle(layer.conv.weight, layer.conv.bias, factor, 1)
    assert gain_spread(kernel) < 1e-7


def test_reset_parameters_ties_again():
    layer = SubpixelConv(3, 2, 3, padding_mode="circular")
    before = layer.conv.weight.detach().clone()
    layer.reset_parameters()
    assert not torch.equal(before, layer.conv.weight)
    assert lattice_of_flat(layer(flat(3, (5, 5), 0.7)), (2, 2), 1) < 1e-6


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        pytest.param(lambda **f: SubpixelConv1d(2, 1, 3, 3, **f), (1, 2, 4), marks=pytest.mark.integration),
        (lambda **f: SubpixelConv(2, 1, 3, padding_mode="reflect", **f), (2, 2, 3, 4)),
        (lambda **f: SubpixelConv2d(2, 2, 3, (2, 3), groups=2, bias=True, **f), (1, 2, 3, 2)),
        pytest.param(
            lambda **f: SubpixelConv3d(1, 1, (1, 3, 1), (1, 2, 2), padding_mode="replicate", **f),
            (1, 1, 2, 2, 2),
            marks=pytest.mark.integration,
        ),
    ],
)
def test_contract(make, shape):
    check_contract(
        make,
        noise(*shape),
        keys=["conv.weight", "conv.bias"],
        atol=1e-5,
        half_atol=3e-2,
        gradient_atol=1e-6,
    )


@pytest.mark.integration
@pytest.mark.parametrize("factor", [(2, 2), (2, 3)])
def test_contract_onnx(factor):
    check_onnx(lambda **f: SubpixelConv(2, 2, 3, factor, **f), noise(1, 2, 4, 4), atol=1e-5)


def test_even_kernels_are_allowed_without_padding():
    assert SubpixelConv(3, 2, 2, padding=0)(noise(1, 3, 5, 5)).shape == (1, 2, 8, 8)
    assert SubpixelConv(3, 2, 2, dilation=2)(noise(1, 3, 5, 5)).shape == (1, 2, 10, 10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_size": 4}, "an even kernel .kernel_size .4, 4., dilation .1, 1.. cannot be padded alike"),
        ({"kernel_size": 4, "padding": 1}, "use an odd kernel_size, or padding=0"),
        (
            {"kernel_size": 3, "upscale_factor": 1.5},
            "scale_factor must be an integer or one integer per axis",
        ),
        ({"kernel_size": 3, "upscale_factor": 0}, "scale_factor must be at least 1, not 0"),
        ({"kernel_size": 3, "groups": 2}, "groups must divide in_channels: 2 does not divide 3"),
        ({"kernel_size": 3, "groups": 3}, "groups must divide out_channels: 3 does not divide 2"),
        ({"kernel_size": 3, "padding_mode": "same"}, "padding_mode must be one of zeros, reflect"),
        ({"kernel_size": (3, 3), "upscale_factor": (2, 2, 2)}, "has 3 axes where 2 were expected"),
        ({"kernel_size": 3, "ndim": 4}, "1, 2 or 3 axes, not 4"),
    ],
)
def test_bad_arguments_are_sentences(arguments, message):
    with pytest.raises(UncheckError, match=message):
        SubpixelConv(3, 2, **arguments)


@pytest.mark.parametrize(
    ("mode", "shape", "message"),
    [
        ("zeros", (1, 2, 5, 5), r"\) takes \(batch, 3, 2 axes\), not shape \[1, 2, 5, 5\]"),
        ("zeros", (3, 5), r"not shape \[3, 5\]"),
        ("reflect", (1, 3, 2, 5), r"needs at least \[3, 3\] pixels, but the input has shape \[1, 3, 2, 5\]"),
        ("circular", (1, 3, 5, 1), "use a larger input or another padding_mode"),
    ],
)
def test_bad_inputs_are_sentences(mode, shape, message):
    layer = SubpixelConv(3, 2, 5, padding_mode=mode)
    with pytest.raises(UncheckError, match=message):
        layer(noise(*shape))


def test_the_batch_may_be_left_out():
    layer = SubpixelConv(3, 2, 3)
    x = noise(1, 3, 4, 5)
    torch.testing.assert_close(layer(x[0]), layer(x)[0], rtol=0, atol=1e-6)


def test_it_takes_the_weights_of_a_convolution_and_a_pixel_shuffle():
    conv = nn.Conv2d(3, 8, 3, padding=1)
    layer = SubpixelConv(3, 2, 3)
    layer.conv.load_state_dict(conv.state_dict())
    x = noise(1, 3, 4, 5)
    assert torch.equal(layer(x), nn.PixelShuffle(2)(conv(x)))
    assert "scale_factor=(2, 2)" in repr(layer)
