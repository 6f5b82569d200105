"""The second witness: windows that agree on the phase of a line."""

from dataclasses import replace

import numpy as np
import pytest

from oracles.coherence_naive import naive_agreement, naive_windows
from uncheck.measuring.coherence import (
    AGREE,
    ENOUGH,
    OVERLAP,
    WINDOW,
    _phase_agreement,
    coherence,
    confirmed,
    local_amplitudes,
)
from uncheck.measuring.components import Component, Lattice, Line

REAL, TURNING = (0.5, 0.5), (0.25, 0.125)


def noise(shape, seed, sigma=5.0, channels=3):
    return np.random.default_rng(seed).normal(128, sigma, (*shape, channels)).astype(np.float32)


def pink(shape, seed):
    f = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    f[0, 0] = 1
    values = np.fft.irfft2(np.fft.rfft2(np.random.default_rng(seed).normal(size=shape)) / f, s=shape)
    return (128 + 30 * values / values.std())[..., None].astype(np.float32)


def wave(shape, frequency, phase=0.4):
    y, x = np.indices(shape)
    phase = 0 if frequency == REAL else phase
    return np.cos(2 * np.pi * (frequency[0] * y + frequency[1] * x) + phase)[..., None]


def local(array, frequency, size):
    planes = np.moveaxis(array - array.mean(axis=(0, 1)), -1, 0)
    return local_amplitudes(np.ascontiguousarray(planes), [frequency], size)[0]


def component(*frequencies, amplitude=1.0):
    lines = tuple(
        Line(
            f,
            tuple(1 if x == 0 else round(1 / min(x, 1 - x)) for x in f),
            (complex(amplitude),) * 3,
            all(x in (0, 0.5) for x in f),
            0.0,
        )
        for f in frequencies
    )
    return Component((8, 8), amplitude, 0.0, lines=lines)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("frequency", [REAL, (0.5, 0.0), TURNING, (1 / 3, 0.0), (1 / 3, 2 / 3)])
def test_windows_and_agreement_agree_with_naive(frequency, channels):
    array = noise((70, 83), 1, channels=channels)
    size = 32
    ours, theirs = local(array, frequency, size), naive_windows(array, frequency, size)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
    real = all(f in (0, 0.5) for f in frequency)
    expected = naive_agreement(theirs, real, OVERLAP)
    assert _phase_agreement(ours, real=real) == pytest.approx(expected, rel=1e-3)


def test_channels_out_of_step_are_decorrelated():
    """A second channel that follows the first a quarter period later has no phase of its own."""
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 400)) + 1j * rng.normal(size=(2, 400))
    local = np.stack([10 * first, 10j * first + second + 1], axis=1)
    ours, theirs = _phase_agreement(local, real=False), naive_agreement(local, False, OVERLAP)
    assert ours == pytest.approx(theirs, rel=1e-6)
    assert ours < 1e-20


def test_defects_are_caught():
    frequency = (0.25, 1 / 3)
    array = noise((96, 96), 2) + wave((96, 96), frequency).astype(np.float32)
    right = naive_windows(array, frequency, 32)
    mirrored = naive_windows(array, (0.25, 2 / 3), 32)
    assert np.abs(local(array, frequency, 32) - mirrored).max() > 0.1
    # Windows whose own starting phase was forgotten.
    forgotten = right * np.exp(2j * np.pi / 3 * 16 * np.arange(len(right)))[:, None]
    ours = _phase_agreement(local(array, frequency, 32), real=False)
    assert ours == pytest.approx(naive_agreement(right, False, OVERLAP), rel=1e-3)
    assert naive_agreement(forgotten, False, OVERLAP) > 1e3 * ours
    assert naive_agreement(right, True, OVERLAP) != pytest.approx(ours, rel=0.1)
    assert naive_agreement(right, False, 1.0) != pytest.approx(ours, rel=0.1)


@pytest.mark.parametrize("make", [lambda s: noise((128, 128), s, channels=1), lambda s: pink((128, 128), s)])
@pytest.mark.parametrize("frequency", [REAL, (0.5, 0.0), TURNING, (0.25, 0.0)])
def test_chance_agreement_is_as_rare_as_stated(make, frequency):
    p = np.array([coherence(make(seed), component(frequency)) for seed in range(120)])
    # Of 120, 12 expected below 0.1; more than 23 has a probability of 0.001, and the bound may be generous.
    assert (p < 0.1).sum() <= 23
    assert (p < 0.01).sum() <= 6
    assert p.min() > AGREE


def test_weak_lattices_over_content_agree():
    for frequency in (REAL, TURNING):
        picture = pink((256, 256), 3) + 2 * wave((256, 256), frequency).astype(np.float32)
        assert coherence(picture, component(frequency)) < 1e-12


def test_one_striped_object_is_no_lattice():
    array = noise((256, 256), 4)
    striped = array.copy()
    striped[40:100, 60:130] += 60 * wave((256, 256), TURNING)[40:100, 60:130].astype(np.float32)
    assert coherence(striped, component(TURNING)) > AGREE
    everywhere = array + 2 * wave((256, 256), TURNING).astype(np.float32)
    assert coherence(everywhere, component(TURNING)) < 1e-20


def test_stripes_whose_phase_drifts_are_no_lattice():
    _y, x = np.indices((256, 256))
    drifting = np.cos(2 * np.pi * (x / 4 + (x / 110.0) ** 2))[..., None]
    assert coherence(noise((256, 256), 5) + 10 * drifting, component((0.0, 0.25))) > AGREE


@pytest.mark.parametrize("shape", [(16, 16), (60, 90), (1, 64)])
def test_small_pictures_are_not_asked(shape):
    assert np.prod(shape) / (2 * WINDOW) ** 2 < ENOUGH
    assert coherence(noise(shape, 1), component(TURNING)) is None
    assert coherence(noise((40, 40, 40), 1), component((0.5, 0.5, 0.5))) is None


@pytest.mark.parametrize("shape", [(4, 4000), (4000, 12), (1, 9000)])
def test_pictures_thinner_than_a_window_are_not_asked(shape):
    assert np.prod(shape) / WINDOW**2 > ENOUGH
    assert coherence(noise(shape, 1), component(TURNING)) is None


def test_periods_too_long_for_the_picture_are_not_asked():
    array = noise((200, 200), 1)
    assert coherence(array, component((1 / 16, 0.0))) is None
    both = coherence(array, component((1 / 16, 0.0), REAL))
    assert both == pytest.approx(min(1, 2 * coherence(array, component(REAL))), rel=1e-6)


def test_constant_and_dead_channels():
    assert coherence(np.full((128, 128, 3), 7, np.float32), component(REAL)) == 1.0
    array = noise((128, 128), 6)
    array[..., 1] = 7
    array[..., 2] = array[..., 0]
    checks = array + wave((128, 128), REAL).astype(np.float32) * np.array([2, 0, 2], np.float32)
    assert coherence(array, component(REAL)) > 0.001
    assert coherence(checks, component(REAL)) < 1e-12


def test_confirmed_moves_only_what_fails():
    good, bad, weak = component(REAL, amplitude=2.0), component(TURNING, amplitude=1.0), component(REAL)
    weak = replace(weak, amplitude=0.1)
    lattice = Lattice((good, bad), (weak,), (2, 8), ())
    array = noise((256, 256), 7) + 2 * wave((256, 256), REAL).astype(np.float32)
    after = confirmed(array, lattice)
    assert after.present == (good,)
    assert after.traces == (bad, weak)
    assert (after.tested, after.threshold) == (lattice.tested, lattice.threshold)
    both = array + wave((256, 256), TURNING).astype(np.float32)
    assert confirmed(both, lattice) is lattice
    # Too small to ask: left as it is.
    small = noise((40, 40), 1)
    assert confirmed(small, lattice) is lattice
    assert confirmed(array, Lattice((), (weak,), (2,), ())).traces == (weak,)
