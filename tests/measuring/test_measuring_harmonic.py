"""The fast harmonic test against the slow one, and planted defects that the comparison must see."""

import numpy as np
import pytest

from oracles.measuring_naive import naive_amplitude, naive_line, naive_spectrum, naive_sums
from uncheck.measuring.eigenspectra import eigenspectra
from uncheck.measuring.frequencies import plan
from uncheck.measuring.harmonic import line_test

WIDE = {1: (13.0, 24), 2: (3.0, 5), 3: (2.0, 3)}
CASES = [
    ((400,), 1, (2, 3, 7), [(13.0, 24)]),
    ((401,), 2, (2, 5), [(13.0, 24)]),
    ((64,), 3, (2, 4), [(4.0, 7)]),
    ((32, 40), 1, (2, 3, 4), [WIDE[2]] * 2),
    ((33, 27), 3, (2, 3, 5), [WIDE[2]] * 2),
    ((9, 50), 2, (2, 6), [(2.25, 4), WIDE[2]]),
    ((13, 14, 15), 1, (2, 3), [WIDE[3]] * 3),
    ((12, 17, 13), 3, (2, 4), [WIDE[3]] * 3),
    ((24, 24), 6, (2, 3), [WIDE[2]] * 2),
]


def noise(shape, channels, seed):
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(*shape, channels)) @ rng.normal(size=(channels, channels)) * 10
    return (mixed - mixed.mean(axis=tuple(range(len(shape))))).astype(np.float32)


def fast(array, periods):
    scheme = plan(array.shape[:-1], periods)
    spectra, sums = eigenspectra(array[None], scheme), scheme.sums
    return scheme, spectra[0], sums, line_test(spectra, sums, scheme.real)[0]


def profile(array, frequency, windows):
    """Of a volume the mean along the axes on which a line does not vary, and the windows of what is left."""
    if len(windows) < 3:
        return array, frequency, windows
    flat = tuple(axis for axis, f in enumerate(frequency) if f == 0)
    short = {1: (3.0, 6), 2: (3.0, 5), 3: (2.0, 3)}[3 - len(flat)]
    return array.mean(axis=flat), [f for f in frequency if f], [short] * (3 - len(flat))


@pytest.mark.parametrize(("shape", "channels", "periods", "windows"), CASES)
def test_fast_agrees_with_naive(shape, channels, periods, windows):
    array = noise(shape, channels, 5)
    scheme, spectra, every, lines = fast(array, periods)
    step = max(1, len(scheme.frequencies) // 12)
    chosen = {*range(0, len(scheme.frequencies), step), *np.flatnonzero(scheme.real)}
    for i in sorted(chosen):
        part, frequency, own = profile(array, scheme.frequencies[i], windows)
        sums = naive_sums(part.shape[:-1], own)
        known = every[i if len(every) > 1 else 0]
        np.testing.assert_allclose(known[np.isfinite(known)], sums, rtol=1e-6, atol=1e-9)
        slow = naive_spectrum(part, frequency, own)
        np.testing.assert_allclose(spectra[i][:, : len(sums)], slow, rtol=1e-4, atol=1e-3)
        assert not spectra[i][:, len(sums) :].any()
        mu, _, p_each, _, p_joint = naive_line(slow, sums, scheme.real[i])
        np.testing.assert_allclose(lines.mean[i], mu, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(lines.p_channel[i], p_each, rtol=1e-3, atol=1e-12)
        if 1 < channels <= 4 and len(sums) >= 4 * channels:
            assert lines.p_joint[i] == pytest.approx(p_joint, rel=1e-3, abs=1e-12)
        else:
            assert lines.p_joint[i] == pytest.approx(min(1, channels * p_each.min()), rel=1e-3, abs=1e-12)


def slow_p_values(array, periods, windows, spoil=lambda spectrum: spectrum, real=lambda flag: flag):
    scheme, _, (sums,), lines = fast(array, periods)
    ours, theirs = [], []
    for i, frequency in enumerate(scheme.frequencies):
        spectrum = spoil(naive_spectrum(array, frequency, windows))
        theirs.append(naive_line(spectrum, sums, real(scheme.real[i]))[4])
        ours.append(lines.p_joint[i])
    return np.array(ours), np.array(theirs)


def test_the_comparison_agrees_when_nothing_is_planted():
    ours, theirs = slow_p_values(noise((24, 30), 3, 1), (2, 3), [WIDE[2]] * 2)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)


def test_wrong_degrees_of_freedom_are_caught():
    ours, theirs = slow_p_values(noise((24, 30), 3, 1), (2, 3), [WIDE[2]] * 2, real=lambda flag: not flag)
    assert (np.abs(ours - theirs) > 0.01 * theirs).any()


def test_conjugating_one_channel_is_caught():
    def spoil(spectrum):
        return np.concatenate([spectrum[:1].conj(), spectrum[1:]])

    ours, theirs = slow_p_values(noise((24, 30), 3, 1), (3,), [WIDE[2]] * 2, spoil=spoil)
    assert (np.abs(ours - theirs) > 0.01 * theirs).any()


def test_conjugated_phase_is_caught_in_the_spectrum():
    array = noise((30, 24), 1, 2)
    scheme, spectra, _, _ = fast(array, (3, 4))
    i = int(np.flatnonzero(~scheme.real)[0])
    right = naive_spectrum(array, scheme.frequencies[i], [WIDE[2]] * 2)
    mirrored = naive_spectrum(array, -scheme.frequencies[i], [WIDE[2]] * 2)
    assert np.abs(spectra[i] - right).max() < 1e-3
    assert np.abs(spectra[i] - mirrored).max() > 1


@pytest.mark.parametrize(
    ("shape", "frequency"), [((240,), (1 / 4,)), ((48, 48), (1 / 3, 0.5)), ((48, 48), (0.5, 0))]
)
def test_amplitude_of_a_sinusoid_by_three_ways(shape, frequency):
    grid = np.indices(shape)
    angle = 2 * np.pi * sum(f * n for f, n in zip(frequency, grid, strict=True))
    array = (5 * np.cos(angle))[..., None].astype(np.float32)
    scheme, _, _, lines = fast(array, (2, 3, 4, 6))
    i = int(np.abs(scheme.frequencies - frequency).sum(axis=1).argmin())
    factor = 1 if scheme.real[i] else 2
    measured = factor * abs(lines.mean[i, 0])
    assert naive_amplitude(array, frequency)[0] == pytest.approx(5, rel=1e-6)
    assert measured == pytest.approx(5, rel=1e-3)
    wrong = (3 - factor) * abs(lines.mean[i, 0])
    assert abs(wrong - naive_amplitude(array, frequency)[0]) > 2, "a missing factor of two must show"
