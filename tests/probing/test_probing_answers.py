"""The answers of `uncheck.inspect` against what is known of small networks, on one, two and three axes."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import lcm

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from uncheck.errors import UncheckError
from uncheck.phases.axes import CONV_TRANSPOSES
from uncheck.probing import inspect, made_up

Pair = namedtuple("Pair", "small picture")


@dataclass
class Output:
    small: torch.Tensor
    picture: torch.Tensor


def noise(*shape, seed=0, level=0.5, sigma=0.02):
    generator = torch.Generator().manual_seed(seed)
    return level + sigma * torch.randn(shape, generator=generator)


def transposed(stride, kernel, seed=0, channels=1):
    torch.manual_seed(seed)
    return CONV_TRANSPOSES[len(stride) - 1](channels, channels, kernel, stride, bias=False).eval()


def decoder(seed=0, extra=1):
    """A first even stage, then an uneven one."""
    torch.manual_seed(seed)
    layers = [nn.Upsample(scale_factor=2), nn.Conv2d(1, 4, 3, padding=1, padding_mode="replicate"), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(4, extra, 3, 2, 1, 1)).eval()


def amplitudes(phases):
    """Root of the summed squares of the peak amplitudes of all lines, by the common period of the axes."""
    spectrum = np.fft.fftn(phases) / phases.size
    found = {}
    for place in product(*map(range, phases.shape)):
        frequency = [Fraction(n, s) for n, s in zip(place, phases.shape, strict=True)]
        period = lcm(*(f.denominator for f in frequency))
        if period > 1:
            # a line and its mirror are one cosine of twice their size, unless it is its own mirror
            mirrored = any((2 * f).denominator > 1 for f in frequency)
            found[period] = found.get(period, 0.0) + abs(spectrum[place]) ** 2 * (2 if mirrored else 1)
    return {period: power**0.5 for period, power in found.items()}


@pytest.mark.parametrize("stride", [(2,), (3,), (5,), (2, 2), (3, 3), (2, 3), (1, 4), (2, 2, 2), (1, 2, 3)])
def test_the_lattice_of_a_constant_is_that_of_the_phase_gains(stride):
    ndim = len(stride)
    model = transposed(stride, tuple(s + (s > 1) for s in stride))
    x = noise(2, 1, *[{1: 120, 2: 24, 3: 12}[ndim]] * ndim)
    result = inspect(model, x, span=(0.0, 1.0))
    with torch.no_grad():
        out = model(torch.full((1, 1, *[9] * ndim), float(x.mean())))[0, 0]
    middle = tuple(slice(4 * s, 5 * s) for s in stride)  # one period
    expected = amplitudes(255 * out[middle].double().numpy())
    found = {lcm(*c.period): c.amplitude for c in result.probes["mean"].lattice}
    # In volumes a line that holds still along an axis is measured in the mean along it, its border rows too.
    rel = 0.05 if ndim == 3 else 0.02
    assert found == {period: pytest.approx(expected[period], rel=rel) for period in found}
    assert {period for period, amplitude in expected.items() if amplitude > 1} <= set(found)
    (stage,) = result.stages
    assert stage.stage.output_period == stride
    assert result.verdict == "lattice"
    assert stage.blame.share > 0.9


@given(depth=st.floats(0.02, 0.4), level=st.floats(0.3, 0.7))
@settings(max_examples=4)
def test_a_checkerboard_of_known_depth_has_the_amplitude_it_has(depth, level):
    model = transposed((2, 2), (2, 2))
    with torch.no_grad():
        board = torch.tensor([[1 + depth, 1 - depth], [1 - depth, 1 + depth]])
        model.weight.copy_(board[None, None])
    result = inspect(model, noise(1, 1, 24, 24, level=level), span=(0.0, 1.0))
    (found,) = result.probes["mean"].lattice
    assert found.period == (2, 2)
    mean = float(noise(1, 1, 24, 24, level=level).mean())
    assert found.amplitude == pytest.approx(255 * depth * mean, rel=0.01)
    assert result.stages[0].gain_spread == pytest.approx(depth / (1 + depth**2) ** 0.5, rel=1e-5)


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("factor", [2, 3])
def test_held_values_make_no_lattice(ndim, factor):
    mode = nn.Upsample(scale_factor=factor)
    result = inspect(mode, noise(2, 1, *[{1: 96, 2: 20, 3: 10}[ndim]] * ndim), span=(0.0, 1.0))
    assert result.verdict == "clean"
    assert not result.finding
    assert result.stages[0].stage.output_period == (factor,) * ndim
    assert all(not result.probes[colour].lattice for colour in ("dark", "mean", "bright"))


class Scaled(nn.Module):
    def __init__(self, net, gain, offset):
        super().__init__()
        self.net, self.gain, self.offset = net, gain, offset

    def forward(self, x):
        return self.net(x) * self.gain + self.offset


@pytest.mark.parametrize(("gain", "offset"), [(2.0, -1.0), (255.0, 0.0), (-3.0, 10.0)])
def test_amplitudes_are_shares_of_the_range_whatever_its_unit(gain, offset):
    x = noise(2, 1, 20, 20)
    ends = sorted((offset, gain + offset))
    plain = inspect(decoder(), x, span=(0.0, 1.0))
    scaled = inspect(Scaled(decoder(), gain, offset), x, span=tuple(ends))
    assert plain.verdict == scaled.verdict == "lattice"
    assert [c.period for c in plain.lattice] == [c.period for c in scaled.lattice]
    for one, other in zip(plain.lattice, scaled.lattice, strict=True):
        assert other.amplitude == pytest.approx(one.amplitude, rel=1e-3)
    for one, other in zip(plain.stages, scaled.stages, strict=True):
        assert other.blame.share == pytest.approx(one.blame.share, abs=1e-3)
        assert other.blame.order == one.blame.order


def test_turning_picture_and_network_turns_the_periods():
    x = noise(2, 1, 20, 28)
    model = transposed((2, 3), (3, 4))
    turned = transposed((3, 2), (4, 3))
    with torch.no_grad():
        turned.weight.copy_(model.weight.transpose(2, 3))
    one, other = inspect(model, x), inspect(turned, x.transpose(2, 3).contiguous())
    assert {c.period: round(c.amplitude, 2) for c in one.lattice} == {
        c.period[::-1]: round(c.amplitude, 2) for c in other.lattice
    }


def test_the_order_of_samples_and_of_channels_does_not_matter():
    x = noise(3, 1, 20, 20)
    model = decoder(extra=3)
    other = decoder(extra=3)
    order = torch.tensor([2, 0, 1])
    with torch.no_grad():
        other[3].weight.copy_(model[3].weight[:, order])
        other[3].bias.copy_(model[3].bias[order])
    one, two = inspect(model, x), inspect(other, x[order])
    assert [c.period for c in one.lattice] == [c.period for c in two.lattice]
    for a, b in zip(one.lattice, two.lattice, strict=True):
        assert b.amplitude == pytest.approx(a.amplitude, rel=1e-4)
        assert np.array(b.channel_amplitudes) == pytest.approx(
            np.array(a.channel_amplitudes)[order], rel=1e-4
        )


class Many(nn.Sequential):
    """Returns its picture among other things, in a nest of some kind."""

    kind: object = None

    def forward(self, x):
        picture = super().forward(x)
        small = picture[..., ::4, ::4]
        return {
            "tuple": (small, {"deep": [picture]}),
            "dict": OrderedDict(labels=torch.zeros(picture.shape, dtype=torch.int64), picture=picture),
            "named": Pair(small, picture),
            "dataclass": Output(small, picture),
            "last": picture.movedim(1, -1),
        }[self.kind]


@pytest.mark.parametrize("kind", ["tuple", "dict", "named", "dataclass", "last"])
def test_the_same_answer_in_whatever_nest_the_picture_comes(kind):
    x = noise(2, 1, 20, 20)
    model = decoder(extra=3)
    nested = Many(*model)
    nested.kind = kind
    plain, found = inspect(model, x).to_dict(), inspect(nested.eval(), x).to_dict()
    for part in ("verdict", "range", "lattice", "stages", "probes", "random_weights", "boundary"):
        assert found[part] == plain[part], part


def test_the_even_stage_is_acquitted_and_the_one_beside_the_way_out_of_it():
    class Branched(nn.Module):
        def __init__(self):
            super().__init__()
            self.main = decoder()
            self.beside = nn.ConvTranspose2d(1, 1, 3, 2)

        def forward(self, x):
            self.beside(x)
            return self.main(x)

    torch.manual_seed(0)
    result = inspect(Branched().eval(), noise(2, 1, 20, 20))
    blamed = {s.stage.name: s.blame for s in result.stages}
    assert blamed["main.3"].share > 0.8
    assert blamed["main.0"].share < 0.2
    assert blamed["beside"].share < 0.05
    periods = {s.stage.name: s.stage.output_period for s in result.stages}
    assert periods == {"beside": None, "main.0": (4, 4), "main.3": (2, 2)}
    for part in blamed["main.3"].periods:
        (component,) = [c for c in result.lattice if c.period == part.period]
        assert part.before == pytest.approx(component.amplitude, rel=0.15, abs=0.1)
        assert 0 <= part.share <= 1


@pytest.mark.integration
@given(st.integers(0, 2**31 - 1), st.booleans(), st.booleans())
@settings(max_examples=2)
def test_the_answer_does_not_depend_on_the_callers_state(seed, training, gradients):
    class Noisy(nn.Sequential):
        def forward(self, x):
            return super().forward(x + 0.01 * torch.randn_like(x))

    x = noise(2, 1, 20, 20)
    wanted = inspect(Noisy(*decoder()).eval(), x).to_dict()
    torch.manual_seed(seed)
    model = Noisy(*decoder()).train(training)
    torch.manual_seed(seed)
    with torch.set_grad_enabled(gradients):
        assert inspect(model, x).to_dict() == wanted
    after = torch.rand(3)
    torch.manual_seed(seed)
    assert torch.equal(after, torch.rand(3))
    assert model.training is training


@pytest.mark.parametrize(
    "model", [decoder(), transposed((2, 2), (3, 3)), nn.Upsample(scale_factor=2), nn.Conv2d(1, 1, 3)]
)
def test_no_more_passes_than_promised_and_progress_never_runs_back(model):
    told = []
    result = inspect(
        model, noise(2, 1, 24, 24), progress=lambda label, done, total: told.append((done, total))
    )
    times = 1 if result.lattice else 4  # more evidence is gathered where nothing shows at once
    assert result.passes <= times * (8 + 4 * len(result.stages))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert all(done <= total for done, total in told)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 5.0, 500.0])
def test_the_threshold_parts_lattice_from_traces_and_moves_nothing(threshold):
    x = noise(2, 1, 20, 20)
    every = inspect(decoder(), x, threshold=0.0, flat=False)
    some = inspect(decoder(), x, threshold=threshold, flat=False)
    both = {c.period: c.amplitude for c in (*some.lattice, *some.traces)}
    assert both.keys() == {c.period for c in (*every.lattice, *every.traces)}
    if some.verdict == "lattice" and not any("probe, not on the example" in note for note in some.notes):
        assert all(c.amplitude >= threshold for c in some.lattice)
    assert all(c.amplitude < threshold or threshold == 0.0 for c in some.traces)


def test_period_of_stages_in_a_row_is_the_product_below():
    x = noise(2, 1, 12, 12)
    torch.manual_seed(0)
    up = [nn.ConvTranspose2d(1, 1, s, s) for s in (3, 2)]
    with torch.no_grad():
        for layer in up:
            layer.bias.zero_()
            layer.weight.fill_(1.0)
        up[0].weight[..., 0, 0] = 2.0  # the first alone is uneven
    result = inspect(nn.Sequential(*up).eval(), x)
    first, second = result.stages
    assert (first.stage.output_period, second.stage.output_period) == ((6, 6), (2, 2))
    assert {lcm(*c.period) for c in result.lattice} <= {3, 6}  # nothing repeats every 2 pixels
    assert first.blame.share > 0.9 > 0.1 > second.blame.share


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (None, "got NoneType"),
        ((), "got tuple"),
        (("picture",), "got tuple"),
        (torch.full((1, 1, 20, 20), float("nan")), "NaN"),
    ],
)
def test_what_is_no_input_is_refused(example, message):
    with pytest.raises(UncheckError, match=message):
        inspect(decoder(), example)


def test_made_up_input_of_a_shape_is_the_one_made_up():
    given_shape, given_tensor = (
        inspect(decoder(), (1, 1, 32, 32)),
        inspect(decoder(), made_up((1, 1, 32, 32))),
    )
    assert given_shape.range == given_tensor.range
    assert [c.period for c in given_shape.lattice] == [c.period for c in given_tensor.lattice]
