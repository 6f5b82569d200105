"""More inputs find what one hides, and the passes they take are bounded."""

import json
import sys

import pytest
import torch
from torch import nn
from verdict_networks import drawn

from uncheck.probing import inspect, made_up
from uncheck.probing.evidence import Evidence
from uncheck.reporting import Page, inspect_text
from uncheck.reporting.page import Detail


def test_a_lattice_that_one_input_hides_is_found_with_eight(monkeypatch):
    """The planted fault leaves 1.5 levels in the mean of 256 outputs, and few on the input given."""
    case = drawn(31, faulty=True)
    found = inspect(case.model, case.inputs(1, 0))
    assert found.verdict == "lattice"
    assert found.lattice[0].amplitude == pytest.approx(1.5, rel=0.4)
    assert found.evidence.inputs >= 8
    assert found.evidence.stopped == "lattice"
    assert 8 + 4 * 2 < found.passes <= 4 * (8 + 4 * 2)
    shares = [stage.blame.share for stage in found.stages]
    assert shares.index(max(shares)) == case.guilty
    module = sys.modules["uncheck.probing.inspect"]
    nothing = Evidence(1, 1.0, "limit", 0.0)
    monkeypatch.setattr(module, "gathered", lambda runner, output, findings, until: (findings, nothing))
    assert inspect(case.model, case.inputs(1, 0)).verdict == "clean"


def test_where_it_shows_at_once_no_more_is_run():
    torch.manual_seed(0)
    net = nn.Sequential(nn.ConvTranspose2d(3, 8, 3, 2, 1, 1), nn.ReLU(), nn.Conv2d(8, 3, 3)).eval()
    result = inspect(net, made_up((1, 3, 32, 32)))
    assert result.verdict == "lattice"
    assert (result.evidence.inputs, result.evidence.passes) == (1, 1.0)
    assert result.passes <= 8 + 4


def test_a_network_without_upsampling_needs_no_evidence():
    result = inspect(nn.Sequential(nn.Conv2d(3, 3, 3)).eval(), made_up((1, 3, 32, 32)))
    assert result.evidence.passes == 1.0
    assert result.to_dict()["evidence"]["inputs"] == 1


def dead():
    net = nn.Sequential(nn.ConvTranspose2d(3, 3, 2, 2), nn.ReLU())
    nn.init.constant_(net[0].bias, -9.0)
    return net


NOTHING = {
    "no upsampling": (lambda: nn.Conv2d(3, 3, 3), None, "clean"),
    "one colour": (dead, None, "undetermined"),
    "too small": (lambda: nn.Conv2d(3, 3, 3), (64,), "undetermined"),
}


@pytest.mark.parametrize("name", NOTHING)
def test_where_nothing_was_tested_there_is_no_limit(name):
    make, periods, verdict = NOTHING[name]
    torch.manual_seed(0)
    result = inspect(make().eval(), made_up((1, 3, 32, 32)), periods=periods)
    assert result.verdict == verdict
    said = json.loads(json.dumps(result.to_dict()))
    assert said["evidence"] == {"inputs": 1, "passes": 1.0, "stopped": "nothing", "limit": None}
    assert "Evidence: 1 input; nothing to test." in inspect_text(result, Page(detail=Detail.verbose))
    assert str(result.evidence) == "1 input; nothing to test"
    assert not any("may hide" in note for note in result.notes)


def test_where_something_was_tested_there_is_a_limit():
    """Near miss: eight inputs on which even phases leave nothing are tested, and stop at a limit."""
    result = inspect(nn.Upsample(scale_factor=2), made_up((8, 3, 32, 32)), threshold=20.0)
    assert result.evidence.stopped == "limit"
    assert 0 < result.evidence.limit <= 20.0
    assert "nothing to test" not in inspect_text(result, Page(detail=Detail.verbose))


@pytest.mark.integration
@pytest.mark.parametrize("seed", [37, 49])
def test_passes_are_bounded_where_nothing_shows(seed):
    case = drawn(seed, faulty=True)
    result = inspect(case.model, case.inputs(1, 0))
    assert result.passes <= 4 * (8 + 4 * case.stages)
    assert result.evidence.inputs >= 8
    if result.evidence.stopped == "passes" and result.verdict == "clean":
        assert any("passes ran out at" in note for note in result.notes)
