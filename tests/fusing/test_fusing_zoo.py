"""Every awkward network: what is fused, what is refused and why; the function stays for all inputs."""

import copy
import pickle
import random

import numpy as np
import pytest
import torch
from torch import nn

import uncheck
from fusing.zoo import CASES, settle
from tiers import every
from uncheck.reading.tensors import replace_tensors, tensors_in

FUSED = [name for name, case in CASES.items() if case.fused]

#: A few in the quick tier, all in integration.
SOME = every(15, FUSED)
FEW = every(30, FUSED)

#: Of float32 networks of a few layers, whose outputs are of order one.
ROUNDING = 1e-5


def made(name):
    torch.manual_seed(0)
    net = settle(CASES[name].make())
    if name == "training norm":
        net[2].train()
    return net


def inputs(name, shapes=None, seed=1):
    generator = torch.Generator().manual_seed(seed)
    case = CASES[name]
    return case.nest(*[torch.randn(shape, generator=generator) for shape in shapes or case.shapes])


def outputs(net, given):
    """Outputs under the same random state each time, of inputs the network may write to."""
    torch.manual_seed(7)
    with torch.no_grad():
        return list(tensors_in(net(*replace_tensors(given, torch.clone))))


def gap(a, b):
    assert [x.shape for x in a] == [x.shape for x in b]
    return max(float((x - y).abs().max()) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("name", every(3, CASES))
def test_outcome_and_function_are_as_expected_and_the_original_is_untouched(name):
    net, given, case = made(name), inputs(name), CASES[name]
    before = state_of(net)
    drawn = torch.get_rng_state(), random.getstate(), np.random.get_state()
    keep = copy.deepcopy(given)
    with torch.enable_grad():
        result = uncheck.fuse(net, given)
        assert torch.is_grad_enabled()
    assert tuple((one.resize, one.conv, one.folded) for one in result.fused) == case.fused
    assert [one.where for one in result.refused] == [resize for resize, _ in case.refused]
    for one, (_, reason) in zip(result.refused, case.refused, strict=True):
        assert reason in one.reason
    assert result.finding == bool(case.refused)

    assert torch.equal(torch.get_rng_state(), drawn[0])
    assert random.getstate() == drawn[1]
    assert np.array_equal(np.random.get_state()[1], drawn[2][1])
    assert state_of(net) == before
    assert all(p.grad is None for p in net.parameters())
    assert all(torch.equal(a, b) for a, b in zip(tensors_in(given), tensors_in(keep), strict=True))

    plain, fused = net.eval(), result.model.eval()
    for shapes in (case.shapes, *case.others) if case.fused else ():
        other = inputs(name, shapes, seed=5)
        assert gap(outputs(plain, other), outputs(fused, other)) < ROUNDING, shapes


def state_of(net):
    """All of a network that fusing could change, comparable."""
    return (
        [(key, value.numpy().tobytes()) for key, value in net.state_dict().items()],
        [(module.training, type(module)) for module in net.modules()],
        [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in net.modules()],
        {key: value for key, value in vars(net).items() if isinstance(value, int | str)},
    )


@pytest.mark.parametrize("name", SOME)
def test_copies_and_pickles(name):
    given = inputs(name)
    fused = uncheck.fuse(made(name), given).model
    want = outputs(fused, given)
    assert gap(want, outputs(copy.deepcopy(fused), given)) == 0
    assert gap(want, outputs(pickle.loads(pickle.dumps(fused)), given)) == 0
    other = copy.deepcopy(fused)
    for parameter in other.parameters():
        parameter.data.zero_()
    assert gap(want, outputs(fused, given)) == 0  # nothing is shared


@pytest.mark.usefixtures("exporter")
@pytest.mark.parametrize("name", FEW)
def test_it_exports(name):
    given = inputs(name)
    fused = uncheck.fuse(made(name), given).model
    exported = torch.export.export(fused, given).module()
    assert gap(outputs(fused, given), outputs(exported, given)) < ROUNDING


@pytest.mark.usefixtures("exporter")
@pytest.mark.parametrize("name", FEW)
def test_it_compiles(name):
    torch._dynamo.reset()
    given = inputs(name)
    fused = uncheck.fuse(made(name), given).model
    compiled = torch.compile(fused, backend="eager", fullgraph=True)
    assert gap(outputs(fused, given), outputs(compiled, given)) < ROUNDING


@pytest.mark.parametrize("name", SOME)
def test_weights_go_into_a_network_fused_elsewhere(name):
    given = inputs(name)
    fused = uncheck.fuse(made(name), given).model
    torch.manual_seed(3)
    fresh = settle(CASES[name].make())
    for parameter in fresh.parameters():
        parameter.data.mul_(0.5)
    if name == "training norm":
        fresh[2].train()
    again = uncheck.fuse(fresh, given).model
    again.load_state_dict(fused.state_dict(), strict=True)
    assert gap(outputs(fused.eval(), given), outputs(again.eval(), given)) == 0


@pytest.mark.parametrize("name", SOME)
def test_every_mode_still_runs_the_networks_own_code(name):
    """In training mode too, where nothing was folded: dropout must drop, and noise be drawn."""
    net = made(name)
    given = inputs(name)
    fused = uncheck.fuse(net, given)
    if any(one.folded for one in fused.fused) or any(
        "was not folded" in n for f in fused.fused for n in f.notes
    ):
        pytest.skip("a folded norm has no training mode")
    plain, model = made(name).train(), fused.model.train()
    if name == "spectral norm":
        pytest.skip("training moves the singular vectors, and what was fused keeps its weight")
    assert gap(outputs(plain, given), outputs(model, given)) < ROUNDING


def test_attributes_methods_and_kind_stay():
    net = made("another way for large inputs")
    fused = uncheck.fuse(net, inputs("another way for large inputs")).model
    assert isinstance(fused, type(net))
    assert type(fused).__name__ == "FusedAnotherWay"
    fused = uncheck.fuse(made("layers in a module"), inputs("layers in a module")).model
    assert fused.say() == "kept"
    assert isinstance(fused.up, nn.Identity)
    assert "spare.weight" in fused.state_dict()


@pytest.mark.integration
def test_fusing_twice_changes_nothing_more():
    for name in ("diffusion decoder", "another way for large inputs", "sequential", "u-net told sizes"):
        given = inputs(name)
        once = uncheck.fuse(made(name), given)
        twice = uncheck.fuse(once.model, given)
        assert twice.fused == ()
        assert gap(outputs(once.model, given), outputs(twice.model, given)) == 0


@pytest.mark.integration
def test_gradients_flow_through_the_fused_layer():
    for name in ("sequential", "u-net told sizes", "diffusion decoder"):
        net = made(name)
        (given,) = inputs(name)
        given.requires_grad_()
        fused = uncheck.fuse(net, given.detach()).model
        want = torch.autograd.grad(net(given).square().sum(), given)[0]
        got = torch.autograd.grad(fused(given).square().sum(), given)[0]
        assert float((want - got).abs().max()) < 1e-3 * float(want.abs().max())
        assert all(p.requires_grad for p in fused.parameters())
        frozen = uncheck.fuse(net.requires_grad_(False), given.detach()).model
        assert not any(p.requires_grad for p in frozen.parameters())
