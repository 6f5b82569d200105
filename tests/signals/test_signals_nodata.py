"""What stands for nothing is masked and said: NaN, a stated value, and fills far outside the rest."""

import numpy as np
import pytest
from PIL import Image

from uncheck.errors import UncheckError
from uncheck.measuring import measure
from uncheck.signals.files import read_signals
from uncheck.signals.items import items
from uncheck.signals.nodata import find_missing
from uncheck.signals.signal import Given

RANDOM = np.random.default_rng(6)
FIELD = RANDOM.normal(15, 4, (40, 48))
HOLES = np.hypot(*(np.indices(FIELD.shape) - 20)) < 9


def signal_of(values, **given):
    (item,) = items(values, Given(**given))
    (signal,) = item.signals()
    return signal


def holed(fill, values=FIELD, dtype=np.float64):
    out = values.astype(dtype)
    out[HOLES] = fill
    return out


@pytest.mark.parametrize("fill", [-9999, -32767, 1e20, 9.96921e36, -3.4e38, -999, 32766.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fills_are_recognised_and_said(fill, dtype):
    signal = signal_of(holed(fill, dtype=dtype))
    assert np.array_equal(signal.mask, ~HOLES)
    assert signal.notes == (
        f"{HOLES.sum()} of 1920 pixels hold {np.asarray(fill, dtype):g}, far outside all others: "
        "masked as a fill.",
    )
    assert signal.span == signal_of(holed(np.nan)).span or dtype is np.float32
    assert signal.values.min() >= 0
    assert signal.values.max() <= 255


@pytest.mark.parametrize(("fill", "dtype"), [(-32768, np.int16), (65535, np.uint16), (-2147483648, np.int32)])
def test_the_last_value_of_an_integer_type_is_a_fill(fill, dtype):
    signal = signal_of(holed(fill, 500 + 20 * FIELD, dtype))
    assert np.array_equal(signal.mask, ~HOLES)
    assert signal.source == "data"


def test_two_fills_and_nan():
    values = holed(np.nan)
    values[:2], values[-2:] = -9999, 1e20
    signal = signal_of(values)
    expected = ~HOLES
    expected[:2] = expected[-2:] = False
    assert np.array_equal(signal.mask, expected)
    assert len(signal.notes) == 3


@pytest.mark.parametrize(
    "values",
    [
        FIELD,
        holed(0, 4000 + 100 * FIELD),  # 0 may be a value
        holed(255, (FIELD / 9).astype(np.uint8), np.uint8),  # the range of 8 bits is known
        holed(1.0, FIELD / 200),  # highlights
        holed(6000, 4000 + 100 * FIELD),  # not far enough
        np.where(np.arange(1920).reshape(40, 48) == 77, 1e20, FIELD),  # once: an outlier
        np.where(HOLES, 65535, 0).astype(np.uint16),  # two values alone
        holed(65535, 64000 + 20 * FIELD, np.uint16),  # clipped
        np.full((8, 8), 5000.0),
        HOLES,
    ],
)
def test_what_is_no_fill(values):
    assert find_missing(values[..., None]) == (None, ())


@pytest.mark.parametrize("value", [1e300, -1e300, 1e14])
def test_a_single_value_beyond_all_arithmetic_is_masked(value):
    values = FIELD.copy()
    values[3, 4] = value
    signal = signal_of(values)
    assert np.isfinite(signal.values).all()
    assert not signal.mask[3, 4]
    assert signal.mask.sum() == values.size - 1
    assert signal.notes == ("1 of 1920 pixels lie far outside of all others: masked.",)
    assert np.isfinite(measure(values).images[0].found.limits[0].amplitude)


def test_a_stated_value_is_masked_and_nothing_else():
    signal = signal_of(holed(0.0), nodata=0)
    assert np.array_equal(signal.mask, ~HOLES)
    assert signal.notes == (f"{HOLES.sum()} of 1920 pixels hold 0 (nodata) and are masked.",)
    assert signal_of(holed(-9999), nodata=0).mask is None
    assert signal_of(holed(9.96921e36, dtype=np.float32), nodata=9.96920996838687e36).mask is not None
    assert signal_of(holed(-9999), span=(-10000, 0)).mask is None


def test_one_missing_channel_hides_a_place_but_black_must_be_black():
    flow = np.dstack([holed(np.nan), FIELD])
    assert np.array_equal(signal_of(flow).mask, ~HOLES)
    photo = RANDOM.integers(0, 256, (40, 48, 3), dtype=np.uint8)
    photo[0, 0], photo[1, 1] = (0, 0, 9), (0, 0, 0)
    mask = signal_of(photo, nodata=0).mask
    assert mask[0, 0]
    assert not mask[1, 1]


def test_masked_arrays_keep_their_mask():
    signal = signal_of(np.ma.array(FIELD, mask=HOLES))
    assert np.array_equal(signal.mask, ~HOLES)
    deep = signal_of(np.ma.array((500 + 20 * FIELD).astype(np.int32), mask=HOLES))
    assert np.array_equal(deep.mask, ~HOLES)
    assert signal_of(np.ma.array(FIELD)).mask is None


@pytest.mark.parametrize(
    ("values", "given", "message"),
    [
        (
            np.full((8, 8), np.nan),
            {},
            "array: 64 of 64 values are NaN or infinite; mask or replace them first",
        ),
        (
            np.zeros((8, 8)),
            {"nodata": 0},
            "array: it has 64 pixels, NaN, infinite or nodata all over; there is",
        ),
        (FIELD, {"nodata": "none"}, "nodata 'none' is not a number; give the value that marks no data"),
    ],
)
def test_all_masked(values, given, message):
    with pytest.raises(UncheckError, match=message):
        measure(values, **given)


def test_a_geotiff_says_what_marks_no_data(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    values = holed(0, 20 + FIELD, np.float32)
    tifffile.imwrite(tmp_path / "a.tif", values, extratags=[(42113, 2, 0, "0", True)])
    (signal,) = read_signals(str(tmp_path / "a.tif"), Given())
    assert np.array_equal(signal.mask, ~HOLES)
    (signal,) = read_signals(str(tmp_path / "a.tif"), Given(nodata=-1))
    assert signal.mask is None


def test_the_mask_is_cut_with_a_mosaic(tmp_path):
    Image.fromarray(holed(0, 100 + FIELD, np.uint8)).save(tmp_path / "a.png")
    parts = list(read_signals(str(tmp_path / "a.png"), Given(mosaic=(20, 24), nodata=0)))
    assert [
        np.array_equal(part.mask, ~cut)
        for part, cut in zip(parts, (HOLES[:20, :24], HOLES[:20, 24:]), strict=False)
    ] == [True, True]
