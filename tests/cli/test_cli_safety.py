"""Nothing of the user's is lost, and nothing from a file reaches the terminal raw."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from uncheck.cli.output import emit
from uncheck.errors import UncheckError, printable

HOSTILE = """
import os
import torch
from torch import nn

class Up(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1, output_padding=1)
    def forward(self, x):
        return self.up(x)

class Named(Up):
    def __init__(self):
        super().__init__()
        self.add_module("\\x1b[2Jup\\x07\\n", self.up)
        del self.up
    def forward(self, x):
        return next(self.children())(x)

class Says(Up):
    def forward(self, x):
        raise ValueError("\\x1b]0;owned\\x07")

class Moves(Up):
    def __init__(self):
        super().__init__()
        os.chdir("elsewhere")

class Ends(Up):
    def forward(self, x):
        raise SystemExit(1)

class Stops(Up):
    def forward(self, x):
        class Stop(BaseException):
            pass
        raise Stop("enough")

def picture():
    return torch.rand(1, 1, 32, 32)

def leaves():
    raise GeneratorExit
"""

RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to work in: hostile.py, weights, and a folder of two pictures, one with a lattice."""
    (tmp_path / "hostile.py").write_text(HOSTILE)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "shots").mkdir()
    y, x = np.mgrid[:64, :64]
    noise = np.random.default_rng(0).normal(128, 3, (64, 64))
    for name, values in (("a", noise + 9 * (-1.0) ** (x + y)), ("b", noise)):
        Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(tmp_path / "shots" / f"{name}.png")
    save_file({"up.weight": torch.ones(1, 1, 3, 3), "up.bias": torch.zeros(1)}, tmp_path / "w.safetensors")
    shutil.copy(tmp_path / "w.safetensors", tmp_path / "shots" / "w.safetensors")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def there(folder):
    return {
        p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc"
    }


READ = ("w.safetensors", "hostile.py", "shots/a.png", "elsewhere/../w.safetensors")


@pytest.mark.parametrize("output", READ)
def test_inspect_never_replaces_what_it_reads(place, fails, output):
    before = there(place)
    said = fails("inspect", "hostile.py:Up", "--weights", "w.safetensors", "--input", "shots", "-o", output)
    assert said == f"-o {output} is one of the files to read and would be lost; name another file"
    assert there(place) == before


@pytest.mark.parametrize(
    "given",
    [
        ("inspect", "hostile:Up", "-o", "hostile.py"),
        ("inspect", "hostile.py:Up", "--input", "hostile.py:picture", "-o", "hostile.py"),
        ("inspect", "hostile.py:Up", "--input", "shots/b.png", "-o", "shots/b.png"),
        ("fuse", "hostile.py:Up", "--input", "shots", "-o", "shots/w.safetensors"),
        ("measure", "shots", "-o", "shots/a.png"),
        ("measure", "sho*/*.png", "-o", "shots/a.png"),
    ],
)
def test_no_command_replaces_what_it_reads(place, fails, given):
    before = there(place)
    assert "is one of the files to read and would be lost" in fails(*given)
    assert there(place) == before


def test_a_file_that_is_not_read_is_replaced(place, run):
    (place / "r.txt").write_text("old")
    assert run("inspect", "hostile.py:Up", "--input", "shots", "-o", "r.txt")[0] == 1
    assert (place / "r.txt").read_text().startswith("What: Grid of period 2")


def test_maps_replace_maps_only(place, run):
    mine = place / "shots" / "a-map.png"
    shutil.copy(place / "shots" / "b.png", mine)
    before = mine.read_bytes()
    for _ in range(2):  # the second run replaces the map of the first
        assert "1 map written to shots" in run("measure", "shots/a.png", "--map", "shots")[2]
        assert sorted(p.name for p in (place / "shots").glob("*map*")) == ["a-2-map.png", "a-map.png"]
    assert mine.read_bytes() == before


def test_a_target_that_goes_elsewhere_moves_no_file(place, run):
    (place / "elsewhere" / "r.txt").write_text("theirs")
    given = ("--weights", "w.safetensors", "--input", "shots", "-o", "r.txt")
    code, _, err = run("inspect", "hostile.py:Moves", *given)
    assert (code, Path.cwd()) == (1, place), err
    assert (place / "r.txt").read_text().startswith("What: Grid of period 2")
    assert (place / "elsewhere" / "r.txt").read_text() == "theirs"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("Ends",), "hostile.py:Ends ended the program (sys.exit(1)); let it return instead"),
        (
            ("Stops",),
            "hostile.py:Stops raised Stop (enough), which ends a program; let it raise an Exception",
        ),
        (
            ("Up", "--input", "hostile.py:leaves"),
            "hostile.py:Up raised GeneratorExit (no message), which ends",
        ),
    ],
)
def test_code_that_ends_the_program_is_an_error_and_no_lattice(place, fails, given, expected):
    target, *rest = given
    assert fails("inspect", f"hostile.py:{target}", *rest).startswith(expected)


def test_names_of_files_are_shown_with_escapes(place, run):
    name = "shots/\x1b[31mred\x07\u202e\n.png"
    shutil.copy("shots/a.png", name)
    (place / "shots" / "\x9b2Jbad.png").write_bytes(b"no picture")
    code, out, err = run("measure", "shots")
    assert code == 2
    assert r"shots/\x1b[31mred\x07\u202e\n.png  " in out
    assert r"\x9b2Jbad.png" in err
    assert not RAW.search(out + err)
    assert "\u202e" not in out


@pytest.mark.integration
def test_names_of_layers_and_messages_are_shown_with_escapes(place, run):
    code, out, err = run("inspect", "hostile.py:Named", "--input", "shots")
    assert code == 1
    assert r"Made by `\x1b[2Jup\x07\n` (ConvTranspose2d" in out
    assert not RAW.search(out + err)
    code, out, err = run("inspect", "hostile.py:Says", "--input", "shots")
    assert code == 2
    assert r"\x1b]0;owned\x07" in err
    assert not RAW.search(out + err)


def test_only_control_characters_are_escaped():
    words = "Bildschirm\u202ffoto ä 日本 👩\u200d🔬 [x]\\n.png"
    assert printable(words) == words
    assert printable("\udc80\x85\u2028\u2066") == r"\udc80\x85\u2028\u2066"


@pytest.mark.parametrize(
    "given",
    [
        ("overlap", "3", "2", "-o", "x" * 300),
        ("demo", "-o", "x" * 300),
        ("repair", "hostile.py:Up", "--input", "shots", "-o", "x" * 300),
        ("inspect", "x" * 300 + ".py:Up"),
        ("inspect", "hostile.py:Up", "--input", "x" * 300 + ".png"),
        ("measure", "x" * 300 + ".png"),
    ],
)
def test_long_names_are_named(place, fails, given):
    said = fails(*given)
    assert "File name too long" in said
    assert "uncheck itself failed" not in said


def test_numbers_too_large_to_mean_anything(place, fails):
    assert "has more than 2^32 numbers" in fails("inspect", "hostile.py:Up", "--shape", f"1,1,{10**30}")
    assert "is no time to spend" in fails(
        "repair", "hostile.py:Up", "--input", "shots", "-o", "out", "--minutes", "1e308"
    )


def test_a_result_that_cannot_be_written_is_shown(capsys, tmp_path):
    with pytest.raises(UncheckError, match="cannot be written"):
        emit("the result", tmp_path / "gone" / "r.txt")
    assert capsys.readouterr().out == "the result\n"


@pytest.mark.integration
def test_full_and_closed_streams():
    command = f"{sys.executable} -m uncheck overlap 4 2"
    for ending, code, said in (
        ("> /dev/full", 2, "error: stdout cannot be written (No space left on device); write to a file\n"),
        (">&-", 0, ""),
        ("2>&-", 0, ""),
    ):
        done = subprocess.run(
            ["bash", "-c", f"{command} {ending}"], capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (code, said), ending
