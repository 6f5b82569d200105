"""The measures that the calibration compares with do what is said of them, where they can."""

import numpy as np
import pytest
from baselines import (
    BASELINES,
    phase_locked_amplitude,
    phase_mean_variance,
    radial_excess,
    spectral_peak,
)
from inject import make_tile, repeat
from intervals import auc, crossing, crossing_with_interval, rate, wilson
from pictures import gamma, jpeg, noise, sharpened, treated
from scipy.stats import f_oneway


def white(seed=0, side=96):
    return np.random.default_rng(seed).normal(128, 10, (side, side))


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda b: b.name)
@pytest.mark.parametrize("period", [2, 4, 8])
def test_every_baseline_scores_a_strong_lattice_on_white_noise_above_none(baseline, period):
    tile = make_tile("cosine", (period, period), np.random.default_rng(1))
    plain = white()
    with_lattice = plain + 20 * repeat(tile, plain.shape)
    assert baseline.score(with_lattice, period) > max(baseline.threshold, baseline.score(plain, period))


@pytest.mark.parametrize("period", [2, 3, 4])
def test_the_phase_mean_variance_is_a_one_way_anova(period):
    plane = white(3)[: 96 // period * period, : 96 // period * period]
    groups = [plane[i::period, j::period].ravel() for i in range(period) for j in range(period)]
    assert phase_mean_variance(plane, period) == pytest.approx(-np.log10(f_oneway(*groups).pvalue), rel=1e-6)


@pytest.mark.parametrize("period", [2, 4, 5])
def test_the_phase_locked_amplitude_is_that_of_the_strongest_sinusoid(period):
    n = np.arange(40)
    wave = 3 * np.cos(2 * np.pi * n / period)
    assert phase_locked_amplitude(128 + np.tile(wave, (40, 1)), period) == pytest.approx(3, rel=1e-9)


def test_the_phase_locked_amplitude_does_not_count_harmonics():
    wave = 3 * np.cos(np.pi * np.arange(40))
    assert phase_locked_amplitude(np.tile(wave, (40, 1)), 4) == pytest.approx(0, abs=1e-9)


def test_the_radial_spectrum_of_white_noise_has_no_excess():
    assert abs(radial_excess(white(5, 256), 4)) < 1


def test_the_peak_of_white_noise_is_within_four_sigma():
    assert spectral_peak(white(5, 256), 4) < 4


def test_wilson_is_the_known_interval():
    low, high = wilson(10, 100)
    assert low == pytest.approx(0.0552, abs=5e-5)
    assert high == pytest.approx(0.1744, abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)
    assert rate(1, 4)["rate"] == 0.25


def test_crossing_interpolates_the_last_rise_above_the_level():
    assert crossing([1, 2, 4], [0.0, 0.8, 1.0]) == pytest.approx(2 * 2**0.5, rel=1e-9)
    assert crossing([1, 2, 4], [1.0, 0.8, 1.0]) == pytest.approx(2 * 2**0.5, rel=1e-9)
    assert crossing([1, 2], [1.0, 1.0]) == 1
    assert crossing([1, 2], [1.0, 0.8]) is None


def test_the_interval_of_the_crossing_is_none_where_it_may_not_be_reached():
    found = np.zeros((10, 1, 2), bool)
    found[:9, :, 1] = True
    outcome = crossing_with_interval([1.0, 2.0], found)
    assert outcome["at"] == 2.0
    assert outcome["interval"][1] is None


def test_auc_is_the_share_of_ordered_pairs():
    low, high = [0.0, 1.0, 2.0], [1.0, 3.0]
    pairs = [(a < b) + 0.5 * (a == b) for a in low for b in high]
    assert auc(low, high) == pytest.approx(np.mean(pairs), rel=1e-12)


def test_noise_has_the_spectrum_and_the_colours_asked_for():
    blue = noise(256, 1.0, 0.9, 4)[..., 0].astype(float)
    power = np.abs(np.fft.fft2(blue - blue.mean())) ** 2
    radius = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.fftfreq(256)[None, :])
    low, high = power[(radius > 0.1) & (radius < 0.12)], power[(radius > 0.4) & (radius < 0.42)]
    assert high.mean() / low.mean() == pytest.approx((0.41 / 0.11) ** 2, rel=0.15)
    flat = noise(128, 0.0, 0.9, 4).reshape(-1, 3).astype(float)
    assert np.corrcoef(flat.T)[0, 1] == pytest.approx(0.9, abs=0.03)


def test_treatments_do_what_they_are_called():
    pixels = noise(64, -1.0, 0.9, 2)
    made = dict(treated(pixels, 5))
    assert (made["original"] == pixels).all()
    taken = [64 - n for n in made["odd-cropped"].shape[:2]]
    assert all(1 <= t <= 7 for t in taken)
    assert (made["JPEG 75, cropped"] == jpeg(pixels, 75)[taken[0] :, taken[1] :]).all()
    assert gamma(np.array([0, 255, 128], np.uint8), 2.0).tolist() == [0, 255, 64]
    step = np.repeat(np.array([[100] * 32 + [150] * 32], np.uint8), 64, axis=0)
    assert sharpened(step, 100).max() > 160
