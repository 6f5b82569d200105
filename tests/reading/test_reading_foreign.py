"""Code that no function mode is shown: TorchScript, custom functions, NumPy, memory behind torch's back."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import uncheck
from reading.zoo_networks import Fn
from reading.zoo_outputs import frames, up
from uncheck.reading import record

X = torch.randn(1, 4, 8, 8)
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*torch.jit.*:UserWarning")


@torch.jit.script
def swish(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)


@torch.jit.script
def bias_gelu(bias: Tensor, y: Tensor) -> Tensor:
    x = bias + y
    return x * 0.5 * (1.0 + torch.tanh(0.79788456 * x * (1 + 0.044715 * x * x)))


@torch.jit.script
def fill_by_writing(x: Tensor) -> Tensor:
    y = torch.zeros_like(x)
    y[:, :2] = x[:, :2]
    return y


class ThroughNumpy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.from_numpy(x.numpy() ** 2)


class Transposed(torch.autograd.Function):
    """As StyleGAN's conv2d_gradfix: the calls inside are ordinary ones."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        return F.conv_transpose2d(x, weight, stride=2)


@pytest.mark.parametrize("function", [swish, lambda x: bias_gelu(torch.ones(4, 1, 1), x), fill_by_writing])
def test_scripted_pointwise_functions_are_understood(function: Any) -> None:
    recording = record(Fn(lambda s, x: s.up(function(x)), up=up()), X)
    assert recording.ledger.unsupported == {}
    assert [stage.output_period for stage in recording.stages] == [(2, 2)]
    recording = record(Fn(lambda s, x: function(s.up(x)), up=up(4, 4)), X)
    assert recording.ledger.unsupported == {}
    assert recording.outputs[0].periods == ((2, 2),)


def scripted_decoder() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(), nn.ConvTranspose2d(8, 4, 2, 2), nn.BatchNorm2d(4)),
        *(nn.Upsample(scale_factor=2), nn.Conv2d(4, 8, 3, padding=1), nn.PixelShuffle(2)),
    ).eval()


@pytest.mark.parametrize("how", ["scripted", "traced", "frozen", "inside"])
def test_the_stages_of_scripted_modules_are_those_of_the_module(how: str) -> None:
    model = scripted_decoder()
    made = torch.jit.trace(model, X, check_trace=False) if how == "traced" else torch.jit.script(model)
    made = torch.jit.freeze(made) if how == "frozen" else nn.Sequential(made) if how == "inside" else made
    plain, found = record(model, X), record(made, X)
    assert found.ledger.unsupported == {}
    for one, other in zip(plain.stages, found.stages, strict=True):
        assert (one.kind, one.stride, one.output_period) == (other.kind, other.stride, other.output_period)
        assert (one.kernel is None) == (other.kernel is None)
        if one.kernel is not None and how != "frozen":  # which folds the batch norm in
            assert torch.equal(one.kernel.weight, other.kernel.weight)
    assert found.outputs[0].explained == found.outputs[0].size


def test_a_traced_network_of_frames() -> None:
    x = torch.randn(1, 4, 3, 8, 8)
    made = torch.jit.trace(Fn(frames, up=up()), x, check_trace=False)
    (grid,) = record(made, x).outputs
    assert grid.periods == ((2, 2),)
    assert grid.axes == (3, 4)


def test_a_stage_inside_a_scripted_module_is_blamed() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(), up(8, 3)).eval()
    plain = uncheck.inspect(model, torch.ones(1, 4, 24, 24))
    found = uncheck.inspect(torch.jit.script(model), torch.ones(1, 4, 24, 24))
    assert found.verdict == plain.verdict == "lattice"
    assert found.stages[0].blame.share == pytest.approx(plain.stages[0].blame.share, rel=1e-4)


def test_the_calls_inside_a_custom_function_are_seen() -> None:
    recording = record(Fn(lambda s, x: Transposed.apply(x, s.up.weight), up=up()), X)
    assert [(stage.kind, stage.overlap) for stage in recording.stages] == [("transposed", "uneven")]
    assert recording.ledger.unsupported == {}


def behind_torch(self: Any, x: Tensor) -> Tensor:
    """As a kernel of one's own does: it gets addresses, and writes to memory torch has left empty."""
    x = x.contiguous()
    y = torch.empty_like(x)
    ctypes.memmove(y.data_ptr(), x.data_ptr(), x.numel() * x.element_size())
    return self.last(y)


OPAQUE = {
    "autograd": lambda s, x: s.last(ThroughNumpy.apply(x)),
    "numpy": lambda s, x: s.last(torch.tensor(x.numpy() * 2)),
    "asarray": lambda s, x: s.last(torch.as_tensor(np.asarray(x) * 2)),
    "from_numpy": lambda s, x: s.last(torch.from_numpy(np.kron(x.numpy(), np.ones((1, 1, 2, 2), "f4")))),
    "lists": lambda s, x: s.last(torch.tensor(x.tolist())),
    "memory": behind_torch,
    "vmap": lambda s, x: torch.vmap(s.last)(x[:, None])[:, 0],
}


@pytest.mark.parametrize("name", OPAQUE)
def test_what_cannot_be_seen_is_opaque(name: str) -> None:
    recording = record(Fn(OPAQUE[name], last=nn.Conv2d(4, 3, 3, padding=1)), X)
    assert recording.ledger.unsupported == {"opaque": 1}
    (grid,) = recording.outputs
    assert grid.unsupported == ("opaque",)
    assert set(grid.explained) == {None}


def test_constants_from_arrays_are_not_opaque() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        scale = torch.tensor(np.ones(3, np.float32)).view(3, 1, 1)
        return self.up(x) * scale + torch.tensor([0.5, 0.5, 0.5])[:, None, None] + x.mean().item()

    assert record(Fn(forward, up=up()), X).ledger.unsupported == {}


def test_what_a_script_cannot_say_is_named() -> None:
    @torch.jit.script
    def sampled(x: Tensor) -> Tensor:
        return torch.grid_sampler(x, torch.zeros(x.size(0), 4, 4, 2), 0, 0, False)

    assert record(Fn(lambda s, x: sampled(s.up(x)), up=up()), X).ledger.unsupported == {"grid_sampler_2d": 1}


def test_a_custom_operator_is_named() -> None:
    library = torch.library.Library("uncheck_tests", "FRAGMENT")
    library.define("twice(Tensor x) -> Tensor")
    library.impl("twice", lambda x: x.repeat_interleave(2, -1), "CompositeExplicitAutograd")
    for call in (torch.ops.uncheck_tests.twice, torch.ops.uncheck_tests.twice.default):
        found = record(Fn(lambda s, x, call=call: call(s.up(x)), up=up()), X).ledger
        assert found.unsupported == {"uncheck_tests.twice": 1}
