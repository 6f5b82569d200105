"""Contrast that goes with the phase: interpolated pictures have it, others and plain lattices do not."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import released
from oracles.second_order_naive import naive_contrast
from tiers import examples
from uncheck.measuring import find_lattice, measure
from uncheck.measuring import second_order as room
from uncheck.measuring.second_order import FLOOR, ROWS, contrast, second_order

FILTERS = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR}
FILTERS["bicubic"] = Image.Resampling.BICUBIC


def content(shape, seed, slope=1.0, channels=3):
    """Noise whose amplitude falls with frequency^slope, 8 bits."""
    f = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    f[0, 0] = 1
    white = np.random.default_rng(seed).normal(size=(channels, *shape))
    values = np.fft.irfft2(np.fft.rfft2(white) / f**slope, s=shape)
    values = 128 + 30 * (values - values.mean()) / values.std()
    return np.clip(np.rint(np.moveaxis(values, 0, -1)), 0, 255).astype(np.uint8)


def enlarged(picture, factor, how):
    size = [round(n * factor) for n in picture.shape[1::-1]]
    return np.asarray(Image.fromarray(picture).resize(size, FILTERS[how]), np.float32)


def periods_of(found):
    return {max(m.period) for m in found}


@pytest.mark.parametrize(
    "shape",
    [
        (3, 3, 1),
        (4, 5, 3),
        (ROWS + 1, 7, 3),
        (2 * ROWS + 3, 6, 1),
        (1, 9, 2),
        (2, 9, 1),
        (12, 1),
        (5, 6, 7, 2),
    ],
)
def test_contrast_agrees_with_naive(shape):
    array = np.random.default_rng(1).normal(128, 20, shape).astype(np.float32)
    array[-1] = 99
    ours, theirs = contrast(array), naive_contrast(array, FLOOR)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-3)


def test_defects_of_the_contrast_are_caught(monkeypatch):
    array = np.random.default_rng(1).normal(128, 2, (ROWS + 5, 9, 3)).astype(np.float32)
    theirs = naive_contrast(array, FLOOR)
    assert np.abs(contrast(array) - naive_contrast(array, 2 * FLOOR)).max() > 0.1
    assert np.abs(contrast(array) - naive_contrast(array[:, ::-1], FLOOR)[:, ::-1]).max() > 0.1
    monkeypatch.setattr(room, "_power", lambda d: np.abs(d) + FLOOR)
    assert np.abs(contrast(array) - theirs).max() > 0.1
    monkeypatch.undo()
    monkeypatch.setattr(room, "ROWS", ROWS + 2)
    np.testing.assert_allclose(contrast(array), theirs, rtol=1e-4, atol=1e-3)


@examples(20, 100, derandomize=True)
@given(seed=st.integers(0, 10**6), offset=st.floats(-100, 100))
def test_contrast_does_not_see_brightness_or_sign(seed, offset):
    array = np.random.default_rng(seed).normal(0, 20, (12, 15, 2)).astype(np.float32)
    np.testing.assert_allclose(contrast(array + np.float32(offset)), contrast(array), atol=1e-2)
    np.testing.assert_allclose(contrast(-array), contrast(array), atol=1e-4)


@pytest.mark.parametrize("how", FILTERS)
@pytest.mark.parametrize(("factor", "period"), [(2, 2), (3, 3), (4, 4), (1.5, 3)])
def test_enlargement_is_found_at_its_period(factor, period, how):
    side = round(320 / factor)
    for seed in range(2):
        picture = enlarged(content((side, side + 20), seed, slope=0.7), factor, how)
        found = second_order(picture, find_lattice(picture))
        assert found
        assert max(found[0].period) == period
        assert all(period % p == 0 for p in periods_of(found))
        assert found[0].p_value < 1e-3
        assert found[0].modulation > 0.1


def test_enlargement_along_one_axis():
    wide = np.repeat(content((256, 100), 1), 3, axis=1).astype(np.float32)
    assert second_order(wide)[0].period == (1, 3)


def test_modulation_is_in_decibels_of_power():
    y, x = np.indices((256, 256))
    # Contrast doubled on one phase of four: log-power is ln 4 there, which is two lines and one real line.
    noise = np.random.default_rng(1).normal(size=(256, 256, 1)) * 50
    array = (128 + noise * np.where((x % 4 == 1)[..., None], 8, 1)).astype(np.float32)
    (found,) = [m for m in second_order(array) if m.period == (1, 4)]
    log = naive_contrast(array[:64], FLOOR)
    phases = np.array([log[:, p::4].mean() for p in range(4)])
    line = 2 * abs(np.fft.fft(phases)[1]) / 4
    assert found.modulation == pytest.approx(line * 10 / np.log(10), rel=0.1)
    assert y.shape == x.shape


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 1.5])
def test_noise_has_no_second_order(slope):
    found = [second_order(content((128, 140), seed, slope).astype(np.float32)) for seed in range(40)]
    # At p < 0.001 none is expected among forty; one has a probability of 0.04.
    assert sum(map(bool, found)) <= 1


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_lattice_of_two_levels_alone_has_no_second_order(period):
    y, x = np.indices((256, 256))
    pattern = (-1.0) ** (x + y) if period == 2 else np.cos(2 * np.pi * x / period)
    for seed in range(3):
        values = content((256, 256), seed, slope=0.8) + 2 * pattern[..., None]
        array = np.clip(np.rint(values), 0, 255).astype(np.float32)
        found = find_lattice(array)
        assert {max(c.period) for c in found.present} == {period}
        assert second_order(array, found) == ()


def test_a_strong_lattice_is_taken_out_first():
    y, x = np.indices((256, 256))
    array = (content((256, 256), 1, slope=1.5) + 20 * ((-1.0) ** (x + y))[..., None]).astype(np.float32)
    assert second_order(array, find_lattice(array)) == ()


def test_jpeg_leaves_eights():
    file = BytesIO()
    Image.fromarray(content((256, 256), 1)).save(file, "JPEG", quality=50)
    found = second_order(np.asarray(Image.open(file).convert("RGB"), np.float32))
    assert 8 in periods_of(found)
    assert periods_of(found) <= {2, 4, 8}


@pytest.mark.parametrize(
    "shape", [(3, 3), (4, 4), (5, 5), (1, 1), (1, 40), (40, 1), (2, 40), (6, 300), (7,), (5, 5, 5)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_tiny_and_constant_arrays(shape, channels):
    rng = np.random.default_rng(1)
    assert second_order(np.full((*shape, channels), 7, np.float32)) == ()
    assert second_order(rng.normal(128, 20, (*shape, channels)).astype(np.float32)) == ()


def test_one_and_three_dimensions():
    rng = np.random.default_rng(2)
    sound = np.repeat(rng.normal(0, 40, 1500), 3)[:, None].astype(np.float32)
    assert second_order(sound)[0].period == (3,)
    volume = rng.normal(0, 40, (20, 22, 24, 1))
    for axis in range(3):
        volume = np.repeat(volume, 2, axis=axis)
    assert max(second_order(volume.astype(np.float32), periods=(2, 3, 4))[0].period) == 2


def test_to_dict():
    (image,) = measure(np.repeat(np.repeat(content((100, 100), 1), 2, 0), 2, 1)).images
    first = image.to_dict()["second_order"][0]
    assert set(first) == {"period", "modulation_db", "p_value"}
    assert first["period"] == [2, 2]


def test_photographs_have_none():
    for path in released.photographs()[:6]:
        array = np.asarray(Image.open(path), np.float32)
        assert second_order(array, find_lattice(array)) == ()
