"""The second order predicted from weights and covariance, against slow sums and against the measure."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
sys.path[:0] = [str(EXPERIMENTS), str(EXPERIMENTS / "second-order")]

from lab.lattice import lattice, together  # noqa: E402
from lab.upsamplers import UPSAMPLERS, kernel_of  # noqa: E402
from phase_variances import (  # noqa: E402
    FUNCTIONS,
    LAGS,
    autocovariance,
    expected,
    normalised,
    ripple,
    spread,
    variances,
)
from stacks import LAYERS, Stack, inputs  # noqa: E402
from swapped import lines_of_period_4  # noqa: E402

from uncheck.phases import PhaseKernel, from_resize, gain_spread, matrix  # noqa: E402


def random_covariance(channels, seed):
    """A covariance of stationary maps: what a random filter makes of white noise."""
    filters = torch.randn(channels, channels, 3, 3, dtype=torch.float64, generator=torch.manual_seed(seed))
    out = torch.zeros(channels, channels, 2 * LAGS + 1, 2 * LAGS + 1, dtype=torch.float64)
    for i in range(3):
        for j in range(3):
            for k in range(3):
                for m in range(3):
                    # x_c[n] = sum f[c, a, i, j] w_a[n - (i, j)]
                    lag = (LAGS + k - i, LAGS + m - j)
                    out[:, :, lag[0], lag[1]] += filters[:, :, i, j] @ filters[:, :, k, m].T
    return out


def slow_variances(kernel, covariance, size=7):
    """The diagonal of A S A^T in the middle of a small picture, A being the dense matrix of the layer."""
    a = matrix(kernel.double(), (size, size)).numpy()
    where = [(c, i, j) for c in range(kernel.in_channels) for i in range(size) for j in range(size)]
    r = covariance.numpy()
    s = np.array(
        [[r[c, d, k - i + LAGS, m - j + LAGS] if max(abs(k - i), abs(m - j)) <= LAGS else 0.0
          for d, k, m in where] for c, i, j in where]
    )  # fmt: skip
    full = np.einsum("ij,jk,ik->i", a, s, a).reshape(kernel.out_channels, *kernel.output_size((size, size)))
    return full[:, 6:8, 6:8]


@pytest.mark.parametrize("name", ["deconv k3", "deconv k4", "nearest", "linear", "sub-pixel"])
def test_variances_are_those_of_the_dense_matrix(name):
    torch.manual_seed(0)
    kernel = kernel_of(UPSAMPLERS[name](2, 3))
    covariance = random_covariance(2, 1)
    slow = slow_variances(kernel, covariance)
    assert np.allclose(variances(kernel, covariance).numpy(), slow, rtol=1e-6)
    # A covariance mirrored in space is another one, and is told apart.
    mirrored = variances(kernel, covariance.flip(2)).numpy()
    assert np.abs(mirrored - slow).max() > 0.01 * slow.max()


def test_covariance_of_maps_is_what_was_put_in():
    for drive in ("white", "1/f"):
        maps, known = inputs(drive, 400, 2, 20, 0)
        assert float((autocovariance(maps) - known).abs().max()) < 0.05
    # The lag counts from the first channel to the second.
    one = torch.randn(400, 1, 20, 20, generator=torch.manual_seed(0))
    pair = torch.cat([one, one.roll((1, 2), (2, 3))], 1)
    measured = autocovariance(pair)[0, 1]
    assert measured.argmax() == torch.tensor((LAGS + 1) * (2 * LAGS + 1) + LAGS + 2)


def test_means_behind_nonlinearities_of_gaussians():
    deviation = torch.tensor([[0.5, 2.0]], dtype=torch.float64)
    zero = torch.zeros_like(deviation)
    assert torch.allclose(
        expected(FUNCTIONS["ReLU"], zero, deviation), deviation / math.sqrt(2 * math.pi), rtol=1e-4
    )
    assert torch.allclose(expected(FUNCTIONS["square"], zero + 1, deviation), 1 + deviation**2, rtol=1e-6)
    assert torch.allclose(expected(FUNCTIONS["tanh"], zero, deviation), zero, atol=1e-9)


@pytest.mark.parametrize("name", LAYERS)
def test_all_layers_compared_have_equal_gains(name):
    torch.manual_seed(0)
    assert gain_spread(Stack(name, 4).kernel) < 1e-5


def test_icnr_starts_with_equal_variances_and_nearest_does_not():
    _, white = inputs("white", 1, 4, 12, 0)
    torch.manual_seed(0)
    spreads = [
        spread(normalised(Stack(n, 4).kernel, torch.ones(4).double(), white)[1])
        for n in ("sub-pixel ICNR", "nearest")
    ]
    assert spreads[0] < 1e-9 < 0.01 < spreads[1]


def test_ripples_are_amplitudes_of_the_measure():
    generator = torch.manual_seed(0)
    pattern = torch.randn(2, 2, 2, generator=generator, dtype=torch.float64)
    noise = 0.01 * torch.randn(4, 2, 64, 64, generator=generator)
    tiled = pattern.repeat(1, 32, 32).float() + noise
    assert together(10 * tiled, (-127.5, 127.5), 2) == pytest.approx(10 * ripple(pattern), rel=1e-2)
    longer = torch.randn(1, 4, 4, generator=generator, dtype=torch.float64)
    tiled = longer.repeat(1, 16, 16).float() + noise[:, :1]
    measured = together(10 * tiled, (-127.5, 127.5), 4)
    assert measured == pytest.approx(10 * float(lines_of_period_4(longer)), rel=1e-2)


def test_images_count_alike_together_and_flat_ones_most_in_the_set():
    """Why `together` is not the set's own amplitude: a lattice that goes with the content."""
    noise = torch.randn(8, 1, 64, 64, generator=torch.manual_seed(0))
    strength = torch.tensor([0.0, 0, 0, 0, 1, 1, 1, 1]).view(-1, 1, 1, 1)
    maps = 100 + strength * (2 * noise + 4 * (torch.arange(64) % 2 - 0.5)) + 0.01 * noise
    assert together(maps, (0, 255), 2) == pytest.approx(1, rel=0.1)
    assert lattice(maps, (0, 255))["amplitude_2"] < 0.01
    even = 100 + 2 * noise + 4 * (torch.arange(64) % 2 - 0.5)
    assert together(even, (0, 255), 2) == pytest.approx(lattice(even, (0, 255))["amplitude_2"], rel=0.05)


def test_linear_resizing_by_half_pixels_keeps_variances_equal_and_a_hold_after_nearest_does_not():
    """Taps (1, 3) and (3, 1) against (2) and (1, 1): why a hold before the nonlinearity can make it worse."""
    _, white = inputs("white", 1, 1, 12, 0)
    linear = variances(from_resize(1, 2, "linear"), white)
    assert spread(linear) < 1e-9
    triangle = torch.tensor([1.0, 2.0, 1.0]) / 2
    held = PhaseKernel((triangle[:, None] * triangle)[None, None], (2, 2))
    assert gain_spread(held) < 1e-9
    assert variances(held, white).flatten().sort().values.tolist() == [0.25, 0.5, 0.5, 1]
