"""`uncheck fuse`: a model by name in, the weights of the fused network out."""

import json
import runpy

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import uncheck
from uncheck.layers import FusedResizeConv
from uncheck.reading import load_target

NETWORKS = '''
import sys
import torch
from torch import nn

print("imported")

class Up(nn.Module):
    """Nearest by two, a convolution, a norm."""
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.up = nn.Upsample(scale_factor=2)
        self.conv = nn.Conv2d(1, 2, 3, padding=1)
        self.norm = nn.BatchNorm2d(2)
    def forward(self, x):
        print("forward")
        return torch.relu(self.norm(self.conv(self.up(x))))

class Half(Up):
    def __init__(self):
        super().__init__()
        self.last = nn.Upsample(scale_factor=2)
    def forward(self, x):
        return self.last(super().forward(x))

class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3)
    def forward(self, x):
        return self.conv(x)

class Tied(Up):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)
        self.b.weight = self.a.weight

class Stateful(Up):
    def get_extra_state(self):
        return {"word": 1}
    def set_extra_state(self, state):
        pass

class Leaves(Up):
    def forward(self, x):
        sys.exit(0)

def made():
    return torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))
'''

SHAPE = ("--shape", "1,1,8,8")


@pytest.fixture
def networks(tmp_path, monkeypatch):
    """A folder to work in, with nets.py in it."""
    (tmp_path / "nets.py").write_text(NETWORKS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_fixed_keys(networks, run_json):
    code, said = run_json("fuse", "nets.py:Up", *SHAPE)
    assert code == 0
    assert set(said) == {
        *("schema", "fused", "refused", "difference", "notes", "advice"),
        *("target", "sources"),
    }
    assert said["target"] == "nets.py:Up"
    assert said["schema"] == "uncheck.fuse/1"
    assert said["fused"] == [
        {
            "resize": "up",
            "conv": "conv",
            "factor": [2, 2],
            "mode": "nearest",
            "kernel_size": [3, 3],
            "padding": [[1, 1], [1, 1]],
            "padding_mode": "zeros",
            "folded": "norm",
            "calls": 1,
            "notes": [],
        }
    ]
    assert set(said["difference"]) == {"example", "random", "relative", "allowed"}


def test_without_o_nothing_is_written(networks, run):
    before = sorted(networks.iterdir())
    code, out, err = run("fuse", "nets.py:Up", *SHAPE, "-v")
    assert code == 0
    assert out.startswith("What: Fused: 1 resize, and none was refused.")
    assert "Largest difference of the outputs" in out
    assert "imported" in err
    assert [path for path in sorted(networks.iterdir()) if path.name != "__pycache__"] == before


def test_the_file_loads_as_the_page_says(networks, run):
    code, _, err = run("fuse", "nets.py:Up", *SHAPE, "-o", "fused.safetensors")
    assert code == 0
    assert "note: wrote fused.safetensors" in err
    up = runpy.run_path("nets.py")["Up"]
    x = torch.rand(2, 1, 5, 9)
    net = up().eval()
    fused = uncheck.fuse(up().eval(), torch.rand(1, 1, 8, 8)).model
    for parameter in fused.parameters():
        parameter.data.zero_()
    fused.load_state_dict(load_file("fused.safetensors"))
    with torch.no_grad():
        assert float((fused(x) - net(x)).abs().max()) < 1e-5
    assert load_file("fused.safetensors")["conv.weight"].shape == (1, 2, 4, 4)


def test_the_file_says_what_was_done(networks, run):
    run("fuse", "nets.py:Half", *SHAPE, "-o", "fused.safetensors")
    with safe_open("fused.safetensors", "pt") as file:
        about = file.metadata()
    assert about["uncheck"] == uncheck.__version__
    assert about["torch"] == torch.__version__
    assert (about["format"], about["schema"], about["target"]) == ("pt", "uncheck.fuse/1", "nets.py:Half")
    assert json.loads(about["fused"])[0]["conv"] == "conv"
    assert json.loads(about["refused"])[0]["resize"] == "last"
    assert json.loads(about["difference"])["relative"] < 1e-5


def test_a_refusal_exits_with_1_and_writes_the_rest(networks, run):
    code, out, _ = run("fuse", "nets.py:Half", *SHAPE, "-v", "-o", "fused.safetensors")
    assert code == 1
    assert "Fused: 1 of 2 resizes; 1 refused." in out
    assert "last: the model returns what it makes." in out
    assert (networks / "fused.safetensors").exists()
    assert run("fuse", "nets.py:Half", *SHAPE, "--exit-zero")[0] == 0


def test_nothing_to_fuse(networks, run):
    code, out, err = run("fuse", "nets.py:Plain", *SHAPE, "-o", "fused.safetensors")
    assert code == 0
    assert out.startswith("What: Nothing to fuse: no resize makes an axis longer.")
    assert "note: nothing was fused, so fused.safetensors was not written" in err
    assert not (networks / "fused.safetensors").exists()


def test_outputs_that_differ_are_an_error_and_nothing_is_written(networks, fails, monkeypatch):
    honest = FusedResizeConv.from_conv.__func__

    def faulty(cls, weight, *args, **kwargs):
        return honest(cls, weight * 1.01, *args, **kwargs)

    monkeypatch.setattr(FusedResizeConv, "from_conv", classmethod(faulty))
    (networks / "fused.safetensors").write_bytes(b"before")
    message = fails("fuse", "nets.py:Up", "--input", "nets.py:made", "-o", "fused.safetensors")
    assert "more than rounding allows" in message
    assert (networks / "fused.safetensors").read_bytes() == b"before"


def test_weights_and_tied_weights(networks, run, fails):
    net = runpy.run_path("nets.py")["Tied"]()
    net.conv.weight.data.fill_(0.5)
    save_file({k: v.clone() for k, v in net.state_dict().items()}, "w.safetensors")
    code, _, _ = run("fuse", "nets.py:Tied", *SHAPE, "--weights", "w.safetensors", "-o", "f.safetensors")
    assert code == 0
    made = load_file("f.safetensors")
    assert float(made["conv.weight"].max()) == pytest.approx(2 / (1 + 1e-5) ** 0.5)
    assert torch.equal(made["a.weight"], made["b.weight"])
    message = fails("fuse", "nets.py:Tied", *SHAPE, "--weights", "w.safetensors", "-o", "w.safetensors")
    assert message == "-o w.safetensors is one of the files to read and would be lost; name another file"


def test_an_input_from_a_callable(networks, run_json):
    assert run_json("fuse", "nets.py:Up", "--input", "nets.py:made")[0] == 0


def test_without_input_a_picture_is_made_up(networks, run):
    _, _, err = run("fuse", "nets.py:Up")
    assert "note: no --input and no --shape given; used a made-up 1,1,256,256" in err


@pytest.mark.integration
def test_errors_are_one_sentence(networks, fails):
    assert "does not end in .safetensors" in fails("fuse", "nets.py:Up", "-o", "out.pth")
    assert "lies in no folder that exists" in fails("fuse", "nets.py:Up", "-o", "none/out.safetensors")
    assert "did you mean" in fails("fuse", "nets.py:Upp", *SHAPE)
    assert "--shape '1,x' is not a list" in fails("fuse", "nets.py:Up", "--shape", "1,x")
    assert "ended the program" in fails("fuse", "nets.py:Leaves", *SHAPE)
    assert "no tensor, and safetensors holds only tensors" in fails(
        "fuse", "nets.py:Stateful", *SHAPE, "-o", "out.safetensors"
    )
    assert "raised RuntimeError in 'conv'" in fails("fuse", "nets.py:Up", "--shape", "1,7,8,8")


def test_the_weights_are_named_on_stderr(networks, run):
    _, _, err = run("fuse", "nets.py:Up", *SHAPE)
    assert "Weights: none were given (--weights)" in err
    state = load_target("nets.py:Up").state_dict()
    save_file({f"module.{name}": value for name, value in state.items()}, "w.safetensors")
    _, _, err = run("fuse", "nets.py:Up", *SHAPE, "--weights", "w.safetensors")
    assert "Weights: module of w.safetensors, 7 tensors; they fit the network exactly." in err
