"""What the p-values promise: uniform on noise, and false alarms no more often than stated."""

import numpy as np
import pytest
from scipy.stats import kstest

from tiers import cases
from uncheck.measuring import find_lattice
from uncheck.measuring.eigenspectra import eigenspectra
from uncheck.measuring.frequencies import plan
from uncheck.measuring.harmonic import line_test


def shaped_noise(shape, channels, exponent, rng):
    """Gaussian noise of amplitude spectrum |f|^exponent, standard deviation 30."""
    axes = tuple(range(len(shape)))
    grid = np.meshgrid(*[np.fft.fftfreq(n) for n in shape], indexing="ij")
    radius = np.sqrt(sum(g**2 for g in grid))
    radius.flat[0] = radius.flat[1]
    spectrum = np.fft.fftn(rng.normal(size=(*shape, channels)), axes=axes) * (radius**exponent)[..., None]
    values = np.fft.ifftn(spectrum, axes=axes).real
    return 30 * values / values.std()


def p_values(shape, channels, samples, seed):
    """(samples, F) joint and first-channel p-values on white noise, and which frequencies are real."""
    rng = np.random.default_rng(seed)
    scheme = plan(shape, (2, 3, 5))
    joint, single = [], []
    for _ in range(samples):
        noise = rng.normal(size=(*shape, channels)).astype(np.float32)
        noise -= noise.mean(axis=tuple(range(len(shape))))
        lines = line_test(eigenspectra(noise[None], scheme), scheme.sums, scheme.real)[0]
        joint.append(lines.p_joint)
        single.append(lines.p_channel[:, 0])
    return np.array(joint), np.array(single), scheme.real


@pytest.mark.parametrize(
    ("shape", "channels"),
    cases([((120,), 1), ((5, 6), 1)], [((120,), 2), ((24, 31), 1), ((26, 24), 3), ((12, 13, 16), 2)]),
)
def test_p_values_are_uniform_on_white_noise(shape, channels):
    joint, single, real = p_values(shape, channels, 1500, 11)
    for values in (joint, single):
        for kind in (real, ~real):
            if not kind.any():
                continue
            # One frequency alone: different frequencies of one picture are not quite independent.
            assert kstest(values[:, np.flatnonzero(kind)[0]], "uniform").pvalue > 1e-3
            assert (values[:, kind] < 0.01).mean() == pytest.approx(0.01, abs=0.005)


def test_uniformity_check_sees_wrong_degrees_of_freedom():
    shape, rng = (24, 24), np.random.default_rng(1)
    scheme = plan(shape, (2, 3))
    wrong = []
    for _ in range(1000):
        noise = rng.normal(size=(*shape, 1)).astype(np.float32)
        wrong.append(line_test(eigenspectra(noise[None], scheme), scheme.sums, ~scheme.real)[0].p_joint)
    for kind in (scheme.real, ~scheme.real):
        assert kstest(np.array(wrong)[:, np.flatnonzero(kind)[0]], "uniform").pvalue < 1e-6


@pytest.mark.parametrize(
    "exponent", [0.0, 1.0, -1.0, -1.5, -2.0], ids=["white", "blue", "1/f", "1/f^1.5", "1/f^2"]
)
@pytest.mark.parametrize(("shape", "channels"), [((48, 56), 1), ((33, 47), 3), ((500,), 1)])
def test_false_alarms_are_at_most_one_percent(exponent, shape, channels):
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(100):
        found = find_lattice(shaped_noise(shape, channels, exponent, rng))
        alarms += bool(found.present or found.traces)
    assert alarms <= 1


def test_false_alarms_in_volumes():
    rng = np.random.default_rng(8)
    found = [
        find_lattice(shaped_noise((18, 20, 22), 1, e, rng)) for e in (0.0, 1.0, -1.0, -1.5) for _ in range(25)
    ]
    assert sum(bool(f.present or f.traces) for f in found) <= 1
