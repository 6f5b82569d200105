"""Filling what is not measured: measured values stay, the rest is smooth and of their range."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncheck.signals.masks import filled


def masked(shape, seed, share):
    rng = np.random.default_rng(seed)
    values = rng.normal(100, 30, (*shape, 2)).astype(np.float32)
    mask = rng.random(shape) < share
    mask.flat[int(rng.integers(mask.size))] = True
    return values, mask


@given(st.lists(st.integers(1, 17), min_size=1, max_size=3), st.integers(0, 10**6), st.floats(0.02, 0.98))
def test_measured_values_stay_and_others_are_means_of_them(shape, seed, share):
    values, mask = masked(tuple(shape), seed, share)
    values[~mask] = np.nan
    out = filled(values, mask)
    assert (out[mask] == values[mask]).all()
    for channel in range(2):
        low, high = values[mask][:, channel].min(), values[mask][:, channel].max()
        assert low - 1e-3 <= out[..., channel].min() <= out[..., channel].max() <= high + 1e-3


def test_what_was_there_does_not_matter():
    values, mask = masked((20, 30), 1, 0.5)
    other = values.copy()
    other[~mask] = 1e30
    assert (filled(values, mask) == filled(other, mask)).all()


def test_nothing_is_masked_or_all():
    values, mask = masked((6, 7), 2, 0.5)
    assert filled(values, np.ones_like(mask)) is values
    assert not filled(values, np.zeros_like(mask)).any()


@pytest.mark.parametrize("shape", [(64, 64), (61, 70)])
def test_the_fill_has_no_power_at_a_lattice_and_no_edge(shape):
    y, x = np.indices(shape)
    mask = (y - 30) ** 2 + (x - 30) ** 2 < 25**2
    values = (100 + y + 0.5 * x + 20 * (-1.0) ** (x + y))[..., None].astype(np.float32)

    def outside(made):
        line = made[..., 0] * (-1.0) ** (x + y)
        return abs(line[~mask].mean())

    def step(made):
        # Two samples on each side of the border, so that the lattice itself does not count.
        rows = made[29:31, :, 0].mean(axis=0)
        return abs(rows[56:58].mean() - rows[53:55].mean())

    made = filled(values, mask)
    assert outside(made) < 0.5
    assert step(made) < 6
    # Planted: a constant instead has an edge.
    constant = np.where(mask[..., None], values, 0)
    assert step(constant) > 50
