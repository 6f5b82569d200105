"""A local map drawn over its picture."""

import io

import numpy as np
import pytest
from PIL import Image

from uncheck.measuring.places.where import local_map
from uncheck.reporting.where import LEGEND, is_map_file, map_png, overlay


@pytest.fixture(scope="module")
def made():
    rng = np.random.default_rng(1)
    picture = np.repeat(128 + 6 * rng.normal(size=(320, 352, 1)), 3, axis=2).astype(np.float32)
    checks = 20 * (-1.0) ** np.add.outer(np.arange(160), np.arange(160))
    picture[80:240, 96:256] += checks[..., None]
    return made_of(picture, [2, 3])


def made_of(picture, periods):
    found = local_map(picture, periods=periods)
    return found.picture, found.to_dict()


def test_the_place_is_coloured_and_the_rest_is_grey(made):
    picture, found = made
    drawn = overlay(picture, found["maps"][0])
    assert drawn.shape == (320 + LEGEND, 352, 3)
    assert drawn.dtype == np.uint8
    red, green, blue = drawn[110:210, 126:226].reshape(-1, 3).astype(float).mean(axis=0)
    assert red > green + 50
    assert red > blue + 50
    outside = drawn[4:20, 4:340]
    assert (outside == outside[..., :1]).all()
    np.testing.assert_allclose(outside[..., 0], picture[4:20, 4:340], atol=1)


def test_small_pictures_are_enlarged_for_the_legend():
    rng = np.random.default_rng(2)
    picture = (rng.normal(size=(64, 80, 1)) + 9 * (-1.0) ** np.arange(80)[:, None]).astype(np.float32)
    grey, found = made_of(picture, [2])
    assert overlay(grey, found["maps"][0]).shape == (4 * 64 + LEGEND, 320, 3)


def test_the_png_has_every_period_that_has_a_place(made):
    picture, found = made
    with Image.open(io.BytesIO(map_png(found, picture))) as image:
        assert image.size == (352, len(found["maps"]) * (320 + LEGEND))
    assert map_png({**found, "maps": []}, picture) is None


def test_a_map_is_known_by_itself(made, tmp_path):
    picture, found = made
    (tmp_path / "map.png").write_bytes(map_png(found, picture))
    Image.fromarray(picture).save(tmp_path / "mine.png")
    names = ("map.png", "mine.png", "none.png", ".")
    assert [is_map_file(tmp_path / name) for name in names] == [True, False, False, False]
