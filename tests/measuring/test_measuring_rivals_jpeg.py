"""JPEG is judged by what coding the very picture again leaves, and does not excuse a real lattice."""

import io

import numpy as np
import pytest
from PIL import Image

import released
from tiers import cases
from uncheck.measuring import find_lattice
from uncheck.measuring.rivals import jpeg_grid, name_rival
from uncheck.measuring.rivals.jpeg import left_by_coding
from uncheck.measuring.rivals.jpeg_blocks import STANDARD, block_edges, estimate_quality, standard_table


def photo(index):
    return released.read(released.photographs()[index])[:400, :400]


def compressed(pixels, quality, subsampling):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(file).convert("RGB"), np.float32)


def pattern(kind, period, strength, shape, rng):
    y, x = np.indices(shape)
    if kind == "checks":
        values = (-1.0) ** (x + y)
    elif kind == "stripes":
        values = (-1.0) ** x
    elif kind == "cosines":
        first, second = rng.uniform(0, 2 * np.pi, 2)
        turn = 2 * np.pi / period
        values = (np.cos(turn * x + first) + np.cos(turn * y + second)) / np.sqrt(2)
    else:
        tile = rng.normal(size=(period, period))
        values = ((tile - tile.mean()) / tile.std() / np.sqrt(2))[y % period, x % period]
    return strength * values[..., None]


def gradient(kind):
    y, x = np.indices((256, 256))
    ramps = {"diagonal": (x + y) / 2, "radial": np.hypot(x - 128, y - 128), "slanting": 255 - (x + 2 * y) / 3}
    return np.repeat(ramps[kind][..., None], 3, axis=2).astype(np.uint8)


def test_the_tables_are_those_of_pillow():
    for quality in (1, 10, 49, 50, 75, 90, 100):
        file = io.BytesIO()
        Image.new("L", (16, 16)).save(file, "JPEG", quality=quality)
        assert np.array_equal(standard_table(quality), np.reshape(Image.open(file).quantization[0], (8, 8)))
    assert np.array_equal(standard_table(50), STANDARD)


@pytest.mark.integration
def test_the_quality_is_estimated_from_the_pixels():
    for index in (0, 4, 8):
        for quality in (5, 10, 20, 40, 60, 75):
            cropped = compressed(photo(index), quality, 2)[3:, 5:]
            assert abs(estimate_quality(cropped, (5, 3)) - quality) <= 1
        # On a wrong grid, and where there is none, nothing obeys a coarse table.
        assert (estimate_quality(cropped, (0, 0)) or 100) > 90
        assert (estimate_quality(photo(index).astype(np.float32), (0, 0)) or 100) > 90


@pytest.mark.integration
@pytest.mark.parametrize(
    ("kind", "period", "strength", "quality"),
    cases(
        [("stripes", 2, 1, 90)],
        [
            ("cosines", 4, 1, 90),
            ("checks", 2, 2, 90),
            ("cosines", 4, 2, 75),
            ("tile", 4, 2, 90),
            ("cosines", 8, 4, 50),
            ("tile", 8, 4, 75),
        ],
    ),
)
def test_a_lattice_that_survived_the_coding_is_no_jpeg(kind, period, strength, quality):
    rng = np.random.default_rng(0)
    present = named = 0
    for index in (0, 3, 6, 9):
        layer = pattern(kind, period, strength, (400, 400), rng)
        before = np.rint(photo(index) + layer).clip(0, 255).astype(np.uint8)
        array = compressed(before, quality, 2)
        found = find_lattice(array)
        present += bool(found.present)
        named += name_rival(array, found, "JPEG") is not None
    assert present >= 3
    assert named == 0


@pytest.mark.integration
@pytest.mark.parametrize(
    ("kind", "period", "strength"), [("checks", 2, 0.5), ("stripes", 2, 1), ("tile", 4, 1), ("cosines", 8, 3)]
)
def test_a_lattice_put_on_a_jpeg_is_no_jpeg(kind, period, strength):
    rng = np.random.default_rng(1)
    for index, quality in ((1, 60), (5, 75), (7, 90)):
        layer = pattern(kind, period, strength, (400, 400), rng)
        array = np.rint(compressed(photo(index), quality, 2) + layer).clip(0, 255).astype(np.float32)
        found = find_lattice(array)
        assert found.present
        assert name_rival(array, found, "JPEG") is None
        assert name_rival(array, found) is None


@pytest.mark.parametrize("quality", [10, 20, 30, 40, 50])
@pytest.mark.parametrize("kind", ["diagonal", "radial", "slanting"])
def test_cropped_gradients_are_jpeg_whatever_they_were_saved_as(kind, quality):
    array = compressed(gradient(kind), quality, 2)[3:, 5:]
    found = find_lattice(array)
    assert not found.present or name_rival(array, found, "PNG") == "jpeg"


def test_steps_show_the_grid_of_gradients_and_no_lattice_does():
    assert block_edges(compressed(gradient("slanting"), 20, 2)[3:, 5:]) == (5, 3)
    y, x = np.indices((128, 128))
    for period in (2, 3, 4):
        lattice = 128 + 3.0 * (x % period) + 2.0 * (y % period)
        assert block_edges(np.repeat(lattice[..., None], 3, axis=2).astype(np.float32)) is None
    assert block_edges(np.zeros((16, 64, 3), np.float32)) is None


def test_rounding_does_not_put_the_lattice_back():
    """A lattice of half a level taken out of whole numbers leaves halves, which round to the lattice."""
    y, x = np.indices((512, 512))
    texture = np.random.default_rng(0).normal(128, 12, (512, 512, 1)).repeat(3, axis=2)
    array = np.rint(texture + 0.5 * ((-1.0) ** (x + y))[..., None] + 0.5).astype(np.float32)
    found = find_lattice(array)
    assert found.present[0].amplitude > 0.4
    (left,) = left_by_coding(array, found, (0, 0), {"quality": 75})
    assert left < 0.15


def test_known_tables_are_used():
    array = compressed(gradient("diagonal"), 30, 2)
    found = find_lattice(array)
    coarse, fine = ([standard_table(q).astype(int).ravel().tolist()] * 2 for q in (30, 98))
    (strong, *_), (weak, *_) = (left_by_coding(array, found, (0, 0), {"qtables": t}) for t in (coarse, fine))
    assert strong > 3 * weak


def test_small_pictures_are_never_excused():
    array = np.zeros((16, 16, 3), np.float32)
    array[::2] = 5
    found = find_lattice(array)
    assert found.present
    assert name_rival(array, found, "JPEG") is None
    assert jpeg_grid(array) is None
