"""Periods of 17 to 64 pixels and unequal periods, found unaided."""

import numpy as np
import pytest
from PIL import Image

import released
from uncheck.measuring import find_lattice, measure
from uncheck.measuring.checks import attribute_harmonics

ALL = range(2, 65)


def tile(shape, period, amplitude, seed):
    """A random tile repeated; its sinusoids have `amplitude` together."""
    values = np.random.default_rng(seed).normal(size=period)
    values -= values.mean()
    # By convention: power of a sinusoid is half its squared amplitude, of a real line all of it.
    power = np.abs(np.fft.fft2(values) / values.size) ** 2
    half = np.ix_(*[[0, p // 2] if p % 2 == 0 else [0] for p in period])
    values *= amplitude / np.sqrt(2 * power.sum() - power[half].sum())
    repeats = [-(-n // p) for n, p in zip(shape, period, strict=True)]
    return np.tile(values, repeats)[: shape[0], : shape[1], None].astype(np.float32)


def pink(shape, seed):
    f = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    f[0, 0] = 1
    values = np.fft.irfft2(np.fft.rfft2(np.random.default_rng(seed).normal(size=shape)) / f, s=shape)
    return (128 + 30 * values / values.std())[..., None].astype(np.float32)


def noise(shape, seed):
    return np.random.default_rng(seed).normal(128, 6, (*shape, 1)).astype(np.float32)


def wave(shape, period, phase=0.4):
    angle = sum(2 * np.pi * n / p for n, p in zip(np.indices(shape), period, strict=True) if p > 1)
    return (4 * np.cos(angle + phase))[..., None].astype(np.float32)


def merged(array, periods=ALL):
    return attribute_harmonics(array, find_lattice(array, periods=periods)).present


UNEQUAL = [(3, 5), (7, 16), (8, 1), (2, 4), (24, 24), (1, 47), (20, 30), (24, 12)]


@pytest.mark.parametrize("period", [*UNEQUAL, (17, 17), (37, 37), (53, 53), (64, 64)])
def test_a_tile_over_noise_is_one_component_of_its_period(period):
    (component,) = merged(noise((300, 310), 1) + tile((300, 310), period, 10, 2))
    assert component.period == period
    assert component.amplitude == pytest.approx(10, rel=0.07)


# Of long tiles over such content the weaker lines drown one by one, and with them some of the amplitude.
@pytest.mark.parametrize(
    ("period", "error"), [*((p, 0.1) for p in UNEQUAL), ((17, 17), 0.1), ((37, 37), 0.25)]
)
def test_a_tile_over_content_is_found_with_its_period(period, error):
    first, *rest = merged(pink((300, 310), 1) + tile((300, 310), period, 10, 2))
    assert first.period == period
    assert first.amplitude == pytest.approx(10, rel=error)
    assert all(c.amplitude < 2 and max(period) % max(c.period) == 0 for c in rest)


@pytest.mark.parametrize("period", [(17, 1), (1, 31), (64, 1), (19, 19), (40, 40), (59, 59)])
def test_a_sinusoid_over_noise_is_found_at_its_amplitude(period):
    (component,) = merged(noise((320, 300), 3) + wave((320, 300), period))
    assert component.period == period
    assert component.amplitude == pytest.approx(4, rel=0.05)


# Stripes along both axes and their product: two periods and a pair of unequal ones.
@pytest.mark.parametrize(("down", "across"), [(7, 16), (17, 3), (20, 30), (3, 5)])
def test_crossed_stripes_are_two_and_their_pair(down, across):
    shape = (384, 384)
    array = (
        noise(shape, 4)
        + 1.5 * wave(shape, (down, 1))
        + wave(shape, (1, across))
        + wave(shape, (down, across))
    )
    found = find_lattice(array, periods=ALL).present
    assert sorted(c.period for c in found) == sorted([(down, 1), (1, across), (down, across)])
    for component in found:
        assert component.amplitude == pytest.approx(6 if component.period == (down, 1) else 4, rel=0.05)


def test_a_pair_counts_its_lines_once():
    shape = (384, 384)
    array = noise(shape, 5) + wave(shape, (24, 1)) + wave(shape, (1, 12)) + wave(shape, (24, 12))
    lines = [line.frequency for c in find_lattice(array, periods=ALL).present for line in c.lines]
    assert len(lines) == len(set(lines))


def test_no_pair_beyond_the_periods_asked_for():
    shape = (256, 256)
    array = noise(shape, 6) + wave(shape, (3, 1)) + wave(shape, (1, 5)) + wave(shape, (3, 5))
    assert {c.period for c in find_lattice(array, periods=(3,)).present} == {(3, 1)}
    assert {c.period for c in find_lattice(array, periods=(3, 5)).present} == {(3, 1), (1, 5), (3, 5)}


@pytest.mark.parametrize("periods", [(17,), (64,), (40, 17, 40), (2, 64)])
def test_few_and_repeated_periods(periods):
    shape, period = (300, 280), max(periods)
    array = noise(shape, 7) + tile(shape, (period, period), 8, 1)
    found = find_lattice(array, periods=periods)
    assert found.tested == tuple(sorted(set(periods)))
    assert found.present[0].period == (period, period)
    assert not find_lattice(noise(shape, 8), periods=periods, threshold=0.0).present


def test_periods_longer_than_the_picture_are_not_tested():
    found = find_lattice(noise((60, 70), 1), periods=(2, 17, 20, 21, 64, 100))
    assert found.tested == (2, 17, 20)
    assert found.not_tested == (21, 64, 100)
    # Four pixels by four thousand: along the long axis everything fits.
    thin = np.tile(wave((1, 4000), (1, 50)), (4, 1, 1)) + noise((4, 4000), 2)
    found = find_lattice(thin, periods=ALL)
    assert found.not_tested == ()
    assert [c.period for c in found.present] == [(1, 50)]


@pytest.mark.parametrize("make", [noise, pink])
def test_false_alarms_of_noise_are_as_rare_as_stated(make):
    # With threshold 0 all that is significant counts; none is expected among forty.
    found = [find_lattice(make((300, 290), seed), periods=ALL, threshold=0.0).present for seed in range(40)]
    assert sum(map(bool, found)) <= 1


def test_loose_significance_is_kept_to():
    found = [
        find_lattice(pink((280, 270), seed), periods=ALL, threshold=0.0, significance=0.1).present
        for seed in range(40)
    ]
    # Four expected; more than ten has a probability of 0.002.
    assert sum(map(bool, found)) <= 10


def test_photographs_are_clean_at_every_period():
    result = measure(released.photographs()[:6], periods=ALL)
    assert [image.verdict for image in result.images] == ["clean"] * 6


@pytest.mark.parametrize("period", [(3, 5), (7, 16), (8, 1), (2, 4), (24, 24), (37, 37), (64, 64)])
def test_tiles_over_a_photograph_have_the_right_period(period):
    path = released.photographs()[3]
    photo = np.asarray(Image.open(path).convert("RGB"), np.float32)[:512, :512]
    strongest = merged(photo + tile(photo.shape[:2], period, 8, 1))[0]
    assert strongest.period == period
    assert strongest.amplitude == pytest.approx(8, rel=0.15)
