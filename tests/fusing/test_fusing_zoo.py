"""Every awkward network: what is fused, what is refused and why; the function stays for all inputs."""

import copy
import pickle
import random

import numpy as np
import pytest
import torch
from torch import nn

import uncheck
from fusing.zoo import CASES, fused, inputs, make
from tiers import cases
from uncheck.reading import copied
from uncheck.reading.tensors import replace_tensors, tensors_in

FUSED = [name for name, case in CASES.items() if case.fused]

#: Quick representatives: a chain of layers, and a forward of its own. The others are integration tests.
QUICK = ("sequential", "passed by name")


def tiers(names):
    return cases([n for n in names if n in QUICK], [n for n in names if n not in QUICK])


STEADY = tiers([name for name in FUSED if CASES[name].steady])
STATIC = tiers([name for name in FUSED if CASES[name].static])

#: Of float32 networks of a few layers, whose outputs are of order one.
ROUNDING = 1e-5


def outputs(net, given, copies=True):
    """Outputs under the same random state each time, of inputs the network may write to."""
    torch.manual_seed(7)
    with torch.no_grad():
        net = copied(net, "test") if copies else net
        return list(tensors_in(net(*replace_tensors(given, torch.clone))))


def gap(a, b):
    assert [x.shape for x in a] == [x.shape for x in b]
    return max(float((x - y).abs().max()) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_what_is_fused_and_the_original_is_untouched(name):
    net, given, case = make(name), inputs(name), CASES[name]
    keep = copy.deepcopy(given)
    state = {key: value.clone() for key, value in net.state_dict().items()}
    modes = [module.training for module in net.modules()]
    kinds = [type(module) for module in net.modules()]
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in net.modules()]
    attributes = {key: value for key, value in vars(net).items() if isinstance(value, int | str)}
    drawn = torch.get_rng_state(), random.getstate(), np.random.get_state()
    with torch.enable_grad():
        result = fused(name, net, given)
        assert torch.is_grad_enabled()
    assert tuple((one.resize, one.conv, one.folded) for one in result.fused) == case.fused
    assert [one.where for one in result.refused] == [resize for resize, _ in case.refused]
    for one, (_, reason) in zip(result.refused, case.refused, strict=True):
        assert reason in one.reason
    assert result.finding == bool(case.refused)
    after = net.state_dict()
    assert list(after) == list(state)
    assert all(torch.equal(after[key], state[key]) for key in state)
    assert [module.training for module in net.modules()] == modes
    assert [type(module) for module in net.modules()] == kinds
    assert [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in net.modules()] == hooks
    assert {key: vars(net)[key] for key in attributes} == attributes
    assert torch.equal(torch.get_rng_state(), drawn[0])
    assert random.getstate() == drawn[1]
    assert np.array_equal(np.random.get_state()[1], drawn[2][1])
    assert all(p.grad is None for p in net.parameters())
    assert all(torch.equal(a, b) for a, b in zip(tensors_in(given), tensors_in(keep), strict=True))


@pytest.mark.parametrize("name", FUSED)
def test_the_function_is_the_same_for_other_inputs(name):
    case = CASES[name]
    plain, model = make(name).eval(), copy.deepcopy(fused(name).model).eval()
    for shapes in (case.shapes, *case.others):
        given = inputs(name, shapes, seed=5)
        assert gap(outputs(plain, given), outputs(model, given)) < ROUNDING, shapes


@pytest.mark.parametrize("name", STEADY)
def test_copies_and_pickles(name):
    given, model = inputs(name), fused(name).model
    want = outputs(model, given)
    assert gap(want, outputs(pickle.loads(pickle.dumps(model)), given)) == 0
    other = copy.deepcopy(model)
    for parameter in other.parameters():
        parameter.data.zero_()
    assert gap(want, outputs(model, given)) == 0  # nothing is shared


@pytest.mark.usefixtures("exporter")
@pytest.mark.parametrize("name", STATIC)
def test_it_exports(name):
    given, model = inputs(name), copy.deepcopy(fused(name).model)
    exported = torch.export.export(model, given).module()
    assert gap(outputs(fused(name).model, given), outputs(exported, given, copies=False)) < ROUNDING


@pytest.mark.usefixtures("exporter")
@pytest.mark.parametrize("name", STATIC)
def test_it_compiles(name):
    torch._dynamo.reset()
    given, model = inputs(name), copy.deepcopy(fused(name).model)
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    assert gap(outputs(fused(name).model, given), outputs(compiled, given, copies=False)) < ROUNDING


@pytest.mark.parametrize("name", STEADY)
def test_weights_go_into_a_network_fused_elsewhere(name):
    given, model = inputs(name), copy.deepcopy(fused(name).model)
    fresh = make(name)
    for parameter in fresh.parameters():
        parameter.data.mul_(0.5)
    again = uncheck.fuse(fresh, given).model
    again.load_state_dict(model.state_dict(), strict=True)
    assert gap(outputs(model.eval(), given), outputs(again.eval(), given)) == 0


@pytest.mark.parametrize("name", STEADY)
def test_every_mode_still_runs_the_networks_own_code(name):
    """In training mode too, where nothing was folded: dropout must drop, and noise be drawn."""
    result = fused(name)
    if any(one.folded or one.notes for one in result.fused):
        pytest.skip("a folded norm has no training mode")
    if name == "spectral norm":
        pytest.skip("training moves the singular vectors, and what was fused keeps its weight")
    given, plain, model = inputs(name), make(name).train(), copy.deepcopy(result.model).train()
    assert gap(outputs(plain, given), outputs(model, given)) < ROUNDING


def test_attributes_methods_and_kind_stay():
    net, model = make("another way for large inputs"), fused("another way for large inputs").model
    assert isinstance(model, type(net))
    assert type(model).__name__ == "FusedAnotherWay"
    assert model.conv.kernel_size == (3, 3)
    model = fused("layers in a module").model
    assert model.say() == "kept"
    assert "spare.weight" in model.state_dict()
    assert isinstance(fused("sequential").model[0], nn.Identity)


@pytest.mark.parametrize(
    "name", ["diffusion decoder", "another way for large inputs", "sequential", "u-net told sizes"]
)
def test_fusing_twice_changes_nothing_more(name):
    given, model = inputs(name), fused(name).model
    twice = uncheck.fuse(model, given)
    assert twice.fused == ()
    assert gap(outputs(model, given), outputs(twice.model, given)) == 0


@pytest.mark.parametrize("name", ["sequential", "u-net told sizes", "diffusion decoder"])
def test_gradients_flow_through_the_fused_layer(name):
    net = make(name)
    (given,) = inputs(name)
    given.requires_grad_()
    model = fused(name).model
    want = torch.autograd.grad(net(given).square().sum(), given)[0]
    got = torch.autograd.grad(model(given).square().sum(), given)[0]
    assert float((want - got).abs().max()) < 1e-3 * float(want.abs().max())
    assert all(p.requires_grad for p in model.parameters())
    frozen = uncheck.fuse(net.requires_grad_(False), given.detach()).model
    assert not any(p.requires_grad for p in frozen.parameters())
