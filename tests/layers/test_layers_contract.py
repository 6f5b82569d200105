"""The contract passes a plain torch layer and catches layers that break it."""

import importlib

import pytest
import torch
from torch import Tensor, nn

from layers.contract import (
    check_contract,
    check_copies,
    check_export,
    check_gradients,
    check_meta,
    check_onnx,
    check_state,
    check_types,
)
from uncheck import layers


def example() -> Tensor:
    return torch.randn(1, 2, 5, generator=torch.Generator().manual_seed(0))


class Faulty(nn.Module):
    """Multiplies by a filter; `fault` names what is wrong with it."""

    def __init__(self, fault: str, device: torch.device | None = None, dtype: torch.dtype | None = None):
        super().__init__()
        self.fault = fault
        self.register_buffer("filter", torch.full((1,), 0.5, dtype=dtype), persistent=fault == "persistent")
        if fault != "meta":
            self.to(device)

    def forward(self, x: Tensor) -> Tensor:
        if self.fault == "types":
            return (x.float() * self.filter.float()).float()
        if self.fault == "gradients":
            return x.detach() * self.filter + x - x.detach()
        return x * self.filter


def test_torch_layers_pass():
    check_contract(
        lambda **factory: nn.Conv1d(2, 2, 3, **factory),
        example(),
        keys=["weight", "bias"],
        atol=1e-6,
        half_atol=2e-2,
        gradient_atol=1e-6,
    )


@pytest.mark.integration
def test_torch_layers_pass_onnx():
    check_onnx(lambda **factory: nn.Conv1d(2, 2, 3, **factory), example(), atol=1e-5)


@pytest.mark.parametrize("fault", ["persistent", "types", "gradients", "meta"])
def test_planted_faults_are_caught(fault):
    def make(**factory: object) -> nn.Module:
        return Faulty(fault, **factory)

    checks = {
        "persistent": lambda: check_state(make, []),
        "types": lambda: check_types(make, example(), 1e-6, 1e-2),
        "gradients": lambda: check_gradients(make, example(), 1e-6),
        "meta": lambda: check_meta(make, example()),
    }
    with pytest.raises((AssertionError, RuntimeError)):
        checks[fault]()
    check_copies(make, example())
    check_export(make, example(), 1e-6)


def test_every_name_of_the_room_is_what_it_says():
    # a file named as one of its functions would hide it, once something has imported that file
    for name, home in layers._HOMES.items():
        importlib.import_module(home)
        found = getattr(layers, name)
        assert found.__name__ == name
        assert found.__module__ == home
