"""Frequency response against sums tap by tap and against sinusoids pushed through torch."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from oracles.phases_fourier import spectrum
from uncheck.errors import UncheckError
from uncheck.phases import (
    PhaseKernel,
    frequency_response,
    from_conv_transpose,
    from_resize,
    image_rejection_db,
    phase_gains,
    project,
)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("n", [(5,), (3, 4), (2, 3, 2)])
def test_response_equals_the_sum_tap_by_tap(n):
    ndim = len(n)
    offset = (1, -2, 3)[:ndim]
    kernel = PhaseKernel(random(2, 1, *(4, 3, 2)[:ndim]), (2,) * ndim, offset=offset)
    response = frequency_response(kernel, n)
    for out in range(2):
        for index in torch.cartesian_prod(*map(torch.arange, n)).reshape(-1, ndim).tolist():
            frequency = tuple(f / c for f, c in zip(index, n, strict=True))
            expected = spectrum(kernel.weight[out, 0].numpy(), frequency, offset)
            assert complex(response[(out, 0, *index)]) == pytest.approx(expected, rel=0, abs=1e-12)


def test_a_sinusoid_comes_out_of_torch_as_signal_and_images():
    """x[m] = exp(2 pi i theta m) gives y[j] = 1/s sum_a H((theta + a) / s) exp(2 pi i (theta + a) j / s)."""
    s, theta = 3, 0.2
    weight = random(1, 1, 7)
    kernel = from_conv_transpose(weight, None, s, 2)
    m = torch.arange(40, dtype=torch.float64)
    parts = [
        F.conv_transpose1d(f(2 * math.pi * theta * m)[None, None], weight, stride=s, padding=2)
        for f in (torch.cos, torch.sin)
    ]
    y = torch.complex(*parts).flatten()
    j = torch.arange(len(y), dtype=torch.float64)
    response = frequency_response(kernel, 15).flatten()
    expected = torch.zeros_like(y)
    for a in range(s):
        # (0.2 + a) / 3 is bin 1 + 5 a of 15
        turns = (theta + a) / s * j
        expected += response[1 + 5 * a] * torch.polar(torch.ones_like(turns), 2 * math.pi * turns) / s
    torch.testing.assert_close(y[9:-9], expected[9:-9], rtol=0, atol=1e-12)


@given(k=st.integers(1, 8), s=st.integers(2, 5), o=st.integers(-5, 5))
def test_aliases_are_the_transform_of_the_gains(k, s, o):
    kernel = PhaseKernel(random(2, 2, k), (s,), offset=(o,))
    at_lattice = frequency_response(kernel, s)
    torch.testing.assert_close(at_lattice, torch.fft.fft(phase_gains(kernel)), rtol=0, atol=1e-12)
    size = at_lattice.abs().square().sum((0, 1)).sqrt()
    rejection = image_rejection_db(kernel)
    for a in range(1, s):
        expected = 20 * math.log10(float(size[0] / size[a])) if size[a] > 1e-12 else math.inf
        assert float(rejection.per_alias[a]) == pytest.approx(expected, rel=0, abs=1e-6)
    assert rejection.worst == float(rejection.per_alias[1:].min())


def test_rejection_by_hand():
    # k3 s2: gains 2 and 1, so 3 against 1
    rejection = image_rejection_db(from_conv_transpose(torch.ones(1, 1, 3), None, 2))
    assert rejection.worst == pytest.approx(20 * math.log10(3), rel=0, abs=1e-12)
    plane = image_rejection_db(from_conv_transpose(torch.ones(1, 1, 3, 3), None, 2))
    assert plane.per_alias[1, 1] == pytest.approx(20 * math.log10(9), rel=0, abs=1e-12)
    assert plane.worst == pytest.approx(20 * math.log10(3), rel=0, abs=1e-12)
    assert plane.per_alias[0, 0] == 0


def test_even_kernels_reject_without_bound_and_opposite_phases_not_at_all():
    assert image_rejection_db(project(from_conv_transpose(random(2, 2, 5, 5), None, 3))).worst == math.inf
    assert image_rejection_db(from_conv_transpose(torch.tensor([[[1.0, -1.0]]]), None, 2)).worst == -math.inf
    assert image_rejection_db(from_conv_transpose(torch.ones(1, 1, 3), None, 1)).worst == math.inf


def test_over_a_band_linear_resize_beats_nearest_and_both_fall():
    worst = {
        (mode, band): image_rejection_db(from_resize(1, 2, mode, ndim=1, dtype=torch.float64), band).worst
        for mode in ("nearest", "linear")
        for band in (0.0, 0.25, 1.0)
    }
    assert worst["nearest", 0.0] == worst["linear", 0.0] == math.inf
    assert worst["linear", 0.25] > worst["nearest", 0.25] > worst["nearest", 1.0]
    # hold of 2 at theta: |cos(pi theta / 2) / sin(pi theta / 2)|, theta up to 1/8; linear is its cube
    expected = -20 * math.log10(math.tan(math.pi / 16))
    assert worst["nearest", 0.25] == pytest.approx(expected, rel=0, abs=1e-9)
    assert worst["linear", 0.25] == pytest.approx(3 * expected, rel=0, abs=1e-9)


def test_impossible_questions_are_refused():
    kernel = PhaseKernel(random(1, 1, 3), (2,))
    with pytest.raises(UncheckError, match="n must be at least 1, not 0"):
        frequency_response(kernel, 0)
    with pytest.raises(
        UncheckError, match=r"band must be a fraction from 0 to 1 of the input band, not 1\.5"
    ):
        image_rejection_db(kernel, 1.5)
    with pytest.raises(UncheckError, match="points must be at least 2, not 1"):
        image_rejection_db(kernel, 0.5, 1)
