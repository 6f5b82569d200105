import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from uncheck.demo import DemoNetwork, load, pictures
from uncheck.measuring import find_lattice

EXPERIMENT = Path(__file__).resolve().parents[2] / "experiments" / "demo-network"
RESULTS = EXPERIMENT / "results" / "demo-network.json"


@pytest.mark.integration
def test_smoke_training_writes_weights_pictures_and_results(tmp_path):
    pytest.importorskip(
        "skimage", reason="scikit-image, whose photographs are the training data, is not installed"
    )
    command = [sys.executable, str(EXPERIMENT / "train.py"), "--smoke", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "transposed 1/1" in done.stderr
    DemoNetwork().load_state_dict(load_file(tmp_path / "weights.safetensors"), strict=True)
    record = json.loads((tmp_path / "demo-network.json").read_text())
    assert record["settings"]["steps"] == 1
    for name in ("transposed", "resize"):
        assert {"lattice_random_weights", "lattice_trained", "curve", "seconds"} <= set(record[name])


def test_shipped_pictures_are_the_stated_crops():
    data = pytest.importorskip("skimage", reason="scikit-image is not installed").data
    astronaut, coffee = (pictures() * 255).round().byte().permute(0, 2, 3, 1)
    assert torch.equal(astronaut, torch.from_numpy(data.astronaut()[0:256, 96:352].copy()))
    assert torch.equal(coffee, torch.from_numpy(data.coffee()[60:316, 170:426].copy()))


def test_published_results_are_of_the_shipped_network_and_name_no_place():
    text = RESULTS.read_text()
    record = json.loads(text)
    with torch.no_grad():
        outputs = (load()(pictures()) * 255).round().permute(0, 2, 3, 1).numpy()
    for name, output in zip(("astronaut", "coffee"), outputs, strict=True):
        measured = {max(c.period): c.amplitude for c in find_lattice(output).present}
        lattice = record["transposed"]["lattice_trained"][name]
        published = {max(map(int, period.split("x"))): amplitude for period, amplitude in lattice.items()}
        # Another processor may round differently, and so keep another weak line of a period.
        assert measured == pytest.approx(published, abs=0.5)
    assert not {"astronaut", "coffee"} & set(record["training_pictures"])
    assert {"date", "machine", "settings", "transposed", "resize"} <= set(record)
    assert "/home" not in text
    assert "/work" not in text
