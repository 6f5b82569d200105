"""Released networks, repaired on photographs of 192 pixels."""

import sys
from pathlib import Path

import pytest
import torch

from uncheck.judging.acceptance import truth_loss
from uncheck.repairing.repair import repair

CASES = Path(__file__).parents[3] / "shared" / "cases"
PHOTOS = CASES / "photos"

pytestmark = pytest.mark.slow


@pytest.fixture
def networks(monkeypatch):
    if not CASES.is_dir():
        pytest.skip("the released networks of ../shared are not here")
    monkeypatch.syspath_prepend(str(CASES))
    import networks

    yield networks
    sys.modules.pop("networks", None)


def test_fsrcnn_is_projected(networks):
    photographs = torch.cat([networks.photo(path.name, 192) for path in sorted(PHOTOS.iterdir())[:6]])
    inputs = torch.einsum("oc,nchw->nohw", networks.RGB_TO_YCBCR, photographs)
    inputs[:, 1:] += 128 / 255
    model = networks.load("fsrcnn_x2")
    made = repair(model, inputs, method="project")
    assert made.repaired, made.refused
    assert made.judgement.worst() >= 5
    loss = truth_loss(made.judgement)
    assert loss is not None
    assert loss <= 0.05
    assert made.keys_kept


def test_a_generator_without_a_lattice_is_left_alone(networks):
    model = networks.load("cwgan_mnist")
    made = repair(model, networks.example_input("cwgan_mnist", 256))
    assert not made.repaired
    assert made.refused[0][1].startswith("nothing to repair")
