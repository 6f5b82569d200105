"""The test inside a mask: against generalised least squares, its calibration, and amplitudes undiluted."""

import numpy as np
import pytest
from scipy.stats import kstest

from oracles.measuring_naive import naive_products
from oracles.support_naive import naive_masked_line
from tiers import cases
from uncheck.measuring.eigenspectra import eigenspectra
from uncheck.measuring.frequencies import plan
from uncheck.measuring.harmonic import line_test
from uncheck.measuring.lattice import find_lattice
from uncheck.measuring.support import LEAST_INSIDE, Support
from uncheck.signals.masks import filled

WIDE = {1: (13.0, 24), 2: (3.0, 5), 3: (2.0, 3)}
MASKS = [
    ((300,), [WIDE[1]], (2, 5)),
    ((32, 40), [WIDE[2]] * 2, (2, 3, 4)),
    ((33, 27), [WIDE[2]] * 2, (2, 5)),
]


def disc(shape):
    grid = np.indices(shape)
    away = sum(((g - (n - 1) / 2) / n) ** 2 for g, n in zip(grid, shape, strict=True))
    return away < 0.24


def lines_inside(array, mask, periods):
    scheme = plan(array.shape[:-1], periods)
    support = Support(mask.astype(np.float32))
    spectra, sums = support.restricted(eigenspectra(array[None], scheme), scheme)
    return scheme, line_test(spectra, sums, scheme.real)[0]


def masked_sums(mask):
    return np.array([[(u * mask).sum() for u in naive_products(mask.shape, [WIDE[2]] * 2)]])


def noise(shape, channels, seed, mask):
    return (np.random.default_rng(seed).normal(size=(*shape, channels)) * mask[..., None]).astype(np.float32)


def checkerboard(shape):
    return (-1.0) ** np.indices(shape).sum(axis=0)


def differences(array, mask, assumed, periods, windows):
    """The largest relative difference of mu and F, between the test with `assumed` and the oracle."""
    scheme, lines = lines_inside(array, assumed, periods)
    worst = 0.0
    for i in range(0, len(scheme.frequencies), max(1, len(scheme.frequencies) // 5)):
        frequency = scheme.frequencies[i]
        mu, _, p = naive_masked_line(array, mask, frequency, windows, LEAST_INSIDE)
        worst = max(worst, *(np.abs(lines.mean[i] - mu) / np.abs(mu)), *np.abs(lines.p_channel[i] / p - 1))
    return worst


@pytest.mark.parametrize(("shape", "windows", "periods"), MASKS)
def test_agrees_with_generalised_least_squares(shape, windows, periods):
    mask = disc(shape)
    array = noise(shape, 2, 3, mask)
    assert differences(array, mask, mask, periods, windows) < 2e-3


@pytest.mark.parametrize(("shape", "windows", "periods"), MASKS)
def test_the_oracle_sees_a_mask_off_by_some_pixels(shape, windows, periods):
    mask = disc(shape)
    array = noise(shape, 2, 3, mask)
    assert differences(array, mask, np.roll(mask, 3, axis=-1), periods, windows) > 0.05


def test_all_measured_is_the_test_without_a_mask():
    array = noise((40, 44), 3, 4, np.ones((40, 44), bool))
    scheme, inside = lines_inside(array, np.ones((40, 44), bool), (2, 3, 4))
    plain = line_test(eigenspectra(array[None], scheme), scheme.sums, scheme.real)[0]
    np.testing.assert_allclose(inside.p_joint, plain.p_joint, rtol=1e-3)
    np.testing.assert_allclose(inside.mean, plain.mean, atol=1e-5)
    assert (inside.tapers == plain.tapers).all()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("seed", cases([0], range(1, 4)))
def test_p_values_are_uniform_inside_a_mask(channels, seed):
    # An ell: the noise of the tapers differs most.
    shape = (36, 36)
    mask = np.zeros(shape, bool)
    mask[:, :10] = mask[26:] = True
    rng = np.random.default_rng(seed)
    scheme, support, planted = plan(shape, (2, 3)), Support(mask.astype(np.float32)), masked_sums(mask)
    arrays = (rng.normal(size=(800, *shape, channels)) * mask[..., None]).astype(np.float32)
    spectra = eigenspectra(arrays, scheme)
    inside, sums = support.restricted(spectra, scheme)
    found = [one.p_joint[0] for one in line_test(inside, sums, scheme.real)]
    # Planted: masked sums, but noise as if it were everywhere.
    naive = [one.p_joint[0] for one in line_test(spectra, planted, scheme.real)]
    assert kstest(found, "uniform").pvalue > 1e-3
    assert kstest(naive, "uniform").pvalue < 1e-3


@pytest.mark.parametrize("signed", [False, True])
def test_amplitudes_are_those_inside(signed):
    rng = np.random.default_rng(5)
    shape = (96, 110)
    mask = disc(shape)
    mask[:50, :40] = False
    content = 120 + 20 * np.sin(np.arange(shape[0]) / 9)[:, None] + rng.normal(0, 2, shape)
    pattern = 3.0 * checkerboard(shape)
    if signed:
        # With as much on either side of the mean inside.
        pattern = pattern * np.sign(content - np.median(content[mask]))
    array = filled((content + pattern)[..., None].astype(np.float32), mask)
    support = Support(mask.astype(np.float32))
    found = find_lattice(array, signed=True, support=support, limits=True)
    assert [c.period for c in found.present] == [(2, 2)]
    assert found.present[0].signed == signed
    assert found.present[0].amplitude == pytest.approx(3.0, rel=0.25 if signed else 0.03)
    # Of the whole array it is diluted.
    if not signed:
        assert find_lattice(array).present[0].amplitude < 2.6


def test_what_was_found_is_taken_out_inside_alone():
    # Two periods: the weaker one is judged after the stronger one is gone.
    rng = np.random.default_rng(6)
    shape = (128, 128)
    mask = disc(shape)
    x = np.arange(shape[1])
    both = 8 * checkerboard(shape) + np.sqrt(2) * np.cos(2 * np.pi * x / 8)
    array = filled((100 + both + rng.normal(0, 1, shape))[..., None].astype(np.float32), mask)
    found = find_lattice(array, support=Support(mask.astype(np.float32)))
    assert {c.period: round(c.amplitude, 1) for c in found.present} == {(2, 2): 8.0, (1, 8): 1.4}


def test_limits_hold_inside():
    rng = np.random.default_rng(7)
    shape = (80, 80)
    mask = disc(shape)
    array = filled(rng.normal(100, 4, (*shape, 1)).astype(np.float32), mask)
    support = Support(mask.astype(np.float32))
    (limit,) = find_lattice(array, periods=[2], support=support, limits=True).limits
    tile = rng.normal(size=(40, 2, 2))
    tile -= tile.mean(axis=(1, 2), keepdims=True)
    power = (np.abs(np.fft.fft2(tile)) / 4) ** 2
    tile /= np.sqrt(power.sum(axis=(1, 2)))[:, None, None]

    def rate(level):
        made = (array + mask[..., None] * level * np.tile(one, (40, 40))[..., None] for one in tile)
        return np.mean([bool(find_lattice(a, periods=[2], support=support).everything) for a in made])

    assert rate(1.2 * limit.amplitude) > 0.9
    assert rate(0.5 * limit.amplitude) < 0.8


def test_a_mask_of_a_volume_or_a_sound():
    rng = np.random.default_rng(8)
    shape = (12, 30, 32)
    mask = np.ones(shape, bool)
    mask[:, :, 20:] = False
    mask[:6, :10] = False
    values = rng.normal(100, 2, (*shape, 1)) + 4 * checkerboard(shape)[..., None]
    array = filled(values.astype(np.float32), mask)
    found = find_lattice(array, periods=[2, 3, 4], support=Support(mask.astype(np.float32)))
    assert found.present[0].period == (2, 2, 2)
    assert found.present[0].amplitude == pytest.approx(4, rel=0.05)


def test_few_samples_make_no_lattice_of_noise():
    rng = np.random.default_rng(9)
    mask = np.zeros((64, 64), bool)
    mask[20:24, 20:24] = True
    alarms = 0
    for _ in range(20):
        array = filled(rng.normal(100, 9, (64, 64, 1)).astype(np.float32), mask)
        alarms += bool(find_lattice(array, support=Support(mask.astype(np.float32))).everything)
    assert alarms <= 1
