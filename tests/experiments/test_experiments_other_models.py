"""The losses of other-models have no grid of their own, and its tasks are what they are called."""

import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
sys.path[:0] = [str(EXPERIMENTS), str(EXPERIMENTS / "other-models")]

from image_networks import ImageNetwork  # noqa: E402
from image_tasks import CHANNELS, NOISE, Style, given, loss_of  # noqa: E402


class Pooled(Style):
    """The planted defect: a scale reached by pooling with a stride."""

    def grams(self, x):
        x = F.avg_pool2d(x, 2)
        f = F.conv2d(x, self.bank).relu().flatten(2)
        return [(f @ f.transpose(1, 2) / f.shape[2]).mean(0)]


def moves(loss):
    """Largest relative change of the Gram matrices of rows that alternate in pairs, moved by one pixel."""
    noise = torch.randn(1, 3, 32, 64, generator=torch.manual_seed(0)).repeat_interleave(2, 2)
    pairs = zip(loss.grams(noise[:, :, :-1]), loss.grams(noise[:, :, 1:]), strict=True)
    return max(float((a - b).norm() / a.norm()) for a, b in pairs)


def test_the_style_loss_does_not_see_where_a_pattern_starts():
    assert moves(Style("coffee", 1.0)) < 0.1
    assert moves(Pooled("coffee", 1.0)) > 0.3


def test_style_of_the_style_picture_itself_costs_nothing():
    from lab.patches import photograph

    picture = photograph("coffee")[None]
    assert float(Style("coffee", 1.0)(picture, picture)) == pytest.approx(0, abs=1e-6)
    assert float(Style("coffee", 1.0)(picture.flip(1), picture)) > 0.05


def test_what_the_networks_are_given():
    photographs = torch.rand(64, 3, 16, 16, generator=torch.manual_seed(0))
    generator = torch.manual_seed(1)
    noise = given("denoising", photographs, generator) - photographs
    assert float(noise.std()) == pytest.approx(NOISE, rel=0.02)
    grey = given("colourisation", photographs, generator)
    assert grey.shape == (64, 1, 16, 16)
    assert float(given("colourisation", torch.ones(1, 3, 2, 2), generator).mean()) == pytest.approx(1)
    assert given("style", photographs, generator) is photographs
    assert set(CHANNELS) == {"denoising", "colourisation", "style"}
    assert loss_of("denoising", {}) is F.l1_loss


def test_networks_of_one_seed_differ_in_their_upsamplings_alone():
    one, two = (ImageNetwork(3, layer, 4, 0) for layer in ("deconv k3", "nearest"))
    for part in ("encoder", "block", "output"):
        states = [getattr(n, part).state_dict() for n in (one, two)]
        assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])
    picture = torch.rand(2, 3, 16, 24)
    assert one(picture).shape == two(picture).shape == picture.shape
