"""Upsampling that no layer is named for is read, and its period is that of the network's operator."""

from __future__ import annotations

from math import lcm

import pytest
import torch
from torch import Tensor, nn

from oracles.reading_shift import shift_period
from reading.zoo_hidden import HIDDEN
from tiers import every
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
