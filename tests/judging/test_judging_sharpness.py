"""Energy off the lattice lines: what a blur takes is known, a lattice alone changes nothing."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from uncheck.judging import sharpness
from uncheck.judging.sharpness import OCTAVES, band_changes, change, energies, on_lines


def noise(seed=0, size=128, count=2):
    return np.random.default_rng(seed).normal(size=(count, size, size, 3)).astype(np.float32) * 20 + 128


def test_blur_lowers_each_octave_by_its_transfer_function():
    sharp = noise(count=6)
    soft = np.stack([gaussian_filter(x, (1, 1, 0), mode="wrap") for x in sharp])
    f = np.fft.fftfreq(128)
    squared = f[:, None] ** 2 + f[None] ** 2
    gain = np.exp(-4 * np.pi**2 * squared)
    octave = np.digitize(np.sqrt(squared), OCTAVES) - 1
    octave[on_lines((128, 128), (2, 4))] = -1
    changes = band_changes(energies(sharp, (2, 4)), energies(soft, (2, 4)), 2)
    for i, (_, _, changed) in enumerate(changes):
        assert changed == pytest.approx(gain[octave == i].mean() - 1, abs=0.02)
    whole = change(energies(sharp, (2, 4)), energies(soft, (2, 4)))
    assert whole == pytest.approx(gain[octave >= 0].mean() - 1, abs=0.02)


@pytest.mark.parametrize(("size", "period"), [(128, 2), (128, 4), (96, 3), (28, 2), (28, 4)])
def test_pure_lattice_changes_nothing(size, period, monkeypatch):
    before = noise(size=size)
    tile = np.random.default_rng(1).normal(size=(period, period, 1)) * 30
    rippled = before + np.tile(tile, (size // period, size // period, 1)).astype(np.float32)
    # the mean of the tile is no lattice, and means do not count
    found = change(energies(before, (period,)), energies(rippled, (period,)))
    assert abs(found) < 5e-3
    # planted defect: measuring on the lines
    monkeypatch.setattr(sharpness, "on_lines", lambda shape, periods: np.zeros(shape, bool))
    assert change(energies(before, (period,)), energies(rippled, (period,))) > 0.05


def test_lines_leave_the_mean_and_most_of_the_plane():
    for period in (2, 3, 4, 8, 16):
        lines = on_lines((256, 256), (period,))
        assert not lines[0, 0]
        assert lines[256 // period % 256, 0] or 256 % period
        assert lines.mean() <= 1 / 3


def test_nothing_is_no_change():
    nothing = np.zeros((1, 16, 16, 1), np.float32)
    assert change(energies(nothing, (2,)), energies(nothing, (2,))) == 0
    assert band_changes(energies(nothing, (2,)), energies(nothing, (2,)), 2) == ()
