"""Layers: expansion, refusals, and sizes equal to torch's."""

import random

import pytest
import torch
from torch import nn

from uncheck.errors import UncheckError
from uncheck.geometry import Layer, layer, output_size

CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
CONV_TRANSPOSE = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}


def test_integers_expand_to_every_axis():
    assert layer(3, 2, 1, 1, ndim=3) == Layer((3,) * 3, (2,) * 3, (1,) * 3, (1,) * 3, (1,) * 3)


def test_number_of_axes_comes_from_a_sequence_or_is_two():
    assert layer((3,), 2).ndim == 1
    assert layer(3, (2, 2, 2)).ndim == 3
    assert layer(3).ndim == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_size": 0}, "kernel_size must be at least 1, not 0"),
        ({"kernel_size": -3}, "kernel_size must be at least 1, not -3"),
        ({"kernel_size": 3, "stride": 0}, "stride must be at least 1, not 0"),
        ({"kernel_size": 3, "padding": -1}, "padding must be at least 0, not -1"),
        ({"kernel_size": 3, "dilation": 0}, "dilation must be at least 1, not 0"),
        ({"kernel_size": 3, "stride": 2, "output_padding": 2}, "output_padding 2 must be below stride 2"),
        ({"kernel_size": 3, "output_padding": 1, "transposed": False}, "no meaning in a plain convolution"),
        ({"kernel_size": (3, 3), "stride": (2,)}, r"stride \(2,\) has 1 axes where 2 were expected"),
        ({"kernel_size": (3, 3), "ndim": 3}, r"kernel_size \(3, 3\) has 2 axes where 3 were expected"),
        ({"kernel_size": (3,) * 4}, "1, 2 or 3 axes, not 4"),
        ({"kernel_size": 3, "ndim": 0}, "1, 2 or 3 axes, not 0"),
        ({"kernel_size": 2.5}, "kernel_size must be an integer or one integer per axis, not 2.5"),
        ({"kernel_size": True}, "kernel_size must be an integer or one integer per axis, not True"),
        ({"kernel_size": "33"}, "kernel_size must be an integer or one integer per axis, not '33'"),
    ],
)
def test_bad_sizes_are_refused_by_name_and_value(arguments, message):
    with pytest.raises(UncheckError, match=message):
        layer(**arguments)


def test_the_dataclass_itself_refuses_too():
    with pytest.raises(UncheckError, match=r"stride \(2,\) has 1 axes where 2 were expected"):
        Layer((3, 3), (2,), (0, 0), (0, 0), (1, 1))
    with pytest.raises(UncheckError, match="kernel_size has 4"):
        Layer(*[(1,) * 4] * 5)


def test_output_padding_may_reach_the_dilation_as_in_torch():
    one = layer(3, 2, 0, 2, 3, ndim=1)
    given = torch.nn.functional.conv_transpose1d(
        torch.ones(1, 1, 4), torch.ones(1, 1, 3), stride=2, output_padding=2, dilation=3
    )
    assert output_size(one, 4) == tuple(given.shape[2:])


def random_layer(draw: random.Random, ndim: int, transposed: bool) -> Layer:
    def sizes(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw.randint(low, high) for _ in range(ndim))

    stride, dilation = sizes(1, 5), sizes(1, 3)
    extra = tuple(
        draw.randint(0, max(s, d) - 1) if transposed else 0 for s, d in zip(stride, dilation, strict=True)
    )
    return Layer(sizes(1, 7), stride, sizes(0, 4), extra, dilation, transposed)


@pytest.mark.parametrize("transposed", [True, False])
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_output_size_equals_torch_for_random_layers(ndim, transposed):
    draw = random.Random(10 * ndim + transposed)
    refused = 0
    for _ in range(700):
        one = random_layer(draw, ndim, transposed)
        size = tuple(draw.randint(1, 9) for _ in range(ndim))
        arguments = {"stride": one.stride, "padding": one.padding, "dilation": one.dilation, "device": "meta"}
        if transposed:
            module = CONV_TRANSPOSE[ndim](
                1, 1, one.kernel_size, output_padding=one.output_padding, **arguments
            )
        else:
            module = CONV[ndim](1, 1, one.kernel_size, **arguments)
        try:
            expected = tuple(module(torch.empty(1, 1, *size, device="meta")).shape[2:])
        except RuntimeError:
            expected = None
        if expected is None or min(expected) < 1:
            refused += 1
            with pytest.raises(UncheckError, match="the output would have"):
                output_size(one, size)
        else:
            assert output_size(one, size) == expected, (one, size)
    assert 0 < refused < 500


def test_an_empty_input_is_refused():
    with pytest.raises(UncheckError, match="input_size must be at least 1, not 0"):
        output_size(layer(3, 2), (4, 0))
    with pytest.raises(UncheckError, match="has 3 axes where 2 were expected"):
        output_size(layer(3, 2), (4, 4, 4))
