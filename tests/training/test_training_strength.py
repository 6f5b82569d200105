import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import released
import uncheck
from oracles.training_naive import naive_lines, naive_strength
from tiers import examples
from uncheck.errors import UncheckError
from uncheck.measuring.frequencies import plan
from uncheck.measuring.tapers import COUNT, HALF_BANDWIDTH
from uncheck.training import lattice_strength
from uncheck.training.images import grey_levels
from uncheck.training.strength import line_powers, norm, shrunk

LEVELS = (0.0, 255.0)


def noise(*shape, seed=0, sigma=20.0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(*shape, generator=generator, dtype=torch.float64) * sigma + 128).to(dtype)


def windows_of(shape):
    """Half-bandwidth and count of the tapers of each axis: along a short lone axis they are narrower."""
    ndim = len(shape)
    widths = [min(HALF_BANDWIDTH[1], max(3.0, n / 16)) if ndim == 1 else HALF_BANDWIDTH[ndim] for n in shape]
    return [(width, round(COUNT[ndim] * width / HALF_BANDWIDTH[ndim])) for width in widths]


def checkerboard(height, width):
    i, j = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (-1.0) ** (i + j)


@pytest.mark.parametrize("debias", [True, False])
@pytest.mark.parametrize(("shape", "periods"), [((240,), (2, 3)), ((60, 52), (2, 4)), ((24, 22, 26), (2,))])
def test_equals_the_slow_way(shape, periods, debias):
    images = noise(2, 2, *shape, dtype=torch.float64)
    wave = torch.cos(torch.pi * torch.arange(shape[-1])) * torch.tensor([2.0, 15.0])[:, None, None]
    images[:, 0] += wave.reshape(2, *[1] * (len(shape) - 1), -1)
    arrays = images.movedim(1, -1).numpy()
    slow = [naive_strength(a, periods, windows_of, debias) for a in arrays]
    fast = lattice_strength(images, periods=periods, span=LEVELS, reduction="none", debias=debias)
    assert fast.numpy() == pytest.approx(slow, rel=1e-5)
    assert slow[1] > 3


def test_planted_defects_show_against_the_slow_way():
    image = noise(1, 2, 60, 52, dtype=torch.float64)
    image[:, 0] += 6 * torch.cos(torch.pi * torch.arange(52) / 2)
    right = naive_strength(image[0].movedim(0, -1).numpy(), (2, 4), windows_of, True)
    scheme = plan((60, 52), (2, 4))
    power, spread = line_powers(grey_levels(image, LEVELS), scheme, False)
    assert norm(shrunk(power, spread)).item() == pytest.approx(right, rel=1e-5)
    unequal = torch.tensor(np.where(scheme.real, 1.0, 0.25))
    assert abs(norm(shrunk(power * unequal, spread * unequal)).item() - right) > 1, "factor of two lost"
    assert abs(norm(shrunk(power, 4 * spread)).item() - right) > 0.1, "noise twice too high"
    assert abs(2**0.5 * norm(shrunk(power, spread)).item() - right) > 1, "sum over channels"


def test_lines_are_those_of_the_plan():
    for shape, periods in [((64, 64), (2, 4, 8)), ((300,), (2, 3, 6)), ((32, 32, 32), (2, 3))]:
        assert len(naive_lines(shape, periods)) == len(plan(shape, periods).frequencies)


@pytest.mark.parametrize(("period", "amplitude"), [(2, 1.0), (2, 4.0), (4, 3.0), (8, 4.0)])
def test_agrees_with_measure(period, amplitude):
    grey = noise(1, 1, 192, 160, sigma=8.0)
    wave = torch.cos(2 * torch.pi * (torch.arange(192)[:, None] + torch.arange(160)) / period + 0.4)
    peak = amplitude / abs(np.cos(0.4)) if period == 2 else amplitude
    images = (grey + peak * wave).expand(1, 3, -1, -1)
    found = uncheck.measure(images[0].numpy(), periods=(2, 4, 8), span=LEVELS).images[0].strength
    strength = lattice_strength(images, span=LEVELS).item()
    assert strength == pytest.approx(found, rel=0.03)
    assert strength == pytest.approx(amplitude, abs=0.15)


@pytest.mark.parametrize("shape", [(960,), (96, 128), (32, 24, 28)])
def test_noise_scores_about_zero(shape):
    images = noise(24, 3, *shape)
    strength = lattice_strength(images, periods=(2, 4), span=LEVELS, reduction="none")
    chance = lattice_strength(images, periods=(2, 4), span=LEVELS, reduction="none", debias=False)
    assert strength.mean() < 0.05 * chance.mean()
    # Without debiasing it is what chance gives: both estimates of it have the same mean.
    power, spread = line_powers(grey_levels(images, LEVELS), plan(shape, (2, 4)), False)
    assert power.mean().item() == pytest.approx(spread.mean().item(), rel=0.1)


def test_photographs_score_what_cameras_leave():
    for path in released.photographs()[::3]:
        image = torch.tensor(released.read(path)).movedim(-1, 0)[None].float()
        # Off the axes, where photographs have least of their own.
        diagonal = torch.arange(image.shape[2])[:, None] + torch.arange(image.shape[3])
        wave = torch.cos(torch.pi * (diagonal / 2 + 0.1))
        clean = lattice_strength(image, span=LEVELS).item()
        assert clean < 0.2
        assert clean < 0.6 * lattice_strength(image, span=LEVELS, debias=False).item()
        assert lattice_strength(image + 2 * wave, span=LEVELS).item() == pytest.approx(2, abs=0.1)


def test_one_channel_of_three_counts_a_third_of_the_power():
    images = noise(1, 3, 64, 64, sigma=2.0)
    images[:, 1] += 9 * checkerboard(64, 64)
    assert lattice_strength(images, span=LEVELS).item() == pytest.approx(9 / 3**0.5, rel=0.03)


def test_together_is_the_strength_of_the_mean_image():
    images = noise(16, 2, 64, 64) + 0.8 * checkerboard(64, 64)
    shared = lattice_strength(images, span=LEVELS, together=True)
    mean = lattice_strength(images.mean(dim=0, keepdim=True), span=LEVELS)
    assert shared.item() == pytest.approx(mean.item(), rel=1e-4)
    assert shared.item() == pytest.approx(0.8, abs=0.25)
    assert lattice_strength(images, span=LEVELS).item() < 0.4 * shared.item()
    assert lattice_strength(images, span=LEVELS, reduction="none", together=True).shape == (1,)
    signs = torch.tensor([1.0, -1.0]).repeat(8)[:, None, None, None]
    opposed = noise(16, 2, 64, 64) + signs * 9 * checkerboard(64, 64)
    assert lattice_strength(opposed, span=LEVELS, together=True).item() < 0.2
    assert lattice_strength(opposed, span=LEVELS).item() == pytest.approx(9, abs=0.3)


def test_reductions():
    images = noise(3, 1, 64, 64) + torch.tensor([0.0, 5.0, 9.0])[:, None, None, None] * checkerboard(64, 64)
    each = lattice_strength(images, span=LEVELS, reduction="none")
    assert each.shape == (3,)
    assert lattice_strength(images, span=LEVELS).item() == pytest.approx(each.mean().item(), rel=1e-6)
    total = lattice_strength(images, span=LEVELS, reduction="sum").item()
    assert total == pytest.approx(each.sum().item(), rel=1e-6)


def test_units_are_those_of_measure():
    levels = (noise(2, 3, 64, 64) + 8 * checkerboard(64, 64)).round().clamp(0, 255)
    expected = lattice_strength(levels, span=LEVELS).item()
    for images in (levels.byte(), levels.byte().numpy(), levels / 255, levels / 127.5 - 1, levels):
        assert lattice_strength(images).item() == pytest.approx(expected, rel=1e-4)
    assert lattice_strength(levels / 255, span=(0, 2)).item() == pytest.approx(expected / 2, rel=0.01)


@examples(10, 50)
@given(scale=st.floats(0.5, 2), shift=st.floats(-100, 100), seed=st.integers(0, 99))
def test_scales_with_contrast_and_ignores_brightness(scale, shift, seed):
    images = noise(1, 2, 40, 44, seed=seed, dtype=torch.float64) + 6 * checkerboard(40, 44)
    moved = torch.tensor([shift, -shift], dtype=torch.float64)[:, None, None]
    one = lattice_strength(images, span=LEVELS).item()
    two = lattice_strength(images * scale + moved, span=LEVELS).item()
    assert two == pytest.approx(scale * one, abs=2e-3)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.bfloat16, 0.02), (torch.float16, 0.005), (torch.float64, 1e-5)]
)
def test_types_and_autocast(dtype, tolerance):
    images = noise(2, 3, 64, 64) / 255 + 0.02 * checkerboard(64, 64)
    expected = lattice_strength(images, span=(0, 1)).item()
    given_images = images.to(dtype).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        strength = lattice_strength(given_images, span=(0, 1))
    strength.backward()
    assert strength.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert strength.item() == pytest.approx(expected, rel=tolerance)
    assert given_images.grad.dtype == dtype
    assert given_images.grad.isfinite().all()


def test_nan_stays_nan_where_the_range_is_given():
    images = noise(2, 1, 32, 32)
    images[1, 0, 3, 3] = torch.nan
    strength = lattice_strength(images, periods=(2,), span=LEVELS, reduction="none")
    assert strength.isnan().tolist() == [False, True]


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (
            torch.zeros(5, 5),
            {},
            "images of shape (5, 5) and type torch.float32 cannot be measured; give real numbers of shape "
            "(N, C, n), (N, C, H, W) or (N, C, D, H, W)",
        ),
        (
            torch.zeros(3, 64, 64),
            {},
            "images of shape (3, 64, 64) would be 3 signals of 64 channels; give a picture as (1, C, H, W), "
            "and signals of so many channels as (N * C, 1, n)",
        ),
        (
            torch.zeros(1, 3, 6, 5),
            {"periods": (8, 16), "span": (0, 1)},
            "images of 6 x 5 pixels are too small for periods 8, 16; give larger images or shorter periods",
        ),
        (
            torch.zeros(1, 1, 32, 32),
            {"reduction": "max"},
            'reduction \'max\' is not known; give "mean", "sum"',
        ),
        (torch.zeros(1, 1, 32, 32), {"span": (1, 1)}, "range 1,1 is empty; give the lowest value first"),
        (torch.zeros(1, 1, 32, 32), {"periods": (1,)}, "period 1 cannot be tested"),
        (
            torch.full((1, 1, 32, 32), torch.inf),
            {},
            "the range of the images cannot be inferred, for some of their values are NaN or infinite; "
            "mask them, or give span",
        ),
    ],
)
def test_errors(images, options, message):
    with pytest.raises(UncheckError) as error:
        lattice_strength(images, **options)
    assert str(error.value).startswith(message)
