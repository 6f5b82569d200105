"""The lattices that the calibration puts into pictures are what they say they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inject import (
    PATTERNS,
    add,
    amplitude,
    fractions,
    make_colour,
    make_region,
    make_tile,
    modulate,
    names_period,
    repeat,
    resample,
)

GREY = np.ones(3)
NONE = np.float32(0)


def slow_amplitude(tile):
    """By fitting every sinusoid of the tile's period to many repetitions, one conjugate pair at a time."""
    rows, columns = tile.shape
    plane = np.tile(tile, (4, 4))
    y, x = np.indices(plane.shape)
    total, done = 0.0, set()
    for a in range(rows):
        for b in range(columns):
            mirror = (-a % rows, -b % columns)
            if (a, b) == (0, 0) or mirror in done:
                continue
            done.add((a, b))
            turn = 2 * np.pi * (a * y / rows + b * x / columns)
            design = np.stack([np.cos(turn).ravel(), np.sin(turn).ravel()], axis=1)
            fit = np.linalg.lstsq(design, plane.ravel(), rcond=None)[0]
            total += float(fit @ fit)
    return np.sqrt(total)


@given(rows=st.integers(1, 7), columns=st.integers(2, 7), seed=st.integers(0, 99))
def test_amplitude_is_the_root_of_the_summed_squares_of_all_sinusoids(rows, columns, seed):
    tile = np.random.default_rng(seed).normal(size=(rows, columns))
    assert amplitude(tile) == pytest.approx(slow_amplitude(tile), rel=1e-9)


def test_the_slow_amplitude_tells_a_forgotten_factor_of_two():
    tile = np.cos(2 * np.pi * np.arange(4) / 4)[None, :]
    forgotten = np.sqrt((np.abs(np.fft.fft2(tile) / tile.size) ** 2).sum())
    assert slow_amplitude(tile) == pytest.approx(1.0, rel=1e-9)
    assert forgotten == pytest.approx(np.sqrt(0.5), rel=1e-9)


def test_a_checkerboard_of_one_level_has_amplitude_one():
    assert amplitude(np.array([[1.0, -1.0], [-1.0, 1.0]])) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("period", [(2, 2), (3, 5), (8, 1), (4, 4), (2, 4)])
def test_tiles_have_no_mean_and_amplitude_one(pattern, period):
    tile = make_tile(pattern, period, np.random.default_rng(3))
    assert tile.shape == period
    assert tile.mean() == pytest.approx(0, abs=1e-12)
    assert amplitude(tile) == pytest.approx(1, rel=1e-9)


def test_an_overlap_is_stronger_where_taps_overlap():
    tile = make_tile("overlap", (3, 3), np.random.default_rng(0))
    assert sorted(np.unique(tile.round(9), return_counts=True)[1]) == [1, 4, 4]


def test_an_unknown_pattern_is_refused():
    with pytest.raises(ValueError, match="pattern 'stripes' is none of tile, cosine, overlap"):
        make_tile("stripes", (2, 2), np.random.default_rng(0))


@pytest.mark.parametrize("shape", [(48, 48), (48, 48, 3)])
def test_what_is_added_is_what_was_asked_for(shape):
    pixels = np.full(shape, 128, np.uint8)
    tile = np.array([[1.0, -1.0], [-1.0, 1.0]])
    added = add(pixels, tile, 5, GREY, NONE).astype(int) - 128
    assert np.unique(added).tolist() == [-5, 5]


def test_a_lattice_below_half_a_level_survives_rounding():
    rng = np.random.default_rng(4)
    pixels = rng.integers(20, 230, (256, 256), np.uint8)
    tile = np.array([[1.0, -1.0], [-1.0, 1.0]])
    fraction = fractions(pixels.shape, rng)
    added = add(pixels, tile, 0.2, GREY, fraction).astype(int) - pixels
    plus = repeat(tile, pixels.shape) > 0
    assert added[plus].mean() == pytest.approx(0.2, abs=0.01)
    assert added[~plus].mean() == pytest.approx(-0.2, abs=0.01)
    assert (add(pixels, tile, 0.2, GREY, NONE) == pixels).all()
    assert (add(pixels, tile, 0.0, GREY, fraction) == pixels).all()


def test_the_lattice_stays_in_its_region_and_its_colour():
    pixels = np.full((48, 48, 3), 128, np.uint8)
    region = make_region("quarter", pixels.shape, np.random.default_rng(1))
    tile = make_tile("tile", (4, 4), np.random.default_rng(1))
    changed = add(pixels, tile, 40, np.array([1.0, 0.0, -0.5]), NONE, region=region) != 128
    assert not changed[..., 1].any()
    outside = np.ones((48, 48), bool)
    outside[region] = False
    assert (~outside).sum() == 24 * 24
    assert changed[..., 0][~outside].mean() > 0.9
    assert not changed[outside].any()


def test_a_proportional_lattice_keeps_its_mean_amplitude_and_vanishes_in_black():
    pixels = np.zeros((64, 64), np.uint8)
    pixels[:, 32:] = 200
    tile = np.array([[1.0, -1.0], [-1.0, 1.0]])
    added = add(pixels, tile, 10, GREY, NONE, proportional=True).astype(int) - pixels
    assert not added[:, :32].any()
    assert np.abs(added).mean() == pytest.approx(10, abs=0.5)


def test_colours_reach_one_in_the_strongest_channel():
    colour = make_colour(np.random.default_rng(5))
    assert np.abs(colour).max() == pytest.approx(1, rel=1e-12)
    assert make_colour(np.random.default_rng(5), grey=True).tolist() == [1, 1, 1]


def test_modulation_changes_the_variance_of_phases_and_not_their_mean():
    pixels = np.random.default_rng(2).normal(128, 20, (256, 256)).clip(0, 255).astype(np.uint8)
    tile = np.array([[1.0, -1.0], [-1.0, 1.0]])
    made = modulate(pixels, tile, 0.5, NONE).astype(float)
    plus = repeat(tile, made.shape) > 0
    assert made[plus].var() > 2 * made[~plus].var()
    assert made[plus].mean() == pytest.approx(made[~plus].mean(), abs=0.5)


def test_nearest_resampling_repeats_pixels():
    pixels = np.random.default_rng(2).integers(0, 255, (30, 31, 3), np.uint8)
    made = resample(pixels, 3, "nearest")
    assert made.shape == (30, 30, 3)
    assert (made[::3] == made[1::3]).all()
    assert (made[:, ::3] == made[:, 2::3]).all()


@pytest.mark.parametrize(
    ("reported", "period", "expected"),
    [
        ([(4, 4)], (4, 4), True),
        ([(1, 4), (2, 2)], (4, 4), True),
        ([(2, 2)], (4, 4), False),
        ([(8, 8)], (4, 4), False),
        ([(3, 1), (1, 5)], (3, 5), True),
        ([(5, 3)], (3, 5), False),
        ([], (2, 2), False),
    ],
)
def test_periods_that_were_reported_make_up_the_one_put_in(reported, period, expected):
    assert names_period(reported, period) is expected
