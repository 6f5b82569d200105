"""The oracles of this room catch planted defects: a kernel wrong in one respect is told from the right."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from oracles.phases_fourier import alias_rows, nearest, spectrum
from oracles.phases_torch import (
    constant_response,
    gains_by_constants,
    impulse_matrix,
    resize,
    ripple_of_polynomial,
    shuffle_by_loops,
)
from uncheck.phases import (
    PhaseKernel,
    bias_vector,
    frequency_response,
    from_pixel_shuffle,
    from_resize,
    matrix,
    phase_gains,
    project,
)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)))


WEIGHT, BIAS = random(8, 2, 3, 3), random(8)
RIGHT = from_pixel_shuffle(WEIGHT, BIAS, 2, 1)

LINEAR_DEFECTS = {
    "flipped": replace(RIGHT, weight=RIGHT.weight.flip(-1)),
    "axes swapped": replace(RIGHT, weight=RIGHT.weight.transpose(2, 3)),
    "channels swapped": replace(RIGHT, weight=RIGHT.weight.flip(1)),
    "one phase off": replace(RIGHT, offset=(3, 2)),
    "one tap changed": replace(RIGHT, weight=RIGHT.weight.index_fill(3, torch.tensor([0]), 0.0)),
    "doubled": replace(RIGHT, weight=2 * RIGHT.weight),
    "rounded": RIGHT.to(torch.float32).double(),
}


def layer(x: torch.Tensor) -> torch.Tensor:
    return F.pixel_shuffle(F.conv2d(x, WEIGHT, BIAS, padding=1), 2)


def matrix_error(kernel: PhaseKernel) -> float:
    return float((matrix(kernel, (4, 4)) - impulse_matrix(layer, 2, (4, 4))).abs().max())


def gains_error(kernel: PhaseKernel) -> float:
    return float((phase_gains(kernel) - gains_by_constants(layer, 2, (5, 5), (2, 2), (4, 4))).abs().max())


def test_the_right_kernel_passes_both():
    assert matrix_error(RIGHT) < 1e-14
    assert gains_error(RIGHT) < 1e-13


@pytest.mark.parametrize("defect", LINEAR_DEFECTS)
def test_impulses_catch(defect):
    assert matrix_error(LINEAR_DEFECTS[defect]) > 1e-9


@pytest.mark.parametrize(
    "defect", ["channels swapped", "one phase off", "one tap changed", "doubled", "rounded"]
)
def test_constants_catch(defect):
    assert gains_error(LINEAR_DEFECTS[defect]) > 1e-9


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_zeros_catch_a_bias_on_the_wrong_phase_or_channel(axis):
    assert RIGHT.bias is not None
    expected = constant_response(layer, 2, (3, 3)).flatten()
    assert torch.equal(bias_vector(RIGHT, (3, 3)), expected)
    wrong = replace(RIGHT, bias=RIGHT.bias.roll(1, axis))
    assert float((bias_vector(wrong, (3, 3)) - expected).abs().max()) > 1e-3


def test_loops_catch_another_channel_order():
    x = random(1, 12, 2, 2)
    assert torch.equal(shuffle_by_loops(x, (2, 2)), F.pixel_shuffle(x, 2))
    swapped = F.pixel_shuffle(x.unflatten(1, (3, 2, 2)).transpose(2, 3).flatten(1, 3), 2)
    assert not torch.equal(shuffle_by_loops(x, (2, 2)), swapped)


@pytest.mark.parametrize("factor", [2, 3])
def test_interpolation_catches_another_alignment(factor):
    kernel = from_resize(1, factor, "linear", ndim=1, dtype=torch.float64)
    x = random(1, 1, 8)
    inner = slice(2 * factor, -2 * factor)
    right = resize(x, (factor,), "linear")[..., inner]
    torch.testing.assert_close(kernel.apply(x)[..., inner], right, rtol=0, atol=1e-13)
    shifted = replace(kernel, offset=(kernel.offset[0] + 1,))
    assert float((shifted.apply(x)[..., inner] - right).abs().max()) > 1e-3


def test_polynomials_catch_a_ripple_of_one_millionth():
    kernel = from_resize(1, 3, "linear", ndim=1, dtype=torch.float64)
    assert ripple_of_polynomial(kernel.apply, (1,), (24,), 2) < 1e-12
    bent = kernel.weight.clone()
    bent[..., 2] *= 1 + 1e-6
    assert ripple_of_polynomial(replace(kernel, weight=bent).apply, (1,), (24,), 2) > 1e-9


def test_the_spectrum_catches_a_shifted_origin_and_the_other_sign():
    kernel = PhaseKernel(random(1, 1, 4), (2,), offset=(1,))
    response = complex(frequency_response(kernel, 5)[0, 0, 1])
    h = kernel.weight[0, 0].numpy()
    assert response == pytest.approx(spectrum(h, (0.2,), (1,)), rel=0, abs=1e-13)
    assert abs(response - spectrum(h, (0.2,), (0,))) > 1e-3
    assert abs(response.conjugate() - spectrum(h, (0.2,), (1,))) > 1e-3


@pytest.mark.parametrize("defect", ["not even", "even but not nearest"])
def test_the_optimality_conditions_catch_a_wrong_projection(defect):
    kernel = PhaseKernel(random(1, 1, 5), (2,))
    h = kernel.weight.numpy().flatten()
    rows = alias_rows((5,), (2,), 1)
    expected = nearest(h, rows, np.eye(5))
    right = project(kernel).weight.numpy().flatten()
    assert np.abs(rows @ right).max() < 1e-13
    np.testing.assert_allclose(right, expected, rtol=0, atol=1e-12)
    wrong = right.copy()
    if defect == "not even":
        wrong[0] += 1e-6
        assert np.abs(rows @ wrong).max() > 1e-7
    else:
        # a change within one phase keeps the gains and leaves the nearest point
        wrong[0] += 1e-3
        wrong[2] -= 1e-3
        assert np.abs(rows @ wrong).max() < 1e-13
    assert np.abs(wrong - expected).max() > 1e-7
