"""What must hold for any picture: scale, offset, transposition and shifts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiers import examples
from uncheck.measuring import find_lattice

PICTURES = {"seed": st.integers(0, 10**6), "period": st.integers(2, 8), "channels": st.integers(1, 3)}
EXAMPLES = examples(5, 20, derandomize=True)


def picture(seed, period, channels):
    """Noise of 3 levels with a random tile of the period, 6 levels strong."""
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(56, 90)), int(rng.integers(56, 90)))
    tile = rng.normal(0, 6, (period, period))
    tile -= tile.mean()
    repeats = (shape[0] // period + 1, shape[1] // period + 1)
    pattern = np.tile(tile, repeats)[: shape[0], : shape[1], None]
    return 128 + pattern + rng.normal(0, 3, (*shape, channels))


def amplitudes(array, threshold):
    found = find_lattice(array, threshold=threshold)
    return {c.period: c.amplitude for c in found.present}


@EXAMPLES
@given(**PICTURES, factor=st.floats(0.1, 10))
def test_scaling_scales_amplitudes(seed, period, channels, factor):
    array = picture(seed, period, channels)
    once, scaled = amplitudes(array, 0.0), amplitudes(array * factor, 0.0)
    assert once
    assert set(scaled) == set(once)
    for key, value in once.items():
        assert scaled[key] == pytest.approx(factor * value, rel=1e-3)


@EXAMPLES
@given(**PICTURES, offset=st.floats(-500, 500))
def test_adding_a_constant_changes_nothing(seed, period, channels, offset):
    array = picture(seed, period, channels)
    once, shifted = amplitudes(array, 0.0), amplitudes(array + offset, 0.0)
    assert set(shifted) == set(once)
    for key, value in once.items():
        assert shifted[key] == pytest.approx(value, rel=1e-3)


@EXAMPLES
@given(**PICTURES)
def test_transposing_transposes_the_period(seed, period, channels):
    array = picture(seed, period, channels)
    once, turned = amplitudes(array, 0.0), amplitudes(array.swapaxes(0, 1), 0.0)
    assert {key[::-1] for key in turned} == set(once)
    for key, value in once.items():
        assert turned[key[::-1]] == pytest.approx(value, rel=1e-3)


@EXAMPLES
@given(**PICTURES, axis=st.integers(0, 1))
def test_shifting_by_a_pixel_hardly_matters(seed, period, channels, axis):
    array = picture(seed, period, channels)
    start, end = [np.take(array, range(i, array.shape[axis] - 1 + i), axis=axis) for i in (0, 1)]
    once, moved = amplitudes(start, 2.0), amplitudes(end, 1.0)
    assert set(once) <= set(moved)
    for key, value in once.items():
        assert moved[key] == pytest.approx(value, rel=0.15, abs=0.3)
