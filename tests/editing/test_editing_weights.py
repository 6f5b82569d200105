"""A changed kernel written into the layers it came from comes out of the network."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from cases import make_case
from editing.zoo import Functional, Resized, Shuffled, Unpatchify, seeded, slow
from uncheck.editing.edits import Unparametrised, Upsampler
from uncheck.editing.kernels import check_written, weight_handle
from uncheck.errors import Refusal
from uncheck.phases import PhaseKernel
from uncheck.repairing.methods.stages import WritableStages

NETS = {
    "1d": (lambda: nn.Sequential(nn.ConvTranspose1d(3, 2, 7, 3, 2, 1)), (2, 3, 9), 1),
    "1d groups": (lambda: nn.Sequential(nn.ConvTranspose1d(4, 6, 4, 2, groups=2)), (1, 4, 7), 1),
    "2d odd": (lambda: nn.Sequential(nn.ConvTranspose2d(3, 2, 3, 2, 1, 1)), (2, 3, 5, 7), 2),
    "2d dilated": (lambda: nn.Sequential(nn.ConvTranspose2d(3, 2, 2, 2, 1, dilation=3)), (1, 3, 5, 4), 2),
    "2d depthwise": (lambda: nn.Sequential(nn.ConvTranspose2d(3, 3, 5, 3, 1, groups=3)), (1, 3, 4, 5), 2),
    "no bias": (lambda: nn.Sequential(nn.ConvTranspose2d(3, 2, (5, 4), (2, 3), bias=False)), (1, 3, 4, 5), 2),
    "3d": (lambda: nn.Sequential(nn.ConvTranspose3d(2, 2, 3, 2, 1, (1, 0, 1))), (1, 2, 3, 4, 3), 3),
    "shuffle": (lambda: Shuffled(False), (2, 4, 5, 6), 2),
    "shuffle by hand": (lambda: Shuffled(True), (2, 4, 5, 6), 2),
    "grouped shuffle": (lambda: Shuffled(False, groups=2), (2, 4, 5, 6), 2),
    "un-patchify": (Unpatchify, (2, 5, 4, 6), 2),
    "function": (Functional, (1, 3, 5, 4), 2),
}
BARE = {"shuffle", "shuffle by hand", "grouped shuffle", "un-patchify"}


def handle_of(case, index=0):
    return weight_handle(case.model, case.fit[0], case.recording, case.recording.stages[index])


def case_of(name):
    make, shape, ndim = NETS[name]
    return make_case(seeded(make), torch.randn(shape), ndim=ndim)


def changed(handle, bias=None):
    """The kernel with all its own entries changed, and a bias per channel or phase where there is one."""
    kernel, there = handle.kernel, handle.weight.index > 0
    weight = torch.where(there, kernel.weight + torch.randn_like(kernel.weight), kernel.weight)
    b = kernel.bias if bias is None else bias
    b = None if b is None else b + torch.randn_like(b)
    return PhaseKernel(weight, kernel.stride, b, kernel.offset, kernel.margin, kernel.support)


@pytest.mark.parametrize("name", NETS)
def test_a_kernel_written_is_what_the_network_then_does(name):
    case = case_of(name)
    handle = handle_of(case)
    kernel = changed(handle)
    made = WritableStages(case, "project").candidate("x", {0: kernel})
    assert made.edits == ()
    model = made.done_to(case.copy())
    assert set(model.state_dict()) == set(case.model.state_dict())
    y = model(case.fit[0][0])
    assert y.shape == case.model(case.fit[0][0]).shape
    torch.testing.assert_close(y, slow(kernel, case.fit[0][0]), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(y, case.model(case.fit[0][0]), atol=0.1)


@pytest.mark.parametrize("name", sorted(set(NETS) - {"function"}))
def test_a_bias_per_phase_is_kept_by_shuffles_and_needs_a_layer_elsewhere(name):
    case = case_of(name)
    handle = handle_of(case)
    kernel = changed(handle, handle.kernel.phase_bias())
    made = WritableStages(case, "match").candidate("x", {0: kernel})
    assert [type(edit) for edit in made.edits] == ([] if name in BARE else [Upsampler])
    y = made.done_to(case.copy())(case.fit[0][0])
    assert y.shape == case.model(case.fit[0][0]).shape
    torch.testing.assert_close(y, slow(kernel, case.fit[0][0]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("wrap", [nn.utils.weight_norm, parametrizations.weight_norm, nn.utils.spectral_norm])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_parametrised_weights_become_plain_first(wrap):
    torch.manual_seed(0)
    net = nn.Sequential(wrap(nn.ConvTranspose2d(3, 2, 3, 2))).eval().requires_grad_(False)
    with torch.no_grad():
        net(torch.randn(1, 3, 4, 4))
    case = make_case(net, torch.randn(1, 3, 4, 5))
    handle = handle_of(case)
    assert handle.edits == (Unparametrised("0"),)
    kernel = changed(handle)
    model = WritableStages(case, "project").candidate("x", {0: kernel}).done_to(case.copy())
    torch.testing.assert_close(model(case.fit[0][0]), slow(kernel, case.fit[0][0]), rtol=1e-4, atol=1e-4)


def test_weights_in_other_memory_formats_and_tied_names():
    net = seeded(lambda: nn.Sequential(nn.ConvTranspose2d(3, 3, 3, 2), nn.ConvTranspose2d(3, 3, 3, 2)))
    net = net.to(memory_format=torch.channels_last)
    net[1].weight, net[1].bias = net[0].weight, net[0].bias
    case = make_case(net, torch.randn(1, 3, 4, 4))
    handle = handle_of(case)
    assert handle.weight.keys == ("0.weight", "1.weight")
    assert handle.uses == (0, 1)
    kernel = changed(handle)
    model = WritableStages(case, "project").candidate("x", {0: kernel}).done_to(case.copy())
    once = slow(kernel, case.fit[0][0])
    torch.testing.assert_close(model[0](case.fit[0][0]), once, rtol=1e-4, atol=1e-4)
    assert torch.equal(model[0].weight, model[1].weight)


def test_calls_that_agree_share_a_change():
    case = make_case(seeded(lambda: Functional("twice")), torch.randn(1, 3, 4, 4))
    assert handle_of(case).uses == (0, 1)


@pytest.mark.parametrize(
    ("net", "index", "words"),
    [
        (lambda: Functional("scaled"), 0, "computed anew"),
        (lambda: Functional("mixed"), 0, "uses the weight"),
        (Resized, 0, "no weights of its own"),
        (lambda: nn.Upsample(scale_factor=2), 0, "no weights of its own"),
    ],
)
def test_what_cannot_be_written_is_refused_with_the_reason(net, index, words):
    case = make_case(seeded(net), torch.randn(1, 3, 6, 6))
    with pytest.raises(Refusal, match=words):
        handle_of(case, index)


def test_sums_of_weights_are_seen_as_such():
    case = make_case(seeded(Resized), torch.randn(1, 3, 6, 6))
    stage = replace(case.recording.stages[0], kind="transposed")
    graph = case.recording.graph
    conv = next(n for n in graph.nodes if n.name == "conv2d")
    with pytest.raises(Refusal, match="sums of weights"):
        weight_handle(case.model, case.fit[0], case.recording, replace(stage, key=conv.key))


def test_taps_and_biases_that_a_layer_lacks_are_refused():
    case = case_of("1d groups")
    handle = handle_of(case)
    full = replace(handle.kernel, weight=torch.ones_like(handle.kernel.weight))
    with pytest.raises(Refusal, match="no place"):
        handle.tensors(full)
    with pytest.raises(Refusal, match="per phase"):
        handle.tensors(changed(handle, handle.kernel.phase_bias()))
    bare = make_case(seeded(lambda: Shuffled(False, bias=False)), torch.randn(1, 4, 4, 4))
    with pytest.raises(Refusal, match="no bias"):
        handle_of(bare).change(changed(handle_of(bare), torch.zeros(2)))
    with pytest.raises(Refusal, match="stride"):
        handle.tensors(replace(handle.kernel, stride=(3,)))


@pytest.mark.parametrize("name", ["2d odd", "shuffle", "no bias"])
def test_verification_catches_a_planted_defect(name):
    case = case_of(name)
    handle = handle_of(case)
    kernel = changed(handle)
    made = WritableStages(case, "project").candidate("x", {0: kernel})
    key = handle.weight.keys[0]
    wrong = made.tensors[key].clone()
    wrong.view(-1)[5] += 1e-3
    with pytest.raises(Refusal, match="does not come out"):
        check_written(
            case.copy(),
            case.fit[0],
            replace(made, tensors=dict(made.tensors) | {key: wrong}),
            {handle.stage.name: kernel},
        )
