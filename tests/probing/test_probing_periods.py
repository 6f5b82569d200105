"""Only periods that a network can leave make a verdict; what else repeats is listed with its source."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from uncheck.errors import UncheckError
from uncheck.layers import ResizeConv2d
from uncheck.probing import inspect, made_up


def conv(a, b, mode="reflect"):
    return nn.Conv2d(a, b, 3, padding=1, padding_mode=mode)


def resized(mode):
    return lambda a, b: [nn.Upsample(scale_factor=2, mode=mode), nn.Conv2d(a, b, 3, 1, 1, bias=False)]


UPSAMPLERS = {
    "nearest": resized("nearest"),
    "bilinear": resized("bilinear"),
    "ResizeConv2d": lambda a, b: [ResizeConv2d(a, b, 3)],
    "transposed": lambda a, b: [nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False)],
}


def dcgan(kind, seed, width=8):
    """From codes (N, 100, 1, 1) to 64 pixels: a transposed convolution, then four upsamplings."""
    torch.manual_seed(seed)
    widths = [8 * width, 4 * width, 2 * width, width, 3]
    layers = [nn.ConvTranspose2d(100, widths[0], 4, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()]
    for i, (a, b) in enumerate(pairwise(widths)):
        layers += UPSAMPLERS[kind](a, b)
        layers += [nn.BatchNorm2d(b), nn.ReLU()] if i < 3 else [nn.Tanh()]
    return nn.Sequential(*layers).eval()


def possible(result, cycles):
    return all(max(c.period) in cycles for c in (*result.lattice, *result.traces))


@pytest.mark.integration
@pytest.mark.parametrize("kind", ["nearest", "bilinear", "ResizeConv2d"])
@pytest.mark.parametrize("seed", range(16))
def test_untrained_generators_with_resizes_leave_nothing_impossible(kind, seed):
    result = inspect(dcgan(kind, seed, width=4), (8, 100, 1, 1))
    assert result.verdict in ("clean", "lattice")
    assert possible(result, {2, 4, 8, 16})
    assert {max(limit.period) for limit in result.limit} <= {2, 4, 8, 16}


@pytest.mark.parametrize("kind", ["nearest", pytest.param("transposed", marks=pytest.mark.integration)])
def test_a_generator_from_codes_is_understood(kind):
    result = inspect(dcgan(kind, 0, width=2), (8, 100, 1, 1))
    assert result.verdict == {"nearest": "clean", "transposed": "lattice"}[kind]
    assert [s.stage.output_period for s in result.stages] == [(16, 16), (8, 8), (4, 4), (2, 2)]
    assert possible(result, {2, 4, 8, 16})
    assert not any("not understood" in note for note in result.notes)
    found = {max(c.period) for c in (*result.lattice, *result.traces)}
    told = found | {max(limit.period) for limit in result.limit}
    assert told <= {2, 4, 8, 16}
    assert told >= {2, 4, 8}
    assert all(entry["order"] in ("first", "second") for entry in result.to_dict()["lattice"])


# --- other -------------------------------------------------------------------------------------------------


class Stamped(nn.Module):
    """Adds a pattern of its own to every output."""

    def __init__(self, pattern, net=None):
        super().__init__()
        self.pattern, self.net = nn.Parameter(pattern), net or conv(3, 3)

    def forward(self, x):
        return self.net(x) + self.pattern


def stripes(size, period, level=0.2):
    return level * (torch.arange(size) % period == 0).float()[None, None, :, None].expand(1, 1, size, size)


def test_a_map_of_parameters_is_no_lattice_and_is_named():
    torch.manual_seed(0)
    result = inspect(Stamped(stripes(90, 3)), made_up((1, 3, 90, 90)))
    assert (result.verdict, result.lattice) == ("clean", ())
    assert [one.period for one in result.other] == [(3, 1)]
    assert result.other[0].source == "a map of parameters (add)"
    assert result.other[0].amplitude > 1
    assert result.other[0].p_value < 1e-3
    (entry,) = result.to_dict()["other"]
    assert set(entry) == {"period", "amplitude", "p_value", "source"}


def test_beside_a_stage_the_impossible_part_is_told_apart():
    torch.manual_seed(0)
    net = nn.Sequential(nn.ConvTranspose2d(3, 3, 3, 2, 1, 1))
    result = inspect(Stamped(stripes(120, 5, 0.3), net), made_up((1, 3, 60, 60)))
    assert result.verdict == "lattice"
    assert {c.period for c in result.lattice} == {(2, 2)}
    assert {one.period for one in result.other} >= {(5, 1)}
    assert result.stages[0].blame.share > 0.8


class Windowed(nn.Module):
    """Pixels of every window get values by their place in it."""

    def __init__(self, side):
        super().__init__()
        self.side, self.place = side, nn.Parameter(0.3 * torch.randn(side * side, 1))
        self.mix = nn.Linear(3, 3)

    def forward(self, x):
        (n, c, h, w), k = x.shape, self.side
        tokens = x.view(n, c, h // k, k, w // k, k).permute(0, 2, 4, 3, 5, 1).reshape(-1, k * k, c)
        tokens = self.mix(tokens) + self.place
        tokens = tokens.view(n, h // k, w // k, k, k, c).permute(0, 5, 1, 3, 2, 4)
        return tokens.reshape(n, c, h, w)


def test_windows_are_named_as_the_source_of_their_period():
    torch.manual_seed(0)
    result = inspect(nn.Sequential(conv(3, 3), Windowed(7)), made_up((1, 3, 112, 112)))
    assert (result.verdict, result.stages) == ("clean", ())
    assert result.other[0].period == (7, 7)
    assert result.other[0].source == "windows or patches of 7 pixels (1.view)"


def test_a_pattern_of_the_input_is_named_so():
    torch.manual_seed(0)
    picture = (made_up((1, 3, 105, 105)) + stripes(105, 7, 0.1)).clamp(0, 1)
    result = inspect(conv(3, 3), picture)
    assert result.verdict == "clean"
    assert result.other[0].period == (7, 1)
    assert "the input" in result.other[0].source
    assert any(c.period == (7, 1) for c in result.from_input)


def test_periods_that_are_asked_for_make_a_verdict():
    torch.manual_seed(0)
    model = Stamped(stripes(90, 3))
    result = inspect(model, made_up((1, 3, 90, 90)), periods=[3, 9])
    assert result.verdict == "lattice"
    assert [c.period for c in result.lattice] == [(3, 1)]
    assert result.other == ()
    assert {max(limit.period) for limit in result.limit} == {9}
    with pytest.raises(UncheckError, match="period 1 cannot be tested"):
        inspect(model, made_up((1, 3, 90, 90)), periods=[1])
