"""Mosaics of samples are cut into exactly their tiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from uncheck.errors import UncheckError
from uncheck.measuring import Signal, measure
from uncheck.signals.signal import tiles

RANDOM = np.random.default_rng(0)


def mosaic(samples, columns, gap, border):
    """Samples (N, H, W, C) side by side, row by row, on black."""
    count, height, width, channels = samples.shape
    rows = -(-count // columns)
    out = np.zeros(
        (
            rows * height + (rows - 1) * gap + 2 * border,
            columns * width + (columns - 1) * gap + 2 * border,
            channels,
        ),
        samples.dtype,
    )
    for i, sample in enumerate(samples):
        y, x = (
            n * (size + gap) + border for n, size in zip(divmod(i, columns), (height, width), strict=True)
        )
        out[y : y + height, x : x + width] = sample
    return out


@given(
    count=st.integers(1, 7),
    columns=st.integers(1, 4),
    height=st.integers(4, 9),
    width=st.integers(4, 9),
    gap=st.integers(0, 3),
    framed=st.booleans(),
)
def test_tiles_come_back_as_they_were(count, columns, height, width, gap, framed):
    samples = np.random.default_rng(count).random((count, height, width, 3)).astype(np.float32)
    picture = mosaic(samples, columns, gap, gap if framed else 0)
    cut = tiles(Signal("a.png", picture, codec="JPEG"), (height, width), gap)
    np.testing.assert_array_equal(np.stack([t.values for t in cut]), samples)
    assert [t.name for t in cut] == [f"a.png[{i}]" for i in range(count)]
    assert {t.codec for t in cut} == {None}


def test_a_planted_defect_is_seen():
    samples = RANDOM.random((4, 8, 8, 1)).astype(np.float32)
    picture = np.roll(mosaic(samples, 2, 2, 2), 1, axis=0)
    cut = tiles(Signal("a", picture), (8, 8), 2)
    assert not np.array_equal(np.stack([t.values for t in cut]), samples)


def test_each_sample_is_measured(tmp_path):
    noise = RANDOM.normal(128, 4, (6, 48, 64, 3))
    noise[[1, 4]] += 8 * (-1.0) ** np.add.outer(np.arange(48), np.arange(64))[..., None]
    picture = mosaic(noise.astype(np.uint8), 3, 2, 2)
    Image.fromarray(picture).save(tmp_path / "samples.png")
    result = measure(tmp_path / "samples.png", mosaic=(48, 64), gap=2)
    assert [i.path for i in result.images] == [f"{tmp_path}/samples.png[{i}]" for i in range(6)]
    assert [i.verdict == "lattice" for i in result.images] == [False, True, False, False, True, False]
    from_array = measure(picture, mosaic=(48, 64), gap=2)
    assert [i.path for i in from_array.images][1] == "array[1]"
    assert [i.found for i in from_array.images] == [i.found for i in result.images]


def test_sizes_that_do_not_fit(tmp_path):
    Image.fromarray(np.zeros((100, 130, 3), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(UncheckError) as caught:
        measure(tmp_path / "a.png", mosaic=64, gap=2)
    assert str(caught.value) == (
        f"{tmp_path / 'a.png'}: 100 x 130 pixels are not a mosaic of tiles of 64 x 64 with gaps of 2; "
        "give the tile size and the gap in pixels"
    )
    with pytest.raises(UncheckError, match=r"8 x 8 pixels are not a mosaic of tiles of 64 x 64"):
        measure(np.ones((8, 8)), mosaic=64)
    with pytest.raises(UncheckError, match="a mosaic is cut out of pictures, not out of volume; measure it"):
        measure(np.ones((8, 8, 8)), mosaic=4)
    for size, gap in (((0, 8), 0), ((8, 8), -1)):
        with pytest.raises(
            UncheckError, match="are not possible; tiles have at least 1 pixel and gaps at least 0"
        ):
            measure(np.ones((8, 8)), mosaic=size, gap=gap)


def test_tiles_too_small_are_each_listed():
    with pytest.raises(
        UncheckError, match=r"array\[0\]: an image of 2 x 2 pixels is smaller than two periods"
    ):
        measure(RANDOM.random((4, 4)), mosaic=2)
