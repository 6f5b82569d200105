"""The parts of the estimate against slow oracles, and the oracles against planted faults."""

import numpy as np
import pytest

from oracles.cleaning_naive import drawn_by_pixel, weighted_fit, windowed_tile
from uncheck.cleaning.basis import tonal
from uncheck.cleaning.clipping import cut_off
from uncheck.cleaning.drawing import draw, repeated
from uncheck.cleaning.estimating import estimate
from uncheck.cleaning.fitting import fit
from uncheck.cleaning.pattern import Pattern, periods_of
from uncheck.cleaning.windows import Grid, coefficients, local_means, waves
from uncheck.measuring.components import Component

PERIODS = [(2, 2), (4, 4), (3, 5), (8, 8), (1, 4)]


def plane_with(period, shape=(48, 56), seed=0):
    """Shading and a random tile; the tile too."""
    rng = np.random.default_rng(seed)
    tile = rng.normal(size=period)
    tile -= tile.mean()
    rows, columns = np.indices(shape)
    shading = 100 + 0.3 * rows + 0.002 * columns**2
    repeats = [-(-n // p) for n, p in zip(shape, period, strict=True)]
    return (shading + np.tile(tile, repeats)[: shape[0], : shape[1]]).astype(np.float32), tile


@pytest.mark.parametrize("period", PERIODS)
def test_a_window_gives_the_tile_of_least_squares(period):
    plane, tile = plane_with(period)
    grid = Grid(plane.shape, period)
    node = (2, 2)
    own = coefficients(plane, grid)[node]
    own[0, 0] = 0
    drawn = repeated(own[None], period)[..., 0]
    oracle = windowed_tile(plane, period, node, grid.cell)
    assert np.abs(oracle - tile).max() < 1e-3
    # Lines of a window of two periods are not quite independent beside a parabola.
    assert np.abs(drawn - oracle).max() < 0.05
    # Planted: the phases counted from another pixel.
    assert np.abs(drawn - np.roll(oracle, 1, axis=1)).max() > 0.1


@pytest.mark.parametrize("period", PERIODS)
def test_local_means_are_blind_to_the_lattice(period):
    plane, _ = plane_with(period)
    bare, _ = plane_with(period, seed=1)
    grid = Grid(plane.shape, period)
    means = [local_means(one[..., None], grid)[1:-1, 1:-1] for one in (plane, bare)]
    assert np.abs(means[0] - means[1]).max() < 0.02
    alone = coefficients(plane, grid)[..., 0, 0]
    assert np.allclose(local_means(plane[..., None], grid)[..., 0], alone, atol=1e-3)


def test_fit_is_that_of_weighted_least_squares_where_all_is_quiet():
    rng = np.random.default_rng(0)
    basis = np.concatenate([np.ones((400, 1)), rng.normal(size=(400, 2))], axis=1).astype(np.float32)
    tiles = rng.normal(size=(3, 6))
    weights = rng.uniform(0.5, 1, 400).astype(np.float32)
    local = (basis @ tiles + 1e-3 * rng.normal(size=(400, 6))).astype(np.float32)
    assert np.abs(fit(local, basis, weights) - weighted_fit(local, basis, weights)).max() < 1e-3
    # Planted: one function left out.
    assert np.abs(fit(local, basis[:, :2], weights) - weighted_fit(local, basis, weights)[:2]).max() > 0.01


def test_a_tenth_of_busy_windows_does_not_move_the_fit():
    rng = np.random.default_rng(1)
    basis = np.ones((500, 1), np.float32)
    local = (2 + 0.1 * rng.normal(size=(500, 8))).astype(np.float32)
    local[:50] += 40
    ones = np.ones(500, np.float32)
    assert np.abs(fit(local, basis, ones) - 2).max() < 0.05
    assert np.abs(weighted_fit(local, basis, ones) - 2).max() > 1


def test_noise_alone_is_shrunk_to_next_to_nothing():
    rng = np.random.default_rng(2)
    local = rng.normal(size=(1000, 63)).astype(np.float32)
    basis = np.concatenate([np.ones((1000, 1)), rng.normal(size=(1000, 3))], axis=1).astype(np.float32)
    ones = np.ones(1000, np.float32)
    assert np.square(fit(local, basis, ones)).sum() < 0.4 * np.square(weighted_fit(local, basis, ones)).sum()


@pytest.mark.parametrize("period", [(2, 2), (3, 5), (1, 4)])
def test_drawing_is_the_sum_by_pixel(period):
    rng = np.random.default_rng(3)
    grid = Grid((21, 34), period)
    tiles = rng.normal(size=(2, *period)).astype(np.float32)
    nodes = [np.arange(n) * q - 0.5 for n, q in zip(grid.nodes, grid.cell, strict=True)]
    slopes = np.stack(np.broadcast_arrays(0.1 * nodes[0][:, None], 1 + 0.2 * nodes[1][None]), axis=-1)
    rows, columns = np.indices(grid.shape)
    plain = [
        np.einsum("ij,ir,jc->rc", one, waves(period[0], period[0]), waves(period[1], period[1]))
        for one in tiles
    ]
    wanted = drawn_by_pixel([0.1 * rows, 1 + 0.2 * columns], plain, grid.shape)
    # Amplitudes that are linear in the place are drawn exactly.
    assert np.abs(draw(slopes.astype(np.float32), tiles, grid) - wanted).max() < 1e-3
    assert np.abs(draw(slopes[..., ::-1].astype(np.float32), tiles, grid) - wanted).max() > 0.1


def test_drawn_by_pixel_is_the_sum_by_pixel():
    rng = np.random.default_rng(4)
    values = rng.uniform(0, 255, (16, 20, 3)).astype(np.float32)
    pattern = Pattern((2, 4), rng.normal(size=(3, 5, 2, 4)).astype(np.float32) * 0.1, sharp=1.0)
    drawn = pattern._by_pixel(values)
    for channel in range(3):
        functions = np.moveaxis(tonal(values, channel), -1, 0)
        plain = [np.einsum("ij,ir,jc->rc", one, waves(2, 2), waves(4, 4)) for one in pattern.tiles[channel]]
        assert np.abs(drawn[..., channel] - drawn_by_pixel(functions, plain, (16, 20))).max() < 1e-3


@pytest.mark.parametrize("sharp", [False, True])
def test_an_estimate_finds_amplitude_and_what_it_depends_on(sharp):
    rng = np.random.default_rng(5)
    smooth = np.add.outer(np.linspace(20, 140, 128), np.linspace(0, 90, 128))
    picture = np.clip(smooth + 12 * rng.normal(size=(128, 128)), 2, 253)
    tile = np.array([[1.0, -1], [-1, 1]])
    grows = (picture if sharp else smooth) / 128
    given = (picture + 4 * np.tile(tile, (64, 64)) * grows).astype(np.float32)[..., None]
    (pattern,) = estimate([given], [(2, 2)])
    left = given[..., 0] - pattern.drawn(given)[..., 0] - picture
    assert np.sqrt((left**2).mean()) < 0.15 * np.sqrt(((given[..., 0] - picture) ** 2).mean())
    assert pattern.sharp > 0.6 if sharp else pattern.sharp < 0.4


def test_clipped_pixels_are_not_given_a_lattice():
    tile = np.tile(np.array([[6.0, -6], [-6, 6]], np.float32), (16, 16))[..., None]
    white = np.full((32, 32, 1), 255, np.float32)
    bright = np.full((32, 32, 1), 252, np.float32)
    for truth in (white, bright):
        given = np.clip(truth + tile, 0, 255)
        assert np.abs(given - cut_off(given, tile) - truth).max() < 1e-3
        # Planted: as if nothing had been cut off.
        assert np.abs(given - tile - truth).max() > 2
    middle = np.full((32, 32, 1), 100, np.float32) + tile
    assert cut_off(middle, tile) is tile


def test_periods_that_divide_another_are_part_of_it():
    found = [Component(p, 1.0, 0.0) for p in [(2, 2), (4, 4), (1, 3), (3, 3), (5, 1)]]
    assert periods_of(found) == [(4, 4), (3, 3), (5, 1)]
