"""The watcher: keys, paths, replaced outputs, and hooks that are gone afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules import module as torch_module

from reading.zoo_networks import Fn
from uncheck.reading import CallKey, CallWatcher


class Listing(CallWatcher):
    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.keys: list[CallKey] = []

    def on_call(
        self, key: CallKey, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> Any:
        self.keys.append(key)
        return out


def block(self: Any, x: Tensor) -> Tensor:
    for _ in range(2):
        x = self.inner(x)
    y = F.interpolate(x, scale_factor=2)
    y[:, 0] = 0
    return y.view(-1)


def model() -> nn.Module:
    return Fn(block, inner=nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU()))


def test_keys_name_module_function_and_occurrence() -> None:
    net, x = model(), torch.zeros(1, 1, 2, 2)
    with Listing(net) as watcher:
        net(x)
    assert watcher.keys == [
        CallKey("inner.0", "conv2d", 0),
        CallKey("inner.1", "relu", 0),
        CallKey("inner.0", "conv2d", 1),
        CallKey("inner.1", "relu", 1),
        CallKey("", "interpolate", 0),
        CallKey("", "__setitem__", 0),
        CallKey("", "view", 0),
    ]
    assert watcher.calls == 7
    assert str(watcher.keys[2]) == "inner.0.conv2d[1]"
    assert watcher.entered == {"", "inner", "inner.0", "inner.1"}


def test_a_replay_meets_the_same_keys() -> None:
    net, x = model(), torch.zeros(1, 1, 2, 2)
    with Listing(net) as first:
        net(x)
    with Listing(net) as second:
        net(x)
    assert first.keys == second.keys


def test_an_output_can_be_replaced() -> None:
    class Zeroing(CallWatcher):
        def on_call(
            self,
            key: CallKey,
            func: Callable[..., Any],
            args: tuple[Any, ...],
            kwargs: dict[str, Any],
            out: Any,
        ) -> Any:
            return out * 0 if key == CallKey("1", "relu", 0) else out

    net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU(), nn.Conv2d(1, 1, 1, bias=False))
    with Zeroing(net):
        assert (net(torch.ones(1, 1, 2, 2)) == 0).all()


def test_a_forward_that_raises() -> None:
    def fails(self: Any, x: Tensor) -> Tensor:
        raise ValueError("no")

    def catches(self: Any, x: Tensor) -> Tensor:
        try:
            self.bad(x)
        except ValueError:
            return self.good(x)
        raise AssertionError

    net = Fn(catches, bad=nn.Sequential(Fn(fails)), good=nn.ReLU())
    hooks = len(torch_module._global_forward_hooks), len(torch_module._global_forward_pre_hooks)
    x = torch.zeros(1)
    with Listing(net) as watcher:
        net(x)
    assert watcher.keys == [CallKey("good", "relu", 0)]
    with pytest.raises(ValueError, match="no"), Listing(net) as watcher:
        net.bad(torch.zeros(1))
    assert watcher.reached == "bad.0"
    assert watcher.path == ""
    after = len(torch_module._global_forward_hooks), len(torch_module._global_forward_pre_hooks)
    assert after == hooks


def test_the_models_own_hooks_still_run() -> None:
    net = nn.Sequential(nn.ReLU())
    seen: list[str] = []
    net[0].register_forward_hook(lambda *_: seen.append("hook"))
    with Listing(net):
        net(torch.zeros(1))
    assert seen == ["hook"]
    assert len(net[0]._forward_hooks) == 1
