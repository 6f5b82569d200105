"""A model that was read is as it was found."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from reading.zoo_networks import Fn
from uncheck.errors import UncheckError
from uncheck.reading import as_found, record


def net() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5), nn.BatchNorm2d(2), nn.ConvTranspose2d(2, 1, 3)
    )


def modes(model: nn.Module) -> list[bool]:
    return [module.training for module in model.modules()]


def test_a_frozen_batch_norm_stays_frozen() -> None:
    model = net().train()
    model[1].eval()
    before = modes(model)
    with as_found(model):
        assert not any(modes(model))
    assert modes(model) == before
    record(model, torch.randn(1, 1, 8, 8))
    assert modes(model) == before


def test_a_forward_that_raises_leaves_no_trace() -> None:
    model = net().train()
    model[3].eval()
    before = modes(model)
    with pytest.raises(UncheckError):
        record(model, torch.randn(1, 5, 8, 8))
    assert modes(model) == before
    assert torch.is_grad_enabled()


def test_buffers_are_restored() -> None:
    model = net()
    saved = {name: value.clone() for name, value in model.state_dict().items()}
    held = model[1].running_mean
    with as_found(model):
        model[1].train()
        model(torch.randn(4, 1, 8, 8))
        model[3].running_var = torch.full((2,), 7.0)
        model[0].register_buffer("cache", torch.zeros(1))
    assert model[1].running_mean is held
    assert not hasattr(model[0], "cache")
    for name, value in model.state_dict().items():
        assert torch.equal(value, saved[name]), name


def test_spectral_norm_keeps_its_vectors() -> None:
    model = nn.utils.parametrizations.spectral_norm(nn.Conv2d(2, 2, 3)).train()
    saved = {name: value.clone() for name, value in model.state_dict().items()}
    record(model, torch.randn(1, 2, 8, 8))
    assert all(torch.equal(value, saved[name]) for name, value in model.state_dict().items())


def test_random_states_are_restored() -> None:
    def noisy(self: Any, x: Tensor) -> Tensor:
        return F.dropout(x + torch.rand(1) + np.random.rand() + random.random(), training=True)

    torch.manual_seed(3)
    np.random.seed(3)
    random.seed(3)
    expected = torch.rand(3), np.random.rand(), random.random()
    torch.manual_seed(3)
    np.random.seed(3)
    random.seed(3)
    record(Fn(noisy), torch.zeros(1, 1, 4, 4))
    assert torch.equal(torch.rand(3), expected[0])
    assert np.random.rand() == expected[1]
    assert random.random() == expected[2]


def test_gradients_and_hooks_are_untouched() -> None:
    model = net()
    model[0].weight.requires_grad_(False)
    model[4].weight.grad = torch.ones_like(model[4].weight)
    grad = model[4].weight.grad
    with as_found(model):
        model[0].weight.requires_grad_(True)
        model[2].register_forward_hook(lambda *_: None)
        model(torch.randn(1, 1, 8, 8)).sum().backward()
    assert not model[0].weight.requires_grad
    assert model[4].weight.grad is grad
    assert (grad == 1).all()
    assert model[0].weight.grad is None
    assert len(model[2]._forward_hooks) == 0


def test_a_models_own_train_method_does_not_run() -> None:
    class Merging(nn.Module):
        def train(self, mode: bool = True) -> Any:
            raise AssertionError("merged")

        def forward(self, x: Tensor) -> Tensor:
            return x + 1

    assert torch.equal(record(Merging(), torch.zeros(1, 1, 2, 2)).output, torch.ones(1, 1, 2, 2))


def test_grad_mode_is_restored() -> None:
    model = nn.ReLU()
    with as_found(model):
        torch.set_grad_enabled(False)
    assert torch.is_grad_enabled()
