"""What the command line calls things: files of other programs, periods not tested, one of a thing."""

import json
import wave
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from uncheck.foreign import foreign_file


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "net.onnx",
            "net.onnx is an ONNX graph, whose layers cannot be changed; uncheck reads networks as PyTorch",
        ),
        ("net.keras", "net.keras is a Keras model; uncheck reads networks as PyTorch code"),
        ("net.h5", "net.h5 is an HDF5 file, as Keras writes models"),
        ("net.pb", "net.pb is a TensorFlow graph"),
        ("net.tflite", "net.tflite is a TensorFlow Lite model"),
        ("net.pt2", "net.pt2 is an exported program; uncheck reads networks as PyTorch code"),
        ("w.safetensors", "w.safetensors holds weights without the code that uses them;"),
        ("w.pth", "and give this file with --weights"),
        (
            "ct.nii.gz",
            "ct.nii.gz is a volume, not the code of a network: measure it, with uncheck measure ct.nii.gz",
        ),
        ("a.PNG", "a.PNG is a picture, not the code of a network: measure it, with uncheck measure a.PNG"),
        ("a.wav", "a.wav is sound, not the code of a network"),
        (
            "folder",
            "folder is a folder, not the code of a network: name file.py:name, or measure the pictures in it",
        ),
        ("a.ipynb", "a.ipynb is a notebook; put the class of the network into a .py file"),
        ("w.onnx:net", "w.onnx is an ONNX graph"),
        (
            "models.py",
            "'models.py' names a file but no object in it: write models.py:name, such as models.py:Grey",
        ),
        ("models", "'models' names no object: write file.py:name or package.module:name"),
    ],
)
def test_a_target_of_another_kind_is_named(models, fails, name, said):
    (models / "folder").mkdir()
    assert said in fails("inspect", name)


def test_torchscript_is_told_from_weights(tmp_path):
    scripted, plain = tmp_path / "s.pt", tmp_path / "w.pt"
    torch.save({"a": torch.ones(2)}, plain)
    with zipfile.ZipFile(scripted, "w") as archive:  # as torch.jit.save lays it out
        archive.writestr("s/code/__torch__.py", "class Net(Module): ...")
        archive.writestr("s/constants.pkl", b"")
    assert "is a TorchScript program" in foreign_file(str(scripted))
    assert "holds weights without the code" in foreign_file(str(plain))


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("Net = make()", "Net", True),
        ("if True:\n    class Net: ...", "Net", True),
        ("try:\n    from a import Net\nexcept ImportError:\n    Net = None", "Net", True),
        ("import torch.nn as nets", "nets", True),
        ("for Net in range(3): ...", "Net", True),
        ("from a import *", "Net", True),
        ("globals()['Net'] = 1", "Net", True),
        ("def __getattr__(name): ...", "Net", True),
        ("class Other: ...", "Net", False),
        ("def f():\n    Net = 1", "Net", False),
    ],
)
def test_names_are_looked_up_without_running_the_file(tmp_path, text, name, found):
    from uncheck.errors import UncheckError
    from uncheck.targets import check_target

    file = tmp_path / "m.py"
    file.write_text(text)
    if found:
        check_target(f"{file}:{name}.deeper")
    else:
        with pytest.raises(UncheckError, match="has no 'Net'"):
            check_target(f"{file}:{name}")


def test_a_small_picture_says_which_periods_were_not_tested(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    tile = np.tile(rng.normal(0, 20, (8, 8)), (3, 3))
    pixels = (128 + tile + rng.normal(0, 2, (24, 24))).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save("p.png")
    code, out, _ = run("measure", "p.png")
    assert code == 1
    said = (
        "Periods 7 to 16 are too long for this picture and were not tested; it may repeat only at 8, 12 or 16"
    )
    assert said.split() == " ".join(out.split()).split()[-len(said.split()) :] or said.split("; ")[
        0
    ] in " ".join(out.split())
    assert said in " ".join(out.split()) or "only at 8 or 12 or 16" in " ".join(out.split())
    assert "Periods" not in run("measure", "p.png", "--periods", "2-6")[1]


def test_sounds_are_no_set(tmp_path, monkeypatch, fails):
    monkeypatch.chdir(tmp_path)
    for name in ("a.wav", "b.wav"):
        with wave.open(name, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(16000)
            sound.writeframes(np.random.default_rng(0).normal(0, 3000, 16000).astype("<i2").tobytes())
    assert fails("measure", "--set", "a.wav", "b.wav").startswith(
        "sounds have no common grid to be measured on together"
    )


def test_planes_are_named_by_their_option(tmp_path, monkeypatch, fails):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.zeros(100))
    assert fails("measure", "a.npy", "--as", "pictures").endswith(
        "say what it is with --as: pictures, frames, volume or audio"
    )


def test_no_map_is_said_in_words(pictures, run):
    (pictures / "shots" / "c-damaged.png").unlink()
    _, _, err = run("measure", "shots/a-clean.png", "--map", "maps")
    assert err == "no map was written: no part of a picture has a grid of its own to show\n"
    assert "1 map written to maps" in run("measure", "shots/b-grid.png", "--map", "maps")[2]


def test_the_ending_of_o_says_the_format(pictures, run):
    for name, start in {
        "r.json": "{",
        "r.sarif": "{",
        "r.xml": "<?xml",
        "r.csv": "path,",
        "r.txt": "What:",
    }.items():
        assert run("measure", "shots/b-grid.png", "-o", name)[:2] == (1, "")
        assert (pictures / name).read_text().startswith(start), name
    assert json.loads((pictures / "r.sarif").read_text())["version"] == "2.1.0"
    run("measure", "shots/b-grid.png", "-o", "t.json", "--format", "text")
    assert (pictures / "t.json").read_text().startswith("What:")


def test_several_formats_at_once(pictures, run):
    code, out, err = run(
        "measure", "shots/b-grid.png", "--format", "sarif=a.sarif", "--format", "text", "-f", "github"
    )
    assert (code, err) == (1, "")
    assert out.startswith("What: Grid of period 2")
    assert "\n::error file=shots/b-grid.png,line=1," in out
    assert (pictures / "a.sarif").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("-f", "json", "-f", "text"),
            "stdout takes one format, not json and text; write the others to files",
        ),
        (("-f", "jsn"), "--format 'jsn' is not known; did you mean json?"),
        (("-f", "yaml"), "--format 'yaml' is not known; give one of text, json"),
        (("-f", "json="), "--format json= names no file; write it like json=out.json"),
        (("-f", "json=a", "-f", "csv=a"), "a is to be written twice; give each format a file of its own"),
        (("-f", "json=a", "-o", "a"), "a is to be written twice"),
        (("-f", "json=no/a.json"), "-o no/a.json lies in no folder that exists"),
        (
            ("-f", "json=shots/b-grid.png"),
            "-o shots/b-grid.png is one of the files to read and would be lost",
        ),
        (("--fail-above", "-1"), "--fail-above -1 is not a number of grey levels; give 0 or more"),
        (("--fail-above", "nan"), "--fail-above nan is not a number"),
    ],
)
def test_formats_that_cannot_be(pictures, fails, words, said):
    assert said in fails("measure", "shots/b-grid.png", *words)


def test_fail_above_is_in_the_json_and_decides_the_exit_code(models, pictures, run_json):
    for limit, expected in (("4", 1), ("8", 0)):
        code, said = run_json("measure", "shots/b-grid.png", "shots/a-clean.png", "--fail-above", limit)
        assert (code, said["fail_above"]) == (expected, float(limit))
    for limit, expected in (("30", 1), ("50", 0)):
        code, said = run_json("inspect", "models.py:Grey", "--shape", "1,1,48,48", "--fail-above", limit)
        assert (code, said["verdict"], said["fail_above"]) == (expected, "lattice", float(limit))
    assert said["target"] == "models.py:Grey"
    assert said["sources"]["up"] == {"file": "models.py", "line": 13}
    assert said["sources"][""] == {"file": "models.py", "line": 8}
