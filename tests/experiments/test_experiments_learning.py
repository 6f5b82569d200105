"""Power laws with a floor, and networks that differ in their gains alone."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
sys.path[:0] = [str(EXPERIMENTS), str(EXPERIMENTS / "learning")]

from lab.curves import late, power_law  # noqa: E402
from lab.upsamplers import spread_of  # noqa: E402
from learning_training import Training, look, network, tied  # noqa: E402

from uncheck.phases import from_conv_transpose, project  # noqa: E402

STEPS = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4000, 6000, 8000]


def law(scale, exponent, floor):
    return [scale * max(step, 1) ** -exponent + floor for step in STEPS]


@pytest.mark.parametrize(("scale", "exponent", "floor"), [(30, 1.0, 0.5), (5, 0.4, 0.1), (100, 1.5, 2.0)])
def test_a_floor_is_found(scale, exponent, floor):
    found = power_law(STEPS, law(scale, exponent, floor), start=4)
    assert (found.exponent, found.floor) == pytest.approx((exponent, floor), rel=0.02)
    assert found.at(800_000) == pytest.approx(scale * 800_000**-exponent + floor, rel=0.02)


def test_without_a_floor_none_is_found():
    found = power_law(STEPS, law(20, 0.5, 0), start=1)
    assert found.floor < 0.01 * law(20, 0.5, 0)[-1]
    assert found.at(800_000) == pytest.approx(20 * 800_000**-0.5, rel=0.05)


def test_the_fit_is_better_than_all_on_a_grid():
    noise = np.exp(0.1 * np.random.default_rng(0).standard_normal(len(STEPS)))
    values = [v * n for v, n in zip(law(30, 0.7, 0.5), noise, strict=True)]
    t, y = np.array(STEPS[3:], float), np.log(values[3:])
    grid = [
        np.sqrt(np.mean((np.log(np.exp(a) * t**-b + c) - y) ** 2))
        for a in np.linspace(2, 5, 13)
        for b in np.linspace(0.3, 1.2, 19)
        for c in np.linspace(0, 1, 21)
    ]
    found = power_law(STEPS, values, start=4)
    assert found.error <= min(grid)
    # The planted defect: a fit that knows no floor is worse than the grid.
    line = np.polyval(np.polyfit(np.log(t), y, 1), np.log(t))
    assert np.sqrt(np.mean((line - y) ** 2)) > min(grid)


def test_late_is_the_mean_of_the_second_half():
    assert late({"steps": [0, 2, 5, 10], "x": [100.0, 50.0, 1.0, 3.0]}, "x") == 2.0


@pytest.mark.parametrize("kernel", [2, 3, 4])
def test_tied_networks_start_as_the_projection_of_the_free_ones(kernel):
    free, even = (network(kernel, t, 4, 0) for t in (False, True))
    assert torch.equal(free[0].weight, even[0].weight)
    for i in (2, 4):
        layer = free[i]
        form = from_conv_transpose(
            layer.weight.detach(), None, layer.stride, layer.padding, layer.output_padding
        )
        mine = even[i].to_conv_transpose().weight
        theirs = from_conv_transpose(mine.detach(), None, layer.stride, layer.padding, layer.output_padding)
        torch.testing.assert_close(theirs.weight, project(form).weight, rtol=1e-4, atol=1e-6)
        assert spread_of(even[i]) < 1e-6 < 0.3 < spread_of(layer)


def test_flat_colour_is_flat_with_equal_gains_and_not_without():
    config = {"flat": 4}
    held_out = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    seen = [look(network(3, even, 8, 0), held_out, config) for even in (False, True)]
    assert seen[0]["flat"] > 1 > 0.001 > seen[1]["flat"]
    one = torch.nn.ConvTranspose2d(2, 2, 3, 2, 1, 1)
    assert tied(one)(torch.ones(1, 2, 8, 8))[..., 4:-4, 4:-4].flatten(2).std(2).max() < 1e-5


def test_a_branch_goes_on_as_its_origin_would_and_leaves_it_alone():
    photographs = torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    ours = network(3, False, 4, 0)
    adam = torch.optim.Adam(ours.parameters(), 1e-2, fused=True)
    mine = Training(ours, adam, torch.Generator().manual_seed(0))
    mine.step(photographs, 2)
    before = [p.detach().clone() for p in ours.parameters()]
    other = mine.branch()
    theirs = [other.step(photographs, 2) for _ in range(3)]
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), before, strict=True))
    assert [mine.step(photographs, 2) for _ in range(3)] == theirs
    assert mine.done == other.done == 4
