"""Sums over many images: the slow weighted mean, adding in any order, and a much lower limit."""

from functools import reduce

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from oracles.sets_naive import naive_set_line
from tiers import examples
from uncheck.errors import UncheckError
from uncheck.measuring import find_lattice
from uncheck.measuring.components import Line
from uncheck.measuring.eigenspectra import eigenspectra, window_sums
from uncheck.measuring.frequencies import plan
from uncheck.measuring.harmonic import line_test
from uncheck.measuring.sets import VISIBLE_IN_SETS, SetSums, _response, add, set_lattice, set_sums

SMALL, WINDOWS = (30, 26), [(3.0, 5)] * 2
SCHEME = plan(SMALL, (2, 3, 4))


def noise(count, shape, seed, channels=1, sigma=10.0):
    return np.random.default_rng(seed).normal(128, sigma, (count, *shape, channels)).astype(np.float32)


def contents(count, shape, seed):
    f = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    f[0, 0] = 1
    white = np.random.default_rng(seed).normal(size=(count, *shape))
    values = np.fft.irfft2(np.fft.rfft2(white) / f**0.7, s=shape)
    return (128 + 30 * values / values.std())[..., None].astype(np.float32)


def pattern(shape, period):
    y, x = np.indices(shape)
    if period == 2:
        return ((-1.0) ** (x + y))[..., None].astype(np.float32)
    turn = 2 * np.pi / period
    return ((np.cos(turn * x + 0.3) + np.cos(turn * y + 1)) / np.sqrt(2))[..., None].astype(np.float32)


def equal(one, two, rel):
    np.testing.assert_allclose(one.weight, two.weight, rtol=rel)
    np.testing.assert_allclose(one.spectra, two.spectra, rtol=rel, atol=rel * np.abs(two.spectra).max())
    assert (one.count, one.shape) == (two.count, two.shape)


@pytest.mark.parametrize("channels", [1, 3])
def test_sums_agree_with_the_naive_weighted_mean(channels):
    images = noise(4, SMALL, 1, channels) * np.array([1, 2, 0.5, 4], np.float32)[:, None, None, None]
    sums, known = set_sums(images, SCHEME), window_sums(SMALL)
    mean = sums.spectra / sums.weight[..., None]
    lines = line_test(mean[None], known, SCHEME.real)[0]
    for i in range(0, len(SCHEME.frequencies), 2):
        naive = naive_set_line(images, SCHEME.frequencies[i], WINDOWS, known, SCHEME.real[i])
        np.testing.assert_allclose(sums.weight[i], naive[0], rtol=1e-3)
        np.testing.assert_allclose(mean[i], naive[1], rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(lines.mean[i], naive[2], rtol=1e-3, atol=1e-5)
        assert lines.p_joint[i] == pytest.approx(naive[3], rel=1e-2)


def test_defects_of_the_sums_are_caught():
    images = noise(4, SMALL, 1) * np.array([1, 2, 0.5, 4], np.float32)[:, None, None, None]
    sums, known = set_sums(images, SCHEME), window_sums(SMALL)
    weight, mean, _, _ = naive_set_line(images, SCHEME.frequencies[5], WINDOWS, known, False)
    ours = sums.spectra[5] / sums.weight[5][:, None]
    assert np.abs(ours - mean).max() < 1e-3
    unweighted = naive_set_line(images[:1], SCHEME.frequencies[5], WINDOWS, known, False)[1]
    for other in images[1:]:
        unweighted = unweighted + naive_set_line(other[None], SCHEME.frequencies[5], WINDOWS, known, False)[1]
    assert np.abs(ours - unweighted / 4).max() > 0.1
    one_less = naive_set_line(images[:3], SCHEME.frequencies[5], WINDOWS, known, False)[0]
    assert np.abs(one_less / weight - 1).max() > 1e-3
    mirrored = naive_set_line(images, -SCHEME.frequencies[5], WINDOWS, known, False)[1]
    assert np.abs(ours - mirrored).max() > 0.1


@examples(5, 15, derandomize=True)
@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(1, 11), max_size=4))
def test_parts_add_up_to_the_whole_in_any_order(seed, cuts):
    images = noise(12, SMALL, seed, 2)
    parts = [p for p in np.split(images, sorted(cuts)) if len(p)]
    sums = [set_sums(part, SCHEME) for part in parts]
    whole = set_sums(images, SCHEME)
    equal(reduce(add, sums), whole, 1e-5)
    equal(reduce(add, sums[::-1]), whole, 1e-5)
    if len(sums) > 2:
        equal(add(sums[0], add(sums[1], sums[2])), add(add(sums[0], sums[1]), sums[2]), 1e-12)


def test_an_empty_set_adds_nothing():
    whole = set_sums(noise(3, SMALL, 1), SCHEME)
    empty = set_sums(noise(0, SMALL, 1), SCHEME)
    assert empty.count == 0
    equal(add(whole, empty), whole, 1e-12)
    assert set_lattice(empty, SCHEME).present == ()


def test_sets_of_other_shapes_are_refused():
    one, two = (
        set_sums(noise(2, SMALL, 1), SCHEME),
        set_sums(noise(2, (26, 30), 1), plan((26, 30), (2, 3, 4))),
    )
    message = r"images of shape \(26, 30, 1\) do not lie on the grid of those of shape \(30, 26, 1\); measure"
    with pytest.raises(UncheckError, match=message):
        add(one, two)
    with pytest.raises(UncheckError, match=r"shape \(30, 26, 3\) do not lie on the grid"):
        add(one, set_sums(noise(2, SMALL, 1, 3), SCHEME))


def test_tensors_add_up_like_arrays():
    images = noise(5, (64, 60), 2, 3)
    scheme = plan((64, 60), range(2, 17))
    equal(set_sums(torch.tensor(images), scheme), set_sums(images, scheme), 1e-3)


@pytest.mark.parametrize("shape", [(600,), (48, 50), (14, 15, 16)])
def test_response_is_the_spectrum_of_the_line(shape):
    scheme = plan(shape, (2, 3, 4))
    for i in (0, len(scheme.frequencies) // 2, len(scheme.frequencies) - 1):
        frequency, real = scheme.frequencies[i], bool(scheme.real[i])
        mu = 2.0 if real else 1.5 * np.exp(0.6j)
        line = Line(tuple(frequency), tuple(scheme.denominators[i]), (complex(mu), -complex(mu)), real, 0.0)
        angle = 2 * np.pi * sum(f * n for f, n in zip(frequency, np.indices(shape), strict=True))
        made = (1 if real else 2) * (np.array([mu, -mu]) * np.exp(1j * angle)[..., None]).real
        direct = eigenspectra(made[None].astype(np.float32), scheme)[0]
        response = _response(scheme, [line])
        np.testing.assert_allclose(response, direct, atol=1e-3 * np.abs(direct).max())
        mirrored = _response(scheme, [Line(line.frequency, line.period, (mu, mu), real, 0.0)])
        assert np.abs(mirrored - direct).max() > 0.1 * np.abs(direct).max()


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_set_finds_what_one_image_cannot(period):
    shape = (160, 160)
    images = noise(64, shape, period, sigma=6.0) + 0.1 * pattern(shape, period)
    scheme = plan(shape, range(2, 17))
    assert not any(find_lattice(image, threshold=0.0).present for image in images[:12])
    (component,) = set_lattice(set_sums(images, scheme), scheme).present
    assert max(component.period) == period
    assert component.amplitude == pytest.approx(0.1, rel=0.3)
    assert component.p_value < 1e-3
    assert VISIBLE_IN_SETS < 0.1


def test_lattices_of_no_common_phase_average_out():
    shape = (64, 64)
    images, scheme = noise(64, shape, 3), plan(shape, range(2, 17))
    signs = np.random.default_rng(1).choice([-1, 1], 64).astype(np.float32)
    images += 3 * signs[:, None, None, None] * pattern(shape, 2)
    assert abs(signs.sum()) < 20
    found = set_lattice(set_sums(images, scheme), scheme)
    assert found.strength < 1.2


@pytest.mark.parametrize("make", [noise, lambda n, shape, seed: contents(n, shape, seed)])
def test_contents_alone_are_no_lattice(make):
    shape = (64, 64)
    scheme = plan(shape, range(2, 17))
    found = [
        set_lattice(set_sums(make(16, shape, seed), scheme), scheme, threshold=0.0) for seed in range(40)
    ]
    assert sum(bool(f.present) for f in found) <= 1


def test_what_all_images_share_without_a_period_is_no_lattice():
    shape = (128, 128)
    y, x = np.indices(shape)
    face = 60 * np.exp(-((y - 60) ** 2 + (x - 64) ** 2) / 800) + 40 * (abs(y - 70) < 3) * (abs(x - 64) < 20)
    border = 50.0 * ((y < 3) | (x < 3) | (y > 124))
    common = contents(1, shape, 99)[0] + (face + border)[..., None]
    images = 0.2 * contents(64, shape, 5) + common.astype(np.float32)
    scheme = plan(shape, range(2, 17))
    assert set_lattice(set_sums(images, scheme), scheme, threshold=0.0).present == ()
    (component,) = set_lattice(set_sums(images + 2 * pattern(shape, 2), scheme), scheme).present
    assert component.period == (2, 2)


def test_two_periods_and_a_strong_neighbour():
    shape = (128, 128)
    scheme = plan(shape, range(2, 17))
    images = noise(16, shape, 1) + 5 * pattern(shape, 2) + 0.5 * pattern(shape, 15)
    found = set_lattice(set_sums(images, scheme), scheme)
    assert [c.period for c in found.present] == [(2, 2), (15, 15)]
    assert found.present[1].amplitude == pytest.approx(0.5, rel=0.3)


def test_constant_images_count_but_weigh_nothing():
    images = noise(6, SMALL, 1)
    flat = np.full((2, *SMALL, 1), 9, np.float32)
    with_flat, without = set_sums(np.concatenate([flat, images]), SCHEME), set_sums(images, SCHEME)
    np.testing.assert_allclose(with_flat.weight, without.weight, rtol=1e-6)
    assert (with_flat.count, without.count) == (8, 6)
    nothing = set_lattice(set_sums(flat, SCHEME), SCHEME)
    assert (nothing.present, nothing.traces, nothing.tested) == ((), (), (2, 3, 4))


def test_an_image_that_is_only_lattice_stays_finite():
    images = np.concatenate([5 * np.tile(pattern(SMALL, 2), (1, 1, 1))[None] + 128, noise(4, SMALL, 2)])
    sums = set_sums(images, SCHEME)
    assert np.isfinite(sums.weight).all()
    found = set_lattice(sums, SCHEME)
    assert found.present[0].period == (2, 2)


def test_threshold_and_significance():
    shape = (64, 64)
    scheme = plan(shape, (2, 3))
    sums = set_sums(noise(16, shape, 1) + 0.5 * pattern(shape, 2), scheme)
    assert isinstance(sums, SetSums)
    weak = set_lattice(sums, scheme, threshold=1.0)
    assert (weak.present, len(weak.traces)) == ((), 1)
    assert set_lattice(sums, scheme, significance=1e-300).traces == ()
