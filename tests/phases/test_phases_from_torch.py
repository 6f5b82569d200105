"""Conversions into the one form against torch's own layers, one impulse at a time."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from oracles.phases_torch import (
    CONV,
    CONV_TRANSPOSE,
    constant_response,
    impulse_matrix,
    resize,
    shuffle_by_loops,
)
from uncheck.errors import UncheckError
from uncheck.phases import (
    PhaseKernel,
    bias_vector,
    from_conv,
    from_conv_transpose,
    from_pixel_shuffle,
    from_resize,
    from_resize_conv,
    from_unpatchify,
    matrix,
)

SIZE = (5, 4, 3)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(math.prod(shape)))


def assert_same(kernel: PhaseKernel, layer, channels: int, size: tuple[int, ...], atol: float) -> None:
    """Compare matrix, bias and application with the layer's impulse responses, borders included."""
    expected = impulse_matrix(layer, channels, size)
    torch.testing.assert_close(matrix(kernel, size), expected, rtol=0, atol=atol)
    torch.testing.assert_close(
        bias_vector(kernel, size), constant_response(layer, channels, size).flatten(), rtol=0, atol=atol
    )
    x = random(2, channels, *size)
    torch.testing.assert_close(kernel.apply(x), layer(x), rtol=0, atol=10 * atol)


@given(st.data())
def test_conv_transpose_equals_torch_everywhere(data):
    ndim, groups = data.draw(st.integers(1, 3)), data.draw(st.sampled_from([1, 2]))
    most = 4 if ndim < 3 else 3

    def sizes(low: int, high: int) -> tuple[int, ...]:
        return tuple(data.draw(st.integers(low, high)) for _ in range(ndim))

    k, s, d, p = sizes(1, most), sizes(1, most), sizes(1, 2), sizes(0, 1)
    extra = tuple(data.draw(st.integers(0, max(a, b) - 1)) for a, b in zip(s, d, strict=True))
    weight, bias = random(2 * groups, 2, *k), random(2 * groups)
    size = SIZE[:ndim]
    kernel = from_conv_transpose(weight, bias, s, p, extra, d, groups)

    def layer(x):
        return CONV_TRANSPOSE[ndim](
            x, weight, bias, stride=s, padding=p, output_padding=extra, dilation=d, groups=groups
        )

    if ndim == 3:
        x = random(1, 2 * groups, *size)
        torch.testing.assert_close(kernel.apply(x), layer(x), rtol=0, atol=1e-12)
    else:
        assert_same(kernel, layer, 2 * groups, size, atol=1e-13)


def test_conv_transpose_in_three_dimensions_one_impulse_at_a_time():
    weight, bias = random(2, 1, 3, 2, 4), random(2)
    kernel = from_conv_transpose(weight, bias, (2, 3, 2), (1, 0, 1), (1, 0, 0), (1, 2, 1), groups=2)

    def layer(x):
        return F.conv_transpose3d(x, weight, bias, (2, 3, 2), (1, 0, 1), (1, 0, 0), 2, (1, 2, 1))

    assert_same(kernel, layer, 2, (3, 2, 2), atol=1e-13)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_plain_convolution_equals_torch_everywhere(ndim, groups):
    padding, dilation = (1, 0, 2)[:ndim], (2, 1, 1)[:ndim]
    weight, bias = random(2, 2 // groups, *(2, 3, 2)[:ndim]), random(2)
    kernel = from_conv(weight, bias, padding, dilation, groups)
    assert_same(
        kernel,
        lambda x: CONV[ndim](x, weight, bias, padding=padding, dilation=dilation, groups=groups),
        2,
        SIZE[:ndim],
        atol=1e-13,
    )


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("factor", [(3,), (2, 3), (1, 4), (2, 1, 2)])
def test_pixel_shuffle_equals_torch_everywhere(factor, dilation, groups):
    ndim = len(factor)
    padding = (1, 2, 0)[:ndim]
    phases = math.prod(factor)
    weight, bias = random(2 * phases, 2 // groups, *(2, 3, 1)[:ndim]), random(2 * phases)
    kernel = from_pixel_shuffle(weight, bias, factor, padding, dilation, groups)
    assert kernel.bias is not None
    assert kernel.bias.shape == (2, *factor)

    def layer(x):
        y = CONV[ndim](x, weight, bias, padding=padding, dilation=dilation, groups=groups)
        return shuffle_by_loops(y, factor)

    assert_same(kernel, layer, 2, SIZE[:ndim], atol=1e-13)


def test_pixel_shuffle_channels_are_ordered_as_torch_orders_them():
    weight, bias = random(8, 3, 3, 3), random(8)
    x = random(1, 3, 5, 6)
    expected = F.pixel_shuffle(F.conv2d(x, weight, bias, padding=1), 2)
    torch.testing.assert_close(from_pixel_shuffle(weight, bias, 2, 1).apply(x), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("factor", [(3,), (2, 3), (1, 4), (2, 1, 2)])
def test_nearest_then_convolution_equals_torch_everywhere(factor, dilation):
    ndim = len(factor)
    padding = (1, 2, 0)[:ndim]
    weight, bias = random(2, 1, *(3, 2, 1)[:ndim]), random(2)
    kernel = from_resize_conv(weight, bias, factor, "nearest", padding, dilation, groups=2)

    def layer(x):
        return CONV[ndim](
            resize(x, factor, "nearest"), weight, bias, padding=padding, dilation=dilation, groups=2
        )

    assert_same(kernel, layer, 2, SIZE[:ndim], atol=1e-13)


@pytest.mark.parametrize("factor", [(2,), (3,), (4,), (5,), (2, 3), (2, 1, 3)])
def test_linear_resize_then_convolution_equals_torch_away_from_borders(factor):
    ndim = len(factor)
    weight, bias = random(2, 2, *(3, 2, 2)[:ndim]), random(2)
    kernel = from_resize_conv(weight, bias, factor, "linear", 1)
    x = random(1, 2, *(8,) * ndim)
    expected = CONV[ndim](resize(x, factor, "linear"), weight, bias, padding=1)
    # one input pixel of the resize and one output pixel of the convolution reach the border
    inner = (..., *(slice(2 * f, -2 * f) for f in factor))
    result = kernel.apply(x)
    assert result.shape == expected.shape
    assert expected[inner].numel() > 0
    torch.testing.assert_close(result[inner], expected[inner], rtol=0, atol=1e-13)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("factor", [(4,), (2, 3), (3, 1, 2)])
def test_bare_resize_equals_torch_away_from_borders(factor, mode):
    kernel = from_resize(2, factor, mode, dtype=torch.float64)
    x = random(1, 2, *(6,) * len(factor))
    inner = (..., *(slice(f, -f) for f in factor))
    torch.testing.assert_close(kernel.apply(x)[inner], resize(x, factor, mode)[inner], rtol=0, atol=1e-13)


@pytest.mark.parametrize("names", [("bilinear", 2), ("trilinear", 3)])
def test_torch_names_of_linear_are_understood(names):
    mode, ndim = names
    given_name, plain = from_resize(1, 2, mode, ndim=ndim), from_resize(1, 2, "linear", ndim=ndim)
    assert torch.equal(given_name.weight, plain.weight)


@pytest.mark.parametrize("patch", [(3,), (2, 4), (2, 1, 3)])
def test_unpatchify_equals_reshape_and_permute(patch):
    ndim = len(patch)
    weight, bias = random(2, *patch, 5), random(2, *patch)

    def layer(x):
        tokens = torch.einsum("oPi,ni...->noP...", weight.flatten(1, ndim), x)
        tokens = tokens + bias.reshape(2, -1, *[1] * ndim)
        return shuffle_by_loops(tokens.flatten(1, 2), patch)

    assert_same(from_unpatchify(weight, bias, patch), layer, 5, (2,) * ndim, atol=1e-13)


def test_kernels_smaller_than_the_stride_leave_phases_without_taps():
    kernel = from_conv_transpose(random(1, 1, 2), None, 3, 1, 0)
    assert kernel.taps.tolist() == [1, 0, 1]
    assert kernel.phase((1,)).shape[-1] == 0


def test_dilation_counts_only_real_taps():
    assert from_conv_transpose(random(1, 1, 4), None, 2, dilation=2).taps.tolist() == [4, 0]
    assert from_pixel_shuffle(random(2, 1, 3), None, 2, dilation=2).taps.tolist() == [3, 3]


def test_phase_reads_the_documented_taps():
    kernel = from_conv_transpose(random(2, 3, 5, 4), None, (2, 3), (1, 2))
    for p in range(2):
        for q in range(3):
            expected = kernel.weight[:, :, (p + 1) % 2 :: 2, (q + 2) % 3 :: 3]
            assert torch.equal(kernel.phase((p, q)), expected)
            assert int(kernel.taps[p, q]) == expected[0, 0].numel()


def test_float32_stays_float32_and_agrees():
    weight, bias = random(3, 2, 4, 4), random(2)
    kernel = from_conv_transpose(weight.float(), bias.float(), 2, 1)
    assert kernel.weight.dtype == torch.float32
    assert kernel.double().weight.dtype == torch.float64
    x = random(1, 3, 6, 6)
    expected = F.conv_transpose2d(x, weight, bias, 2, 1).float()
    torch.testing.assert_close(kernel.apply(x.float()), expected, rtol=0, atol=1e-4)


def test_a_kernel_says_what_it_is_without_its_numbers():
    assert repr(from_pixel_shuffle(random(8, 3, 3, 3), random(8), 2, 1)) == (
        "PhaseKernel(3 -> 2 channels, kernel 6 x 6, stride 2 x 2, offset (2, 2), margin (0, 0), "
        "bias per phase, torch.float64)"
    )


def test_weights_are_detached():
    weight = torch.nn.Parameter(random(1, 1, 3))
    assert not from_conv_transpose(weight, torch.nn.Parameter(random(1)), 2).weight.requires_grad


def test_everything_converts_on_the_meta_device():
    weight = torch.empty(8, 2, 3, 3, device="meta")
    assert from_conv_transpose(weight, None, 2, 1, 1, 2, groups=2).apply(
        torch.empty(1, 8, 5, 5, device="meta")
    ).shape == (1, 4, 12, 12)
    for kernel in (from_pixel_shuffle(weight, None, 2, 1), from_resize_conv(weight, None, 2, "linear", 1)):
        assert kernel.output_size((5, 5)) == (10, 10)
        assert kernel.weight.is_meta


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: from_pixel_shuffle(random(6, 1, 3, 3), None, 2), "divisible by 4, not 6"),
        (
            lambda: from_pixel_shuffle(random(4, 1, 3, 3), random(3), 2),
            r"bias must have shape \(4,\), not \(3,\)",
        ),
        (lambda: from_conv_transpose(random(3, 1, 3), None, 2, groups=2), "groups 2 must divide"),
        (lambda: from_conv_transpose(random(3, 1, 3), None, 0), "stride must be at least 1, not 0"),
        (lambda: from_conv_transpose(random(3, 3), None, 2), r"not shape \(3, 3\)"),
        (lambda: from_conv_transpose(random(1, 2, 3), random(3), 2), r"bias must have shape \(2,\) or"),
        (lambda: from_conv(random(1, 1, 3), None, padding=-1), r"padding must be at least 0, not -1"),
        (lambda: from_resize_conv(random(1, 1, 3), None, 2, "cubic"), "resize mode 'cubic' is not known"),
        (lambda: from_resize(0, 2), "at least 1 channel, not 0"),
        (lambda: from_resize(1, 10**9), "use smaller sizes"),
        (lambda: from_conv(random(1, 1, 2), None, dilation=10**9), "use smaller sizes"),
        (
            lambda: from_unpatchify(random(3, 4, 4, 8), None, (4, 2)),
            r"with patch \(4, 2\), not \(3, 4, 4, 8\)",
        ),
        (lambda: PhaseKernel(torch.ones(1, 1, 3, dtype=torch.int64), (2,)), "not torch.int64"),
        (lambda: PhaseKernel(random(1, 1, 3), (2, 2)), r"stride \(2, 2\) must have 1 entries"),
        (lambda: PhaseKernel(random(1, 1, 3), (0,)), r"stride must be at least 1 .* not \(0,\)"),
        (lambda: PhaseKernel(random(1, 1, 3), (2,), margin=(0, 0)), r"margin \(0, 0\) must have 1"),
        (
            lambda: PhaseKernel(random(1, 1, 3), (2,), support=torch.ones(2) > 0),
            r"support must have shape \(3,\)",
        ),
        (
            lambda: PhaseKernel(random(1, 1, 3), (2,)).phase((2,)),
            r"phase \(2,\) does not exist for stride \(2,\)",
        ),
        (lambda: PhaseKernel(random(1, 1, 3), (2,)).apply(random(1, 2, 4)), r"must be \(batch, 1, 1 axes\)"),
        (lambda: PhaseKernel(random(1, 1, 3), (2,), margin=(-4,)).output_size((2,)), "use a larger input"),
        (lambda: PhaseKernel(random(1, 1, 3), (2,)).output_size((2, 2)), "must have 1 entries"),
        (lambda: matrix(PhaseKernel(random(1, 1, 3), (2,)), (10**5,)), "the matrix of the upsampler"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(UncheckError, match=message):
        call()
