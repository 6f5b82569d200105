"""Weights from a file into a model: safetensors, or a torch checkpoint that holds nothing but tensors."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from uncheck.errors import UncheckError, first_line

PICKLED = (".pth", ".pt", ".bin", ".ckpt")
NESTS = (
    *("state_dict", "model_state_dict", "model", "net", "network", "params_ema", "params", "weights"),
    *("generator", "g_ema", "netG", "G", "ema", "module"),
)
"""Keys that checkpoints keep their weights under, the likelier first."""
PREFIXES = ("module.", "_orig_mod.", "model.", "generator.", "net.", "netG.")
"""Prefixes that wrappers such as DataParallel, torch.compile and Lightning put before every name."""
SHOWN = 4
"""Names that an error lists of each kind."""


def load_weights(model: nn.Module, path: str | Path) -> nn.Module:
    """Load the weights of a file into a model; all must fit, and a failed load changes nothing.

    Args:
        model: the model; changed in place.
        path: a .safetensors file, or a .pth, .pt, .bin or .ckpt file that torch loads with weights_only=True.
            Common nesting ({"state_dict": ...}, {"params_ema": ...}) and prefixes ("module.") are taken off.

    Returns:
        The same model.

    Raises:
        UncheckError: no such file, an unknown ending, a pickle that holds more than tensors, no weights
            found, or names and shapes that do not fit the model.

    Cost: reads the file once.
    """
    file = Path(path)
    state = _fitting(_read(file), model)
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
            f"{type(model).__name__} refused {file.name} ({_cause(error)}): load the weights "
            "that belong to it"
        ) from error
    return model


def _read(file: Path) -> Any:
    if not file.is_file():
        raise UncheckError(f"there is no weight file {file}: check the path")
    if file.suffix == ".safetensors":
        try:
            return load_file(file)
        except (SafetensorError, OSError) as error:
            raise UncheckError(
                f"{file} is no readable safetensors file ({_cause(error)}): save it again"
            ) from error
    if file.suffix not in PICKLED:
        raise UncheckError(
            f"{file} ends in {file.suffix or 'nothing'!r}: weights are read from "
            f".safetensors, {', '.join(PICKLED)}"
        )
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if not re.search(r"global|class", str(error), re.IGNORECASE):
            raise UncheckError(
                f"{file} is no readable torch checkpoint of tensors: save model.state_dict() with "
                "safetensors.torch.save_file"
            ) from error
        culprit = re.search(r"GLOBAL ([\w.]+)", str(error))
        what = f"more than tensors ({culprit[1]})" if culprit else "more than tensors"
        raise UncheckError(
            f"{file} holds {what}, and unpickling it could run any code, so it was not loaded: load it where "
            "you trust it and save model.state_dict() with safetensors.torch.save_file"
        ) from error
    except Exception as error:
        raise UncheckError(
            f"{file} is no readable torch checkpoint ({_cause(error)}): save it again"
        ) from error


def _fitting(loaded: Any, model: nn.Module) -> dict[str, Tensor]:
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
    return max(candidates, key=lambda state: len(wanted & set(state)) - len(set(state) - wanted))


def _nests(loaded: Any, depth: int) -> list[dict[str, Tensor]]:
    if not isinstance(loaded, Mapping):
        return []
    tensors = {str(name): value for name, value in loaded.items() if isinstance(value, Tensor)}
    found = [tensors] if tensors else []
    if depth:
        inner = [loaded[name] for name in NESTS if name in loaded]
        found += [state for nest in inner for state in _nests(nest, depth - 1)]
    return found


def _stripped(state: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    """Return the weights as they are, and without the wrappers' prefixes, one after the other."""
    found = [state]
    for prefix in (*PREFIXES, *PREFIXES):
        last = found[-1]
        if last and all(name.startswith(prefix) for name in last):
            found.append({name.removeprefix(prefix): value for name, value in last.items()})
        elif sum(name.startswith(prefix) for name in last) > 1:  # a generator beside its discriminator
            part = {name.removeprefix(prefix): v for name, v in last.items() if name.startswith(prefix)}
            found.insert(-1, part)
    return found


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


def _cause(error: Exception) -> str:
    return first_line(error, type(error).__name__)[:120]
