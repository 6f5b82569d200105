"""Swapped upsamplers keep gain, variance and every output size; kept ones stay even while they learn."""

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations, parametrize, weight_norm

import released
from tiers import cases, every, examples
from uncheck.editing.keep import keep_even
from uncheck.errors import UncheckError
from uncheck.layers import PhaseConvTranspose, ResizeConv, SubpixelConv
from uncheck.layers.phase_transpose import phase_conv_transpose
from uncheck.phases import PhaseKernel, from_conv_transpose, gain_spread, phase_gains, project
from uncheck.reading import record
from uncheck.swapping import transfer
from uncheck.swapping.swap import swap

WAYS = ("resize", "smooth", "subpixel", "equal_gain")
LAYERS = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


class Net(nn.Module):
    """An upsampler and what a forward may do with it."""

    def __init__(self, up, output_size=None):
        super().__init__()
        self.up, self.output_size = up, output_size

    def forward(self, x):
        return self.up(x) if self.output_size is None else self.up(x, output_size=self.output_size)


def impulse(layer, size, dtype=torch.float64):
    """How a linear layer answers an impulse in the middle of each input channel, its bias taken off."""
    channels = layer.in_channels if hasattr(layer, "in_channels") else layer.up.in_channels
    x = torch.zeros(channels, channels, *size, dtype=dtype)
    for c in range(channels):
        x[(c, c, *[n // 2 for n in size])] = 1
    with torch.no_grad():
        return layer(x) - layer(torch.zeros_like(x))


@st.composite
def layers(draw):
    """A transposed convolution: kernel at least the stride, any padding, output_padding, dilation, groups."""
    n = draw(st.integers(1, 2))
    s = [draw(st.integers(2, 3)) for _ in range(n)]
    k = [draw(st.integers(a, 3 * a)) for a in s]
    d = [draw(st.sampled_from([1, 1, 1, a + 1])) for a in s]
    p = [draw(st.integers(0, (b - 1) // 2)) for b in k]
    op = [draw(st.integers(0, a - 1)) for a in s]
    groups = draw(st.sampled_from([1, 2]))
    torch.manual_seed(draw(st.integers(0, 999)))
    bias = draw(st.booleans())
    make = LAYERS[n - 1]
    return make(2 * groups, 3 * groups, k, s, p, op, groups, bias, d, dtype=torch.float64)


@examples(4, 60)
@given(layers(), st.sampled_from(WAYS), st.data())
def test_gain_variance_and_sizes(old, to, data):
    n = len(old.stride)
    size = [data.draw(st.integers(10, 13)) for _ in range(n)]
    x = torch.randn(2, old.in_channels, *size, dtype=torch.float64)
    result = swap(Net(old), x, to)
    (done,), new = result.swapped, result.model.up
    assert result.refused == ()
    for a in range(3, 9):
        z = torch.zeros(1, old.in_channels, *[a + i for i in range(n)], dtype=torch.float64)
        want = [s * m + g for s, m, g in zip(old.stride, z.shape[2:], kernel_of(old).margin, strict=True)]
        if min(want) > 0:
            assert list(new(z).shape[2:]) == want
    # gains: what a constant of one channel becomes, mean over the phases; all new ones alike
    wide = [24] * n
    was, got = impulse(old, wide), impulse(new, wide)
    axes = list(range(2, 2 + n))
    assert torch.allclose(was.sum(axes), got.sum(axes), rtol=0, atol=1e-10)
    const = torch.zeros(old.in_channels, old.in_channels, *[60] * n, dtype=torch.float64)
    const[range(old.in_channels), range(old.in_channels)] = 1
    with torch.no_grad():
        flat = (new(const) - new(0 * const))[(..., *[slice(60, 90)] * n)]
    assert float((flat - flat.flatten(2)[:, :, :1].reshape(*flat.shape[:2], *[1] * n)).abs().max()) < 1e-10
    # variance for white input, per output channel
    ratio = got.square().sum([0, *axes]) / was.square().sum([0, *axes])
    assert done.variance == pytest.approx((float(ratio.min()), float(ratio.max())), rel=1e-9)
    if old.bias is not None:
        origin = torch.zeros(1, old.in_channels, *wide, dtype=torch.float64)
        assert torch.allclose(new(origin), old(origin), rtol=0, atol=1e-12)


def kernel_of(layer):
    return from_conv_transpose(
        layer.weight,
        layer.bias,
        layer.stride,
        layer.padding,
        layer.output_padding,
        layer.dilation,
        layer.groups,
    )


@pytest.mark.parametrize("to", WAYS)
def test_variance_is_that_of_noise(to):
    torch.manual_seed(0)
    old = nn.ConvTranspose2d(8, 4, 3, 2, 1, 1)
    x = torch.randn(4, 8, 64, 64)
    new = swap(Net(old), x, to)
    assert new.swapped[0].variance == pytest.approx((1.0, 1.0), abs=1e-6)
    with torch.no_grad():
        was, got = (model(x)[:, :, 8:-8, 8:-8].var((0, 2, 3)) for model in (old, new.model))
    torch.testing.assert_close(got, was, rtol=0.02, atol=0)


@pytest.mark.parametrize("to", WAYS)
def test_a_transfer_that_restores_nothing_is_caught(to, monkeypatch):
    torch.manual_seed(0)
    old = nn.ConvTranspose2d(3, 2, 3, 2, 1, 1).double()
    was = impulse(old, (9, 9))
    monkeypatch.setattr(transfer, "restored", lambda weight, unit, kernel, spread: (weight, (1.0, 1.0)))
    got = impulse(swap(Net(old), torch.zeros(1, 3, 9, 9).double(), to).model.up, (9, 9))
    if to != "resize":  # a fit of this size happens to keep the sum
        assert float((was.sum((2, 3)) - got.sum((2, 3))).abs().max()) > 1e-3
    ratio = got.square().sum((0, 2, 3)) / was.square().sum((0, 2, 3))
    assert float(ratio.max()) < 0.95


def test_an_even_layer_is_carried_over_exactly():
    torch.manual_seed(0)
    old = nn.ConvTranspose2d(3, 2, 4, 2, 1).double()
    held = nn.functional.conv_transpose2d(torch.randn(6, 1, 3, 3).double(), torch.ones(1, 1, 2, 2).double())
    with torch.no_grad():
        old.weight.copy_(held.reshape(3, 2, 4, 4))
    x = torch.randn(1, 3, 9, 7, dtype=torch.float64)
    for to in WAYS:
        done = swap(Net(old), x, to)
        torch.testing.assert_close(done.model(x), old(x), rtol=0, atol=1e-12)
        assert done.swapped[0].change < 1e-12


@pytest.mark.parametrize(
    ("to", "geometry"), every(5, product(WAYS, [(3, 2, 1), (5, 3, 2), (4, 2, 0), (9, 4, 3)]))
)
def test_output_size_argument(to, geometry):
    k, s, p = geometry
    old = nn.ConvTranspose2d(2, 2, k, s, p)
    least = s * 4 - 2 * p + k
    for more in range(s):
        x, size = torch.randn(1, 2, 5, 5), [least + more, least]
        new = swap(Net(old, size), x, to).model
        assert new(x).shape == old(x, output_size=size).shape
        assert new.up(torch.zeros(1, 2, 6, 6)).shape == old(torch.zeros(1, 2, 6, 6)).shape
    with pytest.raises(ValueError, match=r"output_size|output size"):
        new.up(x, output_size=[least + s, least])


@pytest.mark.integration
def test_which_layers_come():
    torch.manual_seed(0)
    x = torch.randn(1, 4, 6, 6)
    model = Net(nn.ConvTranspose2d(4, 4, 3, 2, 1, 1)).train()
    model.up.weight.requires_grad_(False)
    done = swap(model, x).model
    assert isinstance(done.up, ResizeConv)
    assert (done.up.kernel_size, done.up.stride, done.up.training) == ((3, 3), (2, 2), True)
    assert (done.up.weight.requires_grad, done.up.bias.requires_grad) == (False, True)
    assert isinstance(model.up, nn.ConvTranspose2d)
    assert swap(model, x, order=2).model.up.mode == "linear"
    assert isinstance(swap(Net(nn.ConvTranspose2d(4, 4, 4, 2, 3)), x).model.up.up, ResizeConv)
    assert isinstance(swap(Net(nn.ConvTranspose2d(4, 4, 6, 2, 2)), x, "subpixel").model.up, SubpixelConv)
    lines = str(swap(model, x))
    assert lines.startswith("swapped: up: ResizeConv, kernel changed by 0.")
    assert swap(model, x).to_dict()["swapped"][0]["path"] == "up"


@pytest.mark.parametrize("to", WAYS)
@pytest.mark.parametrize("norm", [parametrizations.weight_norm, weight_norm, parametrizations.spectral_norm])
@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")
def test_norms_are_applied_and_taken_off(norm, to):
    torch.manual_seed(0)
    model = Net(norm(nn.ConvTranspose1d(3, 3, 4, 2, 1))).eval()
    x = torch.randn(1, 3, 9)
    plain = Net(nn.ConvTranspose1d(3, 3, 4, 2, 1))
    model(x)
    with torch.no_grad():
        plain.up.weight.copy_(model.up.weight), plain.up.bias.copy_(model.up.bias)
    done = swap(model, x, to)
    torch.testing.assert_close(done.model(x), swap(plain, x, to).model(x), rtol=0, atol=1e-5)
    assert "was applied and taken off" in done.swapped[0].notes[0]


class Own(nn.ConvTranspose2d):
    def forward(self, x):
        return super().forward(x) + 1


class Many(nn.Module):
    def __init__(self):
        super().__init__()
        self.tied = nn.ConvTranspose2d(2, 2, 3, 2, 1, 1)
        self.conv = nn.Conv2d(2, 2, 3)
        self.conv.weight = self.tied.weight
        self.own = Own(2, 2, 2, 2)
        self.unused = nn.ConvTranspose2d(2, 2, 2, 2)
        self.small = nn.ConvTranspose2d(2, 2, 1, 2)
        self.repaired = PhaseConvTranspose(2, 2, (2, 2), (2, 2), (0, 0), (0, 0))
        self.flat = nn.ConvTranspose2d(2, 2, 3, 1, 1)
        self.twice = nn.ConvTranspose2d(2, 2, 2, 2)
        self.weight = nn.Parameter(torch.randn(2, 2, 2, 2))

    def forward(self, x):
        x = self.small(self.own(self.tied(x)))
        x = nn.functional.conv_transpose2d(self.flat(self.repaired(x)), self.weight, stride=2)
        return self.twice(self.twice(x))


def test_what_is_refused():
    torch.manual_seed(0)
    result = swap(Many(), torch.randn(1, 2, 2, 2), "smooth")
    reasons = {one.where: one.reason for one in result.refused}
    assert [one.path for one in result.swapped] == ["twice"]
    assert reasons["tied"].startswith("it shares a parameter with conv")
    assert reasons["own"] == "Own has a forward of its own, which a replacement would not run"
    assert reasons["unused"] == "the example never ran it"
    assert "phase has no taps" in reasons["small"]
    assert reasons["repaired"].startswith("it is a PhaseConvTranspose already")
    assert reasons["conv_transpose2d"].startswith("it is called as a function")
    assert len(reasons) == 6
    with pytest.raises(UncheckError, match=r"`to` must be one of resize"):
        swap(Many(), torch.zeros(1, 2, 2, 2), "magic")
    alone = swap(nn.ConvTranspose2d(2, 2, 2, 2), torch.zeros(1, 2, 4, 4))
    assert alone.refused[0].reason.startswith("it is the whole model")
    third = swap(Net(nn.ConvTranspose1d(2, 2, 8, 2)), torch.zeros(1, 2, 9), order=3)
    assert third.refused[0].reason.startswith("a resize has order 1 (nearest) or 2 (linear), not 3")
    assert str(swap(nn.Conv2d(1, 1, 1), torch.zeros(1, 1, 4, 4))).startswith("nothing to swap")


def test_a_forward_that_needs_the_old_layer_is_named():
    class Reads(Net):
        def forward(self, x):
            return self.up(x) * self.up.output_padding[0]

    with pytest.raises(UncheckError, match="has no attribute 'output_padding'"):
        swap(Reads(nn.ConvTranspose2d(2, 2, 3, 2, 1, 1)), torch.zeros(1, 2, 4, 4))


# training on


def trained(model, steps=10):
    torch.manual_seed(1)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        x = torch.randn(2, 3, 8, 8)
        goal = torch.randn(2, 2, *model(x).shape[2:])
        optimiser.zero_grad()
        (model(x) - goal).square().mean().backward()
        optimiser.step()


def upsamplers():
    torch.manual_seed(0)
    plain = nn.ConvTranspose2d(3, 2, 3, 2, 1, 1)
    kernel = project(kernel_of(plain), 1)
    bias = torch.full((2, 2, 2), 0.3)
    with torch.no_grad():
        plain.weight.copy_(kernel.weight.transpose(0, 1))
    per_phase = PhaseKernel(kernel.weight, (2, 2), bias, kernel.offset, kernel.margin)
    return [plain, phase_conv_transpose(kernel), phase_conv_transpose(per_phase)]


def unevenness(layer):
    bias = layer.bias.detach()
    apart = float((bias - bias.flatten(1).mean(1)[:, None, None]).abs().max()) if bias.ndim > 1 else 0.0
    weight = layer.weight.detach().double()
    return max(apart, gain_spread(from_conv_transpose(weight, None, layer.stride)))


@pytest.mark.parametrize("which", [0, 1, 2])
def test_ten_steps_keep_the_gains_equal(which):
    x = torch.randn(1, 3, 5, 5)
    free, kept = Net(upsamplers()[which]), Net(upsamplers()[which])
    before = free(x).detach()
    assert keep_even(kept, ["up"]) is kept
    torch.testing.assert_close(kept(x), before, rtol=0, atol=1e-6)
    trained(free), trained(kept)
    assert unevenness(kept.up) < 1e-6
    assert unevenness(free.up) > 1e-3
    assert float((kept(x) - before).detach().abs().max()) > 1e-2  # it did learn
    now = kept(x).detach()
    parametrize.remove_parametrizations(kept.up, "weight")
    torch.testing.assert_close(kept(x), now, rtol=0, atol=1e-6)


def test_keep_even_tells_before_it_changes():
    torch.manual_seed(0)
    model = nn.Sequential(upsamplers()[1], nn.ConvTranspose2d(2, 2, 3, 2))
    with pytest.raises(UncheckError, match=r"would change '1' by 0\.\d+ of its norm"):
        keep_even(model, ["0", "1"])
    assert not parametrize.is_parametrized(model[0])
    keep_even(model, ["0", "1"], change=True)
    assert max(map(unevenness, model)) < 1e-6
    with pytest.raises(UncheckError, match="'0' is parametrised already"):
        keep_even(model, ["0"])
    with pytest.raises(UncheckError, match="has no module 'up'"):
        keep_even(model, ["up"])
    with pytest.raises(UncheckError, match="is a Conv2d, which has no transposed convolution's weight"):
        keep_even(nn.Sequential(nn.Conv2d(1, 1, 1)), ["0"])
    with pytest.raises(UncheckError, match=r"keep_even on '0': .* is too small for order 2"):
        keep_even(nn.Sequential(nn.ConvTranspose2d(1, 1, 2, 2)), ["0"], order=2)
    uneven = upsamplers()[2]
    with torch.no_grad():
        uneven.bias[0, 0, 0] += 1
    with pytest.raises(UncheckError, match=r"keep_even would change '0'"):
        keep_even(nn.Sequential(uneven), ["0"])


@pytest.mark.integration
def test_a_swapped_layer_stays_even_while_it_learns():
    torch.manual_seed(0)
    for to in ("resize", "smooth", "equal_gain"):
        model = swap(Net(nn.ConvTranspose2d(3, 2, 3, 2, 1, 1)), torch.randn(1, 3, 8, 8), to).model
        trained(model)
        (stage,) = record(model.eval(), torch.randn(1, 3, 8, 8)).stages
        assert gain_spread(stage.kernel) < 1e-5
        assert float(phase_gains(stage.kernel).abs().max()) > 0


@pytest.mark.parametrize(
    ("name", "count"),
    cases([("fsrcnn_x2", 1)], [("style_rain_princess", 2), ("upconv7_photo", 1), ("dcgan_svhn", 3)]),
)
@pytest.mark.parametrize("to", WAYS)
def test_released_networks(name, count, to):
    x = released.example_input(name)
    x = x[..., :48, :48] if x.ndim == 4 else x
    net = released.load(name)
    result = swap(net, x, to)
    assert (len(result.swapped), result.refused) == (count, ())
    assert all(one.variance == pytest.approx((1, 1), abs=0.02) for one in result.swapped)
    with torch.no_grad():
        assert result.model(x).shape == net(x).shape
