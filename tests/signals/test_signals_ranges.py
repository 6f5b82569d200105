"""The range of values: their type's, a usual one that they plainly live in, or that of the data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncheck.measuring import measure
from uncheck.signals.ranges import find_range

RANDOM = np.random.default_rng(5)
CHECKS = (-1.0) ** np.indices((48, 64)).sum(axis=0)
PHOTO = RANDOM.integers(3, 250, (48, 64), dtype=np.uint8)
#: Specific humidity in kg/kg, smooth, with a checkerboard of 5 % of it.
HUMIDITY = 0.012 + 0.006 * np.sin(np.arange(64) / 9) + RANDOM.normal(0, 2e-4, (48, 64)) + 5e-4 * CHECKS


def found(values, **stated):
    (image,) = measure(values, **stated).images
    return image.verdict, {c.period: c.amplitude for c in image.found.present}, image.source


@given(power=st.integers(-12, 12), factor=st.floats(1, 9), flipped=st.booleans())
def test_a_range_from_the_data_scales_with_it(power, factor, flipped):
    scale = factor * 10.0**power * (-1 if flipped else 1)
    low, high, source = find_range(scale * HUMIDITY)
    if source == "data":
        ends = sorted((scale * HUMIDITY.min(), scale * HUMIDITY.max()))
        assert (low, high) == pytest.approx(ends, rel=1e-12)
    else:  # a usual range, only where the values use a good part of it
        assert np.ptp(scale * HUMIDITY) >= (high - low) / 8 or (scale * HUMIDITY).max() > 127.5


@pytest.mark.parametrize("scale", [1e3, 1e6, 1e-30, 7e4])
def test_a_field_has_the_same_verdict_and_levels_in_every_unit(scale):
    verdict, amplitudes, source = found(HUMIDITY)
    assert (verdict, source) == ("lattice", "data")
    again, scaled, source = found(scale * HUMIDITY)
    assert (again, source) == ("lattice", "data")
    assert scaled == pytest.approx(amplitudes, rel=1e-4)
    # Planted: what 0..1 by habit makes of it.
    assert found(HUMIDITY, span=(0, 1)) == ("clean", {}, "given")


@given(scale=st.sampled_from([1e-3, 1.0, 50.0, 1e3]), offset=st.sampled_from([0.0, -20.0, 300.0]))
def test_a_few_values_far_outside_do_not_set_the_range(scale, offset):
    values = HUMIDITY / 0.012 - 1
    values[::16, ::16] *= 100  # twelve of 3072
    low, high, source = find_range(offset + scale * (values - 40))
    assert source == "data"
    assert high - low < 4 * scale


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (PHOTO, (0, 255, "type")),
        (PHOTO > 99, (0, 1, "type")),
        (PHOTO / 255, (0, 1, "usual")),
        ((PHOTO / 255).astype(np.float32), (0, 1, "usual")),
        (PHOTO / 127.5 - 1, (-1, 1, "usual")),
        (PHOTO.astype(float), (0, 255, "usual")),
        (PHOTO + RANDOM.normal(0, 3, PHOTO.shape), (0, 255, "usual")),
        (PHOTO.astype(np.int64), (0, 255, "usual")),
        (PHOTO // 8 / 255, (0, 1, "usual")),  # dark, of 8 bits: no field is made of whole levels
        (PHOTO // 4 + 0.0, (0, 255, "usual")),
        (120 + PHOTO / 30, (0, 255, "usual")),
        (0.2 + 0.15 * PHOTO / 255 + 1e-4, (0.15 * 3 / 255 + 0.2 + 1e-4, 0.15 * 249 / 255 + 0.2 + 1e-4, None)),
        (230 + PHOTO / 4.1, (230 + 3 / 4.1, 230 + 249 / 4.1, "data")),  # kelvin
        (PHOTO / 6.1, (3 / 6.1, 249 / 6.1, "data")),  # grams per kilogram
        (PHOTO.astype(np.uint16) * 257, (0, 65535, "type")),
        ((PHOTO // 3).astype(np.uint16) * 257, (0, 65535, "type")),  # dark
        ((PHOTO // 3).astype(np.uint16) << 8, (0, 65535, "type")),
        (PHOTO.astype(np.uint16) * 260 // 10, (78, 6474, "data")),  # 0 to 6500
        (PHOTO.astype(np.uint16), (0, 255, "usual")),
        (PHOTO.astype(np.int16) * 16 - 1024, (-976, 2960, "data")),  # Hounsfield units
        (np.zeros((8, 8)), (0, 1, "usual")),
        (np.full((8, 8), 1e300), (1e300, 2e300, "data")),
    ],
)
def test_the_rule(values, expected):
    got = find_range(values)
    assert got[:2] == pytest.approx(expected[:2], rel=1e-6) or expected[2] is None
    assert got.source == (expected[2] or "usual")


def test_a_value_of_its_own_unit_has_no_usual_range():
    assert find_range(PHOTO / 255, own=True) == (3 / 255, PHOTO.max() / 255, "data")
    assert find_range(PHOTO, own=True) == (0, 255, "type")


def test_the_result_says_the_range_and_its_source():
    made = measure([HUMIDITY, PHOTO, PHOTO / 255]).to_dict()["images"]
    assert [one["range_source"] for one in made] == ["data", "type", "usual"]
    assert made[0]["range"] == [HUMIDITY.min(), HUMIDITY.max()]
    stated = measure(HUMIDITY, span=(0, 1)).to_dict()["images"][0]
    assert (stated["range"], stated["range_source"]) == ([0, 1], "given")


def test_a_copy_of_16_bits_is_measured_as_the_picture_of_8():
    grid = (PHOTO // 16 + 60 + 8 * CHECKS).astype(np.uint8)
    verdict, amplitudes, _ = found(grid)
    again, deep, source = found(grid.astype(np.uint16) * 257)
    assert (verdict, source) == (again, "type") == ("lattice", "type")
    assert deep == pytest.approx(amplitudes, rel=1e-4)
