"""Order against two definitions: derivatives of H at the aliases, and polynomials pushed through torch."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from oracles.phases_fourier import alias_rows
from oracles.phases_torch import ripple_of_polynomial
from uncheck.errors import UncheckError
from uncheck.phases import (
    PhaseKernel,
    from_conv,
    from_conv_transpose,
    from_resize,
    from_resize_conv,
    moment_deviation,
    strang_fix_order,
)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)))


def spline(stride: int, order: int, last: torch.Tensor) -> torch.Tensor:
    """Hold convolved with itself `order` times, then with last, of order `order` for a generic last; 1-D."""
    h = last[None, None]
    for _ in range(order):
        h = F.conv_transpose1d(h, torch.ones(1, 1, stride, dtype=h.dtype))
    return h


@pytest.mark.parametrize("order", [0, 1, 2, 3])
@pytest.mark.parametrize("stride", [2, 3, 4])
def test_powers_of_hold_have_their_order(stride, order):
    h = spline(stride, order, random(3))
    kernel = PhaseKernel(h, (stride,), offset=(stride - 1,))
    assert strang_fix_order(kernel, tolerance=1e-12) == order
    assert strang_fix_order(kernel.to(torch.float32), tolerance=1e-6) == order


@pytest.mark.parametrize("order", [0, 1, 2, 3])
@pytest.mark.parametrize("stride", [2, 3])
def test_polynomials_below_the_order_pass_torch_without_ripple_and_the_next_does_not(stride, order):
    h = spline(stride, order, random(2))

    def layer(x):
        return F.conv_transpose1d(x, h, stride=stride, padding=1)

    for power in range(order):
        assert ripple_of_polynomial(layer, (power,), (40,), power + 1) < 1e-10
    assert ripple_of_polynomial(layer, (order,), (40,), order + 1) > 1e-5


def test_in_two_dimensions_mixed_polynomials_count():
    # hold on each axis has order 1; linear interpolation order 2 (3 for factor 2)
    h = from_resize(1, 3, "linear", dtype=torch.float64)
    assert strang_fix_order(h, tolerance=1e-12) == 2
    for power in [(0, 0), (1, 0), (0, 1)]:
        assert ripple_of_polynomial(h.apply, power, (12, 12), sum(power) + 1) < 1e-10
    assert ripple_of_polynomial(h.apply, (0, 2), (12, 12), 3) > 1e-5


@pytest.mark.parametrize(
    ("factor", "mode", "order"),
    [
        (2, "nearest", 1),
        (3, "nearest", 1),
        (2, "linear", 3),
        (3, "linear", 2),
        (4, "linear", 3),
        (5, "linear", 2),
    ],
)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_resizes_have_the_order_of_their_kernels(factor, mode, order, ndim):
    """Even factors: hold * hold * (1, 1), and (1, 1) adds a zero at 1/2 only: order 3 for s = 2, else 2."""
    expected = 2 if (mode, factor) == ("linear", 4) else order
    kernel = from_resize(1, factor, mode, ndim=ndim, dtype=torch.float64)
    assert strang_fix_order(kernel, tolerance=1e-12) == expected


def test_the_least_order_of_all_axes_and_channels_counts():
    h = from_resize(1, (2, 3), "linear", dtype=torch.float64)
    assert strang_fix_order(h, tolerance=1e-12) == 2
    even = from_conv_transpose(torch.ones(2, 2, 4, dtype=torch.float64), None, 2)
    assert strang_fix_order(even, tolerance=1e-12, max_order=1) == 1
    spoilt = even.weight.clone()
    spoilt[1, 0, 0] += 0.1
    assert strang_fix_order(PhaseKernel(spoilt, (2,)), tolerance=1e-12) == 0


@given(st.data())
def test_deviation_vanishes_exactly_where_the_derivatives_do(data):
    ndim = data.draw(st.integers(1, 2))
    stride = tuple(data.draw(st.integers(1, 3)) for _ in range(ndim))
    hold = data.draw(st.integers(0, 2))
    size = tuple(data.draw(st.integers(1, 2)) for _ in range(ndim))
    h = random(1, 1, *size)
    for _ in range(hold):
        conv = [F.conv_transpose1d, F.conv_transpose2d][ndim - 1]
        h = conv(h, torch.ones(1, 1, *stride, dtype=h.dtype))
    kernel = PhaseKernel(h, stride, offset=tuple(data.draw(st.integers(-3, 3)) for _ in range(ndim)))
    measured = strang_fix_order(kernel, tolerance=1e-12, max_order=3)
    flat = h.numpy().flatten()
    by_derivatives = 0
    for order in range(1, 4):
        rows = alias_rows(h.shape[2:], stride, order)
        if len(rows) and np.abs(rows @ flat).max() > 1e-10 * np.abs(flat).sum():
            break
        by_derivatives = order
    assert measured == by_derivatives
    assert measured >= min(hold, 3)


def test_zeros_and_stride_one_have_every_order():
    assert strang_fix_order(PhaseKernel(torch.zeros(1, 1, 3), (2,)), tolerance=0.0) == 4
    assert strang_fix_order(from_conv(random(2, 2, 3), None), tolerance=0.0, max_order=6) == 6


@given(st.integers(1, 30), st.integers(1, 6), st.integers(0, 3), st.floats(0.001, 1000))
def test_deviation_is_a_fraction_whatever_the_size_and_scale(k, s, degree, scale):
    kernel = PhaseKernel(random(1, 1, k), (s,))
    deviation = moment_deviation(kernel, degree)
    assert 0 <= deviation <= 1
    scaled = PhaseKernel(kernel.weight * scale, (s,), offset=(2,))
    assert moment_deviation(scaled, degree) == pytest.approx(deviation, rel=0, abs=1e-12)


@pytest.mark.parametrize("k", [4, 16, 64])
def test_float32_rounding_of_an_even_kernel_stays_below_one_tolerance(k):
    weight = from_resize_conv(random(4, 4, k, k).float(), None, 2, "nearest").weight
    assert strang_fix_order(PhaseKernel(weight, (2, 2)), tolerance=1e-6, max_order=1) == 1


def test_an_impossible_question_is_refused():
    kernel = PhaseKernel(random(1, 1, 3), (2,))
    for tolerance, most in itertools.product([-1.0, float("nan")], [4]):
        with pytest.raises(UncheckError, match="tolerance must be a number >= 0"):
            strang_fix_order(kernel, tolerance, most)
    with pytest.raises(UncheckError, match="max_order must be at least 1, not 0"):
        strang_fix_order(kernel, 1e-6, 0)
