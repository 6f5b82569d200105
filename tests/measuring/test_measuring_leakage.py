"""What lines have at the frequencies of a plan, without drawing them."""

from dataclasses import replace

import numpy as np
import pytest

from uncheck.measuring.components import Component, Line, synthesise
from uncheck.measuring.eigenspectra import eigenspectra
from uncheck.measuring.frequencies import plan
from uncheck.measuring.lattice import find_lattice
from uncheck.measuring.leakage import FEW, few_lines, line_spectra


def line(frequency, period, mean, real=False):
    return Line(frequency, period, mean, real, 0.0)


LINES = (
    line((0.5, 0.5), (2, 2), (3.0 + 0j, -1.0, 0.5), real=True),
    line((0.25, 0.0), (4, 1), (1 + 2j, 0.3j, -1)),
    line((1 / 3, 2 / 3), (3, 3), (0.2 - 1j, 2, 1j)),
)


@pytest.mark.parametrize("shape", [(60, 71), (48, 96)])
def test_lines_have_what_their_array_has(shape):
    scheme = plan(shape, (2, 3, 4, 5, 8))
    drawn = eigenspectra(synthesise(Component.of(LINES, 0.0), (*shape, 3))[None], scheme)[0]
    known = line_spectra(LINES, scheme)
    assert known.shape == drawn.shape
    np.testing.assert_allclose(known, drawn, atol=1e-5 * np.abs(drawn).max())
    # A conjugate that was forgotten is seen.
    forgotten = [replace(one, real=True) for one in LINES]
    assert np.abs(line_spectra(forgotten, scheme) - drawn).max() > 0.01 * np.abs(drawn).max()


def test_few_lines_are_counted_with_their_conjugates():
    assert few_lines(LINES)
    assert few_lines([LINES[0]] * FEW)
    assert not few_lines([LINES[1]] * FEW)


def test_components_taken_out_by_either_way_leave_the_same(monkeypatch):
    rng = np.random.default_rng(4)
    tile = rng.normal(0, 4, (4, 4, 3)) + np.tile(rng.normal(0, 2, (2, 2, 3)), (2, 2, 1))
    array = (rng.normal(128, 5, (128, 96, 3)) + np.tile(tile, (32, 24, 1))).astype(np.float32)
    quick = find_lattice(array, periods=range(2, 9), limits=True)
    monkeypatch.setattr("uncheck.measuring.search.few_lines", lambda lines: False)
    slow = find_lattice(array, periods=range(2, 9), limits=True)
    assert [c.period for c in quick.present] == [c.period for c in slow.present] == [(4, 4), (2, 2)]
    for one, other in zip(quick.present, slow.present, strict=True):
        assert one.amplitude == pytest.approx(other.amplitude, rel=1e-6)
    for one, other in zip(quick.limits, slow.limits, strict=True):
        assert one.amplitude == pytest.approx(other.amplitude, rel=1e-2)
