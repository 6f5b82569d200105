"""`uncheck measure --map FOLDER`: where the lattice is, drawn."""

import json

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def corner(tmp_path, monkeypatch):
    """The same picture in two folders: a lattice of period 2 in one corner."""
    rng = np.random.default_rng(1)
    values = 128 + 6 * rng.normal(size=(256, 256))
    values[:112, :112] += 20 * (-1.0) ** np.add.outer(np.arange(112), np.arange(112))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        Image.fromarray(values.astype(np.uint8)).save(tmp_path / folder / "same.png")
    Image.fromarray(rng.integers(0, 255, (256, 256), np.uint8)).save(tmp_path / "clean.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_picture_with_a_place_gets_a_file_of_its_own(corner, run):
    code, out, err = run(
        "measure", "a/same.png", "b/same.png", "clean.png", "--map", "maps", "--format", "json"
    )
    assert code == 1
    assert err == "2 maps written to maps\n"
    assert sorted(p.name for p in (corner / "maps").iterdir()) == ["same-2-map.png", "same-map.png"]
    with Image.open(corner / "maps" / "same-map.png") as image:
        assert image.width == 512  # enlarged twice
    first, _, clean = json.loads(out)["images"]
    assert first["verdict"] == "lattice"
    assert first["where"]["maps"][0]["regions"][0]["box"][:2] == [0, 0]
    assert clean["where"]["maps"] == []


def test_without_the_option_there_is_no_map(corner, run_json):
    where = run_json("measure", "a/same.png")[1]["images"][0]["where"]
    assert all(set(one) == {"period", "share", "regions"} for one in where["maps"])


def test_a_file_is_no_folder(corner, run):
    code, out, err = run("measure", "a/same.png", "--map", "clean.png")
    assert (code, out) == (2, "")
    assert err == "error: --map clean.png is a file; name a folder\n"
