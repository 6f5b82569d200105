"""Local amplitudes, their fits and their curves against slow ones, and on lattices of known colour law."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.stats import t as student
from tests.oracles.brightness_naive import naive_errors, naive_left_out, naive_local

import released
from tiers import examples
from uncheck.measuring import brightness_dependence, find_lattice
from uncheck.measuring.colour.amplitudes import Windows, grid, local_amplitudes, local_means
from uncheck.measuring.colour.regression import curve, fit, variance
from uncheck.measuring.components import Component, Line

EXAMPLES = examples(5, 20, derandomize=True)
FREQUENCIES = [(0.5, 0.5), (0.5, 0.0), (0.25, 0.25), (0.2, 0.4), (0.0, 1 / 12), (0.5,), (0.25, 0.0, 0.5)]
SHAPE = (192, 208)
Y, X = np.indices(SHAPE)
CHECKS = (-1.0) ** (X + Y)


def line_at(frequency):
    period = tuple(Fraction(f).limit_denominator(64).denominator for f in frequency)
    real = all(f in (0, 0.5) for f in frequency)
    return Line(frequency, period, (1.0 + 0j,), real, 0.0)


def wave(frequency, shape, phase):
    grids = np.indices(shape)
    return np.cos(2 * np.pi * sum(f * n for f, n in zip(frequency, grids, strict=True)) + phase)


def coloured(seed, law, wave=CHECKS, noise=1.0):
    """Smooth colours with law(colours) * wave added: (picture, colours)."""
    rng = np.random.default_rng(seed)
    waves = [np.cos(X * a + Y * b + c) for a, b, c in rng.uniform(0.01, 0.04, (6, 3)) * (1, 1, 100)]
    colours = np.stack([128 + 40 * waves[2 * c] + 25 * waves[2 * c + 1] for c in range(3)], axis=-1)
    picture = colours + law(colours) * wave[..., None] + rng.normal(0, noise, (*SHAPE, 3))
    return picture.astype(np.float32), colours


def checks(picture):
    means = tuple(complex(m) for m in (picture * CHECKS[..., None]).mean(axis=(0, 1)))
    return Component((2, 2), 1.0, 0.0, lines=(Line((0.5, 0.5), (2, 2), means, True, 0.0),))


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_local_amplitudes_against_least_squares_window_by_window(frequency):
    shape = {1: (190,), 2: (50, 75), 3: (33, 32, 16)}[len(frequency)]
    plane = np.random.default_rng(1).normal(128, 30, shape).astype(np.float32)
    line = line_at(frequency)
    sizes = tuple(p * max(2, 16 // p) for p in line.period)
    counts = tuple(n // s for n, s in zip(shape, sizes, strict=True))
    slow = naive_local(plane, frequency, sizes)
    assert local_amplitudes(plane, line, Windows(sizes, counts)) == pytest.approx(slow, abs=2e-3)
    # A planted defect: the next frequency instead.
    off = naive_local(plane, tuple(f and f - 0.01 for f in frequency), sizes)
    assert np.abs(off - slow).max() > 1


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_a_line_on_shading_is_recovered_exactly(frequency):
    shape = {1: (256,), 2: (96, 120), 3: (32, 32, 32)}[len(frequency)]
    line = line_at(frequency)
    phase = 0.0 if line.real else 0.7
    shading = sum((n - 20) ** 2 / 50 + 3 * n for n in np.indices(shape))
    plane = (shading + 4 * wave(frequency, shape, phase)).astype(np.float32)
    windows = grid(shape, line.period)
    assert local_amplitudes(plane, line, windows) == pytest.approx(4 * np.exp(1j * phase), abs=5e-3)
    flat = (90 + 4 * wave(frequency, shape, phase)).astype(np.float32)
    assert local_means(flat, windows) == pytest.approx(90, abs=1e-3)


@EXAMPLES
@given(seed=st.integers(0, 10**6), rows=st.integers(2, 6), columns=st.integers(4, 8))
def test_fit_against_refitting_and_double_sums(seed, rows, columns):
    rng = np.random.default_rng(seed)
    regressors = rng.normal(100, 20, (rows * columns, 2))
    values = 3 + regressors @ [0.1, -0.2] + rng.normal(0, 1, rows * columns)
    found = fit(regressors, values, (rows, columns))
    assert found.left_out == pytest.approx(naive_left_out(regressors, values), abs=1e-6)
    assert found.errors == pytest.approx(naive_errors(regressors, values, (rows, columns)), rel=1e-6)


def test_oracle_of_errors_catches_neighbours_on_the_wrong_axis():
    rng = np.random.default_rng(7)
    shared = np.repeat(rng.normal(0, 1, (6, 1)), 8, axis=1).ravel()
    position, values = rng.normal(0, 1, (48, 1)), shared + rng.normal(0, 0.1, 48)
    found = fit(position, values, (6, 8))
    assert found.errors == pytest.approx(naive_errors(position, values, (6, 8)), rel=1e-6)
    assert naive_errors(position, values, (8, 6)) != pytest.approx(found.errors, rel=0.03)


def test_variance_counts_pairs_of_equal_windows_as_fewer():
    scores = np.repeat(np.random.default_rng(2).normal(0, 1, 400), 2)
    # Of a pair, 1 + 2/3 of the truth (2 per window) is seen; strangers add noise.
    assert variance(scores, (800,)) == pytest.approx(5 / 3 * (scores @ scores), rel=0.15)


def test_bins_are_means_of_equal_count_with_t_intervals():
    rng = np.random.default_rng(3)
    position, amplitude = rng.uniform(0, 50, 90), rng.normal(2, 1, 90)
    found = curve(position, amplitude, (90,))
    assert [one.windows for one in found.bins] == [15] * 6
    own = np.argsort(position)[:15]
    first, values = found.bins[0], amplitude[own]
    assert (first.position, first.amplitude) == pytest.approx((position[own].mean(), values.mean()))
    # Of scattered windows hardly two are neighbours: nearly the textbook interval, never shorter.
    half = student.ppf(0.975, 14) * values.std(ddof=1) / np.sqrt(15)
    assert half * 0.999 <= first.high - first.amplitude <= 1.5 * half
    assert first.amplitude - first.low == pytest.approx(first.high - first.amplitude)


def test_intervals_cover_in_white_and_in_neighbourly_noise():
    rng = np.random.default_rng(4)
    covered = {False: [], True: []}
    for _ in range(150):
        for alike in covered:
            noise = rng.normal(0, 1, (16, 25))
            if alike:
                noise[:, 1:] = (noise[:, 1:] + noise[:, :-1]) / np.sqrt(2)
            found = curve(np.arange(400.0), 1 + noise.ravel(), (16, 25))
            covered[alike] += [one.low <= 1 <= one.high for one in found.bins]
    assert np.mean(covered[False]) == pytest.approx(0.95, abs=0.03)
    assert np.mean(covered[True]) == pytest.approx(0.92, abs=0.04)


def test_constant_lattice_is_as_strong_at_all_distances():
    picture, _ = coloured(1, lambda colours: np.full(3, 4.0))
    found = brightness_dependence(picture, checks(picture)).by_distance
    assert all(one.amplitude == pytest.approx(4, abs=0.2) for one in found.bins)
    assert abs(found.slope) < 4 * found.slope_error


def test_lattice_about_the_mean_colour_shows_far_from_it_although_it_changes_sign():
    picture, _ = coloured(2, lambda colours: 0.1 * (colours - colours.mean(axis=(0, 1))))
    dependence = brightness_dependence(picture, checks(picture))
    found = dependence.by_distance
    assert found.slope > 5 * found.slope_error
    assert found.p_value < 1e-10
    assert found.bins[-1].amplitude > 3 * abs(found.bins[0].amplitude)
    signed = [one.amplitude for one in dependence.by_brightness.bins]
    assert min(signed) < -1 < 1 < max(signed)


def test_lattice_as_strong_as_the_distance_has_its_slope():
    def law(colours):
        return 0.08 * np.linalg.norm(colours - colours.mean(axis=(0, 1)), axis=-1, keepdims=True)

    picture, _ = coloured(3, law)
    found = brightness_dependence(picture, checks(picture)).by_distance
    assert found.slope == pytest.approx(0.08, abs=4 * found.slope_error + 2e-3)
    middle = found.bins[3]
    assert middle.amplitude == pytest.approx(0.08 * middle.position, rel=0.05)


def test_noise_alone_is_no_amplitude():
    ends = []
    for seed in range(30):
        picture, _ = coloured(seed, lambda colours: np.zeros(3), noise=3.0)
        bins = brightness_dependence(picture, checks(picture)).by_distance.bins
        ends += [bins[0].amplitude, bins[-1].amplitude]
    # Local amplitudes are about 0.3 levels of noise; their magnitudes would average 0.25.
    assert abs(np.mean(ends)) < 0.03


@EXAMPLES
@given(seed=st.integers(0, 10**6), offset=st.floats(-100, 100), channels=st.permutations(range(3)))
def test_negative_offset_and_order_of_channels(seed, offset, channels):
    picture, _ = coloured(seed, lambda colours: 0.05 * colours)
    once = brightness_dependence(picture, checks(picture))
    other = -picture[..., channels] + np.float32(offset)
    turned = brightness_dependence(other, checks(other))
    assert turned.by_distance.slope == pytest.approx(once.by_distance.slope, abs=1e-4)
    for a, b in zip(once.by_distance.bins, turned.by_distance.bins, strict=True):
        assert (b.position, b.amplitude) == pytest.approx((a.position, a.amplitude), abs=2e-3)
        assert (b.low, b.high, b.windows) == pytest.approx((a.low, a.high, a.windows), abs=2e-3)


def test_flat_pictures_have_one_bin_and_no_slope():
    array = (128 + 5 * CHECKS)[..., None].astype(np.float32)
    found = brightness_dependence(array, find_lattice(array).present[0]).by_distance
    assert len(found.bins) == 1
    assert (found.slope, found.slope_error, found.p_value) == (0.0, 0.0, 1.0)


def test_volumes_and_two_channels():
    rng = np.random.default_rng(5)
    grids = np.indices((48, 48, 48))
    volume = 128 + 20 * np.sin(grids[1] / 9) + 3 * (-1.0) ** grids.sum(axis=0) + rng.normal(0, 2, (48,) * 3)
    array = np.stack([volume, volume[::-1]], axis=-1).astype(np.float32)
    found = brightness_dependence(array, find_lattice(array).present[0])
    assert found.colour.opponent is None
    assert found.by_distance.bins[0].amplitude == pytest.approx(3, abs=0.3)


def test_intervals_cover_on_photographs():
    covered = []
    for seed, path in enumerate(released.photographs()):
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"), np.float32)
        phase = float(np.random.default_rng(seed).uniform(0, 2 * np.pi))
        pixels = pixels + 5 * wave((0.25, 0.25), pixels.shape[:2], phase)[..., None]
        line = Line((0.25, 0.25), (4, 4), (2.5 * np.exp(1j * phase),) * 3, False, 0.0)
        found = brightness_dependence(pixels.astype(np.float32), Component((4, 4), 5.0, 0.0, lines=(line,)))
        covered += [one.low <= 5 <= one.high for one in (*found.by_distance.bins, *found.by_brightness.bins)]
    assert len(covered) == 144
    assert np.mean(covered) == pytest.approx(0.95, abs=0.05)


def test_red_against_green_is_found_on_photographs_and_named():
    for path in released.photographs()[:4]:
        with Image.open(path) as image:
            # Smaller than the camera saw it: without the traces of its own mosaic.
            pixels = np.asarray(image.convert("RGB").resize((512, 341), Image.Resampling.LANCZOS), np.float32)
        checks = wave((0.5, 0.5), pixels.shape[:2], 0.0)[..., None]
        mixed = np.round(pixels + 0.5 * checks * [1, -1, 0]).astype(np.float32)
        (component,) = find_lattice(mixed).present
        luma, red_green, _ = brightness_dependence(mixed, component).colour.opponent
        assert red_green.amplitude == pytest.approx(np.sqrt(0.5), abs=0.05)
        assert luma.amplitude < 0.05
        assert not find_lattice(mixed.mean(axis=-1, keepdims=True)).present
