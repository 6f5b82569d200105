"""Projected networks: equal gains, the least change on the calibration inputs, refusals with reasons."""

import math
from itertools import product

import pytest
import torch
from torch import nn

from cases import make_case
from editing.zoo import Resized, Shuffled, seeded
from uncheck.editing.edits import KINDS
from uncheck.errors import Refusal
from uncheck.phases import phase_gains, strang_fix_order
from uncheck.reading import record
from uncheck.reading.provenance import source_of
from uncheck.repairing.methods.moments import RIDGE, patch_moment
from uncheck.repairing.methods.project import project

NETS = {
    "1d": (lambda: nn.ConvTranspose1d(3, 2, 7, 3, 2, 1), (1, 3, 41), 1),
    "2d odd": (lambda: nn.ConvTranspose2d(3, 2, 4, 2, 1, 1), (1, 3, 23, 21), 2),
    "2d dilated": (lambda: nn.ConvTranspose2d(3, 2, 3, 2, 1, dilation=3), (1, 3, 22, 24), 2),
    "2d groups": (lambda: nn.ConvTranspose2d(4, 6, 5, 3, 1, groups=2), (1, 4, 17, 18), 2),
    "3d": (lambda: nn.ConvTranspose3d(2, 1, 3, 2, 1, (1, 0, 1)), (1, 2, 9, 8, 8), 3),
    "shuffle": (lambda: Shuffled(True), (1, 4, 17, 16), 2),
}


def ripple(kernel):
    """Norm of what the gains deviate from their mean over the phases."""
    gains = phase_gains(kernel.double()).flatten(2)
    return float((gains - gains.mean(2, keepdim=True)).norm())


def quiet(text):
    assert text


def case_of(make, shape, ndim, count=3, **more):
    net = seeded(lambda: nn.Sequential(make()))
    return make_case(net, *(torch.rand(shape) for _ in range(count)), ndim=ndim, **more)


@pytest.mark.integration
@pytest.mark.parametrize("name", NETS)
def test_every_candidate_has_equal_gains_and_the_same_shape(name):
    case = case_of(*NETS[name])
    before = ripple(case.recording.stages[0].kernel)
    made = list(project(case, quiet))
    assert made
    for one in made:
        assert one.method == "project"
        assert one.kind == KINDS[1]
        assert one.edits == ()
        model = one.done_to(case.copy())
        for (x,) in case.fit:
            assert model(x).shape == case.model(x).shape
            assert torch.isfinite(model(x)).all()
        kernel = record(model, *case.fit[0]).stages[0].kernel
        part = "90 %" in one.label
        assert ripple(kernel) == pytest.approx(0.1 * before if part else 0, rel=1e-3, abs=1e-5 * before)
        if "order 2" in one.label:
            assert strang_fix_order(kernel.double(), tolerance=1e-3) >= 2


@pytest.mark.parametrize("name", ["1d", "2d odd", "2d groups", "3d", "shuffle"])
def test_the_moment_of_patches_is_that_of_explicit_loops(name):
    case = case_of(*NETS[name], count=2)
    stage = case.recording.stages[0]
    kernel = stage.kernel
    made = patch_moment(case, case.model, source_of(case.recording.graph, stage).key, kernel)
    reach = [math.ceil(k / s) for k, s in zip(kernel.kernel_size, kernel.stride, strict=True)]
    rows = []
    for (x,) in case.fit:
        for i in product(*(range(n + j - 1) for n, j in zip(x.shape[2:], reach, strict=True))):
            row = []
            for c in range(x.shape[1]):
                for j in product(*map(range, reach)):
                    at = [a - b for a, b in zip(i, j, strict=True)]
                    inside = all(0 <= a < n for a, n in zip(at, x.shape[2:], strict=True))
                    row.append(float(x[(0, c, *at)]) if inside else 0.0)
            rows.append(row)
    rows = torch.tensor(rows, dtype=torch.float64)
    slow = rows.T @ rows / len(rows)
    slow += RIDGE * slow.diagonal().mean() * torch.eye(len(slow))
    torch.testing.assert_close(made, slow, rtol=1e-6, atol=1e-8)
    assert not torch.allclose(made, slow.flip(0, 1), rtol=1e-3)  # the order of the taps matters


@pytest.mark.integration
def test_the_weighted_projection_changes_the_output_less_than_the_plain_one():
    torch.manual_seed(0)
    net = nn.Sequential(nn.ConvTranspose2d(3, 2, 5, 2, 2, 1))
    smooth = [nn.functional.avg_pool2d(torch.rand(1, 3, 40, 40), 5, 1) for _ in range(4)]
    case = make_case(net, *smooth)
    by = {one.label: one for one in project(case, quiet)}
    change = {
        label: sum(float((one.done_to(case.copy())(x) - case.model(x)).square().mean()) for (x,) in case.fit)
        for label, one in by.items()
    }
    assert change["order 1, weighted: 0"] < change["order 1: 0"]
    assert change["order 2, weighted: 0"] < change["order 2: 0"]
    part = change["order 1, weighted, 90 % of the way: 0"] / change["order 1, weighted: 0"]
    assert part == pytest.approx(0.81, rel=1e-3)


def test_one_tap_per_phase_is_refused_unless_the_change_is_tiny():
    case = case_of(lambda: nn.ConvTranspose2d(3, 2, 2, 2), (1, 3, 16, 16), 2)
    with pytest.raises(Refusal, match=r"one tap per phase.*erase detail"):
        list(project(case, quiet))
    with torch.no_grad():
        case.model[0].weight.copy_(torch.ones(3, 2, 2, 2) + 0.01 * torch.randn(3, 2, 2, 2))
    near = make_case(case.model, torch.rand(1, 3, 16, 16))
    assert [one.label for one in project(near, quiet)] == ["order 1: 0"]


def test_one_tap_per_phase_with_a_bias_per_phase_gets_the_biases_alone():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 1), nn.PixelShuffle(2))
    case = make_case(net, *(torch.rand(1, 3, 24, 24) for _ in range(3)))
    (made,) = project(case, quiet)
    assert set(made.tensors) == {"0.weight", "0.bias"}
    torch.testing.assert_close(made.tensors["0.weight"], net[0].weight)
    model = made.done_to(case.copy())
    assert _ripple(case, model) < 0.02 * _ripple(case, case.model)


def _ripple(case, model):
    """Spread of the phase means of the output, over all inputs, away from the border."""
    y = torch.stack([case.run(model, x) for x in case.fit]).mean(0)[0, :, 4:-4, 4:-4]
    means = torch.stack([y[:, i::2, j::2].mean((1, 2)) for i in (0, 1) for j in (0, 1)])
    return float((means - means.mean(0)).norm())


@pytest.mark.integration
def test_biases_solved_for_take_what_a_nonlinearity_makes_of_unequal_variances():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.PixelShuffle(2), nn.Tanh())
    with torch.no_grad():
        net[0].weight.copy_(torch.randn(4, 1, 3, 3))
        net[0].bias.copy_(torch.full((4,), 0.7))
    case = make_case(net, *(torch.rand(1, 1, 48, 48) for _ in range(4)))
    by = {one.label: one.done_to(case.copy()) for one in project(case, quiet)}
    plain, solved = by["order 1: 1"], by["order 1: 1, biases per phase"]
    assert _ripple(case, plain) > 0.01
    assert _ripple(case, solved) < 0.2 * _ripple(case, plain)


def test_refusals_name_the_reason():
    case = make_case(seeded(Resized), torch.rand(1, 3, 16, 16), faulty=(2,))
    with pytest.raises(Refusal, match="no weights of its own"):
        list(project(case, quiet))
    clean = case_of(*NETS["2d odd"], faulty=(3,))
    with pytest.raises(Refusal, match="no upsampling stage leaves"):
        list(project(clean, quiet))
