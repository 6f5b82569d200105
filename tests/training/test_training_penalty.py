import pytest
import torch
from torch import nn

from uncheck.errors import UncheckError
from uncheck.training import lattice_penalty, lattice_strength

LEVELS = (0.0, 255.0)


def pictures(amplitude, count=8, size=48, seed=0):
    generator = torch.Generator().manual_seed(seed)
    row = torch.arange(size)
    noise = torch.randn(count, 3, size, size, generator=generator)
    return 128 + noise + amplitude * (-1.0) ** (row[:, None] + row)


def gradient(images, penalty, **options):
    images = images.clone().requires_grad_()
    penalty(images, span=LEVELS, **options).backward()
    return images.grad.norm().item()


@pytest.mark.parametrize("knee", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("amplitude", [0.5, 3.0, 20.0])
def test_is_a_rounded_strength(amplitude, knee):
    images = pictures(amplitude)
    strength = lattice_strength(images, span=LEVELS, together=True).item()
    expected = (strength**2 + knee**2) ** 0.5 - knee
    found = lattice_penalty(images, span=LEVELS, knee=knee).item()
    assert found == pytest.approx(expected, rel=1e-2)
    assert abs(strength - amplitude) < 0.05 * amplitude


def test_its_gradient_shrinks_with_the_lattice_and_stays_below_one_level():
    small, half, large, larger = (gradient(pictures(a), lattice_penalty) for a in (0.2, 0.1, 20, 40))
    assert small / half == pytest.approx(2, rel=0.1)
    assert large / larger == pytest.approx(1, rel=0.01)
    assert large > 4 * small
    # That of the strength does not: the reason for a penalty of its own.
    full = [gradient(pictures(a), lattice_strength, together=True) for a in (0.2, 0.1)]
    assert full[0] / full[1] == pytest.approx(1, rel=0.1)


def test_zero_without_a_lattice():
    assert lattice_penalty(pictures(0.0), span=LEVELS).item() < 1e-3
    assert gradient(pictures(0.0, seed=1), lattice_penalty) < 0.1 * gradient(pictures(0.2), lattice_penalty)


def test_single_images():
    images = pictures(4.0) - 128
    images[1::2] *= -1  # the common part is gone
    assert lattice_penalty(images, span=LEVELS).item() < 0.05
    assert lattice_penalty(images, span=LEVELS, together=False).item() == pytest.approx(17**0.5 - 1, rel=0.05)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 0.02), (torch.float16, 0.005)])
def test_half_precision_and_autocast(dtype, tolerance):
    images = pictures(3.0) - 128
    full = lattice_penalty(images, span=LEVELS).item()
    assert lattice_penalty(images.to(dtype), span=LEVELS).item() == pytest.approx(full, rel=tolerance)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert lattice_penalty(images, span=LEVELS).item() == pytest.approx(full, rel=1e-6)


@pytest.mark.parametrize("shape", [(4, 2, 256), (4, 1, 16, 16, 16)])
def test_other_dimensions(shape):
    pattern = (-1.0) ** torch.arange(shape[-1])
    images = torch.randn(shape) + 8 * pattern
    assert lattice_penalty(images, span=LEVELS, periods=(2,)).item() == pytest.approx(65**0.5 - 1, rel=0.1)


def test_errors():
    with pytest.raises(UncheckError, match="knee must be above 0 grey levels, not 0"):
        lattice_penalty(pictures(1.0), knee=0)
    with pytest.raises(UncheckError, match="cannot be measured"):
        lattice_penalty(torch.zeros(3, 3))


def train(weight, steps=120):
    """A decoder with uneven overlap learns smooth waves; error and strength on codes it has not seen."""
    torch.manual_seed(0)
    decoder = nn.Sequential(
        nn.ConvTranspose2d(2, 16, 3, 2, 1, 1), nn.ReLU(), nn.ConvTranspose2d(16, 1, 3, 2, 1, 1)
    )
    optimizer = torch.optim.Adam(decoder.parameters(), 3e-3)
    place = torch.arange(64.0)

    def batch(seed):
        generator = torch.Generator().manual_seed(seed)
        pitch = 0.1 + 0.15 * torch.rand(16, 1, 1, 1, generator=generator)
        wave = 0.4 * torch.sin(pitch * place[:, None]) * torch.cos(pitch * place) + 0.5
        return torch.cat([wave[..., ::4, ::4], torch.ones(16, 1, 16, 16)], 1), wave

    for step in range(steps):
        codes, wave = batch(step)
        output = decoder(codes)
        loss = (output - wave).square().mean()
        if weight:
            loss = loss + weight * lattice_penalty(output, span=(0, 1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        codes, wave = batch(10**6)
        output = decoder(codes)
    error = (output - wave).square().mean().item()
    return error, lattice_strength(output, span=(0, 1), together=True).item()


@pytest.mark.integration
def test_training_with_it_leaves_less_lattice_and_no_more_error():
    error, strength = train(0.0)
    cured_error, cured_strength = train(1e-4)  # 5 % of the loss
    assert strength > 2
    assert cured_strength < strength / 3
    assert cured_error < 1.1 * error
