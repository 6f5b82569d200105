"""The coarse local test: fast spectra of parts against slow ones, lattices in a quarter, clean rests."""

import json

import numpy as np
import pytest

import uncheck
from tiers import cases
from uncheck.measuring.components import Lattice
from uncheck.measuring.eigenspectra import box_spectra, eigenspectra
from uncheck.measuring.frequencies import plan
from uncheck.measuring.lattice import find_lattice
from uncheck.measuring.places.parts import find_in_parts, local_periods
from uncheck.measuring.support import Support
from uncheck.signals.masks import filled


def content(shape, seed=0, deviation=30.0, exponent=-1.0):
    """Amplitude spectrum |f|^exponent."""
    rng = np.random.default_rng(seed)
    radius = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    radius[0, 0] = np.inf
    made = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(3, *shape))) * radius**exponent, s=shape)
    return np.moveaxis(128 + deviation * made / made.std(), 0, -1).astype(np.float32)


def tile(shape, period, levels, seed=1):
    """A random tile of a period, of peak amplitude `levels`, repeated."""
    one = np.random.default_rng(seed).normal(size=(period, period))
    one -= one.mean()
    power = np.abs(np.fft.fft2(one) / one.size) ** 2
    own = 2 * np.arange(period) % period == 0
    one *= levels / np.sqrt((power * np.where(np.outer(own, own), 1, 2)).sum())
    return np.tile(one, [-(-n // period) for n in shape])[: shape[0], : shape[1], None]


def nothing(found, threshold=0.3):
    return Lattice((), (), found.tested, (), threshold)


def no_rival(array, lattice):
    return None


def looked(array, explain=no_rival, significance=1e-3, **options):
    found = find_lattice(array, **options)
    return find_in_parts(array, found, explain, periods=range(2, 17), significance=significance, **options)


ROWS, COLUMNS = [slice(0, 40), slice(9, 49)], [slice(0, 36), slice(16, 52), slice(30, 66)]


def difference(rows, columns):
    """Between the fast spectra of some boxes and those of ROWS and COLUMNS cut out one by one."""
    array, scheme = content((50, 66)), plan((40, 36), (2, 3, 4, 5, 6))
    slow = np.stack([array[r, c] for r in ROWS for c in COLUMNS])
    slow = eigenspectra(slow - slow.mean(axis=(1, 2), keepdims=True), scheme)
    return np.abs(box_spectra(array, rows, columns, scheme) - slow).max() / np.abs(slow).max()


def test_spectra_of_parts_are_those_of_the_cut():
    assert difference(ROWS, COLUMNS) < 1e-4
    # Planted: a part that begins a pixel later, and parts in another order.
    assert difference([slice(1, 41), ROWS[1]], COLUMNS) > 0.01
    assert difference(ROWS, COLUMNS[::-1]) > 0.01


@pytest.mark.parametrize("period", cases([2, 8], [3, 4, 6]))
@pytest.mark.parametrize(("start", "name"), [((0, 0), "upper left"), ((100, 64), "lower middle")])
def test_a_lattice_in_a_quarter_is_found_where_it_is(period, start, name):
    shape = (192, 256)
    array = content(shape)
    place = tuple(slice(s, s + n // 2) for s, n in zip(start, shape, strict=True))
    array[place] += tile(shape, period, 6)[place]
    parts = looked(array)
    if not parts.parts:  # it may be strong enough for the whole
        assert find_lattice(array).present
        return
    part = parts.parts[0]
    assert part.name == name
    assert max(part.region.component.period) == period
    assert 3 < part.region.component.amplitude < 7
    assert part.region.elsewhere < 1
    y0, x0, y1, x1 = part.region.box
    assert abs(y0 - start[0]) <= 48
    assert abs(x0 - start[1]) <= 64
    assert part.region.share == pytest.approx((y1 - y0) * (x1 - x0) / np.prod(shape))


def test_measure_says_so():
    shape = (192, 256)
    array = content(shape, 3, 25)
    array[96:, 128:] += tile(shape, 4, 3)[96:, 128:]
    image = uncheck.measure(np.rint(array).clip(0, 255).astype(np.uint8)).images[0]
    assert image.verdict == "lattice"
    (note,) = image.notes
    assert note.startswith("Period 4x4 is in its lower right part: ")
    assert note.endswith(" in the rest.")
    where = json.loads(json.dumps(image.to_dict()))["where"]
    assert where["shape"] == [192, 256]
    (region,) = where["maps"][0]["regions"]
    assert region["box"] == [96, 128, 192, 256]
    assert region["amplitude"] == image.found.present[0].amplitude
    assert (4, 4) not in {limit.period for limit in image.found.limits}


@pytest.mark.parametrize("exponent", [-1.5, -1.0, 0.0])
def test_noise_has_nothing_in_its_parts(exponent):
    alarms = 0
    for seed in range(6):
        parts = looked(content((176, 176), 10 + seed, exponent=exponent), significance=0.05)
        alarms += bool(parts.parts)
    assert alarms <= 1


def test_a_trace_that_is_everywhere_is_no_part():
    # It is twice as strong in one corner as in the rest, and below the threshold in all.
    shape = (192, 192)
    array = content(shape, 5, 20) + tile(shape, 2, 0.6).astype(np.float32)
    array[:96, :96] += tile(shape, 2, 1.5)[:96, :96]
    found = find_lattice(array)
    parts = find_in_parts(array, nothing(found), no_rival, periods=[2], significance=1e-3)
    assert parts.parts == ()
    # Planted: without the rest it would count.
    array[:] = content(shape, 5, 20)
    array[:96, :96] += tile(shape, 2, 2.1)[:96, :96]
    assert find_in_parts(array, nothing(found), no_rival, periods=[2], significance=1e-3).parts


def test_one_striped_object_is_no_lattice():
    shape = (192, 256)
    array = content(shape, 6, 20)
    array[20:60, 30:54] += 60 * np.sin(2 * np.pi * np.arange(24) / 4)[:, None]
    assert looked(array).parts == ()


def test_what_a_rival_explains_is_not_reported():
    shape = (192, 256)
    array = content(shape)
    array[:96, :128] += tile(shape, 4, 6)[:96, :128]
    asked = []

    def texture(part, lattice):
        asked.append((part.shape, lattice.present[0].period))
        return "texture"

    assert looked(array).parts
    assert looked(array, texture).parts == ()
    assert asked == [((96, 128, 3), (4, 4))]


def test_what_the_whole_has_is_not_looked_for():
    shape = (192, 192)
    array = content(shape) + tile(shape, 4, 8).astype(np.float32)
    assert looked(array).parts == ()


def test_small_pictures_and_long_periods_have_no_parts():
    assert looked(content((150, 300))) is None
    array = content((192, 192))
    assert find_in_parts(array, find_lattice(array), no_rival, periods=[32], significance=1e-3) is None
    assert local_periods(range(2, 65)) == (2, 3, 4, 5, 6, 7, 8, 16)


def test_parts_of_a_masked_picture():
    shape = (224, 256)
    y, x = np.indices(shape)
    mask = (y - 112) ** 2 / 112**2 + (x - 128) ** 2 / 128**2 < 1
    array = content(shape, 7)
    array[120:, 130:] += tile(shape, 4, 5)[120:, 130:]
    parts = looked(filled(array, mask), support=Support(mask.astype(np.float32)))
    assert parts.parts[0].name in ("lower right", "middle right", "lower middle", "middle")
    bare = filled(content(shape, 7), mask)
    assert looked(bare, support=Support(mask.astype(np.float32))).parts == ()
