"""A pickled fused network opens in another process, where its generated forward has to be made again."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import uncheck
from fusing.zoo import CASES, settle

OPEN = """
import pickle, sys, torch
net = pickle.load(open(sys.argv[1], "rb"))
x = torch.load(sys.argv[2])
with torch.no_grad():
    torch.save(net(x), sys.argv[3])
"""


@pytest.mark.integration
@pytest.mark.parametrize("name", ["diffusion decoder", "u-net told sizes"])
def test_in_another_process(name, tmp_path):
    x = torch.randn(CASES[name].shapes[0], generator=torch.Generator().manual_seed(0))
    fused = uncheck.fuse(settle(CASES[name].make()), x).model
    (tmp_path / "net.pkl").write_bytes(pickle.dumps(fused))
    torch.save(x, tmp_path / "x.pt")
    files = [str(tmp_path / file) for file in ("net.pkl", "x.pt", "y.pt")]
    tests = str(Path(__file__).parents[1])
    path = f"import sys; sys.path.insert(0, {tests!r})"
    subprocess.run([sys.executable, "-c", path + OPEN, *files], check=True, timeout=120)
    with torch.no_grad():
        assert torch.equal(fused(x), torch.load(tmp_path / "y.pt"))
