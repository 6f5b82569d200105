"""The colour of a lattice: channels, opponent axes, and their errors."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles.brightness_naive import naive_colour_error
from tests.oracles.measuring_naive import naive_spectrum, naive_sums

from tiers import examples
from uncheck.measuring import brightness_dependence, find_lattice
from uncheck.measuring.colour.amplitudes import NAMES, OPPONENT, colour_amplitudes

EXAMPLES = examples(5, 15, derandomize=True)
SHAPE = (64, 72)
Y, X = np.indices(SHAPE)


def picture(seed, colour, period, noise=1.0):
    """Noise with a random tile of the period in one colour, 6 levels strong."""
    rng = np.random.default_rng(seed)
    tile = rng.normal(0, 6, (period, period))
    pattern = np.tile(tile - tile.mean(), (64 // period + 1, 72 // period + 1))[:64, :72]
    array = 128 + pattern[..., None] * np.asarray(colour) + rng.normal(0, noise, (*SHAPE, 3))
    return array.astype(np.float32)


def values(estimates):
    return [one.amplitude for one in estimates]


def test_axes_are_orthonormal_and_named():
    np.testing.assert_allclose(OPPONENT @ OPPONENT.T, np.eye(3), rtol=0, atol=1e-12)
    assert len(NAMES) == 3


@pytest.mark.parametrize(
    ("colour", "name", "amplitude"),
    [
        ((1, 1, 1), "luma", np.sqrt(3)),
        ((1, -1, 0), "red-green", np.sqrt(2)),
        ((0.5, 0.5, -1), "blue-yellow", np.sqrt(1.5)),
    ],
)
def test_pure_axes(colour, name, amplitude):
    checks = (-1.0) ** (X + Y)
    array = 100 + 3 * checks[..., None] * np.array(colour)
    array = (array + np.random.default_rng(1).normal(0, 1, array.shape)).astype(np.float32)
    found = colour_amplitudes(array, find_lattice(array).present[0])
    assert found.dominant == name
    for other, one in zip(NAMES, found.opponent, strict=True):
        expected = 3 * amplitude if other == name else 0.0
        assert one.amplitude == pytest.approx(expected, abs=4 * one.error)
        assert 0 < one.error < 0.1


@EXAMPLES
@given(seed=st.integers(0, 10**6), period=st.integers(2, 5), colour=st.tuples(*[st.floats(-2, 2)] * 3))
def test_squares_sum_to_the_total_and_channels_permute(seed, period, colour):
    array = picture(seed, np.array(colour) + 0.5, period)
    lattice = find_lattice(array, threshold=0.0).present
    for component in lattice[:1]:
        found = colour_amplitudes(array, component)
        assert values(found.channels) == pytest.approx(component.channel_amplitudes)
        total = found.total.amplitude
        assert np.linalg.norm(values(found.channels)) == pytest.approx(total)
        assert np.linalg.norm(values(found.opponent)) == pytest.approx(total)
        # Negative, shifted and with channels in another order.
        other = 90 - array[..., [2, 0, 1]]
        matching = [c for c in find_lattice(other, threshold=0.0).present if c.period == component.period]
        turned = colour_amplitudes(other, matching[0])
        assert values(turned.channels) == pytest.approx(np.roll(values(found.channels), 1), abs=1e-3)
        assert turned.total.amplitude == pytest.approx(total, abs=1e-3)
        assert turned.total.error == pytest.approx(found.total.error, rel=1e-2)
        assert turned.opponent[0].error == pytest.approx(found.opponent[0].error, rel=1e-2)


@pytest.mark.parametrize("period", [2, 3, 4])
def test_errors_against_the_tapers_written_out(period):
    array = picture(3, (1, 0.5, -0.3), period, noise=4.0)
    component = find_lattice(array).present[0]
    windows = [(3.0, 5), (3.0, 5)]
    sums = naive_sums(SHAPE, windows)
    centred = array - array.mean(axis=(0, 1), dtype=float)
    spectra = [naive_spectrum(centred, line.frequency, windows) for line in component.lines]
    means, real = [line.mean for line in component.lines], [line.real for line in component.lines]
    found = colour_amplitudes(array, component)
    for one, axis in zip((*found.channels, *found.opponent), (*np.eye(3), *OPPONENT), strict=True):
        slow = naive_colour_error(spectra, sums, means, real, axis)
        assert one.error == pytest.approx(slow, rel=1e-3)
        # A planted defect: complex lines taken for real ones.
        if not all(real):
            assert one.error != pytest.approx(
                naive_colour_error(spectra, sums, means, [True] * len(real), axis), rel=1e-3
            )


def test_errors_are_the_scatter_over_pictures():
    amplitudes, errors = [], []
    checks = np.cos(np.pi / 2 * X + 0.3)[..., None] * [3, 1, 1]
    for seed in range(120):
        array = 128 + checks + np.random.default_rng(seed).normal(0, 5, (*SHAPE, 3)) * [1, 2, 1]
        component = next(c for c in find_lattice(array).present if c.period == (1, 4))
        found = colour_amplitudes(array.astype(np.float32), component)
        amplitudes.append([*values(found.channels), *values(found.opponent)])
        errors.append([one.error for one in (*found.channels, *found.opponent)])
    scatter = np.std(amplitudes, axis=0)
    assert np.sqrt(np.mean(np.square(errors), axis=0)) == pytest.approx(scatter, rel=0.25)


def test_one_channel_has_no_opponent_part():
    array = picture(4, (1, 1, 1), 2)[..., :1]
    found = brightness_dependence(array, find_lattice(array).present[0]).colour
    assert (found.opponent, found.dominant) == (None, None)
    assert found.total == found.channels[0]


def test_many_lines():
    array = picture(5, (1, 1, 0), 11, noise=2.0)
    component = max(find_lattice(array).present, key=lambda c: len(c.lines))
    assert len(component.lines) > 32
    found = colour_amplitudes(array, component)
    assert found.total.amplitude == pytest.approx(np.linalg.norm(component.channel_amplitudes))
    assert 0 < found.total.error < found.total.amplitude / 5


def test_to_dict_is_json():
    array = picture(6, (1, -1, 0), 2)
    found = json.loads(json.dumps(brightness_dependence(array, find_lattice(array).present[0]).to_dict()))
    assert set(found["colour"]["opponent"]) == set(NAMES)
    assert found["colour"]["dominant"] == "red-green"
    assert set(found["by_distance"]) == {"bins", "slope", "slope_error", "p_value"}
    assert set(found["by_distance"]["bins"][0]) == {"position", "amplitude", "low", "high", "windows"}
