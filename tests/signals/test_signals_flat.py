"""Flat background: found where it is solid, and nowhere else."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import binary_dilation

from uncheck.signals.flat import RING, flat_background


def content(shape, seed=0, channels=3):
    rng = np.random.default_rng(seed)
    y = np.linspace(0, 9, shape[0])[:, None, None]
    return (120 + 30 * np.sin(y) + rng.normal(0, 8, (*shape, channels))).round().astype(np.float32)


def disc(shape):
    y, x = np.indices(shape)
    return (y - shape[0] / 2) ** 2 + (x - shape[1] / 2) ** 2 < (0.4 * min(shape)) ** 2


def as_jpeg(levels, quality):
    with io.BytesIO() as file:
        Image.fromarray(levels.astype(np.uint8)).save(file, "JPEG", quality=quality)
        return np.asarray(Image.open(file), np.float32)


@pytest.mark.parametrize("ground", [255.0, 0.0, 77.0])
def test_a_canvas_is_found_to_the_pixel(ground):
    inside = disc((200, 220))
    picture = np.where(inside[..., None], content(inside.shape), np.float32(ground))
    flat = flat_background(picture, 16)
    # Corners that no solid box reaches are left, and pixels at the outline that are nearly the background.
    assert (flat & inside).sum() < (0.02 if ground != 77 else 0.05) * inside.sum()
    assert (~flat & ~inside).sum() < 0.02 * (~inside).sum()


def test_a_canvas_is_found_in_a_jpeg():
    inside = disc((200, 220))
    picture = as_jpeg(np.where(inside[..., None], content(inside.shape), 255), 90)
    assert not (picture[~inside] == 255).all()
    flat = flat_background(picture, 16)
    assert flat[~binary_dilation(inside, iterations=2 * RING)].all()
    assert (flat & inside).sum() < 0.05 * inside.sum()


def test_bars_of_a_film_are_found():
    frame = np.zeros((180, 200, 3), np.float32)
    frame[30:150] = content((120, 200))
    flat = flat_background(frame, 16)
    assert flat[:30].all()
    assert flat[150:].all()
    assert not flat[31:149].any()


@pytest.mark.parametrize("period", [2, 4, 8, 16])
def test_a_lattice_on_flat_colour_is_no_background(period):
    picture = np.full((128, 128, 3), 250, np.float32)
    picture[::period, ::period] = 251
    assert flat_background(picture, 16) is None


def test_tiles_of_a_saturated_lattice_are_no_background():
    y, x = np.indices((128, 128)) // 8
    picture = np.where(((x + y) % 2)[..., None], np.float32(255), content((128, 128)))
    assert flat_background(picture, 16) is None
    # They are if the longest period is shorter than they: then the test could not see them as one.
    large = np.where(((x // 4 + y // 4) % 2)[..., None], np.float32(255), content((128, 128)))
    assert flat_background(large, 16).mean() > 0.4


@given(st.integers(0, 10**6), st.sampled_from([(64, 64), (70, 90), (6, 40, 44)]))
def test_content_has_none(seed, shape):
    picture = np.random.default_rng(seed).normal(120, 9, (*shape, 1)).round().astype(np.float32)
    assert flat_background(picture, 16) is None


def test_a_constant_and_a_dot_are_not_cut_to_nothing():
    picture = np.full((128, 128, 1), 9, np.float32)
    assert flat_background(picture, 16) is None
    picture[60:66, 60:66] = 200
    assert flat_background(picture, 16) is None


def test_gaps_between_letters_are_content():
    page = np.full((160, 160, 1), 255, np.float32)
    page[:, :80] = (
        255 * np.random.default_rng(1).integers(0, 2, (40, 20)).repeat(4, 0).repeat(4, 1)[..., None]
    )
    flat = flat_background(page, 16)
    assert flat[:, 84:].all()
    assert not flat[:, :48].any()


def test_volumes_have_background_too():
    volume = np.zeros((20, 60, 64, 1), np.float32)
    volume[:, :, 20:] = np.random.default_rng(2).normal(90, 9, (20, 60, 44, 1))
    flat = flat_background(volume, 16)
    assert flat[..., :20].all()
    assert not flat[..., 21:].any()
