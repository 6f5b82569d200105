"""Run a model and leave it exactly as it was found."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

HOOKS = (
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_backward_pre_hooks",
    "_backward_hooks",
)


@contextmanager
def as_found(model: nn.Module) -> Iterator[nn.Module]:
    """Put a model in eval mode, and on leaving put everything back, also after an exception.

    Restored, for each submodule by itself: train or eval, the buffers and their values, hooks, each
    parameter's `requires_grad` and `grad`. Restored for the process: the random states of torch (CPU, and
    CUDA where it has been started), numpy and Python, and the grad mode. Modes are set as attributes, so a
    model's own `train()` (one that merges weights, say) does not run.

    Args:
        model: the model to run inside the block.

    Yields:
        The same model, every submodule in eval mode.

    Cost: a copy of the buffers, and one comparison; nothing is copied back that has not changed.
    """
    modules = list(model.modules())
    undo = [_random_states(), _grad_mode(), *(_module_state(module) for module in modules)]
    undo += [_parameter_state(parameter) for parameter in model.parameters()]
    try:
        for module in modules:
            module.training = False
        yield model
    finally:
        for put_back in undo:
            put_back()


def _module_state(module: nn.Module) -> Callable[[], None]:
    training = module.training
    buffers: dict[str, Tensor | None] = dict(module._buffers.items())
    named = module._buffers if isinstance(module._buffers, dict) else None  # a scripted module keeps its own
    values = {
        name: buffer.detach().clone()
        for name, buffer in buffers.items()
        if buffer is not None and buffer.device.type != "meta" and not buffer.is_inference()
    }
    hooks = {name: dict(vars(module)[name]) for name in HOOKS if name in vars(module)}

    def put_back() -> None:
        module.training = training
        for name in [name for name in named or () if name not in buffers]:
            del module._buffers[name]
        for name, buffer in buffers.items():
            if named is not None and named.get(name) is not buffer:
                named[name] = buffer
            # batch norm changes its statistics without counting a version, so compare the values
            if buffer is not None and name in values and not torch.equal(buffer, values[name]):
                with torch.no_grad():
                    buffer.copy_(values[name])
        for name, saved in hooks.items():
            current = vars(module)[name]
            if dict(current) != saved:
                current.clear()
                current.update(saved)

    return put_back


def _parameter_state(parameter: nn.Parameter) -> Callable[[], None]:
    wanted, grad = parameter.requires_grad, parameter.grad
    parameter.grad = None  # set aside, so that a backward pass inside cannot add to it

    def put_back() -> None:
        if parameter.requires_grad != wanted:
            parameter.requires_grad_(wanted)
        parameter.grad = grad

    return put_back


def _random_states() -> Callable[[], None]:
    cpu, array, python = torch.get_rng_state(), np.random.get_state(), random.getstate()
    started = torch.cuda.is_available() and torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    cuda = torch.cuda.get_rng_state_all() if started else None

    def put_back() -> None:
        torch.set_rng_state(cpu)
        np.random.set_state(array)
        random.setstate(python)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)

    return put_back


def _grad_mode() -> Callable[[], None]:
    enabled = torch.is_grad_enabled()
    return lambda: _set_grad(enabled)


def _set_grad(enabled: bool) -> None:
    torch.set_grad_enabled(enabled)
