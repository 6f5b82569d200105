"""Upsampling that no layer is named for is read, and its period is that of the network's operator."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from oracles.reading_shift import shift_period
from reading.zoo_hidden import HIDDEN, first_frame_apart, fn, one_frame_of_many, one_frame_wider
from reading.zoo_relatives import RELATIVES
from reading.zoo_still import STILL
from tiers import every
from uncheck.phases.axes import CONV_TRANSPOSES
from uncheck.reading import record


def made(name: str) -> tuple[nn.Module, Tensor]:
    make, shape, _ = HIDDEN[name]
    torch.manual_seed(0)
    return make().eval(), torch.randn(shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", HIDDEN)
def test_stages(name: str) -> None:
    model, x = made(name)
    recording = record(model, x)
    assert [(s.kind, s.stride, s.output_period) for s in recording.stages] == HIDDEN[name][2]
    assert recording.ledger.unsupported == {}


@pytest.mark.parametrize("name", every(3, list(HIDDEN)))
def test_period_of_the_operator(name: str) -> None:
    model, x = made(name)
    model = model.double()
    for key, value in vars(model).items():
        if isinstance(value, Tensor) and value.is_floating_point():
            setattr(model, key, value.double())
    stages = record(model, x.double()).stages
    shape = (*x.shape[:2], *(4 * n for n in x.shape[2:]))
    ndim = len(stages[-1].output_period or ())
    for axis in range(x.dim() - ndim, x.dim()):
        periods = [s.output_period[axis - x.dim()] for s in stages if s.output_period]
        assert shift_period(model, shape, axis, 6, 1e-9) == lcm(*periods), axis


class Tiled(nn.Module):
    """A network with a pattern of period 3 of its own, beside an upsampling by 2."""

    def forward(self, x: Tensor) -> Tensor:
        y = x.repeat_interleave(2, -1)
        return y * (1 + 0.1 * (torch.arange(y.shape[-1]) % 3))


def test_oracle_sees_what_a_list_of_stages_lacks() -> None:
    assert shift_period(nn.Identity(), (1, 1, 48), 2, 6, 1e-9) == 1
    assert shift_period(nn.Upsample(scale_factor=2), (1, 1, 48), 2, 6, 1e-9) == 2
    assert shift_period(Tiled(), (1, 1, 48), 2, 6, 1e-9) == 6
    assert shift_period(Tiled(), (1, 1, 48), 2, 2, 1e-9) is None


@pytest.mark.parametrize("name", STILL)
def test_no_stages(name: str) -> None:
    make, shape = STILL[name]
    torch.manual_seed(0)
    recording = record(make().eval(), torch.randn(shape))
    assert recording.stages == ()
    assert recording.ledger.unsupported == {}


@pytest.mark.parametrize(
    ("way", "stages"),
    [
        (one_frame_of_many, [((2, 1, 1), (2, 1, 1))] * 4),
        (one_frame_wider, [((1, 2, 2), (1, 2, 2))]),
        (first_frame_apart, [((2, 2), (2, 2)), ((2, 2, 2), (2, 2, 2))]),
    ],
)
def test_single_frames(way: Any, stages: Any) -> None:
    model = fn(way, u=lambda: nn.Conv3d(2, 2, 3, padding=1))()
    recording = record(model, torch.randn(1, 2, 4, 5, 6))
    assert [(s.stride, s.output_period) for s in recording.stages] == stages
    assert recording.ledger.unsupported == {}


#: Networks at whose coarse scale a lattice made before leaves no position.
COARSER = {"convex": 4, "unsqueezed": 2}


@pytest.mark.parametrize("name", every(3, list(HIDDEN)))
def test_periods_of_stages_before_and_after(name: str) -> None:
    make, shape, stages = HIDDEN[name]
    torch.manual_seed(0)
    model, ndim = make().eval(), len(shape) - 2
    up = CONV_TRANSPOSES[ndim - 1]
    channels = model(torch.randn(*shape[:2], *(2 * n for n in shape[2:]))).shape[1]
    whole = nn.Sequential(up(shape[1], shape[1], 2, 2), model, up(channels, 2, 2, 2))
    first, *inner, last = record(whole, torch.randn(shape)).stages
    assert last.output_period == (2,) * ndim
    wanted = [tuple(2 * p if p > 1 else 1 for p in period) for _, _, period in stages]
    assert [stage.output_period for stage in inner] == wanted
    left = Fraction(2, COARSER.get(name, 1)).numerator
    strides = (1,) * (ndim - len(stages[0][1])) + stages[0][1]
    periods = [(left * Fraction(s)).numerator if left > 1 else 1 for s in strides]
    assert first.output_period == tuple(2 * p if p > 1 else 1 for p in periods)


@pytest.mark.parametrize("name", every(3, list(RELATIVES)))
def test_relatives_have_the_period_of_their_operator(name: str) -> None:
    make, shape = RELATIVES[name]
    torch.manual_seed(0)
    model = make().eval().double()
    recording = record(model, torch.randn(shape, dtype=torch.float64))
    assert recording.ledger.unsupported == {}
    assert len({s.key for s in recording.stages if s.name == "fold"}) <= 1  # the window's own is no stage
    (output,) = recording.outputs
    assert not output.unknown
    assert all(
        e is None or abs(e - size) <= 16 for e, size in zip(output.explained, output.size, strict=True)
    )
    large = (*shape[:2], *(4 * n for n in shape[2:]))
    for axis in range(2, len(shape)):
        left = lcm(*(period[axis - 2] for period in output.periods if period is not None))
        assert shift_period(model, large, axis, 6, 1e-9) == left, axis
