"""The measuring room is written for any array library: here it meets torch."""

import numpy as np
import pytest
import torch

from uncheck.measuring.eigenspectra import eigenspectra
from uncheck.measuring.frequencies import plan
from uncheck.measuring.harmonic import line_fit, statistics
from uncheck.measuring.lattice import find_lattices


def arrays(*shape):
    return np.random.default_rng(0).normal(0, 20, shape).astype(np.float32)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("shape", "periods"),
    [((300,), (2, 3, 8)), ((64, 97), (2, 4, 8)), ((256, 260), (2, 24, 64)), ((24, 20, 28), (2, 3, 9))],
)
def test_tensors_equal_arrays(shape, periods, dtype):
    values = arrays(2, *shape, 3)
    scheme, sums = plan(shape, periods), plan(shape, periods).sums
    slow = eigenspectra(values, scheme)
    tensor = torch.tensor(values, dtype=dtype, requires_grad=True)
    fast = eigenspectra(tensor, scheme)
    assert fast.dtype == (torch.complex64 if dtype == torch.float32 else torch.complex128)
    assert np.abs(fast.detach().numpy() - slow).max() < 1e-6 * np.abs(slow).max()
    expected, found = statistics(slow, sums), statistics(fast, sums)
    assert found.mean.detach().numpy() == pytest.approx(expected.mean, abs=1e-5)
    assert found.each.detach().numpy() == pytest.approx(expected.each, rel=1e-3, abs=1e-5)
    assert found.joint.detach().numpy() == pytest.approx(expected.joint, rel=1e-3, abs=1e-5)
    (found.each.sum() + found.joint.sum()).backward()
    assert tensor.grad.dtype == dtype
    assert tensor.grad.isfinite().all()
    assert tensor.grad.any()


@pytest.mark.parametrize("shape", [(40,), (18, 20), (12, 12, 12)])
def test_eigenspectra_pass_gradcheck(shape):
    scheme, sums = plan(shape, (2, 3)), plan(shape, (2, 3)).sums
    tensor = torch.tensor(arrays(1, *shape, 2), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x: line_fit(eigenspectra(x, scheme), sums)[0], (tensor,), rtol=1e-4, atol=1e-6, fast_mode=True
    )


@pytest.mark.parametrize("dtype", [torch.uint8, torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_lattices_of_tensors_of_any_type(dtype):
    waves = 6 * np.cos(np.pi * np.arange(96))[:, None] + 4 * np.cos(np.pi / 2 * np.arange(80) + 0.3)
    values = np.clip(arrays(3, 96, 80, 1) / 4 + 128 + waves[..., None], 0, 255)
    tensor = torch.tensor(values).to(dtype)
    expected = find_lattices(tensor.double().numpy().astype(np.float32))
    for one, two in zip(find_lattices(tensor), expected, strict=True):
        assert one.strength == pytest.approx(two.strength, rel=1e-5)
        assert [c.period for c in one.present] == [c.period for c in two.present] == [(2, 1), (1, 4)]
