"""`measure`: what goes in, what comes out, and what it says of what it cannot measure."""

import json
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
from PIL import Image

from uncheck.errors import UncheckError
from uncheck.measuring import find_lattice, infer_range, measure, to_levels
from uncheck.measuring.one_signal import measure_signal
from uncheck.measuring.settings import Settings
from uncheck.signals.signal import Signal

NOISE = np.random.default_rng(3).normal(128, 10, (64, 64, 3))
CHECKS = 12 * (-1.0) ** np.add.outer(np.arange(64), np.arange(64))
GRID = np.clip(np.rint(NOISE + CHECKS[..., None]), 0, 255).astype(np.uint8)
PLAIN = np.clip(np.rint(NOISE), 0, 255).astype(np.uint8)


def test_file_and_array_agree(tmp_path):
    Image.fromarray(GRID).save(tmp_path / "grid.png")
    (from_file,) = measure(tmp_path / "grid.png").images
    (from_array,) = measure(GRID).images
    assert from_file.verdict == from_array.verdict == "lattice"
    assert from_file.path == str(tmp_path / "grid.png")
    assert from_file.found.present == from_array.found.present
    assert from_file.found.present[0].period == (2, 2)
    assert from_file.strength == pytest.approx(12, abs=1)


def test_layouts_tensors_and_batches_agree():
    alone = measure(GRID).images[0].found
    for other in (np.moveaxis(GRID, -1, 0), torch.tensor(GRID), torch.tensor(GRID).permute(2, 0, 1), [GRID]):
        assert measure(other).images[0].found == alone
    batch = measure(np.stack([GRID, PLAIN]))
    assert [image.verdict for image in batch.images] == ["lattice", "clean"]
    assert [image.path for image in batch.images] == ["array[0]", "array[1]"]
    assert batch.verdict == "lattice"
    assert measure(GRID[..., 0]).images[0].verdict == "lattice"


def test_pictures_of_a_batch_share_one_range():
    dark = GRID / 255 * 0.5
    bright = PLAIN / 127.5 - 1
    batch = measure(np.stack([dark, bright]))
    stated = measure(np.stack([dark, bright]), span=(-1, 1))
    assert batch.images[0].strength == pytest.approx(stated.images[0].strength, rel=1e-6)
    assert batch.images[0].strength == pytest.approx(measure(dark).images[0].strength / 2, rel=1e-3)


def test_to_dict_is_json_and_has_the_promised_keys(tmp_path):
    Image.fromarray(GRID).save(tmp_path / "grid.png")
    Image.fromarray(PLAIN).save(tmp_path / "plain.png")
    (tmp_path / "bad.png").write_bytes(b"text")
    made = measure(tmp_path).to_dict()
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert made["schema"] == "uncheck.measure/1"
    grid, plain = made["images"]
    assert {"path", "verdict", "rival", "lattice", "strength"} <= set(grid)
    assert {"period", "amplitude", "p_value"} <= set(grid["lattice"][0])
    assert grid["lattice"][0]["period"] == [2, 2]
    assert grid["rival"] is None
    assert (plain["verdict"], plain["lattice"], plain["strength"]) == ("clean", [], 0.0)
    assert made["errors"][0]["path"] == str(tmp_path / "bad.png")


def test_exact_patterns_are_json_too():
    for values in (np.full((32, 32), 7.0), CHECKS, CHECKS + 128, np.zeros((16, 16, 3), np.uint8)):
        made = measure(values, span=(0, 255)).to_dict()
        assert json.loads(json.dumps(made, allow_nan=False)) == made


def test_a_bad_file_among_others_is_listed(tmp_path):
    Image.fromarray(GRID).save(tmp_path / "grid.png")
    (tmp_path / "bad.png").write_bytes(b"text")
    Image.fromarray(GRID[:3, :3]).save(tmp_path / "tiny.png")
    result = measure([tmp_path, tmp_path / "gone.png"])
    assert [image.verdict for image in result.images] == ["lattice"]
    assert [path.rsplit("/", 1)[1] for path, _ in result.errors] == ["bad.png", "tiny.png", "gone.png"]
    for path, message in result.errors:
        assert message.startswith(f"{path}: ")
        assert message.count(path) == 1
    assert result.errors[1][1].endswith(
        "an image of 3 x 3 pixels is smaller than two periods of 2; give at least 4 pixels"
    )
    assert "bad.png: not a picture" in str(result)


def test_one_bad_file_alone_raises(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"text")
    with pytest.raises(UncheckError, match=r"bad\.png: not a picture that can be read"):
        measure(tmp_path / "bad.png")


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "nothing to measure: the list of images is empty"),
        (np.ones(8), r"array: shape \(8,\) is not a picture; give \(H, W\)"),
        (np.ones((1, 2, 3, 4, 5, 6)), r"array: shape \(1, 2, 3, 4, 5, 6\) is not a picture"),
        (np.full((8, 8), np.nan), "array: 64 of 64 values are NaN or infinite; mask or replace them first"),
        (np.ones((2, 3)), "array: an image of 2 x 3 pixels is smaller than two periods of 2"),
        (np.zeros((0, 8)), r"array: expected numbers, got an array of shape \(0, 8\)"),
    ],
)
def test_arrays_that_cannot_be_measured(images, message):
    with pytest.raises(UncheckError, match=message):
        measure(images)


@pytest.mark.parametrize(
    ("periods", "message"),
    [
        ([1], "period 1 cannot be tested; give whole numbers of pixels from 2"),
        ([0], "period 0 cannot be tested"),
        ([2, 2.5], r"period 2\.5 cannot be tested"),
        ([float("nan")], "period nan cannot be tested"),
        ([None], "period None cannot be tested"),
        ([65], "array: period 65 is too long for pictures; give at most 64 pixels"),
        ([4097], "period 4097 is too long; give at most 64 pixels for pictures, 4096 samples for audio"),
        ([], "no periods to test; give whole numbers of pixels from 2 to 64"),
    ],
)
def test_wrong_periods(periods, message):
    with pytest.raises(UncheckError, match=message):
        measure(GRID, periods=periods)


def test_find_lattice_checks_its_periods_and_ranks():
    with pytest.raises(UncheckError, match="period 0 cannot be tested"):
        find_lattice(PLAIN, periods=[0])
    with pytest.raises(UncheckError, match=r"one to three spatial axes, got shape \(8,\)"):
        find_lattice(np.ones(8))


def test_constant_pictures_are_clean():
    for level in (0, 7, 255):
        (image,) = measure(np.full((40, 50, 3), level, np.uint8)).images
        assert (image.verdict, image.strength, image.found.traces) == ("clean", 0.0, ())


def test_periods_too_long_are_listed_not_tested():
    found = find_lattice(np.random.default_rng(0).normal(size=(24, 24, 1)))
    assert found.tested == (2, 3, 4, 5, 6)
    assert found.not_tested == tuple(range(7, 17))


def test_threshold_parts_present_from_traces():
    found = measure(GRID, threshold=50).images[0].found
    assert not found.present
    assert found.traces[0].period == (2, 2)


def test_text_of_results():
    assert str(measure(PLAIN)) == "array: clean"
    assert str(measure(GRID)).startswith("array: lattice, period 2x2 1")


def test_results_are_frozen():
    result = measure(PLAIN)
    with pytest.raises(FrozenInstanceError):
        result.images = ()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0.0, 1.0]), (0, 1)),
        (np.array([-0.1, 1.1]), (0, 1)),
        (np.array([-1.0, 1.0]), (-1, 1)),
        (np.array([0.0, 200.0]), (0, 255)),
        (np.array([-100.0, 50.0]), (-100, 50)),
        (np.array([0, 3], np.uint8), (0, 255)),
        (np.array([False, True]), (0, 1)),
        (np.array([0, 3], np.uint16), (0, 65535)),
    ],
)
def test_range_is_inferred(values, expected):
    assert infer_range(values) == expected


def test_levels_use_the_stated_span():
    assert to_levels(np.array([2.0, 4.0]), (2, 4)).tolist() == [0, 255]
    with pytest.raises(UncheckError, match="expected numbers, got an array of shape"):
        to_levels(np.array([]))


def test_a_single_period_is_an_error_in_one_sentence():
    with pytest.raises(UncheckError, match=r"^periods 4 is a single value; give several, such as \[4\]$"):
        measure(np.zeros((32, 32)), periods=4)


@pytest.mark.parametrize("planar", [False, True])
def test_what_is_measured_stays_as_it_is(planar):
    # Of channels that lie one after the other a contiguous copy is no copy.
    grid = 6 * (-1.0) ** np.add.outer(np.arange(96), np.arange(96))
    values = np.random.default_rng(0).normal(128, 4, (3, 96, 96)) + grid
    values = np.moveaxis(values.astype(np.float32), 0, -1)
    signal = Signal("picture", values if planar else np.ascontiguousarray(values))
    before = signal.values.copy()
    assert measure_signal(signal, Settings()).verdict == "lattice"
    assert np.array_equal(signal.values, before)
