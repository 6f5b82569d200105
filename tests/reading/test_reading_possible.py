"""Which periods a network can leave: by hand, against shifts of its input, and where reading failed."""

from math import lcm

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from uncheck.reading import possible_periods, read_possible, record
from uncheck.reading.growth import not_understood

ANY = tuple(range(2, 17))


class Fn(nn.Module):
    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.function(self, x)


def conv(a, b, ndim=2):
    return (nn.Conv1d, nn.Conv2d, nn.Conv3d)[ndim - 1](a, b, 3, padding=1)


def up(*factors):
    return nn.Upsample(scale_factor=tuple(map(float, factors)))


def possible(model, *shape):
    recording = record(model, torch.randn(shape))
    return read_possible(recording, recording.outputs[0])


def test_a_volume_enlarged_apart_along_its_axes():
    found = possible(nn.Sequential(up(1, 2, 2), conv(1, 1, 3), up(2, 2, 1), conv(1, 1, 3)), 1, 1, 3, 6, 6)
    assert (found.axes, found.within, found.understood) == ((2, 4, 2), (2, 4, 2), True)
    assert found.cycles == (2, 4)
    assert found.allows((2, 4, 1))
    assert not found.allows((4, 1, 1)), "period 4 is possible, but not along time"
    assert not found.allows((1, 1, 4))


def test_branches_of_three_and_two_leave_six_where_they_meet():
    parts = {"three": nn.ConvTranspose2d(1, 1, 3, 3), "two": nn.ConvTranspose2d(1, 1, 2, 2)}
    both = Fn(lambda self, x: (self.three(x[..., :8, :8]) + self.two(x)).relu(), **parts)
    found = possible(both, 1, 1, 12, 12)
    assert found.axes == (6, 6)
    assert found.cycles == (2, 3, 6)


def test_subsampling_after_a_stage_takes_periods_away():
    whole = nn.Sequential(nn.ConvTranspose2d(1, 1, 4, 4), nn.AvgPool2d(4))
    assert possible(whole, 1, 1, 16, 16).cycles == ()
    half = nn.Sequential(nn.ConvTranspose2d(1, 1, 6, 6), conv(1, 1), nn.MaxPool2d(2))
    assert possible(half, 1, 1, 16, 16).cycles == (3,)


def test_without_stages_nothing_is_possible_but_what_is_asked():
    recording = record(nn.Sequential(conv(1, 4), nn.ReLU(), conv(4, 1)), torch.randn(1, 1, 32, 32))
    (grid,) = recording.outputs
    assert read_possible(recording, grid).cycles == ()
    asked = read_possible(recording, grid, (7, 6))
    assert asked.cycles == (6, 7)
    assert asked.allows((3, 6))
    assert asked.allows((1, 7))
    assert not asked.allows((2, 7))


def test_where_a_call_is_not_understood_multiples_are_possible_too():
    odd = Fn(lambda self, x: torch.special.bessel_j0(self.up(x)), up=up(2, 2))
    found = possible(odd, 1, 1, 32, 32)
    assert not found.understood
    assert found.within is None
    assert found.cycles == (2, 4, 6, 8, 10, 12, 14, 16)
    assert possible(Fn(lambda _, x: torch.special.bessel_j0(x)), 1, 1, 32, 32).cycles == ANY


def test_where_nothing_is_understood_the_sizes_say_what_is_possible():
    found = possible_periods([], 1, understood=False, sizes=((65,), (64 * 256,)))
    assert 256 in found.cycles
    assert all(256 % p == 0 or p % 256 == 0 for p in found.cycles)
    assert possible_periods([], 2, understood=False, sizes=((32, 32), (96, 32))).cycles == (3, 6, 9, 12, 15)
    assert possible_periods([], 2, understood=False).cycles == ANY
    assert possible_periods([None], 2, understood=True).cycles == ANY, "a stage of unknown period"


def test_sound_has_periods_beyond_a_thousand():
    assert max(possible(nn.ConvTranspose1d(1, 1, 3840, 1920, 960), 1, 1, 8).cycles) == 1920


@given(
    st.lists(st.tuples(*[st.integers(1, 6)] * 2), max_size=3),
    st.tuples(*[st.integers(1, 40)] * 2),
)
def test_a_period_is_allowed_exactly_if_it_divides_the_least_common_multiple(left, period):
    found = possible_periods(left, 2, understood=True)
    whole = [lcm(*(one[axis] for one in left), 1) for axis in range(2)]
    assert found.allows(period) == all(w % p == 0 for w, p in zip(whole, period, strict=True))
    assert found.cycles == tuple(d for d in range(2, 65) if lcm(*whole) % d == 0)


@pytest.mark.parametrize(
    ("layers", "size"),
    [
        ([nn.ConvTranspose2d(1, 2, 3, 2), conv(2, 1)], 12),
        ([nn.ConvTranspose2d(1, 4, 4, 3), nn.PixelShuffle(2)], 8),
        ([up(3, 3), conv(1, 1), nn.AvgPool2d(2, 2, ceil_mode=False), conv(1, 1)], 16),
    ],
)
def test_every_output_repeats_after_what_is_possible_where_the_input_is_constant(layers, size):
    """The slow way: a constant input gives an output that repeats after exactly what the stages leave."""
    torch.manual_seed(0)
    model = nn.Sequential(*layers).double()
    out = model(torch.ones(1, 1, size, size, dtype=torch.double))[0, 0].detach()
    found = possible(model.float(), 1, 1, size, size).axes
    n = out.shape[0]
    middle = slice(n // 3, n - n // 3)
    moved = out.roll((found[0], found[1]), (0, 1))
    assert torch.allclose(out[middle, middle], moved[middle, middle], atol=1e-9)


# --- growth that no stage explains -------------------------------------------------------------------------


def unread(model, *shape):
    recording = record(model, torch.randn(shape))
    return not_understood(recording, recording.outputs[0])


def codes(first, *rest):
    return nn.Sequential(first, *rest)


def test_the_first_layer_of_a_generator_enlarges_a_pixel_and_is_understood():
    net = codes(nn.ConvTranspose2d(8, 4, 4, 1), up(2, 2), conv(4, 4), up(2, 2), conv(4, 1))
    assert unread(net, 2, 8, 1, 1) == ""
    assert possible(net, 2, 8, 1, 1).cycles == (2, 4)


def test_a_linear_seed_and_a_learned_constant_are_understood():
    seed = codes(nn.Linear(8, 64), nn.Unflatten(1, (4, 4, 4)), up(2, 2), conv(4, 1))
    assert unread(seed, 2, 8) == ""

    def styled(self, z):
        x = self.constant.repeat(len(z), 1, 1, 1) * self.style(z)[:, :, None, None]
        x = F.interpolate(x, scale_factor=2)
        return self.last(x + torch.randn(len(x), 1, *x.shape[2:]))

    parts = {
        "constant": nn.Parameter(torch.randn(1, 4, 16, 16)),
        "style": nn.Linear(8, 4),
        "last": conv(4, 1),
    }
    assert unread(Fn(styled, **parts), 2, 8) == ""


def test_crops_and_wide_borders_are_no_growth():
    cropped = Fn(lambda self, x: self.up(x)[..., 3:-3, 3:-3], up=up(2, 2))
    assert unread(cropped, 1, 1, 32, 32) == ""
    padded = nn.Sequential(nn.ReflectionPad2d(20), conv(1, 1))
    assert unread(padded, 1, 1, 24, 24) == ""


def test_products_with_a_matrix_that_enlarge_are_named():
    twice = torch.rand(128, 64, generator=torch.Generator().manual_seed(0))
    grown = Fn(lambda self, x: self.last(twice @ x @ twice.T), last=conv(1, 1))
    assert unread(grown, 1, 1, 64, 64) == "what enlarges 64 pixels to 128"
