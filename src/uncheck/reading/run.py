"""One run of a network, the same each time, and copies of networks and inputs to run."""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from uncheck.errors import UncheckError, first_line
from uncheck.reading.tensors import replace_tensors, shape_text
from uncheck.reading.watch import CallWatcher

Nest = TypeVar("Nest")

Inputs = tuple[Any, ...]
"""The positional inputs of one call."""


def run(model: nn.Module, inputs: Inputs, watcher: CallWatcher | None = None, seed: int = 0) -> Any:
    """Run a network without gradients, from the random state of a seed; its inputs stay as they are.

    It runs in the mode it has; use `as_found` where its state must not change.

    Raises:
        UncheckError: the forward raises.

    Cost: one forward pass, and a copy of the inputs.

    >>> run(nn.Dropout(), (torch.ones(4),)).tolist() == run(nn.Dropout(), (torch.ones(4),)).tolist()
    True
    """
    try:
        with torch.no_grad(), eagerly(), watcher or nullcontext():
            return call(model, inputs, seed)
    except Exception as error:
        raise forward_error(model, watcher.reached if watcher else None, error, inputs) from error


def call(model: nn.Module, inputs: Inputs, seed: int = 0) -> Any:
    """Call a network as `run` does, but with gradients and whatever it raises as they come."""
    torch.manual_seed(seed)
    return model(*fresh(inputs))


def fresh(inputs: Nest) -> Nest:
    """Return the same inputs in tensors of their own: a network may write to them."""
    return replace_tensors(inputs, lambda tensor: tensor.clone())  # type: ignore[no-any-return]


@contextmanager
def eagerly() -> Iterator[None]:
    """Keep torch.compile out of the way: compiled code makes no calls that could be watched."""
    if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
        with torch.compiler.set_stance("force_eager"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Using `torch.compile")  # about the watcher's hooks
            yield
    else:
        yield


def forward_error(model: nn.Module, reached: str | None, error: Exception, inputs: object) -> UncheckError:
    """Return one sentence about a forward pass that raised: where, why, and the shapes of the input.

    `reached` is the path of the module reached, "" before any; None where nobody watched.
    """
    place = "" if reached is None else f" in {reached!r}" if reached else " before any of its layers"
    return UncheckError(
        f"{type(model).__name__} raised {type(error).__name__}{place}: {first_line(error)} "
        f"(input shapes: {shape_text(inputs)}); check that the input is what the model expects"
    )


def copied(model: nn.Module, verb: str) -> nn.Module:
    """Return a deep copy of a network, with the weights that weight_norm made in an earlier forward pass.

    Raises:
        UncheckError: (with `verb`, who copies it) no module, weights without values, or it cannot be copied.
    """
    if not isinstance(model, nn.Module):
        raise UncheckError(f"{verb} needs a torch.nn.Module, not a value of type {type(model).__name__}")
    if any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers())):
        raise UncheckError(
            f"{verb} needs weights with values, not on the meta device: load the weights first"
        )
    memo: dict[int, Any] = {}
    for module in model.modules():
        for value in vars(module).values():
            if isinstance(value, Tensor) and not value.is_leaf:
                memo[id(value)] = value.detach().clone()
    try:
        net = copy.deepcopy(model, memo)
    except Exception as error:
        raise UncheckError(
            f"{type(model).__name__} cannot be copied ({type(error).__name__}: {first_line(error)}): {verb} "
            "changes a copy only, so make copy.deepcopy work"
        ) from error
    own = {id(parameter) for parameter in model.parameters()}
    if net is model or any(id(parameter) in own for parameter in net.parameters()):
        raise UncheckError(
            f"copies of {type(model).__name__} share its parameters: {verb} would change the original, so "
            "make copy.deepcopy copy them"
        )
    return net


def copy_modes(model: nn.Module, other: nn.Module) -> None:
    """Set the training modes and requires_grad of a changed copy as the network has them, for who trains on.

    A layer that is new has the mode of the module around it; a new parameter is trained if any is.
    """
    modes = {path: module.training for path, module in model.named_modules()}
    for path, module in other.named_modules():
        module.training = modes.get(path, modes.get(path.rpartition(".")[0], False))
    wanted = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    for name, parameter in other.named_parameters():
        parameter.requires_grad_(wanted.get(name, any(wanted.values())))
