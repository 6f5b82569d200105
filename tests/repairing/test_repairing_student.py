"""The student: resize-convolutions trained as transposed convolutions, and nothing else set free."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations

from cases import make_case
from editing.zoo import Shuffled, Unpatchify
from tiers import examples
from uncheck.editing.edits import KINDS
from uncheck.errors import Refusal
from uncheck.layers.phase_transpose import PhaseConvTranspose
from uncheck.phases import from_conv_transpose, phase_gains
from uncheck.repairing.methods.distill.student import HeldConvTranspose, make_student

LAYERS = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
CONVS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


@st.composite
def layers(draw):
    """A transposed convolution of torch, in float64."""
    n = draw(st.integers(1, 3))
    s = draw(st.integers(2, 4 if n < 3 else 3))
    k = draw(st.integers(2, 9 if n < 3 else 5))
    padding = draw(st.integers(0, (k - 1) // 2))
    extra = draw(st.integers(0, s - 1))
    g = draw(st.sampled_from([1, 2]))
    torch.manual_seed(draw(st.integers(0, 99)))
    layer = LAYERS[n](2 * g, 3 * g, k, s, padding, extra, groups=g, bias=draw(st.booleans()))
    return layer.double().requires_grad_(False)


def kernel_of(layer):
    return from_conv_transpose(
        layer.weight, layer.bias, layer.stride, layer.padding, layer.output_padding, groups=layer.groups
    )


def resized(held, kernel, groups, x):
    """Resize by nearest neighbours, convolve with zeros outside, lay out from the kernel's offset on."""
    n = len(kernel.stride)
    c = held.weight.detach()
    up = F.interpolate(x, scale_factor=[float(s) for s in kernel.stride], mode="nearest")
    rows = c.shape[0] // groups
    weight = torch.cat([c[g * rows : (g + 1) * rows].transpose(0, 1) for g in range(groups)])
    weight = weight.flip(list(range(2, 2 + n)))
    full = CONVS[n](up, weight, padding=[t - 1 for t in c.shape[2:]], groups=groups)
    size = kernel.output_size(x.shape[2:])
    for axis, (o, want) in enumerate(zip(kernel.offset, size, strict=True), start=2):
        after = max(0, want + o - full.shape[axis])
        full = F.pad(full, [0, 0] * (full.dim() - 1 - axis) + [max(0, -o), after])
        full = full.narrow(axis, max(0, o), want)
    bias = 0 if held.bias is None else held.bias.detach().reshape(-1, *[1] * n)
    return full + bias


@given(layers(), st.integers(0, 9))
def test_the_layer_is_a_nearest_resize_and_a_convolution(layer, seed):
    held = HeldConvTranspose(kernel_of(layer), layer.groups)
    kernel = held.kernel
    torch.manual_seed(seed)
    x = torch.randn(2, layer.in_channels, *(6 - n for n in range(len(layer.stride))), dtype=torch.float64)
    assume(min(kernel.output_size(x.shape[2:])) > 0)
    for _ in range(2):
        torch.testing.assert_close(
            held(x).detach(), resized(held, kernel, layer.groups, x), rtol=0, atol=1e-9
        )
        with torch.no_grad():
            held.weight.normal_()


def test_the_oracle_catches_a_resize_that_starts_a_pixel_late():
    layer = nn.ConvTranspose2d(2, 3, 4, 2, 1).double().requires_grad_(False)
    held = HeldConvTranspose(kernel_of(layer))
    kernel = held.kernel
    x = torch.randn(1, 2, 6, 5, dtype=torch.float64)
    late = type(kernel)(
        kernel.weight, kernel.stride, kernel.bias, tuple(o - 1 for o in kernel.offset), kernel.margin
    )
    assert not torch.allclose(held(x), resized(held, late, 1, x), atol=1e-3)


@given(layers())
def test_sizes_are_those_of_the_old_layer(layer):
    held = HeldConvTranspose(kernel_of(layer), layer.groups)
    for n in range(1, 7):
        x = torch.zeros(1, layer.in_channels, *[n + a for a in range(len(layer.stride))], dtype=torch.float64)
        try:
            wanted = layer(x).shape
        except RuntimeError:  # torch: no pixels
            continue
        assert held(x).shape == wanted


@given(layers(), st.integers(0, 9))
def test_gains_are_equal_whatever_is_learned(layer, seed):
    held = HeldConvTranspose(kernel_of(layer), layer.groups)
    torch.manual_seed(seed)
    optimizer = torch.optim.Adam(held.parameters(), lr=0.1)
    for _ in range(3):
        y = held(torch.randn(1, layer.in_channels, *[5] * len(layer.stride), dtype=torch.float64))
        optimizer.zero_grad()
        (y * torch.randn_like(y)).sum().backward()
        optimizer.step()
    kernel = from_conv_transpose(held.held().detach(), None, layer.stride, groups=layer.groups)
    gains = phase_gains(kernel).flatten(2)
    assert float((gains - gains[..., :1]).abs().max()) < 1e-9
    assert float(gains.abs().max()) > 1e-3


def responses(module, channels, ndim):
    """Answers to an impulse in each channel, the bias left out."""
    x = torch.eye(channels, dtype=torch.float64).reshape(channels, channels, *[1] * ndim)
    x = F.pad(x, [4, 4] * ndim)
    return module(x) - module(torch.zeros_like(x))


@examples(12, 200)
@given(layers(), st.integers(0, 9))
def test_no_kernel_of_that_form_is_nearer(layer, seed):
    held = HeldConvTranspose(kernel_of(layer), layer.groups)
    ndim, channels = len(layer.stride), layer.in_channels
    wanted = responses(layer, channels, ndim)

    def distance():
        return (responses(held, channels, ndim) - wanted).square().sum()

    (slope,) = torch.autograd.grad(distance(), held.weight)
    assert float(slope.abs().max()) < 1e-8
    with torch.no_grad():
        torch.manual_seed(seed)
        best, own = float(distance()), held.weight.clone()
        for size in (1e-3, 1e-2, 0.1):
            held.weight.copy_(own + size * torch.randn_like(own))
            assert float(distance()) > best


def test_what_is_a_resize_convolution_is_taken_over_exactly():
    torch.manual_seed(0)
    layer = nn.ConvTranspose2d(2, 3, 4, 2, 1).double().requires_grad_(False)
    c, hold = torch.randn(2, 3, 3, 3).double(), torch.ones(1, 1, 2, 2).double()
    layer.weight.copy_(F.conv_transpose2d(c.flatten(0, 1)[:, None], hold).reshape(2, 3, 4, 4))
    held = HeldConvTranspose(kernel_of(layer))
    x = torch.randn(1, 2, 5, 7).double()
    torch.testing.assert_close(held(x).detach(), layer(x), rtol=0, atol=1e-12)


class Net(nn.Module):
    """A stem, a branch that ends before the upsampler, one that goes on, the upsampler, a head."""

    def __init__(self, up=None, **call):
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 4, 3, 2, 1)
        self.middle = nn.Conv2d(4, 4, 3, padding=1)
        self.up = up or nn.ConvTranspose2d(4, 4, 3, 2, 1, 1)
        self.norm = nn.BatchNorm2d(4)
        self.tied = nn.Conv2d(4, 4, 1)
        self.head = nn.Conv2d(4, 3, 3, padding=1)
        self.call = call

    def forward(self, x):
        y = self.tied(self.middle(self.stem(x)).relu())
        call = {"output_size": x.shape[2:]} if self.call.get("sized") else {}
        return self.head(self.tied(self.norm(self.up(y, **call))).relu())


def case_of(net, *, size=(20, 18), scale=(1.0, 1.0), faulty=(2,)):
    torch.manual_seed(1)
    return make_case(net, torch.rand(1, 3, *size), scale=scale, faulty=faulty)


def drawn(student):
    """Other values for all that is trained."""
    torch.manual_seed(2)
    with torch.no_grad():
        for p in student.parameters():
            p += 0.1 * torch.randn_like(p)


@pytest.mark.parametrize("anew", [True, False])
def test_the_candidate_is_the_student(anew):
    case = case_of(Net())
    student = make_student(case, anew=anew)
    drawn(student)
    made = student.candidate("label", KINDS[2])
    assert (made.method, made.label, made.kind) == ("distill", "label", KINDS[2])
    model = made.done_to(case.copy())
    assert isinstance(model.up, PhaseConvTranspose if anew else nn.ConvTranspose2d)
    for size in ((20, 18), (33, 27)):
        x = torch.rand(2, 3, *size)
        with torch.no_grad():
            torch.testing.assert_close(model(x), student.model(x), rtol=0, atol=1e-6)
    # what the candidate holds does not go on with the training
    before = model(x)
    drawn(student)
    assert torch.equal(made.done_to(case.copy())(x), before)


def test_only_what_runs_from_the_stage_on_is_trained():
    case = case_of(Net())
    student = make_student(case, anew=True)
    assert set(student.trained) == {
        "up.weight", "up.bias", "norm.weight", "norm.bias", "head.weight", "head.bias",
    }  # fmt: skip
    free = {name for name, p in student.model.named_parameters() if p.requires_grad}
    assert free == set(student.trained)
    assert list(student.held) == ["up"]
    assert all(p.requires_grad is False for p in case.model.parameters())
    assert isinstance(case.model.up, nn.ConvTranspose2d)


def test_all_of_it_is_trained_when_asked():
    student = make_student(case_of(Net()), anew=False, whole=True)
    assert set(student.trained) == {name for name, _ in Net().named_parameters()}
    assert student.held == {}


def test_training_begins_at_the_first_stage_that_leaves_the_period():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.ConvTranspose2d(3, 4, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(4, 3, 4, 2, 1), nn.Conv2d(3, 3, 3)
    )
    four = make_student(case_of(net, faulty=(4,), scale=(4.0, 4.0)), anew=True)
    assert list(four.held) == ["0", "2"]
    two = make_student(case_of(net, faulty=(2,), scale=(4.0, 4.0)), anew=True)
    # what the first leaves may be of period 2 too
    assert list(two.held) == ["0", "2"]
    sized = nn.Sequential(nn.ConvTranspose2d(3, 4, 3, 3), nn.ReLU(), nn.ConvTranspose2d(4, 3, 4, 2, 1))
    late = make_student(case_of(sized, faulty=(2,), scale=(6.0, 6.0)), anew=True)
    assert set(late.held) <= {"0", "2"}
    assert "2" in late.held


class Shared(nn.Module):
    """One upsampler, called twice, or once more where it reaches no output."""

    def __init__(self, aside):
        super().__init__()
        torch.manual_seed(0)
        self.up, self.aside, self.head = nn.ConvTranspose2d(3, 3, 3, 2, 1, 1), aside, nn.Conv2d(3, 3, 3)

    def forward(self, x):
        if self.aside:
            return self.head(self.up(x) + self.up(x.flip(1)).mean((2, 3), keepdim=True))
        return self.head(self.up(self.up(x)))


@pytest.mark.parametrize("aside", [False, True])
def test_shared_upsamplers_are_trained_as_they_are(aside):
    case = case_of(Shared(aside), scale=(2.0, 2.0) if aside else (4.0, 4.0))
    student = make_student(case, anew=True)
    assert student.held == {}
    assert "up.weight" in student.trained


@pytest.mark.parametrize(
    ("net", "maker"), [(nn.Sequential(Shuffled(True)), "0.conv"), (nn.Sequential(Shuffled(False)), "0.conv")]
)
def test_the_maker_of_a_sub_pixel_stage_is_trained(net, maker):
    torch.manual_seed(0)
    case = make_case(net, torch.rand(1, 4, 12, 12))
    student = make_student(case, anew=True)
    assert set(student.trained) == {f"{maker}.weight", f"{maker}.bias"}


def test_the_maker_of_patches_is_trained():
    case = make_case(Unpatchify(), torch.rand(1, 5, 4, 6))
    assert set(make_student(case, anew=True).trained) == {"head.weight", "head.bias"}


@pytest.mark.parametrize("old", [False, True])
def test_weight_normed_layers_are_replaced_and_trained(old):
    net = Net()
    norm = nn.utils.weight_norm if old else parametrizations.weight_norm
    for name in ("up", "head", "stem"):
        norm(getattr(net, name))
    case = case_of(net)
    student = make_student(case, anew=True)
    assert list(student.held) == ["up"]
    assert {name.split(".")[0] for name in student.trained} == {"up", "norm", "head"}
    assert sum(name.startswith("head") for name in student.trained) == 3  # bias, length, direction
    drawn(student)
    x = torch.rand(1, 3, 20, 18)
    with torch.no_grad():
        model = student.candidate("label", KINDS[2]).done_to(case.copy())
        torch.testing.assert_close(model(x), student.model(x), rtol=0, atol=1e-6)


def test_upsamplers_that_are_told_their_output_size_are_trained_as_they_are():
    case = case_of(Net(sized=True))
    student = make_student(case, anew=True)
    assert student.held == {}
    assert {"up.weight", "up.bias", "head.weight"} <= set(student.trained)
    student.model(*case.fit[0])


def test_hooked_upsamplers_are_trained_as_they_are():
    net = Net()
    net.up.register_forward_hook(lambda module, args, out: out * 2)
    assert make_student(case_of(net), anew=True).held == {}


def test_refusals_say_what_is_missing():
    with pytest.raises(Refusal, match="no upsampling stage leaves period 3: there is nothing to retrain"):
        make_student(case_of(Net(), faulty=(3,)), anew=True)

    class Bare(nn.Module):
        def forward(self, x):
            return F.conv_transpose2d(x, torch.ones(3, 3, 3, 3) / 9, stride=2)

    with pytest.raises(Refusal, match="no layer from the faulty stage on has parameters to train"):
        make_student(case_of(Bare(), scale=(2.0, 2.0)), anew=True)
