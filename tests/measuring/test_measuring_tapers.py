"""Tapers and windows that stand for those of SciPy, and imports that would take a second of every process."""

import ast
from pathlib import Path

import numpy as np
import pytest
from scipy.signal.windows import dpss, hann
from scipy.special import ndtri
from scipy.stats import rankdata

import uncheck.measuring
from uncheck.measuring.seams.grids import normal_scores
from uncheck.measuring.sound.slow import periodic_hann
from uncheck.measuring.tapers import slepian

#: Parts of SciPy that take long to import.
DEAR = ("scipy.signal", "scipy.stats", "scipy.optimize", "scipy.interpolate", "scipy.sparse")


@pytest.mark.parametrize(
    ("n", "half_bandwidth", "count"),
    [(4, 1.0, 2), (17, 3.0, 5), (512, 3.0, 5), (300, 13.0, 24), (401, 25.0, 48)],
)
def test_slepian_sequences_are_those_of_scipy(n, half_bandwidth, count):
    np.testing.assert_allclose(slepian(n, half_bandwidth, count), dpss(n, half_bandwidth, count), atol=1e-9)


def test_other_sequences_are_told_apart():
    assert np.abs(slepian(64, 3.0, 5) - dpss(64, 2.9, 5)).max() > 1e-3


@pytest.mark.parametrize("n", [8, 9, 1024])
def test_the_periodic_window_is_that_of_scipy(n):
    np.testing.assert_allclose(periodic_hann(n), hann(n, sym=False), atol=1e-12)


def test_scores_are_those_of_mean_ranks():
    values = np.random.default_rng(0).integers(0, 50, 300).astype(float)
    np.testing.assert_allclose(normal_scores(values), ndtri((rankdata(values) - 0.5) / 300), atol=1e-12)


def test_nothing_dear_is_imported_with_the_package():
    source = Path(uncheck.measuring.__file__).parent
    found = []
    for path in [*source.rglob("*.py"), *(source.parent / "signals").rglob("*.py")]:
        for node in ast.parse(path.read_text()).body:
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [(path.name, name) for name in names if name.startswith(DEAR)]
    assert found == []
