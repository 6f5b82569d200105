"""What networks cost, and what super-resolution networks should have given."""

import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from judging.zoo import Planted, case_of, photographs
from uncheck.judging.cost import measure_cost
from uncheck.repairing.truth import self_truth


class Holds(nn.Module):
    """Holds `megabytes` for a moment."""

    def __init__(self, megabytes):
        super().__init__()
        self.count = int(megabytes * 250_000)

    def forward(self, x):
        return x + torch.ones(self.count).sum()


@pytest.mark.integration
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_memory_is_what_a_call_holds():
    cost = measure_cost(Holds(20), Holds(60), (torch.zeros(1, 1, 8, 8),))
    assert cost.before_mb == pytest.approx(20, abs=2)
    assert cost.after_mb == pytest.approx(60, abs=2)
    assert 0 < cost.before_ms < cost.after_ms


def test_networks_are_left_as_they_were():
    one, two = nn.Sequential(nn.Dropout()).train(), nn.Sequential(nn.Dropout()).train()
    assert measure_cost(one, two, (torch.ones(1, 1, 8, 8),)) is not None
    assert one.training
    assert two[0].training


def test_what_cannot_be_measured_is_none():
    assert measure_cost(nn.Conv2d(3, 3, 3), Planted(), (torch.zeros(1, 1, 8, 8),)) is None


class Twice(nn.Module):
    """Enlarges by two; `gain` and `shift` are of its units."""

    def __init__(self, gain=1.0, shift=0.0):
        super().__init__()
        self.gain, self.shift = gain, shift

    def forward(self, x):
        return F.interpolate(x, scale_factor=2, mode="bicubic") * self.gain + self.shift


HELD = photographs(2, 64).split(1)


def test_pictures_are_the_truth_of_their_reduced_copies():
    found = self_truth(case_of(Twice(), HELD, scale=(2.0, 2.0)))
    assert [tuple(inputs[0].shape) for inputs, _ in found] == [(1, 3, 32, 32)] * 2
    for (inputs, truth), whole in zip(found, HELD, strict=True):
        assert inputs[0].min() >= whole.min()
        assert inputs[0].max() <= whole.max()
        assert torch.allclose(truth, whole, rtol=0, atol=0)


def test_truth_is_in_units_of_the_output():
    held = [x * 255 for x in HELD]
    found = self_truth(case_of(Twice(2 / 255, -1.0), held, scale=(2.0, 2.0), span=(-1.0, 1.0)))
    assert torch.allclose(found[0][1], HELD[0] * 2 - 1, rtol=0, atol=1e-5)
    # units that no range explains are fitted
    odd = self_truth(case_of(Twice(0.5, 3.0), HELD, scale=(2.0, 2.0), span=(0.0, 1.0)))
    assert torch.allclose(odd[0][1], HELD[0] * 0.5 + 3, rtol=0, atol=0.02)


class Noise(nn.Module):
    def forward(self, x):
        return torch.randn(*x.shape[:2], *(2 * n for n in x.shape[2:]))


@pytest.mark.parametrize(
    ("model", "held", "scale"),
    [
        (Planted(), HELD, (1.0, 1.0)),
        (Twice(), HELD, None),
        (Twice(), HELD, (2.5, 2.5)),
        (Noise(), HELD, (2.0, 2.0)),
        (Twice(), photographs(2, 24).split(1), (2.0, 2.0)),
        (Twice(), [torch.randn(1, 3, 64, 64)] * 2, (2.0, 2.0)),
        (Twice(), [(HELD[0], torch.ones(1))], (2.0, 2.0)),
    ],
)
def test_other_networks_have_no_truth_of_their_own(model, held, scale):
    assert self_truth(case_of(model, held, scale=scale)) is None
