"""What is advised runs: commands as they are printed, code in a session that has the names it uses."""

import ast
import json
import shlex

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import uncheck
from uncheck.advising import Request, advise, summarise
from uncheck.advising.causes import CAUSES
from uncheck.advising.cures import resize_conv
from uncheck.advising.fault import Fault
from uncheck.cli import main

NET = '''
import torch
from torch import nn

class Net(nn.Module):
    """Two upsampling layers of uneven overlap, that leave a strong lattice."""
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.head = nn.ConvTranspose2d(3, 8, 3, stride=2, padding=1, output_padding=1)
        self.tail = nn.ConvTranspose2d(8, 3, (5, 3), stride=(2, 1), padding=(2, 1), output_padding=(1, 0))
    def forward(self, x):
        return self.tail(torch.relu(self.head(x)))

class Odd(nn.Module):
    def forward(self, x):
        y = nn.functional.interpolate(x, scale_factor=2, mode="bilinear")
        return y + 0 * torch.sort(y)[0]
'''


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a network whose name needs quotes, its weights, and photographs of noise."""
    (tmp_path / "my net.py").write_text(NET)
    torch.manual_seed(1)
    space = {}
    exec(NET, space)
    torch.save(space["Net"]().state_dict(), tmp_path / "w 1.pth")
    (tmp_path / "shots").mkdir()
    draw = np.random.default_rng(0)
    for i in range(4):
        Image.fromarray(draw.integers(0, 256, (32, 32, 3), np.uint8)).save(tmp_path / "shots" / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys, *words):
    capsys.readouterr()
    code = main([*words, "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


INSPECT = ("inspect", "my net.py:Net", "--weights", "w 1.pth", "--input", "shots")


def test_an_advised_repair_names_target_weights_and_input_and_is_a_command(place, capsys, monkeypatch):
    code, report = said(capsys, *INSPECT)
    assert code == 1
    commands = [one["command"] for one in report["advice"] if "command" in one]
    assert set(commands) == {"uncheck repair 'my net.py:Net' --weights 'w 1.pth' --input shots -o repaired"}
    given = {}

    def repair(model, inputs, **options):
        given.update(model=model, inputs=inputs)
        raise uncheck.UncheckError("seen")

    monkeypatch.setattr("uncheck.repairing.repair.repair", repair)
    assert main(shlex.split(commands[0])[1:]) == 2
    assert type(given["model"]).__name__ == "Net"
    assert given["inputs"][0].shape == (4, 3, 32, 32)


@pytest.mark.integration
def test_an_advised_repair_runs_to_its_end_and_its_advice_loads_it(place, capsys):
    _, report = said(capsys, *INSPECT)
    command = next(one["command"] for one in report["advice"] if "command" in one)
    code = main([*shlex.split(command)[1:], "--method", "project", "--minutes", "2", "--format", "json"])
    repaired = json.loads(capsys.readouterr().out)
    assert code in (0, 1)
    space = {"uncheck": uncheck, "model": uncheck.reading.load_target("my net.py:Net")}
    codes = [one["code"] for one in repaired["advice"] if "code" in one]
    if code == 0:
        assert codes == ['model = uncheck.load_repaired(model, "repaired/repaired.safetensors")']
        exec(codes[0], space)
        assert space["model"](torch.zeros(1, 3, 16, 16)).shape == (1, 3, 64, 32)


def test_advised_layers_have_the_channels_kernel_and_factor_of_the_very_stage(place, capsys):
    _, report = said(capsys, *INSPECT)
    advised = [one["code"] for one in report["advice"] if "uncheck.layers." in one.get("code", "")]
    layers = {stage["name"]: resize_conv(stage) for stage in report["stages"]}
    assert advised
    assert set(advised) <= set(layers.values())
    assert layers == {
        "head": "uncheck.layers.ResizeConv2d(3, 8, 3, scale_factor=2)",
        "tail": "uncheck.layers.ResizeConv2d(8, 3, (5, 3), scale_factor=(2, 1))",
    }
    for name, code in layers.items():
        layer = eval(code, {"uncheck": uncheck})
        old = getattr(uncheck.reading.load_target("my net.py:Net"), name)
        x = torch.zeros(1, old.in_channels, 8, 8)
        assert layer(x).shape == old(x).shape


@pytest.mark.integration
def test_advised_swaps_run_and_are_clean_on_flat_colour(place, capsys):
    _, report = said(capsys, *INSPECT)
    codes = {one["code"] for one in report["advice"] if "uncheck.swap" in one.get("code", "")}
    assert codes
    for code in codes:
        model = uncheck.reading.load_target("my net.py:Net")
        space = {"uncheck": uncheck, "model": model, "example_input": torch.rand(1, 3, 16, 16)}
        exec(code, space)
        flat = space["model"](torch.full((1, 3, 32, 32), 0.5))[..., 24:-24, 12:-12]
        assert float(flat.std(dim=(-2, -1)).max()) < 1e-5


def test_an_undetermined_network_has_its_own_exit_code_and_advice_that_runs(place, capsys):
    words = ("inspect", "my net.py:Odd", "--input", "shots")
    code, report = said(capsys, *words)
    assert (code, report["verdict"]) == (3, "undetermined")
    command = next(one["command"] for one in report["advice"] if "command" in one)
    assert command == "uncheck inspect 'my net.py:Odd' --input shots --periods 2-16"
    assert main(shlex.split(command)[1:]) in (0, 1, 3)
    assert main([*words, "--exit-zero"]) == 0


def test_advice_on_pictures_and_sizes_runs(place, capsys):
    y, x = np.mgrid[:64, :64]
    pixels = np.random.default_rng(0).normal(128, 4, (64, 64)) + 12 * (-1.0) ** (x + y)
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save("a grid.png")
    code, report = said(capsys, "measure", "a grid.png")
    command = report["advice"][0]["command"]
    assert (code, command) == (1, "uncheck measure 'a grid.png' --map maps")
    assert main(shlex.split(command)[1:]) == 1
    assert (place / "maps").is_dir()
    code, report = said(capsys, "overlap", "5", "3")
    command = report["advice"][0]["command"]
    assert (code, command) == (1, "uncheck overlap 6 3")
    layer = "uncheck.layers.ResizeConv2d(in_channels, out_channels, 5, scale_factor=3)"
    assert [one.get("code") for one in report["advice"]] == [None, layer]
    assert eval(layer, {"uncheck": uncheck, "in_channels": 8, "out_channels": 4}).kernel_size == (5, 5)
    assert main(shlex.split(command)[1:]) == 0


#: Names that the code of advice may use, as a user has them.
NAMES = {
    "uncheck": uncheck,
    "torch": torch,
    "model": nn.ConvTranspose2d(3, 3, 3, stride=2),
    "example_input": torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)),
    "another_input": torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1)),
    "images": [np.random.default_rng(i).normal(128, 9, (64, 64)) for i in range(2)],
    "picture": np.zeros((8, 8)),
    "output": torch.zeros(1, 3, 32, 32),
    "x": torch.zeros(1, 3, 32, 32),
    "d": 4,
    "image": Image.new("L", (4, 4)),
    "operation": lambda values: values,
}

CURES = [
    pytest.param(name, i, id=f"{name}-{i}")
    for name, cause in CAUSES.items()
    for i, cure in enumerate(cause.cures)
    if cure.code is not None
]


def code_of(name, i):
    """The code of a cure for a layer of kernel 3 and stride 2; None where it is for another fault."""
    stage = {"name": "up", "kind": "transposed", "in_channels": 3, "out_channels": 3}
    sizes = {"kernel_size": [3, 3], "stride": [2, 2]}
    return CAUSES[name].cures[i].code(Fault(name, "", {}, Request(), {**stage, **sizes}))


def is_of_a_repair(code):
    return "uncheck.repair(" in code or "repair.model" in code


def test_most_cures_have_code_that_is_run_below():
    codes = [code_of(*one.values) for one in CURES]
    run = [code for code in codes if code is not None and not is_of_a_repair(code)]
    assert len(run) >= 28
    assert sum(code is None for code in codes) <= 2


@pytest.mark.parametrize(("name", "i"), CURES)
def test_the_code_of_every_cure_runs(name, i, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = code_of(name, i)
    if code is None or is_of_a_repair(code):
        pytest.skip("written for another fault, or run by the test of a repair")
    space = dict(NAMES)
    if "rate=" in code:
        space |= {"model": nn.ConvTranspose1d(1, 1, 4, stride=2), "example_input": torch.rand(1, 1, 256)}
    *before, last = ast.parse(code).body
    try:
        exec(compile(ast.Module(before, []), name, "exec"), space)
        if isinstance(last, ast.Expr):
            made = eval(compile(ast.Expression(last.value), name, "eval"), space)
        else:
            exec(compile(ast.Module([last], []), name, "exec"), space)
            made = space
            assert any(value is not NAMES.get(key) for key, value in space.items() if key != "__builtins__")
        # What is returned is a result, a layer or a network; what returns nothing has written a file.
        assert made is not None or list(tmp_path.iterdir()) or "register(" in code
    finally:
        if "register(" in code:
            _forget(space["operation"])


def _forget(operation):
    from uncheck.reading import taught

    for table in vars(taught).values():
        if isinstance(table, dict):
            for key in [key for key, value in table.items() if operation in (key, value)]:
                del table[key]


def test_made_up_inputs_of_a_repair_are_enough_samples():
    stage = {"name": "up", "kind": "transposed", "kernel_size": [3, 3], "stride": [2, 2]}
    fault = Fault("uneven-overlap", "", {}, Request("m.py:make", shape="1,100"), stage)
    repair = CAUSES["uneven-overlap"].cures[1].command(fault)
    assert repair == "uncheck repair m.py:make --shape 24,100 -o repaired"


def test_an_advised_repair_of_a_network_without_input_runs_on_made_up_ones(place, capsys, monkeypatch):
    _, report = said(capsys, "inspect", "my net.py:Net")
    command = next(one["command"] for one in report["advice"] if "command" in one)
    assert command == "uncheck repair 'my net.py:Net' --shape 12,3,256,256 -o repaired"
    given = []

    def repair(model, inputs, **options):
        given.extend(inputs)
        raise uncheck.UncheckError("seen")

    monkeypatch.setattr("uncheck.repairing.repair.repair", repair)
    assert main(shlex.split(command)[1:]) == 2
    assert given[0].shape == (12, 3, 256, 256)
    assert main(["repair", "my net.py:Net", "-o", "repaired"]) == 2
    assert "a repair needs a dozen inputs" in capsys.readouterr().err


def test_six_keys_of_which_one_is_command_or_code():
    for one in advise(uncheck.overlap(3, 2).to_dict()):
        keys = set(one.to_dict())
        assert keys - {"command", "code"} == {"stage", "problem", "cure", "keeps_weights", "cost"}
        assert len(keys) == 6


def test_a_dictionary_of_something_else_is_refused():
    with pytest.raises(uncheck.UncheckError, match="a result of uncheck"):
        summarise({"schema": "other/1"})
