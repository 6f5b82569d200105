"""One process loads no more libraries than it needs at each step; names that the package does not have."""

import json
import subprocess
import sys

import pytest

import uncheck

LIGHT = """
import json, sys
def loaded(*names):
    return sorted(set(names) & set(sys.modules))
heavy = ("torch", "scipy", "numpy", "PIL")
said = {}
import uncheck
uncheck.UncheckError, uncheck.__version__
said["package"] = loaded(*heavy)
from uncheck.cli import main
main(["--help"]); main(["inspect", "--help"])
said["help"] = loaded(*heavy)
here = __import__("tempfile").mkdtemp()
net, empty = f"{here}/net.py", f"{here}/empty"
open(net, "w").write("from torch import nn\\nclass Net(nn.Module):\\n    pass\\n")
open(f"{here}/w.onnx", "w").close(); __import__("os").mkdir(empty)
said["codes"] = [main(words) for words in (
    ["inspect", f"{here}/nte.py:Net"], ["inspect", f"{net}:Nett"], ["inspect", "no_such_module:Net"],
    ["inspect", f"{net}:Net", "--weights", "gone.pth"],
    ["inspect", f"{net}:Net", "--weights", f"{here}/w.onnx"],
    ["inspect", f"{net}:Net", "--input", "gone.png"], ["inspect", f"{net}:Net", "--input", f"{net}:gone"],
    ["inspect", f"{net}:Net", "--shape", "1,x"], ["inspect", f"{net}:Net", "--format", "yaml"],
    ["inspect", f"{here}/w.onnx"], ["inspect", f"{net}:Net", "--fail-above", "-1"],
    ["fuse", f"{net}:Nett"], ["repair", f"{net}:Nett", "--input", "x", "-o", empty], ["remove"],
)]
said["mistyped"] = loaded("torch", "scipy")
rest = ["overlap", "3", "2"], ["measure", f"{here}/gone.png"], ["measure", empty]
said["codes"] += [main(words) for words in rest]
said["overlap"] = loaded("torch", "scipy")
"""

ALL = """
uncheck.overlap(3, 2)
said["overlap"] = loaded("torch", "scipy")
uncheck.measure
import uncheck.reporting
said["measure"] = loaded("torch")
said["rooms"] = [uncheck.layers.ResizeConv2d.__name__, uncheck.phases.project.__name__]
import importlib.abc, types
import uncheck.training as t
t.lattice_penalty, t.gain_penalty, t.LatticeTracker, t.lattice_trend
extras = ("lightning", "pytorch_lightning", "tensorboard", "torchmetrics")
said["training"] = loaded(*extras)
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in extras:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
try:
    t.LatticeMonitor
except uncheck.UncheckError as error:
    said["missing"] = str(error)
# The other name of the library, loaded already.
sys.modules["pytorch_lightning"] = types.SimpleNamespace(Callback=type("Callback", (), {}))
said["other name"] = t.LatticeMonitor.__mro__[1] is sys.modules["pytorch_lightning"].Callback
"""


def run(code):
    """Run code in a process of its own: what it printed, and what its checks found."""
    done = subprocess.run(
        [sys.executable, "-c", code + "\nprint(json.dumps(said))"], capture_output=True, text=True, check=True
    )
    *printed, said = done.stdout.splitlines()
    return "\n".join(printed), json.loads(said)


def test_the_package_and_its_help_need_no_heavy_library():
    printed, said = run(LIGHT)
    assert said == {"package": [], "help": [], "mistyped": [], "overlap": [], "codes": [2] * 14 + [1, 2, 2]}
    assert "inspect" in printed
    assert "Exit codes: 0 clean, 1 a lattice or a finding, 2 an error, 3 undetermined." in printed


@pytest.mark.integration
def test_rooms_load_what_they_need_and_no_more():
    said = run(LIGHT + ALL)[1]
    del said["codes"]
    assert said == {
        "package": [],
        "help": [],
        "mistyped": [],
        "overlap": [],
        "measure": [],
        "rooms": ["ResizeConv2d", "project"],
        "training": [],
        "missing": "LatticeMonitor needs Lightning; install it with pip install lightning",
        "other name": True,
    }


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="module 'uncheck' has no attribute 'unchek'"):
        uncheck.unchek  # noqa: B018
