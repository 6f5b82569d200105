"""Distillation from end to end on small networks: 1-D to 3-D, codes, enlarging networks, refusals."""

import importlib

import pytest
import torch
from torch import nn

from cases import make_case
from judging.zoo import photographs
from repairing.zoo import Halved, pictures
from tiers import cases
from uncheck.editing.edits import KINDS
from uncheck.errors import Refusal
from uncheck.layers.phase_transpose import PhaseConvTranspose
from uncheck.repairing.methods.distill import distill, training
from uncheck.repairing.methods.distill.teacher import ripple

module = importlib.import_module("uncheck.repairing.methods.distill.lessons")


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Trainings of a number of steps, however long a step takes."""
    real = training.Training.run

    def run(self, seconds, advance, **more):
        return real(self, 1e6, advance, **{**more, "most": 40})

    monkeypatch.setattr(training.Training, "run", run)
    monkeypatch.setattr(module, "MOST_CUTS", 6)


def quiet(text):
    assert text


def lattice_of(case, model, inputs):
    """Root mean square over phases of the ripple that all outputs share, the strongest channel."""
    low, high = case.span
    with torch.no_grad():
        found = torch.cat([ripple(case.picture(model(*call)), 2, case.ndim) for call in inputs]).mean(0)
    return float(found.square().flatten(1).mean(1).max().sqrt()) / (high - low)


class Same(nn.Module):
    """Half the resolution and back, in 1 to 3 dimensions."""

    def __init__(self, ndim):
        super().__init__()
        torch.manual_seed(0)
        conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[ndim - 1]
        up = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[ndim - 1]
        self.down, self.up, self.head = conv(1, 4, 2, 2), up(4, 4, 3, 2, 1, 1), conv(4, 1, 3, padding=1)

    def forward(self, x):
        return self.head(self.up(self.down(x)).relu())


@pytest.mark.parametrize(("ndim", "size"), cases([(2, 80)], [(1, 256), (3, 48)]))
def test_a_network_of_one_resolution_learns_from_itself_spun(ndim, size):
    torch.manual_seed(3)
    inputs = [torch.rand(1, 1, *[size] * ndim) for _ in range(3)]
    case = make_case(Same(ndim), *inputs, ndim=ndim, scale=(1.0,) * ndim, faulty=(2,))
    before = {key: value.clone() for key, value in case.model.state_dict().items()}
    (made,) = distill(case, quiet, seconds=60)
    assert (made.method, made.kind) == ("distill", KINDS[2])
    model = made.done_to(case.copy())
    assert type(model.up) is PhaseConvTranspose
    assert lattice_of(case, model, case.fit) < 0.25 * lattice_of(case, case.model, case.fit)
    assert torch.equal(model.down.weight, case.model.down.weight)
    assert all(torch.equal(before[key], value) for key, value in case.model.state_dict().items())


@pytest.mark.integration
def test_the_same_seed_gives_the_same_network():
    case = make_case(Halved(0.1), *pictures(3, 64).split(1), scale=(1.0, 1.0), faulty=(2,))
    one, two, other = (next(distill(case, quiet, seconds=60, seed=seed)) for seed in (1, 1, 2))
    assert all(torch.equal(one.tensors[key], two.tensors[key]) for key in one.tensors)
    assert not all(torch.equal(one.tensors[key], other.tensors[key]) for key in one.tensors)


class Drawn(nn.Module):
    """Pictures from codes, with a lattice that all share."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Linear(8, 4 * 16 * 16)
        self.up = nn.ConvTranspose2d(4, 1, 3, 2, 1, 1)
        with torch.no_grad():
            self.up.weight.abs_()

    def forward(self, z):
        return self.up(1 + 0.1 * self.first(z).reshape(-1, 4, 16, 16))


@pytest.mark.integration
def test_codes_learn_their_own_output_cleaned():
    codes = torch.randn(64, 8, generator=torch.Generator().manual_seed(1))
    case = make_case(Drawn(), codes, scale=None, faulty=(2,))
    last, whole = distill(case, quiet, seconds=60)
    assert "last layers" in last.label
    assert "all layers" in whole.label
    assert set(last.tensors) == {"up.weight", "up.bias"}
    assert set(whole.tensors) == {name for name, _ in case.model.named_parameters()}
    assert last.edits == whole.edits == ()
    before = lattice_of(case, case.model, case.fit)
    assert lattice_of(case, last.done_to(case.copy()), case.fit) < before


@pytest.mark.integration
def test_enlarging_networks_learn_their_own_output_cleaned():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.ConvTranspose2d(4, 1, 3, 2, 1, 1))
    case = make_case(net, *photographs(3, 64, channels=1).split(1), faulty=(2,))
    last, whole = distill(case, quiet, seconds=60)
    assert set(last.tensors) == {"2.weight", "2.bias"}
    assert set(whole.tensors) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    before = lattice_of(case, case.model, case.fit)
    assert lattice_of(case, whole.done_to(case.copy()), case.fit) < before


def test_an_interrupted_training_gives_what_it_has():
    case = make_case(Halved(0.1), *pictures(3, 64).split(1), scale=(1.0, 1.0), faulty=(2,))

    def stop(text):
        if "step 8 of" in text:
            raise KeyboardInterrupt

    candidates = distill(case, stop, seconds=60)
    assert next(candidates).method == "distill"
    with pytest.raises(KeyboardInterrupt):
        next(candidates)


def test_refusals_say_why():
    case = make_case(Halved(), *pictures(3, 64).split(1), scale=(1.0, 1.0), faulty=(2,))
    with pytest.raises(Refusal, match="4 seconds are left, too few to train; give more --minutes"):
        next(distill(case, quiet, seconds=4.2))
    small = make_case(Halved(), *pictures(3, 16).split(1), scale=(1.0, 1.0), faulty=(2,))
    with pytest.raises(Refusal, match="inputs of 16x16 pixels are too small to be cut for training"):
        next(distill(small, quiet, seconds=60))
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 3, 10, 10), nn.ConvTranspose2d(3, 3, 10, 10))
    long = make_case(net, *pictures(3, 100).split(1), scale=(1.0, 1.0), faulty=(10,))
    with pytest.raises(Refusal, match="spinning period 10 takes 100 runs per input, too many"):
        next(distill(long, quiet, seconds=60))
