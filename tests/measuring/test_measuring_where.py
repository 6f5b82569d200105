"""Where the lattice is: the fast path against a slow one, places found, nothing found where nothing is."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles.where_naive import naive_median, naive_p, naive_windowed

import released
import uncheck
from tiers import examples
from uncheck.measuring.lattice import find_lattice
from uncheck.measuring.places.phasors import PhasorLines, agreement, box_sums, phasors, typical, windowed
from uncheck.measuring.places.where import local_map, locate

LINES = np.array([[0.0, 0.25], [0.125, 0.375], [1 / 3, 0.0], [0.5, 0.5]])
REAL = np.array([False, False, False, True])


def noise(size, seed, channels=3):
    """Amplitude spectrum 1 / f, standard deviation 30."""
    rng = np.random.default_rng(seed)
    radius = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None])
    radius[0, 0] = np.inf
    made = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(channels, *size))) / radius, s=size)
    return np.moveaxis(128 + 30 * made / made.std(), 0, -1).astype(np.float32)


def lattice(shape, period, levels, seed):
    """A random tile of `period` pixels, of peak amplitude `levels`, repeated."""
    tile = np.random.default_rng(seed).normal(size=(period, period))
    tile -= tile.mean()
    coefficients = np.abs(np.fft.fft2(tile) / tile.size) ** 2
    own = 2 * np.arange(period) % period == 0
    tile *= levels / np.sqrt((coefficients * np.where(np.outer(own, own), 1, 2)).sum())
    return np.tile(tile, [-(-n // period) for n in shape[:2]])[: shape[0], : shape[1], None]


def with_place(size, period, levels, box, seed=0):
    picture = noise(size, seed)
    y0, x0, y1, x1 = box
    picture[y0:y1, x0:x1] += lattice(size, period, levels, seed + 1)[y0:y1, x0:x1]
    return picture


@pytest.mark.integration
def test_windows_agree_with_the_slow_way():
    picture = noise((72, 100), 3)
    order = np.argsort(LINES[:, 0], kind="stable")
    for size in (16, 32):
        fast = windowed(np.ascontiguousarray(np.moveaxis(picture, -1, 0)), LINES[order], size)
        for channel in range(3):
            for k, i in enumerate(order):
                slow = naive_windowed(picture[..., channel], LINES[i], size)
                np.testing.assert_allclose(fast[channel, ..., k], slow, rtol=0, atol=2e-4)


def test_the_slow_way_notices_a_phase_counted_from_each_window():
    plane = noise((64, 64), 4, 1)[..., 0]
    right = naive_windowed(plane, LINES[2], 16)
    turn = np.exp(2j * np.pi * LINES[2][0] * 8 * np.arange(7))[:, None]
    assert not np.allclose(right * turn, right, rtol=0, atol=2e-4)


def test_boxes_agree_with_the_slow_way_and_a_shifted_box_does_not():
    rng = np.random.default_rng(5)
    units = np.exp(2j * np.pi * rng.random((2, 11, 14, 4))).astype(np.complex64)
    units[..., REAL] = np.sign(units[..., REAL].real)
    fast = agreement(box_sums(units, (4, 8), (1, 2)), 32, PhasorLines(LINES, REAL))
    assert fast.shape == (2, 8, 4, 4)
    axial = (LINES == 0).any(axis=1)
    for line in range(4):
        box = units[1, 3:7, 4:12, line]
        slow = naive_p(box, real=REAL[line], axial=axial[line])
        np.testing.assert_allclose(fast[1, 3, 2, line], -np.log(slow), rtol=1e-3, atol=1e-4)
    off = naive_p(units[1, 3:7, 5:13, 1], real=False, axial=False)
    assert abs(fast[1, 3, 2, 1] + np.log(off)) > 1e-3


def test_phasors_are_units_and_silent_windows_have_none():
    local = windowed(np.moveaxis(noise((64, 64), 6), -1, 0).copy(), LINES[[0]], 16)
    local[:, 2, 3] = 0
    units = phasors(local, np.array([False]))
    sizes = np.abs(units)
    assert not sizes[:, 2, 3].any()
    np.testing.assert_allclose(np.delete(sizes.reshape(3, -1), 2 * 7 + 3, axis=1), 1, rtol=1e-5)


def test_the_typical_amplitude_is_the_geometric_median():
    rng = np.random.default_rng(7)
    points = rng.normal(size=(2, 60)) + 1j * rng.normal(size=(2, 60)) + 3
    np.testing.assert_allclose(typical(points, rounds=200), naive_median(points), atol=1e-3)
    points[:, :20] += 1000
    assert np.abs(typical(points, rounds=50) - 3).max() < 1.5
    assert np.abs(points.mean(axis=1) - 3).max() > 300


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_lattice_in_a_quarter_is_found_and_bounded(period):
    box = (96, 88, 256, 248)
    found = local_map(with_place((352, 352), period, 10, box), periods=range(2, 9))
    first = found.maps[0]
    assert first.period == (period, period)
    # A box half inside decides, give or take what the content adds.
    assert np.abs(np.subtract(first.regions[0].box, box)).max() <= 3 * first.scale // 4
    np.testing.assert_allclose(found.present[0].amplitude, 10, rtol=0.15)
    assert 0.1 < first.share < 0.4
    assert first.regions[0].elsewhere < 1


def test_a_stronger_place_is_found_on_a_trace_that_is_everywhere():
    picture = with_place((256, 256), 2, 8, (0, 0, 112, 112))
    picture += lattice(picture.shape, 2, 1.5, 9)
    found = local_map(picture, periods=[2])
    place = found.maps[0].regions[0]
    assert place.component in found.present
    assert max(place.box) <= 150


@pytest.mark.integration
def test_nothing_is_found_in_noise_at_its_error_rate():
    hits = sum(bool(local_map(noise((96, 96), s), significance=0.01).maps) for s in range(40))
    assert hits <= 3  # at most 0.4 expected


@examples(2, 8)
@given(st.integers(0, 40), st.integers(0, 40))
def test_the_crop_does_not_matter(top, left):
    whole = with_place((352, 352), 4, 10, (128, 120, 256, 248), seed=11)
    before, after = local_map(whole, periods=[3, 4]), local_map(whole[top:, left:], periods=[3, 4])
    assert [m.period for m in before.maps] == [m.period for m in after.maps]
    moved = np.subtract(before.maps[0].regions[0].box, (top, left, top, left))
    # The grid of windows starts elsewhere: regions end up to a window earlier or later.
    assert np.abs(np.subtract(after.maps[0].regions[0].box, moved)).max() <= before.maps[0].window
    assert bool(before.present) == bool(after.present)
    np.testing.assert_allclose(after.present[0].amplitude, before.present[0].amplitude, rtol=0.1)


def test_given_components_are_mapped_and_nothing_else():
    picture = noise((128, 192), 12) + lattice((128, 192), 4, 5, 13).astype(np.float32)
    found = find_lattice(picture)
    mapped = local_map(picture, components=found.present)
    assert [m.period for m in mapped.maps] == [c.period for c in found.present]
    assert mapped.of((4, 4)).share > 0.9
    elsewhere = local_map(noise((128, 192), 12), components=found.present)
    assert all(not m.regions and m.share == 0 for m in elsewhere.maps)


def test_locate_adds_what_the_whole_picture_test_missed():
    picture = with_place((352, 352), 8, 10, (140, 20, 252, 132))
    found = find_lattice(picture, significance=5e-4)
    assert (8, 8) not in [c.period for c in found.present]
    more, places = locate(picture, found, significance=5e-4)
    assert more.present[0].period == (8, 8)
    assert places.of((8, 8)) is not None


def test_measure_maps_only_if_asked():
    picture = with_place((256, 256), 8, 6, (140, 20, 236, 116)).clip(0, 255).astype(np.uint8)
    nothing = uncheck.measure(noise((256, 256), 0).clip(0, 255).astype(np.uint8)).images[0]
    assert nothing.verdict == "clean"
    assert nothing.to_dict()["where"] is None
    # The coarse test finds it too, and names a part.
    coarse = uncheck.measure(picture).images[0].to_dict()["where"]
    assert coarse["maps"][0]["regions"][0]["box"][2:] == [256, 128]
    assert "amplitude" not in coarse["maps"][0]
    asked = uncheck.measure(picture, where=True).images[0]
    assert asked.verdict == "lattice"
    made = json.loads(json.dumps(asked.to_dict()["where"]))
    first = made["maps"][0]
    assert max(first["period"]) == 8
    assert len(first["amplitude"]) == len(first["p_value"]) == len(first["significant"]) == 15
    assert (first["window"], first["stride"]) == (32, 16)


def test_a_small_picture_is_measured_without_a_map():
    tiny = uncheck.measure(noise((32, 32), 1).clip(0, 255).astype(np.uint8), where=True).images[0]
    assert tiny.where is None
    assert tiny.notes[-1].startswith("No local map: a picture of 32 x 32 pixels is too small")


def test_periods_too_long_are_listed():
    assert local_map(noise((60, 60), 1), periods=[2, 4, 8]).not_tested == (8,)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((30, 200, 3)), "30 x 200 pixels is too small for a local map; it needs at least 40 x 40"),
        (np.full((64, 64, 1), np.nan), "4096 of 4096 values are NaN or infinite"),
        (np.zeros((4, 64, 64, 1)), "needs a picture .rows, columns, channels.; got an array of 4 axes"),
    ],
)
def test_errors_say_what_to_do(array, message):
    with pytest.raises(uncheck.UncheckError, match=message):
        local_map(array)


def test_odd_windows_are_refused():
    with pytest.raises(uncheck.UncheckError, match="window 15 is not possible; give an even number"):
        local_map(np.zeros((64, 64, 1)), window=15)


@pytest.mark.integration
def test_a_corner_of_a_photograph():
    photo = released.read(*released.files("photos/kodim23.png")).astype(np.float32)
    assert not local_map(photo).present
    photo[300:, 500:] += lattice(photo.shape, 4, 2, 3)[300:, 500:]
    found = local_map(np.rint(photo).clip(0, 255))
    assert [c.period for c in found.present] == [(4, 4)]
    assert np.abs(np.subtract(found.maps[0].regions[0].box, (300, 500, 512, 768))).max() <= 24
