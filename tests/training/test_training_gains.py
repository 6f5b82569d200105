import copy
import gc
import warnings
import weakref

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import released
from tiers import cases, every
from uncheck.errors import UncheckError, UncheckWarning
from uncheck.layers import ResizeConv2d, equal_gain
from uncheck.phases import gain_spread
from uncheck.reading import record
from uncheck.training import StageGains, gain_penalty


class Scaled(nn.Module):
    """A functional call whose weight is made in forward, as in progressive GANs."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3, 3, 3))

    def forward(self, x, *, twice=False):
        weight = self.weight * 0.3 / (1 + self.weight.square().sum())
        x = F.conv_transpose2d(x, weight, stride=2)
        return F.conv_transpose2d(x.repeat(1, 2, 1, 1)[:, :4], weight.flip(2), stride=2) if twice else x


class Plain(nn.Module):
    """A functional call with a parameter as it stands."""

    def __init__(self):
        super().__init__()
        self.filters = nn.Parameter(torch.randn(4, 3, 5, 4))

    def forward(self, x):
        return F.conv_transpose2d(input=x, weight=self.filters, stride=(3, 2), padding=1)


class Keyword(nn.Module):
    """Passes its input on by name, and calls one layer twice."""

    def __init__(self):
        super().__init__()
        self.up, self.back = Scaled(), nn.Conv2d(3, 4, 1)

    def forward(self, x):
        return self.up(self.back(self.up(x=x)), twice=True)


class Patches(nn.Module):
    """A linear layer whose features become patches, channels last."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 2 * 2 * 3)

    def forward(self, x):
        n, _, h, w = x.shape
        y = self.head(x.permute(0, 2, 3, 1)).reshape(n, h, w, 2, 2, 3)
        return y.permute(0, 5, 1, 3, 2, 4).reshape(n, 3, 2 * h, 2 * w)


def networks():
    torch.manual_seed(0)
    up = nn.ConvTranspose2d
    spectral, weight = nn.utils.parametrizations.spectral_norm, nn.utils.parametrizations.weight_norm
    return {
        "1-D, groups": (nn.ConvTranspose1d(4, 6, 16, 8, 4, groups=2), (1, 4, 12)),
        "2-D, dilation": (up(4, 6, 3, 2, 1, output_padding=1, dilation=3), (1, 4, 6, 6)),
        "2-D, fewer taps than phases": (up(4, 2, 2, 3), (1, 4, 6, 6)),
        "2-D, unequal axes": (up(4, 3, (3, 5), (1, 3), (1, 2)), (1, 4, 6, 6)),
        "3-D": (nn.ConvTranspose3d(4, 2, 3, 2, 1), (1, 4, 4, 4, 4)),
        "depthwise": (up(4, 4, 4, 2, 1, groups=4, bias=False), (1, 4, 6, 6)),
        "sub-pixel": (nn.Sequential(nn.Conv2d(4, 18, 3, 1, 1), nn.ReLU(), nn.PixelShuffle(3)), (1, 4, 6, 6)),
        "two stages": (nn.Sequential(up(4, 5, 3, 2), nn.ReLU(), up(5, 3, 4, 2)), (1, 4, 6, 6)),
        "patches": (Patches(), (1, 4, 6, 6)),
        "functional": (Plain(), (1, 4, 6, 6)),
        "made in forward": (nn.Sequential(nn.Conv2d(4, 4, 3), Scaled()), (1, 4, 6, 6)),
        "made in forward, called thrice": (Keyword(), (1, 4, 6, 6)),
        "weight norm": (nn.Sequential(weight(up(4, 3, 3, 2))), (1, 4, 6, 6)),
        "spectral norm": (nn.Sequential(spectral(up(4, 3, 3, 2))), (1, 4, 6, 6)),
        "old spectral norm": (nn.Sequential(nn.utils.spectral_norm(up(4, 3, 3, 2))), (1, 4, 6, 6)),
    }


def changed(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.5 * torch.randn_like(parameter)


@pytest.mark.parametrize("name", every(3, networks()))
def test_spreads_follow_the_weights(name):
    model, shape = networks()[name]
    x = torch.randn(shape)
    gains = StageGains(model, x)
    before = gains.spreads(model)
    assert not gains.unread
    changed(model)
    found = gains.spreads(model)
    stages = record(model, x).stages
    assert len(found) == len(stages) > 0
    for value, stage in zip(found.values(), stages, strict=True):
        assert value == pytest.approx(gain_spread(stage.kernel), abs=1e-6)
    assert found != before, "the weights changed, what was read did not"


@pytest.mark.parametrize(
    ("layer", "stride", "margin"),
    [
        (nn.ConvTranspose1d(3, 2, 5, 3), (3,), 6),
        (nn.ConvTranspose2d(2, 3, 3, 2, bias=False), (2, 2), 4),
        (nn.ConvTranspose3d(2, 2, 3, 2), (2, 2, 2), 4),
        (nn.Sequential(nn.Conv2d(2, 8, 3), nn.PixelShuffle(2)), (2, 2), 0),
    ],
)
def test_penalty_equals_what_constants_show(layer, stride, margin):
    """The slow way: a constant in one input channel, and the means of the phases that come out."""
    shape = (1, next(layer.parameters()).shape[0 if margin else 1], *[8] * len(stride))
    layer.double()
    rows = []
    with torch.no_grad():
        flat = layer(torch.zeros(shape, dtype=torch.float64))
        for channel in range(shape[1]):
            x = torch.zeros(shape, dtype=torch.float64)
            x[:, channel] = 1
            rows.append(phases((layer(x) - flat)[0], stride, margin))
    gains = torch.cat(rows)
    squares = (gains - gains.mean(dim=1, keepdim=True)).square().sum() / gains.square().sum()
    given = gain_penalty(layer, torch.zeros(shape), bias=False)
    assert given.item() == pytest.approx(squares.item(), rel=1e-5)
    assert squares > 0.05


def phases(output, stride, margin):
    """(channels, phases) from one interior period."""
    for axis, s in enumerate(stride, start=1):
        output = output.narrow(axis, margin - margin % s, s)
    return output.flatten(1)


def test_a_bias_per_phase_counts_as_one_more_channel():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 4, 1), nn.PixelShuffle(2))
    with torch.no_grad():
        model[0].weight.copy_(torch.randn(1, 2, 1, 1).expand(4, 2, 1, 1))
    x = torch.randn(1, 2, 4, 4)
    assert gain_penalty(model, x, bias=False).item() == 0
    weight, bias = model[0].weight.detach().double(), model[0].bias.detach().double()
    right = (bias - bias.mean()).square().sum() / (weight.square().sum() + bias.square().sum())
    assert gain_penalty(model, x).item() == pytest.approx(right.item(), rel=1e-6)
    assert right > 1e-3


@pytest.mark.integration
def test_exactly_zero_where_even_by_construction():
    x = torch.randn(1, 4, 6, 6)
    for model in (
        nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(4, 3, 3, 1, 1)),
        nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(4, 3, 3)),
        ResizeConv2d(4, 3, 3, 2),
        nn.Conv2d(4, 3, 3),
    ):
        assert gain_penalty(model, x).item() == 0
        assert set(StageGains(model, x).spreads(model).values()) <= {0.0}
    held = nn.ConvTranspose2d(4, 3, 4, 2)
    equal_gain(held)
    assert gain_penalty(held, x).item() < 1e-12


@pytest.mark.parametrize(
    "name",
    every(
        3, ["2-D, dilation", "sub-pixel", "made in forward", "old spectral norm", "weight norm", "patches"]
    ),
)
def test_gradient_against_differences(name):
    model, shape = networks()[name]
    model.double()
    x = torch.randn(shape)
    gain_penalty(model, x).backward()
    step, checked = 1e-5, 0
    for parameter in model.parameters():
        if parameter.grad is None:
            continue
        direction = torch.randn_like(parameter)
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                parameter += sign * step * direction
                values.append(StageGains(model, x).penalty(model).item())
                parameter -= sign * step * direction
        expected = (values[0] - values[1]) / (2 * step)
        assert (parameter.grad * direction).sum().item() == pytest.approx(expected, rel=1e-5, abs=1e-8)
        checked += 1
    assert checked


def test_descending_evens_the_gains_and_little_else():
    torch.manual_seed(0)
    model = nn.ConvTranspose2d(4, 3, 3, 2)
    x, start = torch.randn(1, 4, 6, 6), copy.deepcopy(model.weight.detach())
    optimizer = torch.optim.SGD(model.parameters(), 1.0)
    values = []
    for _ in range(200):
        penalty = gain_penalty(model, x)
        optimizer.zero_grad()
        penalty.backward()
        optimizer.step()
        values.append(penalty.item())
    assert values[0] > 0.3
    assert values[-1] < 1e-3
    assert (model.weight - start).norm() < start.norm() * 1.2


def test_scale_does_not_matter():
    model = nn.ConvTranspose2d(4, 3, 3, 2)
    x = torch.randn(1, 4, 6, 6)
    before = gain_penalty(model, x).item()
    with torch.no_grad():
        model.weight *= 1000
    assert gain_penalty(model, x).item() == pytest.approx(before, rel=1e-6)
    with torch.no_grad():
        model.weight.zero_()
    gain_penalty(model, x).backward()
    assert gain_penalty(model, x).item() == 0
    assert model.weight.grad.isfinite().all()


@pytest.mark.parametrize("name", ["old spectral norm", "spectral norm", "made in forward", "two stages"])
def test_the_network_is_left_as_found(name):
    model, shape = networks()[name]
    model.add_module("norm", nn.BatchNorm2d(3)) if isinstance(model, nn.Sequential) else None
    x = torch.randn(shape)
    model(x).sum().backward()
    state = copy.deepcopy(model.state_dict())
    grads = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    random = torch.get_rng_state()
    gains = StageGains(model, x)
    gains.spreads(model)
    gains.penalty(model)
    assert torch.equal(random, torch.get_rng_state())
    assert all(m.training for m in model.modules())
    assert all(torch.equal(state[k], v) for k, v in model.state_dict().items())
    assert all(
        torch.equal(a, p.grad)
        for a, p in zip(grads, [p for p in model.parameters() if p.grad is not None], strict=True)
    )


def test_forgotten_with_the_network():
    model = nn.Sequential(Scaled())
    gain_penalty(model, torch.randn(1, 4, 5, 5))
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_layers_replaced_since():
    model = nn.Sequential(nn.ConvTranspose2d(4, 3, 3, 2))
    gains = StageGains(model, torch.randn(1, 4, 5, 5))
    model[0] = nn.ConvTranspose2d(4, 3, 4, 2)
    with pytest.raises(
        UncheckError, match=r"the weight of 0.conv_transpose2d\[0\] is no longer where it was"
    ):
        gains.spreads(model)


def grown():
    model = nn.Sequential(nn.Identity(), nn.ConvTranspose2d(4, 4, 4, 2, 1))
    yield model
    model.append(nn.ConvTranspose2d(4, 3, 3, 2))
    yield model


def other_stride():
    model = nn.Sequential(nn.ConvTranspose2d(4, 3, 4, 2))
    yield model
    model[0] = nn.ConvTranspose2d(4, 3, 4, 4)
    yield model


def other_kernel():
    model = nn.Sequential(nn.ConvTranspose2d(4, 3, 3, 2))
    yield model
    model[0] = nn.ConvTranspose2d(4, 3, 4, 2)
    yield model


def norm_added():
    model = nn.Sequential(nn.ConvTranspose2d(4, 3, 3, 2))
    yield model
    nn.utils.parametrizations.weight_norm(model[0])
    yield model


@pytest.mark.parametrize("change", every(2, [grown, other_stride, other_kernel, norm_added]))
def test_the_penalty_follows_changed_layers(change):
    torch.manual_seed(0)
    x = torch.randn(1, 4, 5, 5)
    for model in change():
        found = gain_penalty(model, x).item()
        assert found == pytest.approx(StageGains(model, x).penalty(model).item(), rel=1e-6)


def test_read_once_while_the_layers_stay(monkeypatch):
    from uncheck.training import gains

    model, x, made = nn.Sequential(nn.ConvTranspose2d(4, 3, 3, 2)), torch.randn(1, 4, 5, 5), []
    monkeypatch.setattr(gains, "StageGains", lambda *a: made.append(a) or StageGains(*a))
    for _ in range(3):
        gain_penalty(model, x)
        model.eval()
    assert len(made) == 1


def test_the_penalty_says_what_it_leaves_out():
    x = torch.randn(1, 4, 5, 5)
    bicubic = nn.Upsample(scale_factor=2, mode="bicubic")
    for model, text in (
        (
            nn.Sequential(nn.ConvTranspose2d(4, 3, 3, 2), bicubic),
            "1 could not be read, so the penalty leaves",
        ),
        (nn.Conv2d(4, 3, 3), "no upsampling was found in the network, so it is 0"),
    ):
        with pytest.warns(UncheckWarning, match=text):
            gain_penalty(model, x)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            gain_penalty(model, x)


def test_computed_weights_follow_the_precision():
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Conv2d(4, 4, 3), Scaled()), torch.randn(1, 4, 6, 6)
    gains, before = StageGains(model, x), gain_penalty(model, x).item()
    model.double()
    assert gain_penalty(model, x).item() == pytest.approx(before, rel=1e-5)
    assert gains.penalty(model).dtype == torch.float64
    assert gains.penalty(model).item() == pytest.approx(before, rel=1e-5)


def test_periods_are_known_only_if_all_was_read():
    x = torch.randn(1, 4, 6, 6)
    known = nn.Sequential(nn.ConvTranspose2d(4, 4, 3, 5), nn.PixelShuffle(2))
    assert StageGains(known, x).periods == (2, 5, 10)
    assert StageGains(nn.Conv2d(4, 3, 3), x).periods is None


def test_a_kernel_that_cannot_be_read_is_named():
    model = nn.Sequential(nn.ConvTranspose2d(4, 3, 3, 2), nn.Upsample(scale_factor=2, mode="bicubic"))
    gains = StageGains(model, torch.randn(1, 4, 5, 5))
    assert gains.unread == ("1",)
    assert list(gains.spreads(model)) == ["0"]


def test_parallel_wrappers_are_taken_off():
    model = nn.ConvTranspose2d(4, 3, 3, 2)
    x = torch.randn(1, 4, 5, 5)
    wrapped = nn.DataParallel(model)
    assert gain_penalty(wrapped, x).item() == gain_penalty(model, x).item()


@pytest.mark.parametrize(
    "name", cases(["fsrcnn_x2", "espcn_x3"], ["dcgan_svhn", "speech_decoder", "cwgan_mnist"])
)
def test_released_networks(name):
    model, x = released.load(name), released.example_input(name)
    gains = StageGains(model, x)
    expected = [gain_spread(stage.kernel) for stage in gains.stages]
    assert not gains.unread
    assert list(gains.spreads(model).values()) == pytest.approx(expected, abs=1e-6)
    total = sum(value**2 for value in expected)
    assert gain_penalty(model, x, bias=False).item() == pytest.approx(total, abs=1e-6)
