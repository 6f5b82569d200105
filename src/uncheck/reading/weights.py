"""Weights from a file into a model: safetensors, or a torch checkpoint that holds nothing but tensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.plain import Plain
from uncheck.reading.checkpoints import cause_of, read_checkpoint

NESTS = (
    *("state_dict", "model_state_dict", "model", "net", "network", "params_ema", "params", "weights"),
    *("generator", "g_ema", "netG", "G", "ema", "module"),
)
"""Keys that checkpoints keep their weights under, the likelier first."""

PREFIXES = ("module.", "_orig_mod.", "model.", "generator.", "net.", "netG.")
"""Prefixes that wrappers such as DataParallel, torch.compile and Lightning put before every name."""

SHOWN = 4
"""Names that an error lists of each kind."""


@dataclass(frozen=True)
class Unused(Plain):
    """Tensors of a file that were not taken: how many, and under which key."""

    key: str
    tensors: int


@dataclass(frozen=True)
class LoadedWeights(Plain):
    """Which part of a file a model has its weights from; it fitted the model exactly.

    Attributes:
        file: as it was named.
        key: of the mapping taken, keys inside one another joined by dots; None for the whole file.
        prefix: taken off all its names; "" if none was.
        tensors: how many were taken: all that the model has.
        unused: what else the file holds: other networks, optimisers, averages.
    """

    file: str
    key: str | None
    prefix: str
    tensors: int
    unused: tuple[Unused, ...] = ()


@dataclass(frozen=True)
class _State:
    """Tensors by name, and where in the file they are."""

    tensors: dict[str, Tensor]
    key: tuple[str, ...] = ()
    prefix: str = ""


def load_weights(model: nn.Module, path: str | Path) -> LoadedWeights:
    """Load the weights of a file into a model; all must fit, and a failed load changes nothing.

    Args:
        model: the model; changed in place.
        path: a .safetensors file, or a .pth, .pt, .bin or .ckpt file that torch loads with weights_only=True.
            Common nesting ({"state_dict": ...}, {"params_ema": ...}) and prefixes ("module.") are taken off.

    Returns:
        What was taken from the file.

    Raises:
        UncheckError: no such file, an unknown ending, a pickle that holds more than tensors, no weights
            found, or names and shapes that do not fit the model.

    Cost: reads the file once.
    """
    file = Path(path)
    loaded = read_checkpoint(file)
    chosen = _fitting(loaded, model)
    state = chosen.tensors
    problems = _problems(state, model)
    if problems:
        raise UncheckError(
            f"{file.name} does not fit {type(model).__name__}: {'; '.join(problems)}; "
            "load the weights that belong to this model"
        )
    state_before = model.state_dict().items()
    before = {name: value.detach().clone() for name, value in state_before if isinstance(value, Tensor)}
    try:
        model.load_state_dict(state, strict=True)
    except Exception as error:  # a module's own loading code can still refuse, half way
        with torch.no_grad():
            for name, value in model.state_dict().items():
                if name in before:
                    value.copy_(before[name])
        raise UncheckError(
            f"{type(model).__name__} refused {file.name} ({cause_of(error)}): load the weights "
            "that belong to it"
        ) from error
    key = ".".join(chosen.key) or None
    return LoadedWeights(str(path), key, chosen.prefix, len(state), _unused(loaded, chosen))


@contextmanager
def watch_loading() -> Iterator[list[str]]:
    """Yield a list that receives the class of each module whose `load_state_dict` is called meanwhile.

    It tells a network that its own code trained or loaded from one at random weights. Code that sets
    parameters by other means is not noticed.

    >>> with watch_loading() as loaded:
    ...     layer = nn.Linear(1, 1)
    ...     _ = layer.load_state_dict(layer.state_dict())
    >>> loaded
    ['Linear']
    """
    loaded: list[str] = []
    usual = nn.Module.load_state_dict

    @wraps(usual)
    def noted(module: nn.Module, *arguments: Any, **named: Any) -> Any:
        loaded.append(type(module).__name__)
        return usual(module, *arguments, **named)

    nn.Module.load_state_dict = noted  # type: ignore[method-assign, assignment]
    try:
        yield loaded
    finally:
        nn.Module.load_state_dict = usual  # type: ignore[method-assign]


def _fitting(loaded: Any, model: nn.Module) -> _State:
    """Choose the weights among what a file holds that fit the model best."""
    wanted = set(model.state_dict())
    candidates = [state for nest in _nests(loaded, 3) for state in _stripped(nest)]
    if not candidates:
        kind = type(loaded).__name__
        inside = (
            f" with {_listed([str(name) for name in loaded])}"
            if isinstance(loaded, Mapping) and loaded
            else ""
        )
        raise UncheckError(f"the file holds a {kind}{inside} and no weights: save model.state_dict()")
    return max(candidates, key=lambda one: len(wanted & set(one.tensors)) - len(set(one.tensors) - wanted))


def _nests(loaded: Any, depth: int, key: tuple[str, ...] = ()) -> list[_State]:
    if not isinstance(loaded, Mapping):
        return []
    tensors = {str(name): value for name, value in loaded.items() if isinstance(value, Tensor)}
    found = [_State(tensors, key)] if tensors else []
    if depth:
        inner = [(name, loaded[name]) for name in NESTS if name in loaded]
        found += [state for name, nest in inner for state in _nests(nest, depth - 1, (*key, name))]
    return found


def _stripped(state: _State) -> list[_State]:
    """Return the weights as they are, and without the wrappers' prefixes, one after the other."""
    found = [state]
    for prefix in (*PREFIXES, *PREFIXES):
        last = found[-1]
        inside = {n.removeprefix(prefix): v for n, v in last.tensors.items() if n.startswith(prefix)}
        part = _State(inside, state.key, last.prefix + prefix)
        if last.tensors and len(inside) == len(last.tensors):
            found.append(part)
        elif len(inside) > 1:  # a generator beside its discriminator
            found.insert(-1, part)
    return found


def _unused(loaded: Any, chosen: _State) -> tuple[Unused, ...]:
    """Return what a file holds beside the weights chosen, the most tensors first."""
    counts: Counter[str] = Counter()
    seen = {id(value) for value in chosen.tensors.values()}

    def walk(value: Any, path: tuple[str, ...]) -> None:
        if id(value) in seen:  # taken, shared, or a container that holds itself
            return
        seen.add(id(value))
        if isinstance(value, Tensor):
            counts[_part(path, chosen.key)] += 1
        elif isinstance(value, Mapping):
            for name, inner in value.items():
                walk(inner, (*path, str(name)))
        elif isinstance(value, list | tuple):
            for inner in value:
                walk(inner, (*path, ""))

    walk(loaded, ())
    return tuple(Unused(key, count) for key, count in counts.most_common())


def _part(path: tuple[str, ...], chosen: tuple[str, ...]) -> str:
    """Name the part of a file that a tensor belongs to: down to where it leaves the key chosen."""
    same = next((i for i, (a, b) in enumerate(zip(path, chosen, strict=False)) if a != b), len(chosen))
    # Beside the tensors taken, modules are told apart by the first part of their names.
    own = path[same].partition(".")[0] if same == len(chosen) else path[same]
    return ".".join([*path[:same], own])


def _problems(state: dict[str, Tensor], model: nn.Module) -> list[str]:
    own = model.state_dict()
    missing = [name for name in own if name not in state]
    extra = [name for name in state if name not in own]
    shapes = [
        f"{name} {tuple(state[name].shape)} where the model has {tuple(own[name].shape)}"
        for name in own
        if name in state and getattr(state[name], "shape", None) != getattr(own[name], "shape", None)
    ]
    parts = (("missing", missing), ("unexpected", extra), ("of another shape", shapes))
    return [f"{len(names)} {kind} ({_listed(names)})" for kind, names in parts if names]


def _listed(names: list[str]) -> str:
    more = ["..."] if len(names) > SHOWN else []
    return ", ".join([*names[:SHOWN], *more])
