"""A model that runs and is left as it was found."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules import module as every_module
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import _pop_mode

from uncheck.reading.taught import WATCHING

HOOKS = (
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_backward_pre_hooks",
    "_backward_hooks",
)

GLOBAL_HOOKS = (
    "_global_forward_pre_hooks",
    "_global_forward_hooks",
    "_global_forward_hooks_always_called",
    "_global_forward_hooks_with_kwargs",
)

_KEPT: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()
"""How often `as_found` runs on a model."""

PARTS = ("_modules", "_parameters")
OWN = frozenset({*HOOKS, *PARTS, "_buffers", "training"})
"""Attributes of a module that are put back by themselves."""

Undo = Callable[[], object]
"""Put one thing back; to run it twice does no harm."""


@contextmanager
def as_found(model: nn.Module) -> Iterator[nn.Module]:
    """Put a model in eval mode, and on leaving put everything back, also after an exception or an interrupt.

    Restored, for each submodule by itself: train or eval, its attributes, submodules and hooks, parameters
    and buffers and their values, each parameter's `requires_grad` and `grad`. What attributes hold (a list
    that grows, say) is left. Restored for the process: the random states of torch (CPU, and CUDA where it has
    been started), numpy and Python, the grad mode, and hooks common to all modules. Modes are set as
    attributes, so a model's own `train()` (one that merges weights, say) does not run.

    Cost: a copy of the parameters and buffers (parameters that memory does not suffice for are not copied),
    and one comparison; nothing is copied back that has not changed.
    """
    modules, parameters = list(model.modules()), [p for p in model.parameters() if p.is_leaf]
    outermost = not _KEPT.get(model)  # who is inside another has nothing to add about values
    undo: list[Undo] = [
        _watchers(),
        _kept(model),
        *_process_states(),
        *map(_module_state, modules),
        *(map(_value, parameters) if outermost else ()),
        *(partial(setattr, p, "requires_grad", p.requires_grad) for p in parameters),
        *(partial(setattr, p, "grad", p.grad) for p in parameters),
    ]
    try:
        try:
            for module in modules:
                if hasattr(module, "training"):  # one frozen by TorchScript has none
                    module.training = False
            for parameter in parameters:
                parameter.grad = None  # set aside, so that a backward pass inside cannot add to it
            yield model
        finally:
            finish(undo)
    finally:
        finish(undo)  # what is left where an interrupt came before the first line of the other


def finish(undo: list[Undo]) -> None:
    """Run the undo steps in reverse; an exception in one does not stop the others.

    Raises:
        Exception: of one that failed, once the others have run and if no other exception is on its way.
    """
    failed: Exception | None = None
    try:
        while undo:
            try:
                undo[-1]()
            except Exception as error:
                failed = error
            undo.pop()
    finally:
        if undo:  # interrupted
            finish(undo)
    if failed is not None and sys.exception() is None:
        raise failed


def _watchers() -> Undo:
    """Take off what an interrupt left of a `CallWatcher`."""
    found = {name: dict(vars(every_module)[name]) for name in GLOBAL_HOOKS}
    depth = torch._C._len_torch_function_stack()
    seen, modes = list(WATCHING), torch._C._len_torch_dispatch_stack()

    def put_back() -> None:
        for name, saved in found.items():
            _put_items(vars(every_module)[name], saved)
        while torch._C._len_torch_function_stack() > depth:
            torch._C._pop_torch_function_stack()
        while torch._C._len_torch_dispatch_stack() > modes:
            _pop_mode()
        WATCHING[:] = seen

    return put_back


def _kept(model: nn.Module) -> Undo:
    before = _KEPT.get(model, 0)
    _KEPT[model] = before + 1

    def put_back() -> None:
        _KEPT[model] = before

    return put_back


def _value(parameter: Tensor) -> Undo:
    """Keep the value of a parameter: a forward may write to it."""
    if parameter.device.type == "meta" or parameter.is_inference() or is_lazy(parameter):
        return lambda: None
    try:
        value = parameter.detach().clone()
    except (RuntimeError, MemoryError):
        return lambda: None
    return partial(_restore, parameter, value)


def _put_items(current: dict[Any, Any], saved: dict[Any, Any]) -> None:
    if [(k, id(v)) for k, v in current.items()] != [(k, id(v)) for k, v in saved.items()]:
        current.clear()
        current.update(saved)


def _module_state(module: nn.Module) -> Undo:
    training = getattr(module, "training", None)
    buffers: dict[str, Tensor | None] = dict(module._buffers.items())
    named = module._buffers if isinstance(module._buffers, dict) else None  # a scripted module keeps its own
    values = {
        name: buffer.detach().clone()
        for name, buffer in buffers.items()
        if buffer is not None and buffer.device.type != "meta" and not buffer.is_inference()
    }
    held = vars(module)
    hooks = {name: dict(held[name]) for name in HOOKS if name in held}
    parts = {name: dict(held[name]) for name in PARTS if isinstance(held.get(name), dict)}
    attributes = {name: value for name, value in held.items() if name not in OWN}

    def put_back() -> None:
        for name in [name for name in held if name not in attributes and name not in OWN]:
            del held[name]
        for name, value in attributes.items():
            if held.get(name, held) is not value:
                held[name] = value
        for name, saved in parts.items():
            _put_items(held[name], saved)
        if training is not None:
            module.training = training
        for name in [name for name in named or () if name not in buffers]:
            del module._buffers[name]
        for name, buffer in buffers.items():
            if named is not None and named.get(name) is not buffer:
                named[name] = buffer
        for name, saved in hooks.items():
            _put_items(held[name], saved)
        for name, value in values.items():
            buffer = buffers[name]
            assert buffer is not None
            _restore(buffer, value)

    return put_back


def _restore(buffer: Tensor, value: Tensor) -> None:
    """Give a tensor its value again, also where its size has changed."""
    if (buffer.shape, buffer.dtype, buffer.device) != (value.shape, value.dtype, value.device):
        buffer.data = value
        return
    try:
        # batch norm changes its statistics without counting a version, so compare the values
        same = torch.equal(buffer, value)
    except (RuntimeError, NotImplementedError):  # sparse and half-precision complex tensors
        same = False
    if not same:
        with torch.no_grad():
            buffer.copy_(value)


def _process_states() -> list[Undo]:
    """Return what puts the random states and the grad mode back."""
    started = torch.cuda.is_available() and torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return [
        partial(torch.set_rng_state, torch.get_rng_state()),
        partial(np.random.set_state, np.random.get_state()),
        partial(random.setstate, random.getstate()),
        *([partial(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all())] if started else []),
        partial(torch.set_grad_enabled, torch.is_grad_enabled()),
    ]
