"""Models by name and weights from files: what works, and what the errors say."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.reading import load_callable, load_target, load_weights

SOURCE = """
import torch
from torch import nn
from neighbour_of_target import WIDTH

net = nn.Conv2d(1, WIDTH, 3)
number = 5

class Tiny(nn.Module):
    def __init__(self, width=2):
        super().__init__()
        self.conv = nn.Conv2d(1, width, 3)

class Wide(nn.Module):
    def __init__(self, width, depth):
        super().__init__()

def build():
    return Tiny()

def build_text():
    return "text"

def build_badly():
    raise ValueError("no weights\\nand more")

def inputs():
    return torch.zeros(1, 1, 8, 8)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "neighbour_of_target.py").write_text("WIDTH = 3\n")
    path = tmp_path / "models.py"
    path.write_text(SOURCE)
    return path


@pytest.mark.parametrize("name", ["net", "Tiny", "build"])
def test_targets_in_a_file(file: Path, name: str) -> None:
    assert isinstance(load_target(f"{file}:{name}"), nn.Module)


def test_targets_in_a_package() -> None:
    assert isinstance(load_target("torch.nn:ReLU"), nn.ReLU)


def test_callables(file: Path) -> None:
    assert load_callable(f"{file}:inputs")().shape == (1, 1, 8, 8)
    with pytest.raises(UncheckError, match="is of type int, which cannot be called"):
        load_callable(f"{file}:number")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("{file}", "names a file but no object in it: write .*models.py:name, such as .*models.py:Tiny"),
        ("{file}:Tinny", "has no 'Tinny': did you mean Tiny?"),
        ("{file}:zzz", "has no 'zzz'; it has"),
        ("{file}:Wide", "needs width and depth: name a function without arguments"),
        ("{file}:build_text", r"build_text\(\) returned a str, not a torch.nn.Module"),
        ("{file}:build_badly", r"failed: ValueError: no weights \(models.py, line 25\); mend"),
        ("{file}:number", "is of type int, not a model"),
        ("{folder}/model.py:net", "there is no file .*did you mean .*models.py"),
        ("no_such_package_here.x:net", "there is no module 'no_such_package_here.x'"),
    ],
)
def test_target_errors(file: Path, spec: str, message: str) -> None:
    with pytest.raises(UncheckError, match=message) as caught:
        load_target(spec.format(file=file, folder=file.parent))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_package_here", "ModuleNotFoundError: No module named 'no_such_package_here'"),
        ("x = 1 +", r"SyntaxError: invalid syntax \(line 1\)"),
        ("\nraise SystemExit(3)", r"SystemExit: 3 \(broken.py, line 2\)"),
    ],
)
def test_a_file_that_fails(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(text)
    with pytest.raises(UncheckError, match=message):
        load_target(f"{path}:net")


def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))


def trained() -> dict[str, Tensor]:
    torch.manual_seed(1)
    return {name: torch.rand(value.shape) for name, value in model().state_dict().items()}


def wrapped(prefix: str) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in trained().items()}


@pytest.mark.parametrize(
    "holds",
    [
        trained(),
        {"state_dict": trained(), "epoch": 3},
        {"model": wrapped("module.")},
        {"params": {name: value * 0 for name, value in trained().items()}, "params_ema": trained()},
        {"generator": trained(), "discriminator": {"a": torch.zeros(1)}},
        {"state_dict": wrapped("generator.") | {"discriminator.weight": torch.zeros(3)}},
        {"state_dict": wrapped("module._orig_mod.")},
    ],
    ids=["plain", "state_dict", "module", "ema", "generator", "lightning", "compiled"],
)
@pytest.mark.parametrize("ending", [".pth", ".ckpt"])
def test_checkpoints(tmp_path: Path, holds: Any, ending: str) -> None:
    torch.save(holds, tmp_path / f"w{ending}")
    net = model()
    load_weights(net, tmp_path / f"w{ending}")
    loaded = net.state_dict()
    assert all(torch.equal(loaded[n], v.to(loaded[n].dtype)) for n, v in trained().items())


OTHER = {"a.weight": torch.zeros(1), "b.weight": torch.zeros(2)}


@pytest.mark.parametrize(
    ("holds", "key", "prefix", "unused"),
    [
        (trained(), None, "", {}),
        ({"params": OTHER, "params_ema": trained()}, "params_ema", "", {"params": 2}),
        ({"model": {"ema": wrapped("module.")}, "epoch": 3}, "model.ema", "module.", {}),
        (
            {"state_dict": wrapped("generator.") | {"discriminator." + n: v for n, v in OTHER.items()}},
            "state_dict",
            "generator.",
            {"state_dict.discriminator": 2},
        ),
        (
            {"net": trained(), "opt": {"state": {0: {"step": torch.zeros(1)}}, "groups": [torch.ones(1)]}},
            "net",
            "",
            {"opt": 2},
        ),
        ({"model": {"net": trained(), "disc": OTHER}}, "model.net", "", {"model.disc": 2}),
    ],
    ids=["plain", "ema", "nested", "prefix", "optimizer", "beside"],
)
def test_what_was_taken_from_a_file_and_what_was_not(
    tmp_path: Path, holds: Any, key: str | None, prefix: str, unused: dict[str, int]
) -> None:
    path = tmp_path / "w.pth"
    torch.save(holds, path)
    loaded = load_weights(model(), path)
    assert (loaded.file, loaded.key, loaded.prefix, loaded.tensors) == (str(path), key, prefix, 7)
    assert {one.key: one.tensors for one in loaded.unused} == unused


def test_a_checkpoint_that_holds_itself(tmp_path: Path) -> None:
    holds: dict[str, Any] = {"state_dict": trained()}
    holds["again"] = [holds]
    torch.save(holds, tmp_path / "w.pth")
    assert load_weights(model(), tmp_path / "w.pth").unused == ()


def test_safetensors(tmp_path: Path) -> None:
    save_file(wrapped("module."), tmp_path / "w.safetensors")
    net = model()
    load_weights(net, str(tmp_path / "w.safetensors"))
    assert torch.equal(net.state_dict()["0.weight"], trained()["0.weight"])


class Evil:
    def __reduce__(self) -> Any:
        return (print, ("this must not be printed",))


@pytest.mark.filterwarnings("ignore:Detected pickle")
def test_a_pickle_with_code_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"state_dict": trained(), "extra": Evil()}, tmp_path / "w.pth")
    (tmp_path / "raw.pt").write_bytes(pickle.dumps(Evil()))
    for name in ("w.pth", "raw.pt"):
        with pytest.raises(UncheckError, match=r"tensors.*safetensors\.torch\.save_file") as caught:
            load_weights(model(), tmp_path / name)
        assert "\n" not in str(caught.value)
    assert "printed" not in capsys.readouterr().out


def misfits() -> dict[str, tuple[Any, str]]:
    short = {name: value for name, value in trained().items() if not name.startswith("1.")}
    shape = trained() | {"0.weight": torch.zeros(5, 1, 3, 3)}
    return {
        "missing": (short, r"5 missing \(1.weight, 1.bias, 1.running_mean, 1.running_var, \.\.\.\)"),
        "unexpected": (trained() | {"2.weight": torch.zeros(1)}, r"1 unexpected \(2.weight\)"),
        "shape": (
            shape,
            r"1 of another shape \(0.weight \(5, 1, 3, 3\) where the model has \(2, 1, 3, 3\)\)",
        ),
        "empty": ({"epoch": 3}, "holds a dict with epoch and no weights"),
    }


@pytest.mark.parametrize("name", misfits())
def test_weights_that_do_not_fit_change_nothing(tmp_path: Path, name: str) -> None:
    holds, message = misfits()[name]
    torch.save(holds, tmp_path / "w.pth")
    net = model()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(UncheckError, match=message):
        load_weights(net, tmp_path / "w.pth")
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.pth", None, "there is no weight file"),
        ("w.h5", b"", "ends in '.h5': weights are read from .safetensors"),
        ("w.safetensors", b"nonsense", "no readable safetensors file"),
        ("w.pth", b"nonsense", "no readable torch checkpoint"),
    ],
)
def test_unreadable_files(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UncheckError, match=message):
        load_weights(model(), tmp_path / name)


def test_a_model_that_refuses_half_way_is_put_back(tmp_path: Path) -> None:
    class Picky(nn.Linear):
        def _load_from_state_dict(self, state: Any, prefix: str, *rest: Any) -> None:
            raise ValueError("picky")

    net = nn.Sequential(nn.Linear(2, 2), Picky(2, 2))
    before = {key: value.clone() for key, value in net.state_dict().items()}
    torch.save({key: value + 1 for key, value in before.items()}, tmp_path / "w.pth")
    with pytest.raises(UncheckError, match=r"refused w.pth \(picky\)"):
        load_weights(net, tmp_path / "w.pth")
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
