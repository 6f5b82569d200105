"""What an inspection says of a lattice's causes: true, and in time."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from uncheck.probing import inspect, made_up
from uncheck.probing.control import control
from uncheck.probing.origin import random_weights, untrained
from uncheck.reading import record


def chain(seed):
    """Transposed convolutions of unequal gains alone, as vocoders have them."""
    torch.manual_seed(seed)

    def up(a, b, k, t):
        return nn.ConvTranspose1d(a, b, k, t, (k - t) // 2)

    return nn.Sequential(
        up(32, 16, 16, 8), nn.LeakyReLU(), up(16, 8, 16, 8), nn.LeakyReLU(), up(8, 4, 4, 2), nn.LeakyReLU(),
        nn.Conv1d(4, 1, 7, padding=3),
    ).eval()  # fmt: skip


def small(*layers):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), *layers, nn.Conv2d(8, 3, 3, padding=1)
    ).eval()


def test_upsampling_that_makes_all_of_it_is_not_acquitted_for_another():
    result = inspect(chain(2), (1, 32, 80))
    assert result.verdict == "lattice"
    assert set(result.orders) == {"first"}
    assert not any("something other" in note for note in result.notes)
    assert result.passes <= 8 + 4 * 3


def test_a_pattern_added_to_the_output_is_laid_to_something_other():
    class Stamped(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = small(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(8, 8, 1))

        def forward(self, x):
            y = self.net(x)
            rows = torch.arange(y.shape[-1], device=y.device) % 2
            return y + 0.1 * rows

    result = inspect(Stamped(), made_up((1, 3, 32, 32)))
    assert result.verdict == "lattice"
    assert any("something other than the upsampling makes it" in note for note in result.notes)
    assert all(s.blame.share < 0.2 for s in result.stages)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_was_learned_by_a_network_that_was_not_trained(seed):
    torch.manual_seed(seed)
    net = small(nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.ReLU())
    result = inspect(net, made_up((1, 3, 32, 32)))
    assert result.fault != "learning"


def test_weights_as_they_were_initialised_are_told_from_others():
    for draw in (None, nn.init.kaiming_normal_, nn.init.xavier_uniform_, nn.init.orthogonal_):
        net = nn.Sequential(nn.Conv2d(3, 32, 3), nn.BatchNorm2d(32), nn.ConvTranspose2d(32, 16, 4, 2))
        for layer in (net[0], net[2]) if draw else ():
            draw(layer.weight)
        assert untrained(net)
        with torch.no_grad():
            net[1].running_mean += 0.1
        assert not untrained(net)
    with torch.no_grad():
        net[1].running_mean.zero_()
        for layer in (net[0], net[2]):
            layer.weight.pow_(3)  # few strong weights, as training leaves them
    assert not untrained(net)


def test_drawn_weights_differ_and_come_back():
    net = nn.Conv2d(3, 8, 3)
    before = net.weight.detach().clone()
    seen = []
    for seed in range(3):
        with random_weights(net, seed):
            seen.append(net.weight.detach().clone())
        assert torch.equal(net.weight, before)
    assert torch.equal(seen[0].flatten().sort().values, before.flatten().sort().values)
    assert not torch.equal(seen[1].flatten().sort().values, before.flatten().sort().values)
    assert float(seen[1].std() / before.std()) == pytest.approx(1.0, abs=0.2)
    assert not torch.equal(seen[0], seen[2])


def test_time_that_is_over_drops_what_comes_last_and_says_so():
    net = small(nn.ConvTranspose2d(8, 8, 3, 2, 1, 1), nn.ReLU())
    result = inspect(net, made_up((1, 3, 32, 32)), seconds=0.0)
    assert result.verdict == "lattice"
    assert result.boundary is None
    assert result.random_lattice is None
    assert any(
        note.startswith("left out for want of time: the blame of the stages, random weights, the border")
        for note in result.notes
    )
    whole = inspect(net, made_up((1, 3, 32, 32)), seconds=600.0)
    assert not any("want of time" in note for note in whole.notes)
    assert whole.stages[0].blame.share > 0.5


def test_nothing_other_is_accused_where_the_calls_to_edit_were_not_made():
    stage = record(small(nn.ConvTranspose2d(8, 8, 3, 2, 1, 1)), made_up((1, 3, 16, 16))).stages[0]

    class Unmoved:
        present = (SimpleNamespace(component=SimpleNamespace(period=(2, 2), amplitude=3.0)),)
        before = np.array([3.0])

        def __init__(self, all_met):
            self.all_met = all_met

        def __call__(self, how, stages):
            return self.before, np.ones(1)

    assert control(Unmoved(all_met=False), [stage])[0].explained
    assert not control(Unmoved(all_met=True), [stage])[0].explained
