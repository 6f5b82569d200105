"""Small models, pictures and a way to run the command line inside the test."""

import json

import numpy as np
import pytest
from PIL import Image

from uncheck.cli import main

MODELS = '''
import sys
import torch
from torch import nn

print("imported")

class Grey(nn.Module):
    """One channel in, a strong lattice of period 2 out."""
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.up = nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1, output_padding=1)
        nn.init.constant_(self.up.weight, 0.3)
        nn.init.zeros_(self.up.bias)
    def forward(self, x):
        print("forward")
        return self.up(x)

class Colour(Grey):
    def forward(self, x):
        return self.up(x.mean(1, keepdim=True)) if x.shape[1] == 3 else self.up(x[:, :3].squeeze(2))

class Clean(nn.Module):
    def forward(self, x):
        return nn.functional.interpolate(x, scale_factor=2, mode="bilinear")

class Sound(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.up = nn.ConvTranspose1d(1, 1, 3, stride=2, padding=1, output_padding=1)
    def forward(self, x):
        return self.up(x)

class Raises(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 3)
    def forward(self, x):
        return self.inner(x)

class Bad(Clean):
    def forward(self, x):
        return super().forward(x) * float("nan")

class Leaves(Clean):
    def forward(self, x):
        sys.exit(0)

class Stops(Clean):
    def forward(self, x):
        raise KeyboardInterrupt

def needs(width):
    return Clean()

def made():
    return torch.rand(1, 1, 48, 48, generator=torch.Generator().manual_seed(0))
'''


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A folder to work in, with models.py in it."""
    (tmp_path / "models.py").write_text(MODELS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """A folder to work in, with a checkered picture, a clean one and a damaged one in `shots`."""
    shots = tmp_path / "shots"
    shots.mkdir()
    y, x = np.mgrid[:96, :96]
    noise = np.random.default_rng(0).normal(128, 4, (96, 96))
    Image.fromarray((noise + 6 * (-1.0) ** (x + y)).clip(0, 255).astype(np.uint8)).save(shots / "b-grid.png")
    Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(shots / "a-clean.png")
    whole = (shots / "a-clean.png").read_bytes()
    (shots / "c-damaged.png").write_bytes(whole[: len(whole) // 2])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys):
    """Run the command line: exit code, stdout, stderr."""

    def go(*arguments):
        code = main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return go


@pytest.fixture
def run_json(run):
    """Run the command line with --format json: exit code and what was said."""

    def go(*arguments):
        code, out, err = run(*arguments, "--format", "json")
        assert "error" not in err
        return code, json.loads(out)

    return go


@pytest.fixture
def fails(run):
    """Run a command line that must fail with one sentence on stderr and nothing else; give the sentence."""

    def go(*arguments):
        code, out, err = run(*arguments)
        assert code == 2
        assert out == ""
        lines = [line for line in err.splitlines() if line not in ("imported", "forward")]
        assert len(lines) == 1, err
        assert lines[0].startswith("error: ")
        return lines[0].removeprefix("error: ")

    return go
