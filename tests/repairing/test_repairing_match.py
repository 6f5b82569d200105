"""Matched networks: the phases' moments alike on calibration inputs, the lattice lower."""

from itertools import product

import pytest
import torch
from torch import nn

from cases import make_case
from editing.zoo import Resized, Shuffled, Unpatchify, seeded, slow
from tiers import cases
from uncheck.editing.edits import KINDS, Upsampler
from uncheck.errors import Refusal
from uncheck.measuring.lines import hann
from uncheck.phases import PhaseKernel
from uncheck.repairing.methods.match import lattice_left, match
from uncheck.repairing.methods.moments import matched, phase_moments
from uncheck.repairing.methods.tune import PhaseAffine, output_means

NETS = {
    "1d": (lambda: nn.ConvTranspose1d(3, 4, 7, 3, 2, 1), (2, 3, 61), 1),
    "2d odd": (lambda: nn.ConvTranspose2d(3, 2, 3, 2, 1, 1), (2, 3, 23, 21), 2),
    "2d dilated": (lambda: nn.ConvTranspose2d(3, 2, 3, 2, 1, dilation=3), (2, 3, 22, 24), 2),
    "2d groups": (lambda: nn.ConvTranspose2d(6, 4, 5, 3, 1, groups=2), (2, 6, 17, 18), 2),
    "3d": (lambda: nn.ConvTranspose3d(2, 2, 3, 2, 1, (1, 0, 1)), (2, 2, 9, 8, 8), 3),
    "shuffle": (lambda: Shuffled(True), (2, 4, 17, 16), 2),
    "un-patchify": (Unpatchify, (3, 5, 4, 6), 2),
}


def case_of(name, count=2):
    make, shape, ndim = NETS[name]
    return make_case(seeded(make), *(torch.randn(shape) for _ in range(count)), ndim=ndim)


def slow_moments(outputs, stride, p):
    """Mean and covariance of one phase, pixel by pixel."""
    weights, rows = [], []
    for y in outputs:
        ours, at = [], []
        for n in product(*map(range, y.shape[2:])):
            if all(a % s == q for a, s, q in zip(n, stride, p, strict=True)):
                w = 1.0
                for a, size in zip(n, y.shape[2:], strict=True):
                    w *= float(hann(size)[a])
                ours.append(w)
                at.append(n)
        total = sum(ours)
        for one in y.double():
            for w, n in zip(ours, at, strict=True):
                weights.append(w / total)
                rows.append(one[(slice(None), *n)])
    w, rows = torch.tensor(weights, dtype=torch.float64), torch.stack(rows)
    w = w / w.sum()
    mean = w @ rows
    return mean, (rows - mean).T @ ((rows - mean) * w[:, None])


@pytest.mark.parametrize("name", cases(["1d", "shuffle"], [n for n in NETS if n not in ("1d", "shuffle")]))
def test_moments_are_those_of_explicit_loops_and_are_alike_once_matched(name):
    case = case_of(name)
    stage = case.recording.stages[0]
    moments = phase_moments(case, case.model, stage)
    phases = list(product(*map(range, stage.stride)))
    outputs = [case.model(x) for (x,) in case.fit]
    for place, p in enumerate(phases):
        mean, covariance = slow_moments(outputs, stage.stride, p)
        torch.testing.assert_close(moments.mean[place], mean, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(moments.covariance[place], covariance, rtol=1e-4, atol=1e-4)
    for order in ("means", "variances", "covariances"):
        kernel = matched(stage.kernel, moments, order, stage.groups)
        after = [_slow_moments_of(kernel, case, stage, p) for p in phases]
        means = torch.stack([m for m, _ in after])
        torch.testing.assert_close(means, moments.mean.mean(0).expand_as(means), rtol=1e-3, atol=1e-4)
        same = torch.stack([c for _, c in after])
        size = same.shape[1] // stage.groups
        wanted = moments.covariance.mean(0)
        if order == "variances":
            got, want = same.diagonal(dim1=1, dim2=2), wanted.diagonal()
            torch.testing.assert_close(got, want.expand_as(got), rtol=1e-3, atol=1e-4)
        if order == "covariances" and name not in (
            "un-patchify",
            "2d dilated",
        ):  # of less than full rank
            for g in range(stage.groups):
                part = slice(g * size, (g + 1) * size)
                got, want = same[:, part, part], wanted[part, part]
                assert float((got - want).abs().max()) < 0.02 * float(want.abs().max())
    plain = torch.stack([c for _, c in (slow_moments(outputs, stage.stride, p) for p in phases)])
    assert not torch.allclose(plain, plain.mean(0).expand_as(plain), rtol=1e-2)


def _slow_moments_of(kernel, case, stage, p):
    # tokens of the un-patchify network are the pixels of its input
    return slow_moments([kernel.apply(x) for (x,) in case.fit], stage.stride, p)


def test_gains_and_biases_fold_into_the_kernel():
    torch.manual_seed(0)
    kernel = PhaseKernel(torch.randn(2, 3, 5, 4), (2, 3), torch.randn(2), (3, -1), (1, 2))
    affine = PhaseAffine(torch.rand(2, 2, 3) + 0.5, torch.randn(2, 2, 3))
    x = torch.randn(1, 3, 4, 3)
    y, made = slow(kernel, x), slow(affine.of(kernel), x)
    for i, j in product(range(2), range(3)):
        want = y[:, :, i::2, j::3] * affine.gain[:, i, j].view(1, 2, 1, 1) + affine.bias[:, i, j].view(
            1, 2, 1, 1
        )
        torch.testing.assert_close(made[:, :, i::2, j::3], want, rtol=1e-4, atol=1e-5)


def test_means_of_the_output_phases_are_those_of_explicit_loops():
    case = case_of("2d odd")
    picture = torch.rand(2, 3, 13, 11)
    made = output_means(case, picture, (2, 3))
    for i, j in product(range(2), range(3)):
        mean, _ = slow_moments([picture[:1]], (2, 3), (i, j))
        torch.testing.assert_close(made[0, :, i, j], 255 * mean, rtol=1e-5, atol=1e-5)


class Planted(nn.Module):
    """Phases of unequal variance, which the rectifier turns into unequal means."""

    def __init__(self, crop):
        super().__init__()
        self.up = nn.ConvTranspose2d(3, 8, 3, 2, 1, 1)
        self.out = nn.Conv2d(8, 3, 3, padding=1)
        self.crop = crop

    def forward(self, x):
        y = torch.relu(self.up(x))
        return self.out(y[:, :, : y.shape[2] - self.crop, : y.shape[3] - self.crop])


@pytest.mark.integration
@pytest.mark.parametrize("crop", [0, 1])
def test_matching_lowers_the_lattice_of_inputs_not_fitted_on(crop):
    net = seeded(lambda: Planted(crop))
    case = make_case(net, *(torch.rand(1, 3, 33, 35) for _ in range(6)))
    fresh = make_case(net, *(torch.rand(1, 3, 33, 35) for _ in range(6)))
    start = lattice_left(fresh, net)
    assert start > 3
    made = list(match(case, lambda text: None))
    assert 2 <= len(made) <= 4
    assert made[-1].label.startswith("solved")
    for one in made:
        assert one.method == "match"
        assert one.kind == KINDS[1]
        assert all(isinstance(edit, Upsampler) for edit in one.edits)
        model = one.done_to(case.copy())
        assert model(torch.rand(1, 3, 17, 20)).shape == net(torch.rand(1, 3, 17, 20)).shape
        assert lattice_left(fresh, model) < 0.6 * start
    assert lattice_left(fresh, made[-1].done_to(case.copy())) < 0.1 * start


def test_refusals_name_the_reason():
    case = make_case(seeded(Resized), torch.rand(1, 3, 16, 16), faulty=(2,))
    with pytest.raises(Refusal, match="no weights of its own"):
        list(match(case, lambda text: None))
    twice = seeded(lambda: nn.Sequential(nn.ConvTranspose2d(3, 3, 3, 2)))
    twice = nn.Sequential(twice[0], twice[0])
    with pytest.raises(Refusal, match="called more than once"):
        list(match(make_case(twice, torch.rand(1, 3, 16, 16), faulty=(2,)), lambda text: None))
