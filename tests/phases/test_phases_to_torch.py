"""Conversions back: the torch layers they describe do what the kernel does."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from oracles.phases_torch import CONV, CONV_TRANSPOSE, resize, shuffle_by_loops
from uncheck.errors import UncheckError
from uncheck.phases import (
    PhaseKernel,
    fit_resize_conv,
    from_conv_transpose,
    from_pixel_shuffle,
    from_resize_conv,
    pixel_shuffle,
    to_conv_transpose,
    to_pixel_shuffle,
    to_resize_conv,
)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(len(shape)))


@st.composite
def kernels(draw, ndim: int, per_phase: bool) -> PhaseKernel:
    def sizes(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(ndim))

    k, s = sizes(1, 6), sizes(1, 4)
    bias = random(2, *s) if per_phase else random(2)
    # margins so large that a small input still has output
    return PhaseKernel(random(2, 3, *k), s, bias, sizes(-7, 7), sizes(-3, 9))


def padded(x: torch.Tensor, padding: tuple[tuple[int, int], ...]) -> torch.Tensor:
    numbers = [number for pair in reversed(padding) for number in pair]
    # Zeros first: torch crops before it pads, and may then have nothing left to crop.
    return F.pad(F.pad(x, [max(0, n) for n in numbers]), [min(0, n) for n in numbers])


@given(st.integers(1, 2).flatmap(lambda ndim: kernels(ndim, False)))
def test_every_kernel_with_even_bias_is_a_transposed_convolution(kernel):
    form = to_conv_transpose(kernel)
    x = random(1, 3, *(5,) * kernel.ndim)
    result = CONV_TRANSPOSE[kernel.ndim](x, **form)
    torch.testing.assert_close(result, kernel.apply(x), rtol=0, atol=1e-12)
    back = from_conv_transpose(**form)
    torch.testing.assert_close(back.apply(x), kernel.apply(x), rtol=0, atol=1e-12)


@given(st.integers(1, 2).flatmap(lambda ndim: kernels(ndim, True)))
def test_every_kernel_is_a_sub_pixel_convolution(kernel):
    form = to_pixel_shuffle(kernel)
    x = random(1, 3, *(9,) * kernel.ndim)
    y = pixel_shuffle(CONV[kernel.ndim](padded(x, form.padding), form.weight, form.bias), form.factor)
    y = y[(..., *(slice(0, n - c) for n, c in zip(y.shape[2:], form.crop, strict=True)))]
    torch.testing.assert_close(y, kernel.apply(x), rtol=0, atol=1e-12)


def test_both_ways_in_three_dimensions():
    kernel = from_conv_transpose(random(2, 3, 3, 4, 2), random(3), (2, 3, 2), (1, 0, 0), (1, 0, 0))
    x = random(1, 2, 4, 3, 3)
    torch.testing.assert_close(
        F.conv_transpose3d(x, **to_conv_transpose(kernel)), kernel.apply(x), rtol=0, atol=1e-12
    )
    form = to_pixel_shuffle(kernel)
    y = shuffle_by_loops(F.conv3d(padded(x, form.padding), form.weight, form.bias), form.factor)
    y = y[(..., *(slice(0, n - c) for n, c in zip(y.shape[2:], form.crop, strict=True)))]
    torch.testing.assert_close(y, kernel.apply(x), rtol=0, atol=1e-12)


def test_a_transposed_convolution_comes_back_as_it_was():
    weight, bias = random(3, 2, 4, 3), random(2)
    form = to_conv_transpose(from_conv_transpose(weight, bias, 2, (1, 0), (0, 1)))
    assert torch.equal(form["weight"], weight)
    assert form["bias"] is not None
    assert torch.equal(form["bias"], bias)
    assert (form["stride"], form["padding"], form["output_padding"]) == ((2, 2), (1, 0), (0, 1))


def test_a_sub_pixel_convolution_comes_back_as_it_was():
    weight, bias = random(8, 2, 3, 3), random(8)
    form = to_pixel_shuffle(from_pixel_shuffle(weight, bias, 2, 1))
    assert torch.equal(form.weight, weight)
    assert form.bias is not None
    assert torch.equal(form.bias, bias)
    assert (form.factor, form.padding, form.crop) == ((2, 2), ((1, 1), (1, 1)), (0, 0))


def test_an_uneven_bias_cannot_become_a_transposed_convolution():
    bias = torch.zeros(1, 2, dtype=torch.float64)
    bias[0, 1] = 3
    kernel = PhaseKernel(random(1, 1, 4), (2,), bias)
    with pytest.raises(
        UncheckError, match=r"differs from phase to phase by up to 1\.5 .* use to_pixel_shuffle"
    ):
        to_conv_transpose(kernel)


def test_an_even_bias_per_phase_becomes_one_per_channel():
    kernel = PhaseKernel(random(1, 1, 4), (2,), torch.full((1, 2), 0.7, dtype=torch.float64))
    torch.testing.assert_close(
        to_conv_transpose(kernel)["bias"], torch.tensor([0.7], dtype=torch.float64), rtol=0, atol=1e-15
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("factor", [(3,), (2, 3), (1, 2), (2, 2, 2)])
def test_a_resize_convolution_comes_back_as_it_was(factor, mode, dtype):
    ndim = len(factor)
    weight, bias = random(2, 3, *(3, 2, 3)[:ndim]).to(dtype), random(2).to(dtype)
    form = to_resize_conv(from_resize_conv(weight, bias, factor, mode, 1), mode)
    atol = 1e-12 if dtype == torch.float64 else 1e-5
    torch.testing.assert_close(form.weight, weight, rtol=0, atol=atol)
    assert form.padding == ((1, 1),) * ndim
    assert (form.factor, form.mode) == (factor, mode)


def test_an_uneven_kernel_is_no_resize_convolution():
    kernel = from_conv_transpose(torch.tensor([[[1.0, 2.0, 1.0, 0.0]]]), None, 2)
    torch.testing.assert_close(
        to_resize_conv(kernel).weight, torch.tensor([[[0.0, 1.0, 1.0]]]), rtol=0, atol=1e-6
    )
    uneven = from_conv_transpose(torch.tensor([[[1.0, 0.0]]]), None, 2)
    with pytest.raises(UncheckError, match=r"least-squares residual 0\.707 of its norm .* fit_resize_conv"):
        to_resize_conv(uneven)


@pytest.mark.parametrize("size", [None, (3,), (5,)])
@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize(("k", "s"), [(3, 2), (5, 3), (2, 4), (6, 2)])
def test_the_fit_is_the_least_squares_solution(k, s, mode, size):
    """Against lstsq on the columns that torch gives: one unit tap of the convolution at a time."""
    kernel = from_conv_transpose(random(1, 1, k), None, s)
    form = fit_resize_conv(kernel, mode, size)
    taps, n = form.weight.shape[-1], 24
    x = torch.zeros(1, 1, n, dtype=torch.float64)
    x[..., n // 2] = 1
    columns = [
        F.conv1d(padded(resize(x, (s,), mode), form.padding), one[None, None]).flatten()
        for one in torch.eye(taps, dtype=torch.float64)
    ]
    target = kernel.apply(x).flatten()
    solved = torch.linalg.lstsq(torch.stack(columns, 1), target[:, None]).solution.flatten()
    torch.testing.assert_close(form.weight.flatten(), solved, rtol=0, atol=1e-10)
    left = target - torch.stack(columns, 1) @ solved
    assert form.residual == pytest.approx(float(left.norm() / target.norm()), rel=0, abs=1e-10)


def test_a_fit_needs_at_least_one_tap():
    with pytest.raises(UncheckError, match="size must be at least 1"):
        fit_resize_conv(from_conv_transpose(random(1, 1, 3), None, 2), "nearest", (0,))


def test_pixel_shuffle_equals_torch_and_refuses():
    x = random(2, 12, 3, 5)
    assert torch.equal(pixel_shuffle(x, (2, 2)), F.pixel_shuffle(x, 2))
    assert torch.equal(pixel_shuffle(x, (3, 2)), shuffle_by_loops(x, (3, 2)))
    with pytest.raises(UncheckError, match=r"by \(5, 1\) cannot take an input of shape \(2, 12, 3, 5\)"):
        pixel_shuffle(x, (5, 1))
