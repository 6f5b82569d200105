"""`uncheck demo`: offline, into a folder of its own, and what it says is what it found."""

import json
import re
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]

NAMES = {
    *("report.txt", "inspect.json", "measure.json"),
    *(f"{kind}-{i}{what}.png" for i in (1, 2) for kind, what in (("input", ""), ("output", ""))),
    *(f"output-{i}-{what}.png" for i in (1, 2) for what in ("lattice", "without-lattice", "crop")),
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder after one run, with a file in it that was there before."""
    from uncheck.cli import main

    folder = tmp_path_factory.mktemp("demo") / "out"
    folder.mkdir()
    (folder / "mine.txt").write_text("keep")
    assert main(["demo", "-o", str(folder)]) == 0
    return folder


def test_all_files_and_no_others(demo):
    assert {p.name for p in demo.iterdir()} == NAMES | {"mine.txt"}
    assert (demo / "mine.txt").read_text() == "keep"


def test_the_report_names_the_layer_that_the_json_blames(demo):
    said = json.loads((demo / "inspect.json").read_text())
    report = (demo / "report.txt").read_text()
    assert said["verdict"] == "lattice"
    worst = max(said["stages"], key=lambda s: s["blame"])
    said = " ".join(report.split())
    assert f"Made by `{worst['name']}` (ConvTranspose2d 3x3, stride 2)" in said
    assert re.search(rf"{worst['name']} transposed 3 /2 uneven .* {worst['blame']:.0%}", said)
    assert "experiments/demo-network" in report


def test_the_readme_shows_the_start_of_the_report(demo):
    import doctest
    import importlib.util

    spec = importlib.util.spec_from_file_location("readme", ROOT / "docs" / "readme.py")
    readme = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(readme)
    assert doctest.testmod(readme).failed == 0
    report = (demo / "report.txt").read_text(encoding="utf-8").split("\n\n", 1)[1]
    block = readme.BLOCK.search((ROOT / "README.md").read_text(encoding="utf-8"))[0]
    command, *lines = textwrap.dedent(block).splitlines()
    assert command == f"$ {readme.COMMAND}"
    shown = [line for i, line in enumerate(lines) if not any(x.startswith("Note:") for x in lines[: i + 1])]
    assert len(shown) > 10
    assert [
        line for line, now in zip(shown, report.splitlines(), strict=False) if not readme.same(line, now)
    ] == []


def test_the_pictures_are_measured(demo):
    said = json.loads((demo / "measure.json").read_text())
    verdicts = {image["path"].rsplit("/", 1)[1]: image["verdict"] for image in said["images"]}
    assert verdicts == {
        "input-1.png": "clean",
        "input-2.png": "clean",
        "output-1.png": "lattice",
        "output-2.png": "lattice",
    }


def test_output_less_lattice_is_clean(demo):
    from uncheck.measuring import measure

    def strength(name):
        # What changes sign with brightness has no average that could be taken out.
        found = measure(demo / name).images[0].found
        return max((c.amplitude for c in found.present if not c.signed), default=0)

    assert strength("output-1.png") > 1
    assert strength("output-1-without-lattice.png") < 0.3
    shown = np.asarray(Image.open(demo / "output-1-crop.png"))
    assert shown.shape == (256, 3 * 256 + 2 * 4, 3)


def test_a_file_in_the_way_is_an_error(fails, tmp_path):
    (tmp_path / "taken").write_text("")
    assert fails("demo", "-o", tmp_path / "taken") == f"-o {tmp_path / 'taken'} is a file; name a folder"
