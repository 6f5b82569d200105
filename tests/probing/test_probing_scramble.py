"""The counterfactual that takes a stage's phases out of step."""

import pytest
import torch
from torch import nn

from uncheck.measuring import find_lattice
from uncheck.probing import inspect, made_up
from uncheck.probing.scrambling import scramble_phases


def lattice(n, period, amplitude=20.0):
    place = torch.arange(n) % period
    tile = torch.randn(period, period, generator=torch.Generator().manual_seed(1))
    return amplitude * (tile - tile.mean())[place][:, place][None, None]


@pytest.mark.parametrize(("s", "n"), [(2, 64), (3, 96), (4, 128)])
def test_own_lattice_goes(s, n):
    noise = torch.randn(1, 1, n, n, generator=torch.Generator().manual_seed(0))
    own = scramble_phases(noise + lattice(n, s), (2, 3), (s, s), seed=0)
    before = sum(c.amplitude**2 for c in found(noise + lattice(n, s))) ** 0.5
    after = sum(c.amplitude**2 for c in found(own)) ** 0.5
    assert after < 0.15 * before


def found(x):
    lines = find_lattice(x[0].movedim(0, -1).numpy() + 128)
    return (*lines.present, *lines.traces)


def test_values_are_the_maps_own_and_move_less_than_a_stride():
    n, s = 24, 3
    place = torch.arange(n).float()
    ramp = (place[:, None] * 100 + place)[None, None]
    out = scramble_phases(ramp, (2, 3), (s, s), seed=3)
    assert set(out.flatten().tolist()) <= set(ramp.flatten().tolist())
    rows, columns = (out // 100)[0, 0], (out % 100)[0, 0]
    # Beyond the border a place comes back by one stride.
    assert float((rows - place[:, None]).abs().max()) <= s
    assert float((columns - place).abs().max()) <= s
    assert not torch.equal(out, ramp)


def test_all_shifts_are_used_about_equally_often():
    n, s = 120, 2
    place = torch.arange(n).float()
    moved = scramble_phases(place.expand(1, 1, 1, n), (3,), (s,), seed=0)[0, 0, 0] - place
    inner = moved[4:-4]
    assert abs(float((inner == 0).float().mean()) - 0.5) < 0.1


def test_axes_may_be_anywhere_and_one_dimensional():
    x = torch.randn(2, 30, 40, 3)
    last = scramble_phases(x, (1, 2), (2, 2), seed=0)
    first = scramble_phases(x.permute(0, 3, 1, 2), (2, 3), (2, 2), seed=0)
    assert torch.equal(last.permute(0, 3, 1, 2), first)
    assert scramble_phases(torch.randn(2, 3, 50), (2,), (5,), seed=0).shape == (2, 3, 50)


def test_each_period_is_laid_to_the_stage_that_leaves_it():
    """Two faulty stages: the longer period is the earlier one's, the shorter the later one's."""
    torch.manual_seed(0)

    def stage(a, b):
        return [nn.ConvTranspose2d(a, b, 3, 2, 1, 1), nn.ReLU()]

    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), *stage(8, 8), *stage(8, 8), nn.Conv2d(8, 3, 1)
    )
    result = inspect(model.eval(), made_up((1, 3, 48, 48)))
    first, second = result.stages
    by_period = [{max(p.period): p.share for p in s.blame.periods} for s in (first, second)]
    assert by_period[0][4] > by_period[1][4]
    assert by_period[1][2] > by_period[0][2]


def test_scrambling_with_the_wrong_stride_is_seen():
    """Planted defect: without shifts the phases stay in step, and the lattice stays."""
    n = 64
    x = torch.randn(1, 1, n, n, generator=torch.Generator().manual_seed(0)) + lattice(n, 2)
    kept = sum(c.amplitude**2 for c in found(x)) ** 0.5
    wrong = scramble_phases(x, (2, 3), (1, 1), seed=0)
    assert sum(c.amplitude**2 for c in found(wrong)) ** 0.5 == pytest.approx(kept, rel=1e-6)
