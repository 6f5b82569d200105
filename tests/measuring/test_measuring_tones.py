"""Lines in audio: against the slow oracle, on sound whose loudness changes, and how often none is found."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

import released
from oracles.tones_naive import naive_p_value, naive_slow
from tiers import examples
from uncheck.errors import UncheckError
from uncheck.measuring import find_tones
from uncheck.measuring.sound.slow import (
    LEAST_NOISE,
    Whole,
    _folded,
    hop_size,
    line_frequencies,
    slow_spectra,
    slow_test,
)

PERIODS = tuple(range(2, 17))
RATE = 16000
CLOCK = np.arange(3 * RATE)


def speech_like(seed=0):
    """Coloured noise in syllables, with pauses."""
    random = np.random.default_rng(seed)
    loud = np.repeat((random.random(60) > 0.4) * np.exp(random.normal(size=60)), len(CLOCK) // 60)
    return (
        lfilter([1], [1, -1.6, 0.8], random.normal(size=len(CLOCK)) * loud)
        + random.normal(size=len(CLOCK)) * 0.01
    )


def line(period, level, like, phase=0.7):
    """A line with an rms `level` decibels above that of `like`."""
    wave = (-1.0) ** CLOCK if period == 2 else np.sqrt(2) * np.cos(2 * np.pi * CLOCK / period + phase)
    return 10 ** (level / 20) * like.std() * wave


def tones(samples, **options):
    options = {"periods": PERIODS, "significance": 1e-3} | options
    columns = np.asarray(samples, np.float32).reshape(len(samples), -1)
    return find_tones(columns, RATE, **options)


def which(frequency):
    """The period of a frequency, and its place among the lines of that period."""
    line = Fraction(frequency).limit_denominator(64)
    return line.denominator, list(line_frequencies([line.denominator])[0]).index(line.numerator)


def one_line(samples, frequency, hop):
    period, place = which(frequency)
    line, power = slow_spectra(samples, [period], hop)
    return line[:, [place]], power[:, [place]]


def oracle_case():
    random = np.random.default_rng(5)
    samples = random.normal(size=1600) * np.repeat([1.0, 0.1, 3.0, 0.5], 400) + 0.2 * np.cos(
        2 * np.pi * np.arange(1600) * 2 / 5 + 1
    )
    return samples.astype(np.float32)


@pytest.mark.parametrize("frequency", [1 / 2, 2 / 5, 3 / 8])
def test_windows_agree_with_the_oracle(frequency):
    samples = oracle_case()
    got, power = one_line(samples, frequency, 32)
    expected, beside = naive_slow(samples, frequency, 32)
    np.testing.assert_allclose(got[:, 0], expected, atol=2e-6)
    np.testing.assert_allclose(np.sqrt(power[:, 0]), beside, rtol=1e-4)


@pytest.mark.parametrize("frequency", [1 / 2, 2 / 5, 3 / 8])
def test_p_values_agree_with_the_oracle(frequency):
    samples = oracle_case()
    period, place = which(frequency)
    found = slow_test(samples[:, None], [2, period, 7], 32)
    place += list(line_frequencies([2, period, 7])[1]).index(period)
    spectra = naive_slow(samples, frequency, 32)
    both = [
        naive_p_value(*spectra, real=frequency == 0.5, constant=constant, floor_share=0.25, least=LEAST_NOISE)
        for constant in (True, False)
    ]
    assert found.p_value[place, 0] == pytest.approx(min(1, 2 * min(p for _, p in both)), rel=1e-3)
    if frequency == 2 / 5:
        assert found.p_value[place, 0] < 1e-9
        assert abs(found.mean[place, 0]) == pytest.approx(0.1, rel=0.1)
        assert found.mean[place, 0] == pytest.approx(both[0][0], rel=1e-3)


@pytest.mark.parametrize("defect", ["phase", "hop", "neighbours"])
def test_the_oracle_catches_a_planted_defect(defect):
    samples, frequency = oracle_case(), 2 / 5
    expected, beside = naive_slow(samples, frequency, 32)
    got, power = one_line(samples, frequency, 32)
    if defect == "phase":
        got = got * np.exp(2j * np.pi * np.outer(np.arange(len(got)) * 32, [frequency]))
        assert not np.allclose(got[:, 0], expected, atol=2e-6)
    elif defect == "hop":
        assert len(one_line(samples, frequency, 31)[0]) != len(expected)
    else:
        wrong, _ = naive_slow(samples, frequency + 1 / 64, 32)
        assert not np.allclose(np.abs(wrong), beside, rtol=1e-4)
        assert np.allclose(np.sqrt(power[:, 0]), beside, rtol=1e-4)


@pytest.mark.parametrize(("period", "level"), [(2, -50), (3, -50), (5, -50), (8, -35), (16, -15)])
def test_a_line_under_speech_is_found_with_its_frequency_and_level(period, level):
    speech = speech_like()
    lattice, (tone, *more) = tones(speech + line(period, level, speech))
    assert not more
    assert lattice.present[0].period == tone.period == (period,)
    assert tone.frequencies == (pytest.approx(RATE / period),)
    assert tone.level == pytest.approx(level, abs=0.5)


def test_a_line_that_follows_the_loudness_is_found():
    random = np.random.default_rng(2)
    loud = np.repeat(random.random(30) > 0.5, len(CLOCK) // 30) * 1.0
    samples = loud * (random.normal(size=len(CLOCK)) + 0.3 * np.cos(2 * np.pi * CLOCK / 6))
    _, (tone,) = tones(samples)
    assert tone.period == (6,)
    assert tone.level == pytest.approx(20 * np.log10(0.3 * np.sqrt(0.5)), abs=4)


def test_several_periods_and_all_lines_of_one():
    speech = speech_like(3)
    pulse = (CLOCK % 10 == 0) * speech.std() * 0.2
    lattice, found = tones(speech + pulse)
    assert {t.period for t in found} == {(2,), (5,), (10,)}
    assert sorted(f for t in found for f in t.frequencies) == pytest.approx([1600 * k for k in range(1, 6)])
    assert not lattice.traces


def test_quiet_lines_are_traces_and_the_limit_can_be_moved():
    speech = speech_like()
    samples = speech + line(2, -62, speech)
    lattice, (tone,) = tones(samples)
    assert (lattice.present, [c.period for c in lattice.traces]) == ((), [(2,)])
    assert tone.level == pytest.approx(-62, abs=1.5)
    assert [c.period for c in tones(samples, audible=-70)[0].present] == [(2,)]


def test_silence_and_constants_have_none():
    for value in (0.0, 0.3, -100.0):
        lattice, found = tones(np.full(5000, value))
        assert (lattice.present, lattice.traces, found) == ((), (), ())


def test_lines_in_silence_are_found_alone():
    samples = 0.02 * np.cos(2 * np.pi * CLOCK / 8) + 0.01 * (-1.0) ** CLOCK
    lattice, found = tones(samples)
    assert [t.period for t in found] == [(8,), (2,)]
    assert all(60 < t.level < 200 for t in found)
    assert lattice.present[0].amplitude == pytest.approx(0.02, rel=1e-4)
    assert lattice.present[1].amplitude == pytest.approx(0.01, rel=1e-4)


def test_a_tone_beside_the_line_is_none():
    for offset in (0.5, 3.0, 40.0):
        samples = np.cos(2 * np.pi * CLOCK * (2000 + offset) / RATE) + 0.001 * speech_like()
        assert tones(samples)[1] == ()


def test_channels_are_tested_each():
    speech = speech_like()
    lattice, (tone,) = tones(np.column_stack([speech, speech[::-1] + line(4, -40, speech)]))
    (component,) = lattice.present
    assert tone.level == pytest.approx(-40, abs=0.5)
    assert component.channel_p_values[1] < 1e-6 < component.channel_p_values[0]


def test_no_false_alarms_on_sound_that_comes_and_goes():
    assert sum(bool(tones(speech_like(seed))[1]) for seed in range(20)) == 0


def test_p_values_are_uniform_where_there_is_nothing():
    values = np.stack([speech_like(seed)[:24000] for seed in range(12)], axis=1).astype(np.float32)
    p_values = slow_test(values, PERIODS, 256).p_value.ravel()
    for level in (0.3, 0.1, 0.01):
        # Twice the smaller of two dependent p-values is at most uniform.
        assert (p_values < level).mean() <= level + 3 * np.sqrt(level / len(p_values))
    assert (p_values < 0.3).mean() > 0.1


def test_periods_too_long_are_not_tested():
    lattice, _ = tones(np.random.default_rng(0).normal(size=1000), periods=(2, 10, 11, 300))
    assert (lattice.tested, lattice.not_tested) == ((2, 10), (11, 300))
    with pytest.raises(UncheckError, match="audio of 191 samples is too short; give at least 192"):
        tones(np.ones(191))


def test_long_periods_and_their_harmonics():
    speech = speech_like()
    lattice, found = tones(speech + line(256, -20, speech), periods=(2, 4, 8, 16, 32, 64, 128, 256))
    assert [t.period for t in found] == [(256,)]
    assert found[0].frequencies == (pytest.approx(62.5),)
    assert lattice.not_tested == ()


@examples(3, 15)
@given(gain=st.floats(1e-3, 1e3), shift=st.integers(0, 40))
def test_level_and_significance_depend_on_neither_gain_nor_start(gain, shift):
    speech = speech_like()[: 2 * RATE]
    samples = speech + line(4, -30, speech)[: 2 * RATE]
    (_, (plain,)), (_, (moved,)) = tones(samples), tones(gain * samples[shift:])
    assert moved.level == pytest.approx(plain.level, abs=0.1)


def test_lines_come_in_the_same_order_whatever_else_is_tested():
    samples = np.random.default_rng(0).normal(size=(6000, 1)).astype(np.float32)
    periods = (64, 2, 3, 48, 7, 300)
    together = slow_test(samples, periods, 600)
    alone = [slow_test(samples, [p], 600) for p in periods]
    np.testing.assert_allclose(together.p_value, np.concatenate([a.p_value for a in alone]), rtol=1e-3)
    np.testing.assert_allclose(together.mean, np.concatenate([a.mean for a in alone]), atol=1e-6)
    assert len(together.mean) == len(line_frequencies(periods)[0])


@given(count=st.integers(192, 10**8), longest=st.integers(2, 1024))
def test_there_are_always_enough_windows(count, longest):
    longest = min(longest, count // 96)
    windows = (count - 2 * hop_size(count, longest)) // hop_size(count, longest) + 1
    assert 40 <= windows <= 4096 or longest * 48 > count


def test_memory_stays_small():
    import tracemalloc

    values = np.random.default_rng(0).normal(size=(2_000_000, 1)).astype(np.float32)
    tones(values[:20000])
    tracemalloc.start()
    tones(values)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 6 * values.nbytes


def test_a_trained_speech_decoder():
    torch = pytest.importorskip("torch")
    decoder, features = released.load("speech_decoder"), released.example_input("speech_decoder")
    _, found = tones(127.5 * decoder(features)[0, 0].numpy())
    assert all(t.level < -55 for t in found)
    # Nothing in, and out comes the lattice of its strides 2, 2, 5 and 16.
    loudest = tones(127.5 * decoder(torch.zeros_like(features))[0, 0].numpy())[1][0]
    assert loudest.period == (16,)
    assert loudest.level > -30


@pytest.mark.parametrize("hop", [64, 300])
def test_coefficients_between_the_points_of_a_grid_are_those_of_folding(hop):
    periods = (2, 5, 12, 33, 64)
    samples = np.asarray(speech_like(3)[:9000], np.float32)
    folded, *weighed = _folded(samples, periods, hop, quiet=1e-3)
    line_there, *weighed_there = Whole.of(samples, hop, quiet=1e-3).at(periods)
    np.testing.assert_allclose(line_there, folded, atol=1e-5 * np.abs(folded).max())
    # How loud it is beside a line is told from within 1/16 of a cycle per window.
    for got, expected in zip(weighed_there, weighed, strict=True):
        np.testing.assert_allclose(got, expected, rtol=0.2, atol=0.02 * np.abs(expected).max())
    assert np.abs(line_there - folded.conj()).max() > 0.1 * np.abs(folded).max()


def test_a_loud_line_among_many_is_found_at_its_level():
    found, told = tones(speech_like(3) + line(5, 20, speech_like(3)), periods=range(2, 129))
    assert found.present[0].period == (5,)
    assert found.present[0].p_value < 1e-12
    assert told[0].level == pytest.approx(20, abs=0.1)


def test_many_periods_give_what_few_give():
    samples = np.asarray(speech_like(1) + line(96, -20, speech_like(1)), np.float32)[:40000, None]
    many = slow_test(samples, range(2, 129), 256)
    few = slow_test(samples, [96], 256)
    own = line_frequencies(range(2, 129))[1] == 96
    np.testing.assert_allclose(many.p_value[own], few.p_value, rtol=0.02, atol=1e-6)
    np.testing.assert_allclose(many.mean[own], few.mean, atol=1e-4 * np.abs(few.mean).max())


def test_a_line_at_the_stated_limit_is_found():
    hits = 0
    for seed in range(16):
        samples = np.random.default_rng(seed).normal(0, 5, RATE)
        stated = {one.period[0]: one.amplitude for one in tones(samples, periods=(2, 4, 7))[0].limits}
        tile = np.random.default_rng(seed + 99).normal(size=7)
        lines = np.abs(np.fft.rfft(tile)[1:]) * 2 / 7
        wave = np.resize((tile - tile.mean()) / np.sqrt((lines**2).sum()), RATE)
        hits += 7 in {c.period[0] for c in tones(samples + stated[7] * wave, periods=(2, 4, 7))[0].everything}
    assert hits >= 13
