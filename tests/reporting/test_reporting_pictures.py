"""Pictures of a lattice: what is drawn is what was planted."""

import io

import numpy as np
import pytest
from PIL import Image

from uncheck.measuring import find_lattice, synthesise
from uncheck.measuring.lines import strongest_place
from uncheck.reporting.pictures import (
    CROP,
    ENLARGED,
    amplification,
    as_image,
    as_png,
    lattice_pictures,
    side_by_side,
)


def scene(n=192):
    """A smooth picture with noise and one hard edge."""
    y, x = np.mgrid[:n, :n]
    base = 120 + 30 * np.sin(x / 40) + 20 * np.cos(y / 30) + 60 * (x > n // 2)
    noise = np.random.default_rng(0).normal(0, 1, (n, n, 3))
    return (base[..., None] + noise).astype(np.float32)


def waves(n=192, period=4):
    y, x = np.mgrid[:n, :n]
    wave = np.cos(2 * np.pi * x / period) + np.cos(2 * np.pi * y / period)
    return np.repeat(wave[..., None], 3, axis=2).astype(np.float32)


def frequencies(found):
    return [line.frequency for component in found for line in component.lines]


def drawn(picture):
    found = find_lattice(picture).present
    assert found
    lattice = sum(synthesise(component, picture.shape) for component in found)
    return lattice_pictures(picture, lattice, strongest_place(picture, frequencies(found), CROP))


def test_the_lattice_alone_and_the_picture_without_it():
    planted = 3 * waves()
    alone, without, _ = drawn(scene() + planted)
    factor = int(alone.caption.split(",")[1].split()[0])
    assert np.abs((alone.levels - 128) / factor - planted).max() < 0.5
    assert np.abs(without.levels - scene()).max() < 0.5
    assert find_lattice(without.levels).present == ()


def test_the_crop_shows_the_place_where_the_lattice_is_strongest():
    lower_half = (np.arange(192) >= 96)[:, None, None]
    picture = scene() + np.where(lower_half, 4, 1) * waves()
    found = find_lattice(picture).present
    assert found
    top, left = strongest_place(picture, frequencies(found), CROP)
    assert top >= 96
    crop = drawn(picture)[2]
    assert f"rows {top} to {top + CROP - 1}, columns {left} to {left + CROP - 1}" in crop.caption
    shown = crop.levels[: CROP * ENLARGED : ENLARGED, : CROP * ENLARGED : ENLARGED]
    assert np.array_equal(shown, picture[top : top + CROP, left : left + CROP])


def test_an_edge_is_not_taken_for_a_lattice():
    picture = scene() + 0.5 * waves()
    picture[:96, 40:44] += 100
    picture[100:, 100:] += 4 * waves()[100:, 100:]
    top, left = strongest_place(picture, frequencies(find_lattice(picture).present), CROP)
    assert min(top, left) >= 96


def test_pictures_smaller_than_a_crop():
    pictures = drawn(scene(48) + 5 * waves(48))
    assert pictures[2].levels.shape == (48 * ENLARGED, 3 * 48 * ENLARGED + 2 * ENLARGED, 3)
    assert "rows 0 to 47, columns 0 to 47" in pictures[2].caption


def test_amplification_never_leaves_the_range():
    for most in (0.3, 1.2, 1.28, 10.0, 63.0, 400.0):
        factor = amplification(np.array([[[most], [-most]]], np.float32))
        assert factor == 1 or factor * most <= 127
    assert amplification(np.full((1, 1, 1), 1.2, np.float32)) == 100


def test_enlarging_repeats_pixels():
    crop = np.arange(4, dtype=np.float32).reshape(2, 2, 1)
    row = side_by_side([crop, crop])
    assert row.shape == (8, 20, 1)
    assert row[:, :8, 0].tolist() == [[0] * 4 + [1] * 4] * 4 + [[2] * 4 + [3] * 4] * 4
    assert (row[:, 8:12] == 255).all()


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (5, "RGB"), (2, "L")])
def test_png_is_rounded_and_cut(channels, mode):
    levels = np.full((2, 3, channels), 254.6, np.float32)
    levels[0, 0], levels[1, 2] = -7, 300
    image = Image.open(io.BytesIO(as_png(as_image(levels))))
    assert (image.mode, image.size) == (mode, (3, 2))
    pixels = np.asarray(image).reshape(2, 3, -1)
    assert (pixels[0, 0] == 0).all()
    assert (pixels[0, 1] == 255).all()
    assert (pixels[1, 2] == 255).all()
