"""How a lattice follows brightness: slope, intercept and the colour at which it vanishes."""

import numpy as np
import pytest

from uncheck.errors import UncheckError
from uncheck.measuring import brightness_dependence, find_lattice, measure

SHAPE = (256, 256)
Y, X = np.indices(SHAPE)
CHECKS = (-1.0) ** (X + Y)
#: Brightness from 40 to 220, smooth, with soft noise.
RAMP = 40 + 180 * (0.6 * X + 0.4 * (1 - np.cos(Y / 40)) * 100) / (0.6 * 255 + 80)


def dependence(lattice, wave, seed):
    noise = np.random.default_rng(seed).normal(0, 2, SHAPE)
    array = (RAMP + lattice * wave + noise)[..., None].astype(np.float32)
    return brightness_dependence(array, find_lattice(array).present[0])


WAVES = {2: CHECKS, 4: np.cos(np.pi / 2 * X + 0.3), 5: np.cos(2 * np.pi / 5 * (X + Y) + 2.0)}


@pytest.mark.parametrize("period", WAVES)
def test_proportional_to_brightness(period):
    fit = dependence(0.05 * RAMP, WAVES[period], 1)
    assert max(fit.period) == period
    assert fit.slope == pytest.approx(0.05, abs=4 * fit.slope_error + 1e-3)
    assert fit.slope_error < 0.003
    assert fit.intercept == pytest.approx(0, abs=4 * fit.intercept_error + 0.1)
    assert fit.p_value < 1e-20


@pytest.mark.parametrize("period", WAVES)
def test_constant_lattice(period):
    fit = dependence(5.0, WAVES[period], 2)
    assert fit.slope == pytest.approx(0, abs=4 * fit.slope_error)
    assert fit.intercept == pytest.approx(5, abs=4 * fit.intercept_error)
    assert fit.p_value > 1e-4


def test_p_value_of_constant_lattices_is_uniform_enough():
    values = [dependence(5.0, CHECKS, 50 + seed).p_value for seed in range(30)]
    assert 0.2 < np.mean(values) < 0.8
    assert sum(p < 0.05 for p in values) <= 6


def test_sign_flip_at_the_mean_colour():
    fit = dependence(0.08 * (RAMP - 90), CHECKS, 3)
    assert abs(fit.slope) == pytest.approx(0.08, abs=4 * fit.slope_error + 1e-3)
    assert fit.zero_at == pytest.approx(90, abs=3)
    assert fit.p_value < 1e-20


def test_colour_slopes_name_the_channel_that_drives():
    rng = np.random.default_rng(5)
    blocks = rng.uniform(60, 200, (16, 16, 3)).repeat(16, axis=0).repeat(16, axis=1)
    array = blocks + 0.05 * blocks[..., :1] * CHECKS[..., None] + rng.normal(0, 1, (*SHAPE, 3))
    fit = brightness_dependence(array.astype(np.float32), find_lattice(array).present[0])
    assert fit.colour_slopes == pytest.approx((0.05, 0, 0), abs=0.003)
    assert fit.blocks == 256


def test_where_brightness_does_not_vary_there_is_no_slope():
    array = (128 + 5 * CHECKS)[..., None].astype(np.float32)
    fit = brightness_dependence(array, find_lattice(array).present[0])
    assert (fit.slope, fit.p_value, fit.zero_at) == (0.0, 1.0, None)
    assert fit.intercept == pytest.approx(5, abs=1e-3)


def test_too_few_windows():
    array = (np.random.default_rng(0).normal(128, 2, (32, 40)) + 9 * CHECKS[:32, :40])[..., None]
    component = find_lattice(array).present[0]
    with pytest.raises(UncheckError, match="needs eight windows of 16 x 16 pixels; the picture has 4"):
        brightness_dependence(array.astype(np.float32), component)
    assert measure(array, span=(0, 255)).images[0].brightness == ()


def test_to_dict_names_every_field():
    fit = dependence(5.0, CHECKS, 2)
    assert set(fit.to_dict()) == set(vars(fit))
