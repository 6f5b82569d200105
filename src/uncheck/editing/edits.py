"""The changes of a repair as values: kept in a file, and made again on a fresh network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from uncheck.editing.cycle_spin import CycleSpin
from uncheck.errors import UncheckError
from uncheck.layers.phase_transpose import PhaseConvTranspose
from uncheck.plain import Brief

#: What a repair leaves of the network: its function; its shape, but another output; or trained anew.
KINDS = ("same function", "same shape, changed output", "retrained")


@dataclass(frozen=True)
class Upsampler:
    """Put a PhaseConvTranspose, with these arguments, in the place of the module at `path`."""

    path: str
    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    output_padding: tuple[int, ...]
    crop: tuple[int, ...]
    groups: int
    bias: str

    def do(self, model: nn.Module) -> nn.Module:
        """Replace the module; dtype and device are those of its weight."""
        old = model.get_submodule(self.path)
        like = next(old.parameters(), torch.empty(0))
        arguments = {name: value for name, value in vars(self).items() if name != "path"}
        new = PhaseConvTranspose(**arguments, device=like.device, dtype=like.dtype)
        stand_in(new, old)
        set_module(model, self.path, new.train(old.training))
        return model

    @classmethod
    def of(cls, path: str, layer: PhaseConvTranspose) -> Upsampler:
        """Return the edit that makes such a layer."""
        same = {field.name: getattr(layer, field.name) for field in fields(cls)[1:-1]}
        return cls(path, **same, bias=layer.bias_kind)


@dataclass(frozen=True)
class Unparametrised:
    """Make a parametrised tensor (weight_norm, spectral_norm) of the module at `path` a plain parameter."""

    path: str
    name: str = "weight"

    def do(self, model: nn.Module) -> nn.Module:
        """Take the parametrisation off, new style or old; the value stays."""
        module = model.get_submodule(self.path)
        if parametrize.is_parametrized(module, self.name):
            # Copies share the class that parametrising made, and removing takes the tensor off the class.
            shared = type(module)
            own = {k: v for k, v in vars(shared).items() if k not in ("__dict__", "__weakref__")}
            module.__class__ = type(shared.__name__, shared.__bases__, own)
            parametrize.remove_parametrizations(module, self.name)
            return model
        for remove in (nn.utils.remove_weight_norm, nn.utils.remove_spectral_norm):
            try:
                remove(module, self.name)
            except ValueError:
                continue
            return model
        raise UncheckError(
            f"{self.path}.{self.name} is not parametrised as it was when the repair was made: load the file "
            "into the class it was made from"
        )


@dataclass(frozen=True)
class Spun:
    """Wrap the whole network in CycleSpin; always the last edit."""

    shifts: tuple[tuple[int, ...], ...]
    batch: int = 1
    margin: tuple[int, ...] | None = None

    def do(self, model: nn.Module) -> nn.Module:
        """Return the wrapper."""
        return CycleSpin(model, self.shifts, self.batch, self.margin)


Edit = Upsampler | Unparametrised | Spun
_EDITS: dict[str, type[Edit]] = {"upsampler": Upsampler, "plain": Unparametrised, "spin": Spun}


@dataclass(frozen=True)
class Candidate(Brief):
    """One way to repair a network, not yet judged.

    Attributes:
        method: "project", "match", "spin", "distill" or "swap".
        label: a few words that distinguish it from others of its method.
        kind: one of KINDS.
        edits: to the structure, in order; none where all checkpoint keys are kept.
        tensors: new values, by key of the edited network's state_dict (before it is wrapped); the others
            stay.
    """

    method: str
    label: str
    kind: str
    edits: tuple[Edit, ...] = ()
    tensors: Mapping[str, Tensor] = field(default_factory=dict, repr=False)

    @property
    def runs(self) -> int:
        """Runs of the network that one call of the repaired one takes."""
        return prod(len(edit.shifts) for edit in self.edits if isinstance(edit, Spun))

    def done_to(self, model: nn.Module) -> nn.Module:
        """Change `model` itself, and return the result, which may be a wrapper around it."""
        for edit in self.edits:
            if not isinstance(edit, Spun):
                edit.do(model)
        state = model.state_dict()
        unknown = [key for key in self.tensors if key not in state]
        if unknown:
            raise UncheckError(
                f"{type(model).__name__} has no {unknown[0]}: load the weights into the class "
                "they were made from"
            )
        with torch.no_grad():
            for key, value in self.tensors.items():
                state[key].copy_(value)
        for edit in self.edits:
            if isinstance(edit, Spun):
                model = edit.do(model)
        return model


def edits_to_json(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    """Return the edits as plain values for JSON."""
    names = {kind: name for name, kind in _EDITS.items()}
    return [{"edit": names[type(edit)], **asdict(edit)} for edit in edits]


def edits_from_json(values: Sequence[Mapping[str, Any]]) -> tuple[Edit, ...]:
    """Return the edits that `edits_to_json` wrote; UncheckError for anything else."""
    out: list[Edit] = []
    for value in values:
        kind = _EDITS.get(str(value.get("edit")))
        if kind is None:
            raise UncheckError(
                f"the plan holds an edit {value.get('edit')!r} that this version does not know: update it"
            )
        arguments = {name: _tuples(given) for name, given in value.items() if name != "edit"}
        try:
            out.append(kind(**arguments))
        except TypeError as error:
            raise UncheckError(f"the plan's edit {value.get('edit')!r} is broken ({error})") from error
    return tuple(out)


def _tuples(value: Any) -> Any:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


def stand_in(new: nn.Module, old: nn.Module) -> None:
    """Copy to a replacement the attributes of the old layer that a forward may read."""
    names = ("kernel_size", "stride", "padding", "output_padding", "dilation", "padding_mode", "groups")
    for name in (*names, "in_channels", "out_channels"):
        if hasattr(old, name) and not hasattr(new, name):
            setattr(new, name, getattr(old, name))


def set_module(model: nn.Module, path: str, new: nn.Module) -> None:
    """Put a module where `path` is, under every name that the old one has in the model."""
    old = model.get_submodule(path)
    for parent in list(model.modules()):
        for name, child in list(parent._modules.items()):
            if child is old:
                parent._modules[name] = new
