"""A model that was read is as it was found."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules import module as hooks

from reading.zoo_networks import Fn
from uncheck.errors import UncheckError
from uncheck.reading import CallWatcher, as_found, leave, record, taught, watch
from uncheck.reading.leave import finish


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


class Stateful(nn.Module):
    """Buffers of kinds that cannot be compared or copied like others, which its forward changes."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("sparse", torch.eye(3).to_sparse())
        self.register_buffer("complex", torch.ones(2, dtype=torch.complex64))
        self.register_buffer("half_complex", torch.ones(2, dtype=torch.complex32))
        self.register_buffer("cache", torch.arange(3.0))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.norm = nn.BatchNorm2d(1)

    def forward(self, x: Tensor) -> Tensor:
        self.sparse.mul_(2)
        self.complex += 1j
        self.half_complex.zero_()
        self.cache.resize_(7).fill_(1.0)
        self.count.add_(1)
        self.norm.train()
        return self.norm(x)


def dense(value: Tensor) -> Tensor:
    return value.to_dense() if value.is_sparse else value.to(torch.complex64) if value.is_complex() else value


def state(model: nn.Module) -> dict[str, Any]:
    return {
        "modes": modes(model),
        "tensors": {name: dense(value).clone() for name, value in model.state_dict().items()},
        "same": {name: id(value) for name, value in (*model.named_buffers(), *model.named_parameters())},
        "grads": [(p.requires_grad, p.grad) for p in model.parameters()],
        "random": (torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()),
        "hooks": [len(vars(module)["_forward_hooks"]) for module in model.modules()],
        "global": (len(hooks._global_forward_hooks), len(hooks._global_forward_pre_hooks)),
        "grad mode": torch.is_grad_enabled(),
        "function modes": torch._C._len_torch_function_stack(),
        "dispatch modes": torch._C._len_torch_dispatch_stack(),
        "watching": len(taught.WATCHING),
    }


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return one is other or (one.shape == other.shape and torch.equal(one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def stateful() -> nn.Module:
    model = nn.Sequential(Stateful(), nn.Conv2d(1, 1, 1), Stateful()).train()
    model[1].weight.grad = torch.ones_like(model[1].weight)
    return model


def test_buffers_of_all_kinds_are_restored_also_when_resized() -> None:
    model = stateful()
    before = state(model)
    record(model, torch.ones(2, 1, 4, 4))
    assert same(state(model), before)


class Writing(nn.Module):
    """A forward that changes its own weights, parts and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)
        self.scale = nn.Parameter(torch.ones(1))
        self.steps, self.cache = 0, None

    def forward(self, x: Tensor) -> Tensor:
        self.conv.weight.data.mul_(0.5)
        self.conv.bias.data = self.conv.bias.data + 1
        with torch.no_grad():
            self.scale.add_(1)
        self.steps += 1
        self.cache = x
        if not hasattr(self, "late"):
            self.late = nn.Conv2d(1, 1, 1)
            self.more = nn.Parameter(torch.ones(2))
        return self.late(self.conv(x)) * self.scale


def test_what_a_forward_writes_to_the_network_is_put_back() -> None:
    model = nn.Sequential(Writing(), nn.ReLU())
    before, names = state(model), set(vars(model[0]))
    with as_found(model):
        record(model, torch.ones(1, 1, 4, 4))
        model(torch.ones(1, 1, 4, 4))
    assert same(state(model), before)
    assert (model[0].steps, model[0].cache) == (0, None)
    assert set(vars(model[0])) == names
    assert [name for name, _ in model.named_modules()] == ["", "0", "0.conv", "1"]


def test_one_thing_that_cannot_be_put_back_does_not_keep_the_rest() -> None:
    done: list[int] = []

    def fails() -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        finish([lambda: done.append(1), fails, lambda: done.append(2), fails, lambda: done.append(3)])
    assert done == [3, 2, 1]


def test_an_interrupt_is_not_replaced_by_what_cannot_be_put_back() -> None:
    def fails() -> None:
        raise RuntimeError("no")

    @contextmanager
    def undone() -> Iterator[None]:
        try:
            yield
        finally:
            finish([fails])

    with pytest.raises(KeyboardInterrupt), undone():
        raise KeyboardInterrupt


#: Where interrupts come in the test below: whatever changes or restores anything.
WHERE = ("as_found", "finish", "put_back", "_restore", "_put_items", "__enter__", "__exit__")


def interrupted_at(line: int, model: nn.Module, x: Tensor) -> bool:
    """Watch a model run, with an interrupt before the `line`-th line that these functions run."""
    left = line

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal left
        code = frame.f_code
        if code.co_filename not in (leave.__file__, watch.__file__) or code.co_name not in WHERE:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        with as_found(model), torch.no_grad(), CallWatcher(model, foreign=True):
            model(x)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return left <= 0


def test_an_interrupt_anywhere_leaves_the_network_as_found() -> None:
    model, x = Stateful().train(), torch.ones(2, 1, 4, 4)
    model.norm.weight.grad = torch.ones_like(model.norm.weight)
    before = state(model)
    line = 1
    while interrupted_at(line, model, x):
        assert same(state(model), before), line
        line += 1
    assert line > 50
