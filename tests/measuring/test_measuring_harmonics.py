"""Harmonics are laid to their fundamental, unless they stand on their own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import released
from oracles.measuring_naive import naive_spectrum
from tiers import examples
from uncheck.measuring import find_lattice, measure, synthesise
from uncheck.measuring.checks import attribute_harmonics
from uncheck.measuring.components import Lattice
from uncheck.measuring.eigenspectra import eigencoefficients

SHAPE = (256, 272)


def content(seed, channels=1):
    f = np.hypot(np.fft.fftfreq(SHAPE[0])[:, None], np.fft.rfftfreq(SHAPE[1])[None])
    f[0, 0] = 1
    white = np.random.default_rng(seed).normal(size=(channels, *SHAPE))
    values = np.fft.irfft2(np.fft.rfft2(white) / f, s=SHAPE)
    return np.moveaxis(128 + 30 * values / values.std(), 0, -1).astype(np.float32)


def scaled(values, amplitude):
    """A tile scaled so that its sinusoids have `amplitude` together, by the convention for real lines."""
    values = values - values.mean()
    power = np.abs(np.fft.fft2(values) / values.size) ** 2
    half = np.ix_(*[[0, p // 2] if p % 2 == 0 else [0] for p in values.shape])
    return values * amplitude / np.sqrt(2 * power.sum() - power[half].sum())


def laid(tile, shape=SHAPE):
    repeats = [-(-n // p) for n, p in zip(shape, tile.shape, strict=True)]
    return np.tile(tile, repeats)[: shape[0], : shape[1], None].astype(np.float32)


def only(period, without, seed, amplitude):
    """A random tile of a period, without the lines of a shorter one."""
    values = np.random.default_rng(seed).normal(size=(period, period))
    spectrum = np.fft.fft2(values)
    spectrum[:: period // without, :: period // without] = 0
    return scaled(np.fft.ifft2(spectrum).real, amplitude)


def merged(array, **options):
    return attribute_harmonics(array, find_lattice(array, **options))


@pytest.mark.parametrize("period", [4, 6, 8, 9, 12])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_random_tile_is_one_component(period, seed):
    tile = scaled(np.random.default_rng(seed).normal(size=(period, period)), 8)
    array = content(seed) + laid(tile)
    (component,) = merged(array).present
    assert component.period == (period, period)
    assert component.amplitude == pytest.approx(8, rel=0.15)
    before = find_lattice(array).present
    assert len(before) > 1
    assert {p for p, _ in component.harmonics} == {c.period for c in before} - {(period, period)}
    # What was found is kept, line by line.
    assert len(component.lines) == sum(len(c.lines) for c in before)
    assert component.p_value == min(c.p_value for c in before)
    apart = sum(synthesise(c, array.shape) for c in before)
    np.testing.assert_allclose(synthesise(component, array.shape), apart, atol=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_stronger_harmonic_stands_on_its_own(channels):
    array = content(1, channels) + laid(scaled(np.array([[1.0, -1], [-1, 1]]), 4)) + laid(only(4, 2, 1, 2))
    assert [c.period for c in merged(array).present] == [(2, 2), (4, 4)]
    for component, amplitude in zip(merged(array).present, (4, 2), strict=True):
        assert component.amplitude == pytest.approx(amplitude, rel=0.15)
        assert component.harmonics == ()


def test_a_weaker_harmonic_of_the_same_envelope_is_merged():
    array = content(1) + laid(scaled(np.array([[1.0, -1], [-1, 1]]), 2)) + laid(only(4, 2, 1, 4))
    (component,) = merged(array).present
    assert component.period == (4, 4)
    assert component.amplitude == pytest.approx(np.hypot(2, 4), rel=0.1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_harmonic_of_another_envelope_stands_on_its_own(seed):
    x = np.arange(SHAPE[1])[None, :, None]
    left, right = x < SHAPE[1] / 2, x >= SHAPE[1] / 2
    checks = laid(scaled(np.array([[1.0, -1], [-1, 1]]), 3)) * left
    array = (content(seed) + checks + laid(only(4, 2, seed, 6)) * right).astype(np.float32)
    assert {c.period for c in merged(array).present} == {(2, 2), (4, 4)}
    # The same two patterns under one envelope are one.
    same = (
        content(seed) + (laid(scaled(np.array([[1.0, -1], [-1, 1]]), 3)) + laid(only(4, 2, seed, 6))) * left
    )
    (component,) = merged(same.astype(np.float32)).present
    assert component.period == (4, 4)


@pytest.mark.parametrize("amplitude", [1.0, 10.0, 60.0])
def test_a_lattice_of_period_two_is_never_one_of_four(amplitude):
    for seed in range(5):
        tile = scaled(np.random.default_rng(seed).normal(size=(2, 2)), amplitude)
        found = merged((content(seed) + laid(tile)).astype(np.float32), threshold=0.0)
        assert {max(c.period) for c in (*found.present, *found.traces)} == {2}


@pytest.mark.parametrize("period", [(6, 6), (4, 8), (12, 12), (20, 30)])
@pytest.mark.parametrize("seed", range(4))
def test_common_harmonics_do_not_part_a_tile(period, seed):
    # Periods 6 and 12 have harmonics that do not divide each other, and together outweigh the rest.
    tile = scaled(np.random.default_rng(seed).normal(size=period), 10)
    noise = np.random.default_rng(seed).normal(128, 4, (*SHAPE, 1)).astype(np.float32)
    found = merged(noise + laid(tile), periods=range(2, 31))
    assert found.present[0].period == period
    assert found.present[0].amplitude == pytest.approx(10, rel=0.1)
    assert len(found.present) == 1


def test_periods_that_do_not_divide_stay_apart():
    noise = np.random.default_rng(1).normal(128, 4, (*SHAPE, 1)).astype(np.float32)
    y, x = np.indices(SHAPE)
    array = noise + (4 * np.cos(2 * np.pi * x / 3) + 3 * np.cos(2 * np.pi * y / 4))[..., None].astype(
        np.float32
    )
    assert [c.period for c in merged(array).present] == [(1, 3), (4, 1)]
    found = find_lattice(array)
    assert attribute_harmonics(array, found).present == found.present


def test_merging_again_changes_nothing():
    tile = scaled(np.random.default_rng(1).normal(size=(8, 8)), 8)
    array = content(1) + laid(tile)
    once = merged(array)
    assert attribute_harmonics(array, once) == once


def test_nothing_found_stays_nothing():
    nothing = Lattice((), (), (2, 3), (4,))
    assert attribute_harmonics(content(1), nothing) == nothing


def test_traces_merge_too_and_strong_sums_become_present():
    tile = only(4, 2, 1, 0.85) + np.tile(scaled(np.array([[1.0, -1], [-1, 1]]), 0.55), (2, 2))
    noise = np.random.default_rng(1).normal(128, 2, (*SHAPE, 1)).astype(np.float32)
    apart = find_lattice(noise + laid(tile), threshold=0.95)
    assert (len(apart.present), len(apart.traces)) == (0, 2)
    joined = attribute_harmonics(noise + laid(tile), apart)
    assert (len(joined.present), len(joined.traces)) == (1, 0)
    assert joined.strength == pytest.approx(1, rel=0.05)


@examples(4, 12, derandomize=True)
@given(seed=st.integers(0, 10**6), period=st.sampled_from([4, 6, 8]))
def test_power_is_kept(seed, period):
    tile = scaled(np.random.default_rng(seed).normal(size=(period, period)), 6)
    noise = np.random.default_rng(seed).normal(128, 3, (96, 100, 2)).astype(np.float32)
    array = noise + laid(tile, (96, 100))
    before, after = find_lattice(array, threshold=0.0), merged(array, threshold=0.0)
    assert after.strength == pytest.approx(before.strength, rel=0.02)
    assert sum(len(c.lines) for c in after.present) == sum(len(c.lines) for c in before.present)
    assert all(c.amplitude == pytest.approx(max(c.channel_amplitudes)) for c in after.present)


@pytest.mark.parametrize("shape", [(300,), (40, 50), (13, 14, 15)])
def test_eigencoefficients_agree_with_naive(shape):
    centred = np.random.default_rng(1).normal(0, 10, (*shape, 2))
    centred -= centred.mean(axis=tuple(range(len(shape))))
    mean = np.array([200, 90])
    frequencies = [(0.25, 1 / 3, 0.5)[: len(shape)], (0.1, 0.0, 0.3)[: len(shape)]]
    windows = [{1: (13.0, 24), 2: (3.0, 5), 3: (2.0, 3)}[len(shape)]] * len(shape)
    # Whatever the mean, it leaves nothing.
    ours = eigencoefficients((centred + mean).astype(np.float32), frequencies)
    for frequency, coefficients in zip(frequencies, ours, strict=True):
        theirs = naive_spectrum(centred, frequency, windows)
        np.testing.assert_allclose(coefficients, theirs, rtol=1e-3, atol=1e-2)
        mirrored = naive_spectrum(centred, [-f for f in frequency], windows)
        assert np.abs(coefficients - mirrored).max() > 1
    leaky = naive_spectrum(centred + mean, frequencies[1], windows)
    assert np.abs(ours[1] - leaky).max() > 0.1


def test_keys_of_harmonics():
    tile = scaled(np.random.default_rng(1).normal(size=(4, 4)), 20)
    values = np.clip(np.rint(content(1, 3) + laid(tile)), 0, 255).astype(np.uint8)
    (component,) = measure(values).to_dict()["images"][0]["lattice"]
    assert {"period", "amplitude", "p_value", "harmonics"} <= set(component)
    assert component["period"] == [4, 4]
    assert [set(h) for h in component["harmonics"]] == [{"period", "amplitude"}]
    assert component["harmonics"][0]["period"] == [2, 2]


def test_labelled_generators_keep_both_periods():
    for path in released.labelled("im_rand_two_*"):
        (image,) = measure(path).images
        assert {max(c.period) for c in image.found.present} == {2, 4}
    for path in released.labelled("im_rand_one_*"):
        (image,) = measure(path).images
        assert {max(c.period) for c in image.found.present} == {2}
