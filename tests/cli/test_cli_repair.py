"""`uncheck repair`: a model by name and a folder in, the repaired network and its reports out."""

import copy
import errno
import json
import os
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from uncheck.cli import repair as command
from uncheck.editing.edits import KINDS, Candidate
from uncheck.editing.store import load_repaired, read_plan
from uncheck.errors import UncheckError
from uncheck.reading import load_target

NETWORKS = '''
import torch
from torch import nn

print("imported")

class Up(nn.Module):
    """A strong lattice of period 2; grey pictures only."""
    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(1, 1, 3, 2, 1, 1)
        nn.init.constant_(self.up.weight, 0.3)
        nn.init.zeros_(self.up.bias)
    def forward(self, x):
        return self.up(x)

class Decides(Up):
    def forward(self, x):
        return super().forward(x) * (2 if float(x.mean()) > 0 else 1)

def codes():
    return torch.rand(6, 1, 16, 16, generator=torch.Generator().manual_seed(0))
'''


class Result:
    """What the command takes from a repair."""

    def __init__(self, model=None, candidate=None, text="repaired"):
        self.model, self.candidate, self.text, self.notes = model, candidate, text, ()
        self.judgement = self.example = None
        self.interrupted = False

    def to_dict(self):
        unknown = dict.fromkeys(("before", "after", "kind", "does"))
        method = self.candidate and self.candidate.method
        said = {"schema": "uncheck.repair/1", "network": "Up", "method": method, "label": ""}
        return {**said, **unknown, "refused": [], "tried": []}

    def __str__(self):
        return self.text


class Repairs:
    """Stands for `uncheck.repairing.repair`: doubles the weights, or whatever `make` does."""

    def __init__(self):
        self.calls = []
        self.make = self.doubled

    def __call__(self, model, inputs, **options):
        with torch.no_grad():
            try:
                model(*inputs)
            except RuntimeError as error:
                raise UncheckError("the network raised") from error
        self.calls.append((model, inputs, options))
        result = self.make(model)
        result.example = tuple(x[:1] for x in inputs)
        return result

    @staticmethod
    def doubled(model):
        tensors = {"up.weight": model.up.weight.detach() * 2}
        candidate = Candidate("project", "twice", KINDS[1], (), tensors)
        return Result(candidate.done_to(copy.deepcopy(model).eval()), candidate)

    @staticmethod
    def even(model):
        result = Repairs.doubled(model)
        with torch.no_grad():
            result.model.up.weight[..., 0] = 0  # taps 2 per axis: the gains of all phases are equal
            result.model.up.weight[:, :, 0] = 0
        return result


@pytest.fixture
def repairs(monkeypatch):
    made = Repairs()
    stand_ins = {
        "uncheck.repairing.repair": {"repair": made},
        "uncheck.reporting.repair_page": {"crop_frequencies": lambda result: []},
        "uncheck.reporting.web.text": {
            "html_text": lambda asked, pictures, made: f"<html>{asked.result}</html>"
        },
        "uncheck.reporting.repair": {
            "repair_text": lambda asked, page: "\n".join([str(asked.result), *asked.result.notes])
        },
    }
    for name, functions in stand_ins.items():
        module = ModuleType(name)
        vars(module).update(functions)
        monkeypatch.setitem(sys.modules, name, module)
    return made


@pytest.fixture
def place(tmp_path, monkeypatch, repairs):
    """A folder to work in, with nets.py and pictures of two sizes in `shots`."""
    (tmp_path / "nets.py").write_text(NETWORKS)
    (tmp_path / "shots").mkdir()
    draw = np.random.default_rng(0)
    for i in range(10):
        pixels = draw.integers(0, 256, (48, 64 if i else 80, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "shots" / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


BASE = ("repair", "nets.py:Up", "--input", "shots", "-o", "out")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_repair_is_written_and_loads(place, run):
    code, out, err = run(*BASE)
    assert (code, out) == (0, "repaired\n")
    assert names(place / "out") == ["repaired.safetensors", "report.html", "report.json"]
    assert json.loads((place / "out" / "report.json").read_text())["method"] == "project"
    assert (place / "out" / "report.html").read_text() == "<html>repaired</html>"
    assert "note: wrote repaired.safetensors, report.html, report.json to out" in err
    assert "warning: shots: the pictures are of 2 sizes, and were cut to 48 x 64 pixels" in err
    assert "note: the network takes no colour pictures; they were made grey" in err
    fresh = load_target("nets.py:Up")
    load_repaired(fresh, place / "out" / "repaired.safetensors")
    assert float(fresh.up.weight.detach()[0, 0, 0, 0]) == pytest.approx(0.6)
    about = read_plan(place / "out" / "repaired.safetensors")["about"]
    assert about == {"target": "nets.py:Up", "input": "shots", "seed": 0}


def test_what_repair_is_called_with(place, run, repairs):
    options = ("--method", "match", "--minutes", "0.5", "--fidelity", "30", "--which", "a.0", "--seed", "7")
    assert run(*BASE, *options, "--range", "-1,1", "--input-range", "0,255")[0] == 0
    model, (pictures,), given = repairs.calls[-1]
    assert pictures.shape == (10, 1, 48, 64)
    assert float(pictures.max()) > 200
    assert callable(given.pop("progress"))
    assert given == {
        "method": "match",
        "minutes": 0.5,
        "fidelity": 30.0,
        "which": "a.0",
        "span": (-1.0, 1.0),
        "seed": 7,
        "even_if_invisible": False,
        "checkpoint": place / "out" / "distill.checkpoint",
    }
    assert type(model).__name__ == "Up"


def test_what_it_does_unless_told(place, run, repairs):
    assert run(*BASE, "--shape", "1,1,32,32")[0] == 0
    _, (pictures,), given = repairs.calls[-1]
    assert pictures.shape == (10, 1, 32, 32)
    del given["progress"]
    del given["checkpoint"]
    assert given == {
        "method": "auto", "minutes": 10.0, "fidelity": None, "which": None, "span": None, "seed": 0,
        "even_if_invisible": False,
    }  # fmt: skip


def test_inputs_from_a_callable_and_an_array(place, run, repairs):
    np.save("codes.npy", np.zeros((5, 1, 16, 16)))
    for what, count in (("nets.py:codes", 6), ("codes.npy", 5)):
        assert run("repair", "nets.py:Up", "--input", what, "-o", "out")[0] == 0
        assert repairs.calls[-1][1][0].shape == (count, 1, 16, 16)


def test_json_on_stdout(place, run_json):
    code, said = run_json(*BASE)
    assert (code, said["method"]) == (0, "project")
    assert [one["code"] for one in said["advice"]] == [
        'model = uncheck.load_repaired(model, "out/repaired.safetensors")'
    ]


@pytest.mark.integration
def test_a_refusal_exits_with_1_and_leaves_an_older_repair(place, run, repairs):
    run(*BASE, "--export", "pt2")
    before = (place / "out" / "repaired.safetensors").read_bytes()
    repairs.make = lambda model: Result(text="nothing to repair")
    code, out, err = run(*BASE)
    assert (code, out) == (1, "nothing to repair\n")
    assert json.loads((place / "out" / "report.json").read_text())["method"] is None
    assert (place / "out" / "report.html").read_text() == "<html>nothing to repair</html>"
    assert (place / "out" / "repaired.safetensors").read_bytes() == before
    for name in ("repaired.safetensors", "repaired.pt2"):
        assert f"note: out/{name} is of an earlier run and was left as it is; this run made none" in err
    assert run(*BASE, "--exit-zero")[0] == 0
    assert run("repair", "nets.py:Up", "--input", "shots", "-o", "other")[0] == 1
    assert names(place / "other") == ["report.html", "report.json"]


def test_keep_even(place, run, repairs):
    assert "no upsampler has equal gains after this repair" in run(*BASE, "--keep-even")[2]
    repairs.make = repairs.even
    assert "equal gains" not in run(*BASE, "--keep-even")[2]
    back = load_repaired(load_target("nets.py:Up"), place / "out" / "repaired.safetensors")
    assert "EqualGain" in str(back)
    run(*BASE)
    back = load_repaired(load_target("nets.py:Up"), place / "out" / "repaired.safetensors")
    assert "EqualGain" not in str(back)


def test_exports_beside_the_rest(place, run):
    assert run(*BASE, "--export", "pt2")[0] == 0
    assert "repaired.pt2" in names(place / "out")
    program = torch.export.load(place / "out" / "repaired.pt2").module()
    x = torch.rand(1, 1, 20, 24)
    good = load_repaired(load_target("nets.py:Up"), place / "out" / "repaired.safetensors").eval()
    torch.testing.assert_close(program(x), good(x).detach(), rtol=0, atol=1e-5)


def test_an_export_that_fails_costs_nothing_else(place, run):
    code, out, err = run("repair", "nets.py:Decides", "--input", "shots", "-o", "out", "--export", "pt2")
    assert code == 2
    assert out == "repaired\n"
    assert "error: the repaired network cannot be exported to pt2" in err
    assert names(place / "out") == ["repaired.safetensors", "report.html", "report.json"]


def test_a_full_disk_leaves_the_older_result(place, run, repairs, monkeypatch):
    run(*BASE)
    before = {path.name: path.read_bytes() for path in (place / "out").iterdir()}

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    repairs.make = lambda model: Result(text="other")
    monkeypatch.setattr(os, "fsync", full)
    code, out, err = run(*BASE)
    assert (code, out) == (2, "other\n")  # hours of work are not lost
    assert "error: out cannot be written (No space left on device), and what was there is as it was" in err
    assert {path.name: path.read_bytes() for path in (place / "out").iterdir()} == before


def test_an_interruption_that_repair_survives_is_written_and_said(place, run, repairs):
    def interrupted(model):
        Path("out/distill.checkpoint").write_text("")
        result = Repairs.doubled(model)
        result.notes, result.interrupted = ("interrupted: this is the best so far",), True
        return result

    repairs.make = interrupted
    code, out, err = run(*BASE)
    assert (code, out) == (0, "repaired\ninterrupted: this is the best so far\n")
    assert "repaired.safetensors" in names(place / "out")
    assert "note: the same command goes on with the training from out/distill.checkpoint" in err


def test_an_interruption_before_anything_was_made_leaves_an_older_repair(place, run, repairs):
    run(*BASE)
    before = {path.name: path.read_bytes() for path in (place / "out").iterdir()}

    def interrupted(model):
        result = Result(text="nothing")
        result.interrupted = True
        return result

    repairs.make = interrupted
    code, out, err = run(*BASE)
    assert (code, out, err.splitlines()[-1]) == (130, "", "interrupted")
    assert {path.name: path.read_bytes() for path in (place / "out").iterdir()} == before


def test_an_interruption_that_ends_repair_writes_nothing(place, run, repairs):
    def stopped(model):
        raise KeyboardInterrupt

    repairs.make = stopped
    code, _, err = run(*BASE)
    assert code == 130
    assert err.splitlines()[-1] == "interrupted"
    assert names(place / "out") == []


def test_bad_paths_are_errors_before_any_work(place, fails, repairs, tmp_path):
    (place / "file").write_text("")
    said = fails("repair", "nets.py:Up", "--input", "shots", "-o", "file")
    assert said == "-o file is a file; name a folder"
    assert "cannot be made" in fails("repair", "nets.py:Up", "--input", "shots", "-o", "file/out")
    (place / "out").mkdir()
    (place / "out" / "report.json").mkdir()
    assert "-o out/report.json is a folder" in fails(*BASE)
    (place / "out" / "report.json").rmdir()
    uncheck_weights = place / "out" / "repaired.safetensors"
    uncheck_weights.write_bytes(b"")
    said = fails(*BASE, "--weights", uncheck_weights)
    assert "is one of the files to read and would be lost" in said
    assert repairs.calls == []


def test_a_folder_that_cannot_be_written(place, fails, monkeypatch):
    monkeypatch.setattr(command.os, "access", lambda *_: False)
    assert fails(*BASE) == "-o out cannot be written; check its permissions"


def test_options_that_make_no_sense(place, fails):
    assert fails(*BASE, "--minutes", "0") == "--minutes 0 is no time to spend; give at most 525600, above 0"
    assert (
        fails(*BASE, "--minutes", "inf") == "--minutes inf is no time to spend; give at most 525600, above 0"
    )
    assert fails(*BASE, "--fidelity", "nan") == "--fidelity nan is not an ordinary number; give dB"
    assert "--method" in fails(*BASE, "--method", "magic")
    assert "--input" in fails("repair", "nets.py:Up", "-o", "out")
    assert "-o" in fails("repair", "nets.py:Up", "--input", "shots")
    assert "no such file" in fails("repair", "nets.py:Up", "--input", "gone", "-o", "out")
