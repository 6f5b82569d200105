"""The stories: at most three commands each, typed beside the person's files, and what they then see."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

STORIES = Path(__file__).parents[2] / "examples" / "stories"
SCRIPTS = sorted(path.name for path in STORIES.glob("*.sh"))

pytestmark = pytest.mark.skipif(not STORIES.exists(), reason="the stories are not part of this copy")


def commands(name):
    """What the person types: lines that are neither empty nor comments."""
    lines = (STORIES / name).read_text().replace("\\\n", "").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def tell(name, folder):
    """Exit code, what was printed and what was noted, of each command of a story, run with its files."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "80",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment.pop("GITHUB_ACTIONS", None)

    def run(line):
        done = subprocess.run(
            line,
            shell=True,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    (made,) = re.findall(
        r"^# Files: (?:python (prepare\.py \w+)|none)$", (STORIES / name).read_text(), re.MULTILINE
    )
    if made:
        code, _, err = run(f"{sys.executable} {STORIES}/{made}")
        assert code == 0, err
    return [run(line) for line in commands(name)]


def test_eight_people_have_a_story_of_at_most_three_commands():
    page = (STORIES / "README.md").read_text()
    assert [name[0] for name in SCRIPTS] == list("abdefgh")
    for name in SCRIPTS:
        assert 1 <= len(commands(name)) <= 3
        assert f"[{name}]({name})" in page


@pytest.mark.integration
def test_a_checkpoint_of_a_dictionary_with_prefixes(tmp_path):
    (code, said, _), (repaired, outcome, _), (loaded, network, err) = tell("a_dcgan_checkpoint.sh", tmp_path)
    assert code == 1
    assert said.startswith("What: Grid of period 2, 4 and 8, ")
    assert "Made by `main.9` (ConvTranspose2d 5x5, stride 2): its kernel is not" in said
    assert "Weights: generator.module of checkpoint.pth, 23 tensors; they fit the network" in said
    assert repaired == 0, outcome
    assert "gone" in outcome.splitlines()[0]
    assert loaded == 0, err
    assert "ConvTranspose2d" in network or "PhaseConvTranspose2d" in network


@pytest.mark.integration
def test_b_pictures_in_dated_folders(tmp_path):
    (code, said, _), (shared, together, _) = tell("b_folder_of_pictures.sh", tmp_path)
    assert code == 1
    assert said.startswith("What: 4 pictures: 2 with a grid and 2 clean.")
    assert re.findall(r"(\d\d/\d\.png)\s+(\w+)", said) == [
        ("01/0.png", "lattice"),
        ("01/1.png", "lattice"),
        ("02/0.png", "clean"),
        ("02/1.png", "clean"),
    ]
    assert "<script src" not in (tmp_path / "grid.html").read_text()
    assert shared == 1
    assert together.startswith("What: Both together: grid of period") or "together: grid" in together


@pytest.mark.integration
def test_d_a_gate_annotates_and_writes_sarif(tmp_path):
    ((code, said, _),) = tell("d_gate_in_ci.sh", tmp_path)
    assert code == 1
    assert said.startswith("::error file=decoder.py,line=6,title=Uneven overlap")
    (run,) = json.loads((tmp_path / "uncheck.sarif").read_text())["runs"]
    (result,) = run["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "decoder.py"
    assert "`2` (ConvTranspose2d 3x3, stride 2)" in result["message"]["text"]


@pytest.mark.integration
def test_e_a_whistle_is_the_upsampling(tmp_path):
    (heard, sound, _), (code, said, _) = tell("e_wav_of_a_vocoder.sh", tmp_path)
    assert (heard, code) == (1, 1)
    assert re.match(r"What: Tones of period 8, .* \(2000 Hz\)", sound)
    # Its strongest tone repeats after 64 samples, which the first of two strides of 8 leaves.
    assert re.match(r"What: Tones of period 64, .* \(250 Hz\)", said)
    assert "Made by `2` (ConvTranspose1d 16, stride 8)" in said
    assert "So does `4` (ConvTranspose1d)" in said
    assert "they fit the network exactly" in " ".join(said.split())
    assert "uncheck.layers.ResizeConv1d(32, 1, 15, scale_factor=8)" in said


@pytest.mark.integration
def test_f_maps_with_holes_and_volumes(tmp_path):
    pytest.importorskip("nibabel")
    (depth, flat, _), (ct, solid, _) = tell("f_depth_and_ct.sh", tmp_path)
    assert (depth, ct) == (1, 1)
    assert flat.startswith("What: Grid of period 2, ")
    assert list((tmp_path / "maps").glob("depth*.png"))
    assert solid.startswith("What: Grid of period 2, ")


@pytest.mark.integration
def test_g_a_repair_is_a_page_of_its_own(tmp_path):
    ((code, said, _),) = tell("g_report_in_a_browser.sh", tmp_path)
    assert code == 0, said
    page = (tmp_path / "repaired" / "report.html").read_text()
    assert page.count("data:image/png;base64,") >= 2
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    assert 'type: "range"' in page
    assert page.index("load_repaired") < page.index("<table")


@pytest.mark.integration
def test_h_the_layer_to_write_is_said(tmp_path):
    (counted, sizes, _), (code, said, _), (explained, cause, _) = tell("h_which_layer_instead.sh", tmp_path)
    assert (counted, code, explained) == (1, 1, 0)
    assert "uncheck.layers.ResizeConv2d(in_channels, out_channels, 3, scale_factor=2)" in sizes
    assert "uncheck.layers.ResizeConv2d(32, 16, 3, scale_factor=2)" in said
    assert "What to do, the cheapest first" in cause


NOTEBOOK = STORIES / "c_lightning.ipynb"


def cells():
    """Source and stored outputs of each cell of code."""
    notebook = json.loads(NOTEBOOK.read_text())
    return [("".join(c["source"]), c["outputs"]) for c in notebook["cells"] if c["cell_type"] == "code"]


def test_c_three_cells_are_of_this_package_and_what_they_showed_is_stored():
    assert f"[{NOTEBOOK.name}]({NOTEBOOK.name})" in (STORIES / "README.md").read_text()
    ours = [outputs for source, outputs in cells() if "uncheck" in source]
    assert len(ours) <= 3
    shown = [
        set(output["data"])
        for outputs in ours
        for output in outputs
        if output["output_type"] == "execute_result"
    ]
    assert shown == [{"image/png", "text/plain"}, {"text/html", "text/plain"}, {"text/html", "text/plain"}]
    assert NOTEBOOK.stat().st_size < 300_000
    assert not re.search(r"/(?:home|root|tmp|work)/", NOTEBOOK.read_text())


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore")
def test_c_a_run_in_a_notebook_shows_what_is_stored(tmp_path, monkeypatch):
    pytest.importorskip("lightning")
    pytest.importorskip("matplotlib").use("agg")
    monkeypatch.chdir(tmp_path)
    space, shown, stored = {"__name__": "__main__"}, [], []
    for source, outputs in cells():
        *before, last = ast.parse(source).body
        exec(compile(ast.Module(before, []), NOTEBOOK.name, "exec"), space)
        if isinstance(last, ast.Expr):
            shown.append(repr(eval(compile(ast.Expression(last.value), NOTEBOOK.name, "eval"), space)))
        else:
            exec(compile(ast.Module([last], []), NOTEBOOK.name, "exec"), space)
        stored += ["".join(one["data"]["text/plain"]) for one in outputs if "data" in one]
    assert shown == stored
    assert "Grid of period 2" in shown[1]
    assert "Clean" in shown[2]
