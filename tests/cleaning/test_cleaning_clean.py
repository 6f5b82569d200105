"""`uncheck.clean`: what goes in comes out the same but for its lattice; profiles; errors."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import uncheck
from uncheck.cleaning import Profile, profile
from uncheck.errors import UncheckError


def content(seed=0, shape=(96, 112)):
    """Smooth colours with some noise, (H, W, 3) uint8, no lattice."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    base = (
        110 + 60 * np.sin(rows / 23 + seed)[..., None] + 40 * np.cos(columns / 31)[..., None] * [1, 0.5, -0.5]
    )
    return np.clip(base + 3 * rng.normal(size=(*shape, 3)), 5, 250).astype(np.uint8)


def gridded(picture, level=4.0, period=4):
    """The picture plus a tile, in its own type."""
    tile = np.random.default_rng(9).normal(size=(period, period, 1)) * [1, -0.6, 0.8]
    tile -= tile.mean(axis=(0, 1))
    tile *= level / np.abs(tile).max()
    repeats = [-(-n // period) for n in picture.shape[:2]]
    lattice = np.tile(tile, (*repeats, 1))[: picture.shape[0], : picture.shape[1]]
    return np.clip(np.rint(picture + lattice), 0, 255).astype(np.uint8)


PLAIN = content()
GRID = gridded(PLAIN)


def rms(a, b):
    """Root mean square of a difference."""
    return float(np.sqrt(np.mean((np.asarray(a, np.float64) - np.asarray(b, np.float64)) ** 2)))


def test_the_lattice_goes_and_nothing_else():
    cleaned, report = uncheck.clean(GRID, with_report=True)
    assert cleaned.dtype == np.uint8
    assert cleaned is not GRID
    assert rms(cleaned, PLAIN) < 0.2 * rms(GRID, PLAIN)
    (one,) = report.images
    assert one.verdict == "cleaned"
    assert [taken.period for taken in one.taken] == [(4, 4)]
    assert one.before > 2
    assert one.after == 0
    assert uncheck.measure(cleaned).verdict == "clean"
    assert json.loads(json.dumps(report.to_dict()))["images"][0]["taken"][0]["period"] == [4, 4]
    assert len(repr(report)) < 200


def test_nothing_found_is_the_same_object_and_twice_is_once():
    assert uncheck.clean(PLAIN) is PLAIN
    once = uncheck.clean(GRID)
    assert rms(uncheck.clean(once), once) <= 0.1
    before = GRID.copy()
    uncheck.clean(GRID)
    assert np.array_equal(GRID, before)


def test_strength_is_a_share():
    cleaned, nothing = uncheck.clean(GRID / 255.0), uncheck.clean(GRID, strength=0)
    half = uncheck.clean(GRID / 255.0, strength=0.5)
    assert np.allclose(half, (GRID / 255.0 + cleaned) / 2, atol=1e-6)
    assert np.array_equal(nothing, GRID)


@pytest.mark.parametrize(
    "made",
    [
        lambda x: x.transpose(2, 0, 1).copy(),
        lambda x: np.stack([x, x]),
        lambda x: x.astype(np.uint16) * 257,
        lambda x: (x / 255).astype(np.float16),
        lambda x: x.astype(np.float64) / 127.5 - 1,
        lambda x: np.concatenate([x, np.full_like(x[..., :1], 200)], axis=2),
        lambda x: torch.tensor(x).permute(2, 0, 1)[None],
        lambda x: torch.tensor(x / 255, dtype=torch.bfloat16).permute(2, 0, 1),
        lambda x: torch.tensor(x / 255, dtype=torch.half),
        lambda x: np.asfortranarray(x),
    ],
    ids=["chw", "batch", "uint16", "half", "-1..1", "alpha", "tensor", "bfloat16", "half tensor", "planar"],
)
def test_same_type_shape_and_place_of_the_lattice(made):
    given, plain = made(GRID), made(PLAIN)
    before = given.clone() if hasattr(given, "clone") else given.copy()
    cleaned = uncheck.clean(given)
    assert type(cleaned) is type(given)
    assert cleaned.dtype == given.dtype
    assert cleaned.shape == given.shape
    assert (given == before).all()
    a, b, c = (
        np.asarray(one.float() if hasattr(one, "float") else one, np.float64)
        for one in (cleaned, given, plain)
    )
    assert rms(a, c) < 0.4 * rms(b, c)


def test_alpha_is_untouched_and_a_range_is_kept():
    rgba = np.concatenate(
        [GRID, np.arange(GRID[..., 0].size, dtype=np.uint8).reshape((*GRID.shape[:2], 1)) | 1], axis=2
    )
    assert np.array_equal(uncheck.clean(rgba)[..., 3], rgba[..., 3])
    bright = gridded(np.maximum(PLAIN, 251)) / 255.0
    assert uncheck.clean(bright).max() <= 1


def test_nan_stays():
    field = GRID[..., 0].astype(np.float64) * 0.01 + 280
    field[10:20, 30:40] = np.nan
    cleaned = uncheck.clean(field)
    assert np.array_equal(np.isnan(cleaned), np.isnan(field))
    truth = PLAIN[..., 0] * 0.01 + 280
    there = ~np.isnan(field)
    assert rms(cleaned[there], truth[there]) < 0.4 * rms(field[there], truth[there])


def test_a_list_keeps_what_is_clean():
    first, second = uncheck.clean([PLAIN, GRID])
    assert first is PLAIN
    assert not np.array_equal(second, GRID)


def test_together_finds_what_single_pictures_hide():
    plain = [content(seed) for seed in range(12)]
    weak = [np.clip(one + 0.35 * (GRID.astype(float) - PLAIN), 0, 255).astype(np.float32) for one in plain]
    cleaned, report = uncheck.clean(weak, together=True, with_report=True)
    assert report.together
    assert np.mean([rms(a, b) for a, b in zip(cleaned, plain, strict=True)]) < 0.5 * np.mean(
        [rms(a, b) for a, b in zip(weak, plain, strict=True)]
    )


def test_a_profile_is_saved_loaded_and_applied(tmp_path):
    made = profile([gridded(content(seed)) for seed in range(4)])
    made.save(tmp_path / "net.lattice.json")
    again = Profile.load(tmp_path / "net.lattice.json")
    assert again.periods == ((4, 4),)
    assert again.count == 4
    cleaned = uncheck.clean(GRID, profile=again)
    assert np.array_equal(cleaned, uncheck.clean(GRID, profile=made))
    assert rms(cleaned, PLAIN) < 0.2 * rms(GRID, PLAIN)


def test_a_profile_keeps_whether_the_pixels_colour_counts(tmp_path):
    made = profile([GRID])
    (pattern,) = made.patterns
    tiles = np.random.default_rng(0).normal(size=pattern.tiles.shape).astype(np.float32)
    sharp = replace(made, patterns=(replace(pattern, tiles=tiles, sharp=0.5),))
    sharp.save(tmp_path / "net.json")
    again = Profile.load(tmp_path / "net.json")
    assert again.patterns[0].sharp == 0.5
    assert np.array_equal(uncheck.clean(PLAIN, profile=again), uncheck.clean(PLAIN, profile=sharp))


def test_a_volume_is_cleaned_along_its_axes():
    rng = np.random.default_rng(0)
    plain = 120 + np.add.outer(
        np.linspace(0, 40, 32), np.add.outer(np.linspace(0, 30, 40), np.linspace(0, 20, 48))
    )
    plain = plain + 3 * rng.normal(size=plain.shape)
    volume = (plain + 4 * (-1.0) ** np.indices(plain.shape).sum(axis=0)).astype(np.float32)
    cleaned = uncheck.clean(volume)
    assert cleaned.shape == volume.shape
    assert rms(cleaned, plain) < 0.2 * rms(volume, plain)


def test_bad_input_is_one_sentence(tmp_path):
    made = profile([GRID])
    path = tmp_path / "p.json"
    with pytest.raises(UncheckError, match="strength 2 is not possible"):
        uncheck.clean(GRID, strength=2)
    with pytest.raises(UncheckError, match="is a path"):
        uncheck.clean("picture.png")
    with pytest.raises(UncheckError, match="the list of images is empty"):
        uncheck.clean([])
    with pytest.raises(UncheckError, match="is an array of booleans"):
        uncheck.clean(GRID > 3)
    with pytest.raises(UncheckError, match="has 1 channels and 2 axes"):
        uncheck.clean(GRID[..., 0], profile=made)
    with pytest.raises(UncheckError, match="share no lattice"):
        profile([PLAIN, PLAIN])
    with pytest.raises(UncheckError, match="is not a readable profile"):
        Profile.load(path)
    path.write_text("{}")
    with pytest.raises(UncheckError, match="is not a profile of this version"):
        Profile.load(path)
    said = made.to_dict()
    said["patterns"][0]["tiles"] = [[1.0]]
    path.write_text(json.dumps(said))
    with pytest.raises(UncheckError, match="is a damaged profile"):
        Profile.load(path)
