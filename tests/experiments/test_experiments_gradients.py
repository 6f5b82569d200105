"""The mathematics of the gradients experiment: favoured phases, jitter, and the game."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
sys.path[:0] = [str(EXPERIMENTS), str(EXPERIMENTS / "gradients")]

import gradients_networks as networks  # noqa: E402


def test_favoured_is_the_ratio_of_the_phases():
    pulled = torch.ones(2, 3, 32, 32)
    assert networks.favoured(pulled) == pytest.approx(1)
    pulled[..., 1::2, 0::2] *= -5
    assert networks.favoured(pulled) == pytest.approx(5)


def test_overlap_is_what_a_linear_strided_layer_favours():
    """k3 s2 of ones: an input pixel is in 1, 2 or 4 windows."""
    conv = nn.Conv2d(1, 1, 3, 2, 1, bias=False)
    nn.init.ones_(conv.weight)
    x = torch.rand(1, 1, 32, 32, requires_grad=True)
    (pulled,) = torch.autograd.grad(conv(x).sum(), x)
    assert networks.favoured(pulled) == pytest.approx(4)


@pytest.mark.parametrize("name", networks.FIRST)
def test_every_network_halves_but_the_first_and_wraps_where_told(name):
    wanted = {"stride 1 k3": 16, "stride 2 k3 twice": 4}.get(name, 8)
    model = networks.network(name, 4, 5)
    assert model(torch.rand(2, 3, 16, 16)).shape == (2, 5)
    assert model[:-3](torch.rand(2, 3, 16, 16)).shape[-1] == wanted
    wrapped = networks.network(name + networks.WRAPPED, 4, 5).double()
    x = torch.rand(1, 3, 16, 16, dtype=torch.float64)
    if "max 3" not in name and "Blur" not in name.removeprefix("BlurConv"):
        torch.testing.assert_close(wrapped(x), wrapped(x.roll((4, 8), (2, 3))), rtol=0, atol=1e-10)


def test_the_gradient_of_a_strided_network_has_its_period_and_of_a_plain_one_none():
    torch.manual_seed(0)
    x = torch.rand(4, 3, 64, 64)
    assert "2" in networks.gradient(networks.network("stride 2 k3", 8, 3), x)["signed"]
    assert networks.gradient(networks.network("stride 1 k3", 8, 3), x)["signed"] == {}


def test_jitter_takes_the_lattice_from_what_is_visualised():
    torch.manual_seed(0)
    model = networks.network("stride 2 k3", 8, 3)

    def period_2(jitter):
        made = networks.visualised(model, 2, 40, jitter, 0, size=32).mean((0, 1))
        means = torch.stack([made[i::2, j::2].mean() for i in (0, 1) for j in (0, 1)])
        return float(means.std())

    assert period_2(8) < period_2(0) / 2


def test_a_game_moves_what_it_drives_and_starts_where_it_says():
    torch.manual_seed(0)
    real = torch.rand(8, 3, 32, 32)
    before, after = networks.driven("pixels", "stride 2 k3", 4, real, 4, 3, 0)
    assert before.shape == after.shape == (4, 3, 32, 32)
    assert 0 < float((after - before).abs().max()) <= 0.04  # three steps of Adam at 0.01


def test_moved_is_the_change_of_the_phase_means():
    before = torch.rand(3, 3, 8, 8)
    after = before + 0.5
    after[:, 1, 0::2, 1::2] += 0.4
    assert networks.moved(before, after) == pytest.approx(0.3, abs=1e-6)  # 0.4 less its mean over four phases


@pytest.mark.parametrize(("name", "even"), [("BlurConv k3", True), ("stride 2 k3", False)])
def test_plain_steps_along_an_even_gradient_move_all_phases_alike(name, even):
    torch.manual_seed(0)
    game = (name + networks.WRAPPED, 4, torch.rand(8, 3, 16, 16), 4, 5, 0)
    before, after = networks.driven(networks.PLAIN, *game)
    assert float((after - before).abs().max()) > 0.01
    assert (networks.moved(before, after) < 1e-6) == even
    torch.manual_seed(0)
    assert networks.moved(*networks.driven("pixels", *game)) > 1e-5
