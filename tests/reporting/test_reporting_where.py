"""A local map drawn over its picture."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from uncheck.errors import UncheckError
from uncheck.measuring.places.where import local_map
from uncheck.reporting.where import LEGEND, map_png, overlay


@pytest.fixture(scope="module")
def made():
    rng = np.random.default_rng(1)
    picture = np.repeat(128 + 6 * rng.normal(size=(320, 352, 1)), 3, axis=2).astype(np.float32)
    checks = 20 * (-1.0) ** np.add.outer(np.arange(160), np.arange(160))
    picture[80:240, 96:256] += checks[..., None]
    return picture, local_map(picture, periods=[2, 3])


def test_the_place_is_coloured_and_the_rest_is_grey(made):
    picture, found = made
    drawn = overlay(picture, found)
    assert drawn.shape == (320 + LEGEND, 352, 3)
    assert drawn.dtype == np.uint8
    red, green, blue = drawn[110:210, 126:226].reshape(-1, 3).astype(float).mean(axis=0)
    assert red > green + 50
    assert red > blue + 50
    outside = drawn[4:20, 4:340]
    assert (outside == outside[..., :1]).all()
    np.testing.assert_allclose(outside[..., 0], picture[4:20, 4:340].mean(axis=2), atol=1)


def test_small_pictures_are_enlarged_for_the_legend():
    rng = np.random.default_rng(2)
    picture = (rng.normal(size=(64, 80, 1)) + 9 * (-1.0) ** np.arange(80)[:, None]).astype(np.float32)
    assert overlay(picture, local_map(picture, periods=[2])).shape == (4 * 64 + LEGEND, 320, 3)


def test_the_png_has_every_period_that_has_a_place(made):
    _, found = made
    with Image.open(io.BytesIO(map_png(found))) as image:
        assert image.size == (352, len(found.maps) * (320 + LEGEND))
    assert map_png(replace(found, maps=())) is None


def test_wrong_sizes_and_periods_are_named(made):
    picture, found = made
    with pytest.raises(UncheckError, match="a picture of 320x351 pixels does not go with a map of 320x352"):
        overlay(picture[:, 1:], found)
    with pytest.raises(UncheckError, match="there is no map of period 7; there are: 2"):
        overlay(picture, found, (7, 7))
