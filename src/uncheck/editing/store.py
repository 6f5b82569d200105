"""The file of a repaired network: its content, and the network built from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from uncheck.editing.cycle_spin import CycleSpin
from uncheck.editing.edits import Candidate, Edit, Spun, edits_from_json, edits_to_json
from uncheck.editing.keep import keep_even
from uncheck.errors import UncheckError, first_line
from uncheck.layers.phase_transpose import PhaseConvTranspose
from uncheck.phases.axes import CONV_TRANSPOSES
from uncheck.reading import copied, load_weights

Transposed = (PhaseConvTranspose, *CONV_TRANSPOSES)

KEY = "uncheck.repair"
SCHEMA = "uncheck.repair/1"


def repaired_bytes(
    model: nn.Module, candidate: Candidate, about: Mapping[str, Any], *, even: bool = False
) -> bytes:
    """Return the content of `repaired.safetensors`: the whole state of the edited network, and the plan."""
    network = without_spin(model)
    state = network.state_dict()
    foreign = [key for key, value in state.items() if not isinstance(value, Tensor)]
    if foreign:
        raise UncheckError(
            f"{foreign[0]} in the network's state is no tensor, and safetensors holds only tensors; use "
            "uncheck.repair in Python and save the network there"
        )
    plan = {
        "schema": SCHEMA,
        "uncheck": version("uncheck"),
        "torch": torch.__version__,
        "class": type(network).__name__,
        **{name: getattr(candidate, name) for name in ("method", "label", "kind")},
        "edits": edits_to_json(candidate.edits),
        # then the file loads into the original class directly
        "keys_kept": not candidate.edits,
        "even": list(even_layers(network)) if even else [],
        "about": dict(about),
    }
    # Clones, because weights that are shared must not be so in the file.
    tensors = {key: value.detach().cpu().contiguous().clone() for key, value in state.items()}
    try:
        return bytes(save(tensors, {KEY: json.dumps(plan)}))
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise UncheckError(
            f"the weights cannot be written as safetensors ({first_line(error)}); use uncheck.repair in "
            "Python and save the network there"
        ) from error


def load_repaired(model: nn.Module, path: str | Path) -> nn.Module:
    """Rebuild a repaired network on an instance of the class it was made from.

    Args:
        model: of that class; changed in place, apart from its mode, precision and device. Its weights may be
            any.
        path: the `repaired.safetensors` of `uncheck repair`; nothing in it is run.

    Returns:
        The same object, or a wrapper around it where the repair is cycle spinning.

    Raises:
        UncheckError: no such file, not of a repair, or made from another class; the model is then unchanged.

    Cost: a copy of the model, and reading the file twice.

    >>> load_repaired(nn.Conv2d(3, 3, 3), "missing.safetensors")
    Traceback (most recent call last):
        ...
    uncheck.errors.UncheckError: there is no file missing.safetensors: check the path
    """
    file = Path(path)
    plan = read_plan(file)
    edits = edits_from_json(plan["edits"])
    _rebuilt(copied(model, "load_repaired"), file, edits, plan)  # a failure must not leave half of it
    return _rebuilt(model, file, edits, plan)


def read_plan(file: Path) -> dict[str, Any]:
    """Return the plan in the metadata of a repaired network's file; UncheckError where there is none."""
    if not file.is_file():
        raise UncheckError(f"there is no file {file}: check the path")
    if file.suffix != ".safetensors":
        raise UncheckError(
            f"{file} does not end in .safetensors: repaired networks are loaded from that format only, "
            "because others can run code"
        )
    try:
        with safe_open(file, "pt") as opened:
            metadata = opened.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise UncheckError(
            f"{file} is no readable safetensors file ({first_line(error)}): repair again"
        ) from error
    if KEY not in metadata:
        raise UncheckError(
            f"{file} is no repaired network but plain weights (its metadata has no {KEY}): load it with "
            "load_state_dict"
        )
    try:
        plan = json.loads(metadata[KEY])
        known = plan["schema"] == SCHEMA
        edits = all(isinstance(edit, dict) for edit in plan["edits"])
        whole = edits and isinstance(plan.get("even", []), list)
    except (ValueError, KeyError, TypeError) as error:
        raise UncheckError(f"the plan in {file} is broken ({first_line(error)}): repair again") from error
    if not known or not whole:
        raise UncheckError(
            f"the plan in {file} is of {plan['schema']!r}, and this version reads {SCHEMA!r}: update uncheck"
        )
    return dict(plan)


def keys_kept(original: nn.Module, repaired: nn.Module) -> bool:
    """Test whether a checkpoint of one loads strictly into the other: the same keys with the same shapes."""
    one, two = (
        {key: getattr(value, "shape", None) for key, value in network.state_dict().items()}
        for network in (original, without_spin(repaired))
    )
    return one == two


def without_spin(model: nn.Module) -> nn.Module:
    """Return the network inside CycleSpin, or the model itself."""
    return model.network if isinstance(model, CycleSpin) else model


def even_layers(model: nn.Module) -> tuple[str, ...]:
    """Return the paths of the transposed convolutions that `keep_even` takes without changing their outputs.

    Cost: a copy of each, and one pass over its weights.
    """
    return tuple(path for path, module in model.named_modules() if _is_even(module))


def _is_even(module: nn.Module) -> bool:
    if not isinstance(module, Transposed) or max(module.stride) == 1:
        return False
    try:
        keep_even(copied(module, "a repair"), [""])
    except UncheckError:
        return False
    return True


def _rebuilt(model: nn.Module, file: Path, edits: tuple[Edit, ...], plan: Mapping[str, Any]) -> nn.Module:
    frozen = not any(parameter.requires_grad for parameter in model.parameters())
    inside = tuple(edit for edit in edits if not isinstance(edit, Spun))
    kind = type(model).__name__
    try:
        Candidate("", "", "", inside).done_to(model)
        load_weights(model, file)
        # it changes rounding only, which may be coarse in the precision of this model
        keep_even(model, plan.get("even", []), change=True)
        for edit in edits:
            if isinstance(edit, Spun):
                model = edit.do(model)
    except (AttributeError, LookupError, ValueError, TypeError, RuntimeError, UncheckError) as error:
        raise UncheckError(
            f"{file} does not fit {kind}: load it into {plan.get('class')}, the class it was made from "
            f"({first_line(error)})"
        ) from error
    return model.requires_grad_(False) if frozen else model
