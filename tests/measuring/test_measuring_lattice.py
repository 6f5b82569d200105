"""Lattices put into noise are found, at their own period and strength, wherever they begin."""

import numpy as np
import pytest

from uncheck.measuring import find_lattice, synthesise
from uncheck.measuring.components import Component, Line


def noise(shape, channels, seed, sigma=4.0):
    return np.random.default_rng(seed).normal(128, sigma, (*shape, channels))


def wave(shape, frequency, phase):
    grid = np.indices(shape)
    return np.cos(2 * np.pi * sum(f * n for f, n in zip(frequency, grid, strict=True)) + phase)


def periods_of(lattice):
    return {int(np.lcm.reduce(c.period)) for c in (*lattice.present, *lattice.traces)}


@pytest.mark.parametrize("period", range(2, 17))
@pytest.mark.parametrize("shape", [(3000,), (128, 140)])
def test_amplitude_is_recovered_without_bias(shape, period):
    measured = []
    for trial in range(8):
        rng = np.random.default_rng(100 * period + trial)
        # At period 2 the phase of a real line is its sign.
        phase = rng.choice([0, np.pi]) if period == 2 else rng.uniform(0, 2 * np.pi)
        frequency = (1 / period,) + (0,) * (len(shape) - 1)
        lattice = find_lattice(noise(shape, 1, trial) + 5 * wave(shape, frequency, phase)[..., None])
        assert periods_of(lattice) == {period}
        assert lattice.present[0].period == (period,) + (1,) * (len(shape) - 1)
        measured.append(lattice.present[0].amplitude)
    # sigma / sqrt(pixels / 2), times the loss of efficiency of few tapers, is below 0.12 for one trial.
    assert np.mean(measured) == pytest.approx(5, abs=0.15)
    assert np.std(measured) < 0.25


@pytest.mark.parametrize(("period", "shape"), [(2, (24, 26, 28)), (3, (24, 26, 28)), (4, (24, 25, 28))])
def test_volumes(period, shape):
    phase = 0.0 if period == 2 else 1.1
    array = noise(shape, 1, 3) + 5 * wave(shape, (1 / period,) * 3, phase)[..., None]
    lattice = find_lattice(array)
    assert periods_of(lattice) == {period}
    assert lattice.present[0].period == (period,) * 3
    assert lattice.present[0].amplitude == pytest.approx(5, abs=0.3)


@pytest.mark.parametrize("strength", [1.0, 60.0])
@pytest.mark.parametrize("period", [2, 3, 4, 5, 7, 8, 12, 16])
def test_one_period_is_never_taken_for_another(period, strength):
    rng = np.random.default_rng(period)
    shape = (128, 128)
    fx, fy = rng.integers(1, period, 2) / period if period > 2 else (0.5, 0.5)
    fx = 1 / period  # the component must not reduce to a shorter period
    array = noise(shape, 1, period, 2.0) + strength * wave(shape, (fx, fy), 0.0)[..., None]
    assert periods_of(find_lattice(array)) == {period}


@pytest.mark.parametrize("offset", [(0, 0), (1, 0), (0, 1), (3, 5), (7, 2)])
def test_crop_offset_does_not_matter(offset):
    tile = np.random.default_rng(2).normal(0, 4, (4, 4))
    tile -= tile.mean()
    whole = noise((140, 150), 3, 1) + np.tile(tile, (35, 38))[:, :150, None]
    reference, crop = (
        find_lattice(whole[:128, :128]),
        find_lattice(whole[offset[0] :, offset[1] :][:128, :128]),
    )
    assert [c.period for c in crop.present] == [c.period for c in reference.present]
    for ours, theirs in zip(crop.present, reference.present, strict=True):
        assert ours.amplitude == pytest.approx(theirs.amplitude, rel=0.1, abs=0.1)


def test_checkerboard_stripes_and_tile():
    y, x = np.indices((96, 80))
    checks = find_lattice(noise((96, 80), 1, 1) + 2 * ((-1.0) ** (x + y))[..., None])
    assert [c.period for c in checks.present] == [(2, 2)]
    assert checks.present[0].amplitude == pytest.approx(2, abs=0.3)
    assert checks.present[0].lines[0].frequency == (0.5, 0.5)
    stripes = find_lattice(noise((96, 80), 1, 1) + 2 * np.cos(2 * np.pi * x / 5)[..., None])
    assert [c.period for c in stripes.present] == [(1, 5)]
    upright = find_lattice(noise((96, 80), 1, 1) + 2 * np.cos(2 * np.pi * y / 5)[..., None])
    assert [c.period for c in upright.present] == [(5, 1)]
    both = np.cos(2 * np.pi * x / 3) + np.cos(2 * np.pi * y / 2)
    assert {c.period for c in find_lattice(noise((96, 80), 1, 1) + 3 * both[..., None]).present} == {
        (1, 3),
        (2, 1),
    }


def test_colour_only_lattice_is_found():
    y, x = np.indices((64, 64))
    opposite = (-1.0) ** (x + y)[..., None] * np.array([1.5, -1.5, 0])
    brightness = np.random.default_rng(4).normal(128, 20, (64, 64, 1))
    lattice = find_lattice(brightness + noise((64, 64), 3, 4, 1.0) - 128 + opposite)
    (component,) = lattice.present
    assert component.period == (2, 2)
    assert component.p_value < 1e-10
    # The joint test sees what the channels alone, under noise 13 times as strong, cannot.
    assert min(component.channel_p_values) > component.p_value
    red, green, _ = component.lines[0].mean
    assert (red - green).real == pytest.approx(3, abs=0.5)


def test_short_axis_is_tested_for_what_fits():
    x = np.arange(200)
    lattice = find_lattice(noise((4, 200), 1, 1) + 5 * np.cos(2 * np.pi * x / 10)[None, :, None])
    assert [c.period for c in lattice.present] == [(1, 10)]
    assert lattice.not_tested == ()


@pytest.mark.parametrize("period", [2, 3, 4, 5, 6, 7, 8, 12, 16])
def test_exact_patterns_without_noise(period):
    tile = np.random.default_rng(period).integers(0, 256, (period, period))
    shape = (16 * period, 12 * period)
    pattern = np.tile(tile, (16, 12))[..., None].astype(float)
    lattice = find_lattice(pattern)
    assert max(lattice.present, key=lambda c: np.lcm.reduce(c.period)).period == (period, period)
    for component in lattice.present:
        assert period % np.lcm.reduce(component.period) == 0, "only the pattern's own harmonics"
        assert 0 <= component.p_value < 1e-12
    rest = pattern - pattern.mean() - sum(synthesise(c, (*shape, 1)) for c in lattice.present)
    assert np.abs(rest).max() < 0.02 * np.abs(tile - tile.mean()).max()


def test_a_huge_lattice_does_not_hide_a_weak_one():
    y, x = np.indices((128, 128))
    huge = 100 * (-1.0) ** (x + y) + 1.0 * np.cos(2 * np.pi * x / 3 + 0.4)
    lattice = find_lattice(noise((128, 128), 1, 1, 2.0) + huge[..., None])
    assert [c.period for c in lattice.present] == [(2, 2), (1, 3)]
    assert lattice.present[1].amplitude == pytest.approx(1, abs=0.1)


def test_synthesise_is_the_sum_of_its_lines():
    lines = (
        Line((1 / 3, 0.5), (3, 2), (1 + 2j, 0.5j), False, 0.0),
        Line((0.0, 0.5), (1, 2), (1.0, -2.0), True, 0.0),
    )
    made = synthesise(Component((3, 2), 1.0, 0.0, lines=lines), (7, 10, 2))
    y, x = np.indices((7, 10))
    turn = np.exp(2j * np.pi * (y / 3 + x / 2))
    for channel, (first, second) in enumerate([(1 + 2j, 1.0), (0.5j, -2.0)]):
        expected = 2 * (first * turn).real + second * (-1.0) ** x
        np.testing.assert_allclose(made[..., channel], expected, atol=1e-5)


def test_amplitude_sums_squares_in_the_strongest_channel():
    lines = (Line((0.25, 0.0), (4, 1), (3j, 1), False, 0.0), Line((0.0, 0.5), (1, 2), (8, 0), True, 0.0))
    assert lines[0].amplitudes == (6, 2)
    assert lines[1].amplitudes == (8, 0)
