"""Pictures of a folder as a batch: how many, of which size, and what is said about it."""

import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from uncheck.errors import UncheckWarning
from uncheck.probing import load_input


@pytest.fixture
def folder(tmp_path):
    """Twelve grey pictures of 40 x 50, the third of 36 x 64, each with its number in the middle."""
    for i in range(12):
        pixels = np.zeros((36, 64) if i == 2 else (40, 50), np.uint8)
        pixels[pixels.shape[0] // 2, pixels.shape[1] // 2] = i
        Image.fromarray(pixels).save(tmp_path / f"{i:02}.png")
    return tmp_path


@pytest.mark.parametrize(("most", "count"), [(5, 5), (12, 12), (48, 12)])
def test_at_most_so_many_are_taken(folder, most, count):
    with pytest.warns(UncheckWarning, match="2 sizes, and were cut to 32 x 48 pixels"):
        (batch,) = load_input(str(folder), None, (0.0, 255.0), most)
    assert batch.shape == (count, 3, 32, 48)
    assert batch[:, 0, 16, 24].tolist() == list(range(count))


def test_nothing_is_said_where_sizes_agree_or_one_was_asked_for(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_input(str(folder), None, most=2)[0].shape == (2, 3, 32, 48)
        assert load_input(str(folder), (1, 1, 20, 30))[0].shape == (8, 1, 20, 30)


def test_a_size_asked_for_is_cut_from_the_middle(folder):
    (whole,) = load_input(str(folder / "05.png"), (1, 1, 40, 50), (0.0, 255.0))
    (part,) = load_input(str(folder / "05.png"), (1, 1, 20, 30), (0.0, 255.0))
    assert torch.equal(part, whole[:, :, 10:30, 10:40])
    assert float(part[0, 0, 10, 15]) == pytest.approx(5)
