"""Projection: equal gains or a higher order, and no kernel of that order is nearer."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from oracles.phases_fourier import alias_rows, nearest
from oracles.phases_torch import gains_by_constants
from uncheck.errors import UncheckError
from uncheck.phases import (
    PhaseKernel,
    from_conv_transpose,
    from_pixel_shuffle,
    from_resize_conv,
    gain_spread,
    phase_gains,
    project,
    strang_fix_order,
)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape) + seed))


def positive(size: int) -> torch.Tensor:
    root = random(size, size)
    return root @ root.T / size + 0.1 * torch.eye(size, dtype=torch.float64)


def test_the_closed_form_by_hand():
    # phases (1, 3) and (5): D = 4, 5; N = 2, 1; T = (4/2 + 5) / (1/2 + 1) = 14/3
    kernel = project(from_conv_transpose(torch.tensor([[[1.0, 5.0, 3.0]]], dtype=torch.float64), None, 2))
    expected = torch.tensor([1 + 1 / 3, 14 / 3, 3 + 1 / 3], dtype=torch.float64)
    torch.testing.assert_close(kernel.weight.flatten(), expected, rtol=0, atol=1e-14)


@given(st.data())
def test_the_nearest_kernel_of_each_order_equals_the_oracle(data):
    ndim, order = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 3))
    stride = tuple(data.draw(st.integers(1, 3)) for _ in range(ndim))
    size = tuple(data.draw(st.integers(1, 6 if ndim == 1 else 4)) for _ in range(ndim))
    offset = tuple(data.draw(st.integers(-3, 3)) for _ in range(ndim))
    kernel = PhaseKernel(random(2, 1, *size), stride, offset=offset)
    rows = alias_rows(size, stride, order)
    if any(k < order * (s - 1) + 1 for k, s in zip(size, stride, strict=True)):
        with pytest.raises(UncheckError, match=f"too small for order {order}"):
            project(kernel, order)
        return
    result = project(kernel, order)
    assert strang_fix_order(result, tolerance=1e-11, max_order=order) == order
    for out in range(2):
        h = kernel.weight[out, 0].numpy().flatten()
        expected = nearest(h, rows, np.eye(len(h)))
        np.testing.assert_allclose(result.weight[out, 0].numpy().flatten(), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("order", [1, 2])
def test_projecting_twice_changes_nothing_more(order):
    once = project(from_conv_transpose(random(3, 2, 5, 6), None, (2, 3), 1), order)
    torch.testing.assert_close(project(once, order).weight, once.weight, rtol=0, atol=1e-12)


def test_an_even_kernel_stays_as_it_is():
    kernel = from_resize_conv(random(2, 3, 3, 3), None, 2, "nearest", 1)
    torch.testing.assert_close(project(kernel).weight, kernel.weight, rtol=0, atol=1e-13)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_torch_sees_equal_gains_and_even_bias(ndim):
    stride, size = (2, 3, 2)[:ndim], (3, 4, 3)[:ndim]
    kernel = project(PhaseKernel(random(2, 2, *size), stride, random(2, *stride), (1,) * ndim))
    gains = gains_by_constants(kernel.apply, 2, (6,) * ndim, stride, (6,) * ndim)
    torch.testing.assert_close(
        gains, gains.flatten(2).mean(2).reshape(2, 2, *[1] * ndim).expand_as(gains), rtol=0, atol=1e-13
    )
    assert kernel.bias is not None
    assert kernel.bias.shape == (2,)


def test_the_bias_becomes_its_mean():
    bias = random(2, 3)
    result = project(PhaseKernel(random(2, 1, 4), (3,), bias))
    torch.testing.assert_close(result.bias, bias.mean(1), rtol=0, atol=1e-15)


def test_groups_and_dilation_keep_their_structure():
    weight = random(4, 1, 4, 4)
    kernel = from_conv_transpose(weight, None, 2, 1, 0, 3, groups=2)
    result = project(kernel)
    assert gain_spread(result) < 1e-14
    assert not ((kernel.weight == 0) & (result.weight != 0)).any()
    shuffled = from_pixel_shuffle(random(8, 1, 3, 3), None, 2, 2, 2)
    assert shuffled.support is not None
    again = project(shuffled)
    assert gain_spread(again) < 1e-14
    assert float(again.weight[:, :, ~shuffled.support].abs().max()) == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_and_geometry_stay(dtype):
    kernel = from_conv_transpose(random(2, 2, 3, 3).to(dtype), random(2).to(dtype), 2, 1, 1)
    result = project(kernel)
    assert result.weight.dtype == dtype
    assert (result.stride, result.offset, result.margin) == (kernel.stride, kernel.offset, kernel.margin)
    assert gain_spread(result) < 10 * torch.finfo(dtype).eps


def test_one_second_moment_for_all_taps_changes_nothing():
    kernel = from_conv_transpose(random(3, 2, 6, 6), None, 2, 2)
    for order in (1, 2):
        plain = project(kernel, order)
        torch.testing.assert_close(
            project(kernel, order, positive(3)).weight, plain.weight, rtol=0, atol=1e-12
        )
    patch = torch.kron(positive(3), torch.eye(9, dtype=torch.float64))
    torch.testing.assert_close(
        project(kernel, 1, patch).weight, project(kernel, 1).weight, rtol=0, atol=1e-10
    )


@pytest.mark.parametrize("order", [1, 2])
def test_a_patch_second_moment_gives_the_oracle_solution(order):
    # k = 5, s = 2, in = 2: J = 3 taps per phase at most, metric over (channel, tap)
    kernel = from_conv_transpose(random(2, 1, 5), None, 2)
    weight = positive(6)
    result = project(kernel, order, weight)
    moments = weight.reshape(2, 3, 2, 3).numpy()
    metric = np.zeros((2, 5, 2, 5))
    for u in range(5):
        for v in range(5):
            if u % 2 == v % 2:
                metric[:, u, :, v] = moments[:, u // 2, :, v // 2]
    rows = np.kron(np.eye(2), alias_rows((5,), (2,), order))
    expected = nearest(kernel.weight.numpy().flatten(), rows, metric.reshape(10, 10))
    np.testing.assert_allclose(result.weight.numpy().flatten(), expected, rtol=0, atol=1e-9)


def test_the_patch_weight_lowers_the_change_of_the_output_of_torch():
    """On smooth inputs of that second moment the output changes less than by plain projection."""
    kernel = from_conv_transpose(random(2, 3, 5), None, 2)
    signals = torch.cumsum(random(1, 2, 4000), -1)
    signals = signals - F.avg_pool1d(signals, 101, 1, 50)
    windows = torch.stack([signals[0, :, 2 - j : 4000 - j] for j in range(3)], 1).reshape(6, -1)
    weight = windows @ windows.T / windows.shape[1]
    target = kernel.apply(signals)[..., 8:-8]

    def change(other: PhaseKernel) -> float:
        return float((other.apply(signals)[..., 8:-8] - target).square().mean())

    weighted, plain = project(kernel, 1, weight), project(kernel, 1)
    assert gain_spread(weighted) < 1e-12
    assert change(weighted) < 0.99 * change(plain)


def test_weighted_projection_leaves_groups_apart():
    kernel = from_conv_transpose(random(4, 1, 3, 3), None, 2, 1, 1, groups=2)
    result = project(kernel, 1, positive(16))
    assert not ((kernel.weight == 0) & (result.weight != 0)).any()
    assert gain_spread(result) < 1e-12


@given(k=st.integers(2, 9), s=st.integers(1, 4), scale=st.floats(-10, 10), seed=st.integers(0, 99))
def test_projection_is_linear_and_never_lengthens(k, s, scale, seed):
    if k < s:
        return
    a, b = random(2, 2, k, seed=seed), random(2, 2, k, seed=seed + 1)

    def p(weight):
        return project(PhaseKernel(weight, (s,))).weight

    torch.testing.assert_close(p(a + scale * b), p(a) + scale * p(b), rtol=0, atol=1e-12)
    assert float(p(a).norm()) <= float(a.norm()) * (1 + 1e-12)
    # orthogonal: what is taken away is at right angles to what is left
    assert abs(float(((a - p(a)) * p(b)).sum())) < 1e-12


def test_the_total_gain_is_a_compromise_between_the_phases():
    gains = phase_gains(project(from_conv_transpose(torch.ones(1, 1, 3, 3, dtype=torch.float64), None, 2)))
    # D = 4, 2, 2, 1 with as many taps: T = 4 / (1/4 + 1/2 + 1/2 + 1) = 16/9
    torch.testing.assert_close(gains, torch.full_like(gains, 16 / 9), rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("k", "s", "order", "weight", "message"),
    [
        (2, 3, 1, None, "too small for order 1, some phase has no taps"),
        (2, 3, 2, None, "too small for order 2, some phase has no taps"),
        (4, 3, 2, None, "too small for order 2, its smallest phase has 1 tap:"),
        (4, 2, 0, None, "order must be at least 1, not 0"),
        (4, 2, 1, torch.eye(3), r"must be \(2, 2\), in \* prod\(ceil\(k / s\)\), or \(1, 1\), not \(3, 3\)"),
        (4, 2, 1, -torch.eye(2), "must be symmetric and positive definite"),
        (4, 2, 1, torch.zeros(1, 1), "must be symmetric and positive definite"),
        (4, 2, 1, torch.tensor([[1.0, 0.5], [0.0, 1.0]]), "must be symmetric and positive definite"),
    ],
)
def test_impossible_projections_are_refused(k, s, order, weight, message):
    with pytest.raises(UncheckError, match=message):
        project(from_conv_transpose(random(1, 1, k), None, s), order, weight)
