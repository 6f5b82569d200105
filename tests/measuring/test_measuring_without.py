"""Taking components out, against drawing each as a whole picture."""

import numpy as np
import pytest

from uncheck.measuring.components import Component, Line, synthesise, without


def component(period, mean):
    frequency = tuple(1 / p if p > 1 else 0.0 for p in period)
    return Component.of([Line(frequency, period, mean, max(period) == 2, 0.0)], 0.0)


def drawn(array, components):
    """The slow oracle."""
    for one in components:
        array = array - synthesise(one, array.shape)
    return array


@pytest.mark.parametrize("shape", [(37,), (5, 41), (37, 29), (9, 10, 11)])
def test_row_by_row_is_as_whole_pictures_are(shape):
    rng = np.random.default_rng(0)
    array = rng.normal(128, 20, (*shape, 2)).astype(np.float32)
    before = array.copy()
    periods = [(7, 3, 2), (1, 4, 1), (2, 2, 2), (16, 1, 5)]
    some = [component(p[: len(shape)], (2 + 1j, 0.5 - 3j)) for p in periods]
    assert np.array_equal(without(array, some), drawn(array, some))
    assert np.array_equal(array, before)  # what was given stays
    assert without(array, []) is array


def test_the_oracle_notices_a_row_too_late():
    array = np.zeros((37, 29, 1), np.float32)
    some = [component((7, 3), (2 + 1j,))]
    assert not np.allclose(np.roll(without(array, some), 1, axis=0), drawn(array, some), atol=0.1)
