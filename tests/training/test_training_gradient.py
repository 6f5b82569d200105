import pytest
import torch

from uncheck.measuring.frequencies import plan
from uncheck.training import lattice_strength
from uncheck.training.images import grey_levels
from uncheck.training.strength import line_powers, norm, shrunk

LEVELS = (0.0, 255.0)


def noise(*shape, seed=0, sigma=20.0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64) * sigma + 128


def checkerboard(n):
    return (-1.0) ** (torch.arange(n)[:, None] + torch.arange(n))


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("shape", [(40,), (14, 15), (8, 9, 8)])
def test_gradient_of_the_raw_strength(shape, together):
    images = noise(2, 2, *shape).requires_grad_()

    def raw(x):
        return lattice_strength(
            x, periods=(2, 3), span=LEVELS, reduction="none", debias=False, together=together
        )

    assert torch.autograd.gradcheck(raw, (images,), eps=1e-4, atol=1e-6, rtol=1e-4, fast_mode=True)


def test_gradient_holds_the_noise_constant():
    # An amplitude in the ramp of the shrinkage and one above it.
    images = noise(2, 2, 20, 20) + torch.tensor([4.0, 30.0])[:, None, None, None] * checkerboard(20)
    images.requires_grad_()
    scheme = plan((20, 20), (2, 4))
    power, spread = (x.detach() for x in line_powers(grey_levels(images, LEVELS), scheme, False))
    ratio = (power / spread).sqrt().max(dim=1).values
    assert 2.5 < ratio[0] < 5 < ratio[1]

    def frozen(x):
        return norm(shrunk(line_powers(grey_levels(x, LEVELS), scheme, False)[0], spread))

    assert torch.autograd.gradcheck(frozen, (images,), eps=1e-4, atol=1e-6, rtol=1e-4, fast_mode=True)
    (expected,) = torch.autograd.grad(frozen(images).sum(), images)
    strength = lattice_strength(images, periods=(2, 4), span=LEVELS, reduction="sum")
    (gradient,) = torch.autograd.grad(strength, images)
    assert torch.equal(gradient, expected)
    # With the noise in the gradient it would be another one.
    loose = norm(shrunk(*line_powers(grey_levels(images, LEVELS), scheme, False))).sum()
    (other,) = torch.autograd.grad(loose, images)
    assert (other - expected).norm() > 0.05 * expected.norm()


@pytest.mark.parametrize("debias", [True, False])
def test_gradient_is_finite_everywhere(debias):
    flat = torch.full((64, 64), 100.0)
    images = torch.stack([flat, flat + 20 * checkerboard(64), flat + 1e-4 * checkerboard(64), 0 * flat])
    images = images[:, None].float().requires_grad_()
    strength = lattice_strength(images, span=LEVELS, reduction="none", debias=debias)
    strength.sum().backward()
    assert strength.tolist() == pytest.approx([0, 20, 0, 0], abs=0.02)
    assert images.grad.isfinite().all()
    assert not images.grad[[0, 3]].any()


def test_no_gradient_where_there_is_only_noise():
    images = noise(1, 1, 64, 64, seed=3).requires_grad_()
    strength = lattice_strength(images, periods=(2,), span=LEVELS)
    strength.backward()
    assert strength.item() == 0
    assert not images.grad.any()


def test_descent_removes_the_lattice_and_nothing_else():
    row = torch.arange(96)
    smooth = (
        128 + 60 * torch.sin(row[:, None] / 17) * torch.cos(row / 23) + noise(1, 3, 96, 96, sigma=2) - 128
    )
    lattice = 4 * checkerboard(96) + 3 * torch.cos(2 * torch.pi * (row[:, None] / 4 + row / 2))
    images = (smooth + lattice).requires_grad_()
    before = lattice_strength(images, span=LEVELS).item()
    optimiser = torch.optim.Adam([images], lr=0.2)
    for _ in range(50):
        optimiser.zero_grad()
        lattice_strength(images, span=LEVELS).backward()
        optimiser.step()
    after = lattice_strength(images, span=LEVELS).item()
    assert before == pytest.approx(5, abs=0.1)
    assert after < 0.05
    error = (images.detach() - smooth).square().mean()
    assert 10 * torch.log10(255**2 / error) > 50
    assert lattice.square().mean() > 500 * error


@pytest.mark.integration
def test_penalty_lowers_the_lattice_of_a_small_generator():
    codes, targets = _codes_and_targets()
    plain, penalised = (_trained(codes, targets, weight) for weight in (0.0, 0.001))
    assert lattice_strength(plain, span=(-1, 1)) > 0.5
    assert lattice_strength(penalised, span=(-1, 1)) < 0.05
    # It still learns the pictures, if somewhat slower.
    error = (plain - targets).square().mean()
    assert (penalised - targets).square().mean() < 1.2 * error < targets.var()


def _codes_and_targets():
    generator = torch.Generator().manual_seed(0)
    codes = torch.randn(8, 8, 4, 4, generator=generator)
    rough = torch.rand(8, 3, 8, 8, generator=generator) * 1.6 - 0.8
    return codes, torch.nn.functional.interpolate(rough, size=(32, 32), mode="bilinear")


def _trained(codes, targets, weight):
    torch.manual_seed(0)
    up = [torch.nn.ConvTranspose2d(a, b, 3, 2, 1, 1) for a, b in ((8, 32), (32, 24), (24, 3))]
    net = torch.nn.Sequential(up[0], torch.nn.ReLU(), up[1], torch.nn.ReLU(), up[2], torch.nn.Tanh())
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 60)
    for _ in range(60):
        output = net(codes)
        loss = (output - targets).square().mean() + weight * lattice_strength(output, span=(-1, 1))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return net(codes).detach()
