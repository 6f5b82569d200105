"""Levels of a network's sound are those that `measure` gives for the same sound."""

import numpy as np
import pytest

from uncheck.measuring.components import Component, Line
from uncheck.measuring.sound.decibels import decibels_of
from uncheck.measuring.sound.tones import SILENCE, find_tones


def sounds(count, amplitude, period, channels=1):
    """Noise of rms 20 with a tone, and a component that describes the tone."""
    rng = np.random.default_rng(0)
    wave = amplitude * np.cos(2 * np.pi * np.arange(8192) / period + 0.3 * (period > 2))
    noise = rng.normal(0, 20, (count, 8192, channels))
    return (noise + wave[:, None]).astype(np.float32)


@pytest.mark.parametrize("period", [2, 5, 16])
def test_the_level_of_a_tone_is_that_of_measure(period):
    batch = sounds(1, 20.0, period)
    lattice, (tone, *_) = find_tones(batch[0], None, periods=(period,), significance=1e-3)
    decibels = decibels_of(batch, lattice.everything)
    said = decibels.added(lattice.present[0].to_dict())
    assert said["db"] == pytest.approx(tone.level, abs=0.02)
    expected = 20 * np.log10(20.0 / (1 if period == 2 else np.sqrt(2)) / 20)
    assert said["db"] == pytest.approx(expected, abs=0.5)


def test_channels_count_by_their_own_rest():
    batch = np.concatenate([sounds(3, 0.0, 4), 10 * sounds(3, 0.0, 4)], axis=-1)
    decibels = decibels_of(batch, ())
    said = {"period": [4], "amplitude": 40.0, "channel_amplitudes": [4.0, 40.0]}
    assert decibels.added(said)["db"] == pytest.approx(20 * np.log10(4.0 / np.sqrt(2) / 20), abs=0.1)


def test_silence_has_a_level():
    decibels = decibels_of(np.zeros((1, 100, 1), np.float32), ())
    assert decibels.rest == pytest.approx(SILENCE, rel=1e-12)
    assert np.isfinite(decibels.level(0.0))


def test_a_lattice_is_no_part_of_the_rest():
    batch = sounds(2, 100.0, 4)
    tone = Component.of([Line((0.25,), (4,), (50.0,), False, 1e-9)], 1e-9)
    assert decibels_of(batch, [tone]).rest == pytest.approx(20, rel=0.03)
    assert decibels_of(batch, []).rest == pytest.approx(np.hypot(20, 100 / np.sqrt(2)), rel=0.03)


def test_a_lattice_that_the_sounds_lack_leaves_the_rest_as_it_is():
    tone = Component.of([Line((0.5,), (2,), (1000.0,), True, 1e-9)], 1e-9)
    assert decibels_of(sounds(2, 0.0, 4), [tone]).rest == pytest.approx(20, rel=0.03)


def test_what_has_levels():
    decibels = decibels_of(sounds(1, 0.0, 4), ())
    said = {
        "limit": [{"period": [2], "amplitude": 0.1}],
        "boundary": {"constant": {"depth": 3, "strength": 20.0}, "real": None, "paddings": []},
        "outputs": [{"name": "output", "lattice": [{"period": [2, 2], "amplitude": 1.0}]}],
        "passes": 3.0,
    }
    out = decibels.added(said)
    assert set(out["limit"][0]) == {"period", "amplitude", "db"}
    assert out["boundary"]["constant"]["db"] == pytest.approx(0, abs=0.2)
    assert out["outputs"] == said["outputs"]
    assert "db" not in said["limit"][0]
