"""The mathematics of the stacking experiment: patterns, amplitudes per period, what gains foretell."""

import sys
from math import cos, pi
from pathlib import Path

import pytest
import torch

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
sys.path[:0] = [str(EXPERIMENTS), str(EXPERIMENTS / "stacking")]

import stacking_chains as chains  # noqa: E402
from stacking_measures import counted  # noqa: E402

from uncheck.phases import gain_spread, visible_ripple  # noqa: E402


def tiled(value, side=8):
    return torch.tensor([[[value(i, j) for j in range(side)] for i in range(side)]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("value", "period"),
    [
        (lambda i, j: 5 + 3 * (-1) ** (i + j), 2),
        (lambda i, j: 3 * (-1) ** i, 2),
        (lambda i, j: 3 * cos(2 * pi * j / 4 + 0.3), 4),
        (lambda i, j: 3 * cos(2 * pi * (i / 8 + j / 2) + 0.3), 8),
    ],
)
def test_a_sinusoid_has_its_peak_amplitude_at_its_period(value, period):
    found = chains.powers(tiled(value))
    assert float(found[period]) ** 0.5 == pytest.approx(3, abs=1e-12)
    assert all(float(v) < 1e-20 for p, v in found.items() if p not in (1, period))


def test_unevenness_is_the_gain_spread_of_a_single_pair_of_channels():
    torch.manual_seed(0)
    layer = chains.modules(["3/2"], 1, 1, bias=False)
    pattern = chains.pattern(layer, torch.ones(1, dtype=torch.float64), 2)
    assert chains.unevenness(pattern) == pytest.approx(gain_spread(chains.kernel(layer[0])), abs=1e-12)


@pytest.mark.parametrize("chain", [["3/2"], ["5/3", "3/2"], ["3/2", "c3"], ["3/2", "4/2", "c5"]])
def test_the_pattern_of_a_linear_chain_is_that_of_its_composed_kernel(chain):
    torch.manual_seed(1)
    layers = chains.modules(chain, 3)
    mean = torch.rand(3, dtype=torch.float64)
    seen = chains.pattern(layers, mean, chains.total(chain))
    said = visible_ripple(chains.composed(layers), mean)
    torch.testing.assert_close(seen, said, rtol=0, atol=1e-12)
    # One tap changed must show.
    with torch.no_grad():
        layers[0].weight[0, 0, 0, 0] += 0.01
    changed = chains.pattern(layers, mean, chains.total(chain))
    assert float((changed - said).abs().max()) > 1e-6


def test_what_is_foretold_is_exact_where_every_relu_is_open():
    torch.manual_seed(2)
    layers = chains.modules(["3/2", "4/2", "3/2"], 4)
    with torch.no_grad():
        for module in layers:
            module.weight.abs_()
    y, seen = chains.noisy(layers, torch.rand(2, 4, 24, 24, dtype=torch.float64) + 1, 8)
    assert all(float(s["active"].min()) == 1 for s in seen)
    said = chains.foretold(layers, seen, 8)
    means = y.mean(0).unflatten(1, (-1, 8)).unflatten(3, (-1, 8)).mean((1, 3))
    said, means = (p - p.mean((1, 2), keepdim=True) for p in (said, means))
    # The middle of the second layer's input is not quite that of the third's; the rest is rounding.
    assert float((said - means).norm() / means.norm()) < 0.03
    shut = [*seen[:-1], {**seen[-1], "active": 0 * seen[-1]["active"]}]
    wrong = chains.foretold(layers, shut, 8)
    wrong = wrong - wrong.mean((1, 2), keepdim=True)
    assert float((wrong - means).norm() / means.norm()) > 0.05


def test_the_middle_starts_at_a_phase_and_has_whole_periods():
    y = torch.arange(30.0).expand(30, 30)
    middle = chains.inner(y, 4)
    assert middle[0, 0] % 4 == 0
    assert middle.shape[-1] % 4 == 0


def test_pairs_of_overlaps_are_those_of_the_chain():
    found = counted(["3/2", "5/2"], {})
    # k3 then k5: per axis counts 2 1 become 5 3 4 3.
    assert found["alone"] == [4.0, 2.25]
    assert found["pairs"][0][1] == pytest.approx((5 / 3) ** 2, abs=1e-4)
