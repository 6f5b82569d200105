"""The weights that phase gains are sums of, as they are now, however the network makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from math import prod
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.phases.kernel import tap_phases
from uncheck.reading import CallKey, CallWatcher, Stage
from uncheck.reading.graph import Graph
from uncheck.reading.provenance import Entries, kernel_entries
from uncheck.reading.tensors import replace_tensors
from uncheck.reading.watch import function_name
from uncheck.training.network import undisturbed, weight_of

Inputs = tuple[tuple[Any, ...], dict[str, Any]]

#: Kinds whose gains are equal whatever the weights: they resize first.
EVEN_KINDS = frozenset({"nearest", "linear"})


@dataclass(frozen=True, eq=False)
class Source:
    """Argument of a call, and where each of its entries goes in a table (rows, phases).

    Attributes:
        key: the call that takes it.
        argument: its position among the arguments, or its name.
        value: the tensor as it was when read.
        target: for each entry the index into the flat table; `rows * phases` for an entry that is not used.
        rows: a row for each pair of channels.
        phases: how many there are.
    """

    key: CallKey
    argument: int | str
    value: Tensor
    target: Tensor
    rows: int
    phases: int

    def table(self, value: Tensor) -> Tensor:
        """Add each entry of `value` where it goes in (rows, phases), float64. Differentiable."""
        flat = value.flatten()
        flat = flat.float() if flat.device.type == "mps" else flat.double()  # which has no float64
        sums = flat.new_zeros(self.rows * self.phases + 1).index_add(0, self.target.to(flat.device), flat)
        return sums[:-1].reshape(self.rows, self.phases)


def find_sources(graph: Graph, stages: tuple[Stage, ...]) -> dict[int, tuple[Source, Source | None]]:
    """Find the weight of each stage whose gains depend on it, and its bias where there is one per phase.

    They come by index of the stage; stages of unknown kernel and those that resize are left out.

    Cost: that of `kernel_entries`.
    """
    wanted = [s for s in stages if s.kernel is not None and s.kind not in EVEN_KINDS]
    entries = kernel_entries(graph, wanted)
    found: dict[int, tuple[Source, Source | None]] = {}
    for stage in wanted:
        weight, bias = entries.get(stage.index, (None, None))
        if weight is None or stage.kernel is None:
            continue
        kernel, phases = stage.kernel, prod(stage.kernel.stride)
        positions = [torch.arange(k) - o for k, o in zip(kernel.kernel_size, kernel.offset, strict=True)]
        taps = _source(weight, weight.index, tap_phases(positions, kernel.stride), phases)
        per_phase = bias is not None and bias.index.ndim > 1
        found[stage.index] = (
            taps,
            _source(bias, bias.index[:, None], torch.arange(phases), phases) if bias and per_phase else None,
        )
    return found


def _source(entries: Entries, numbers: Tensor, phase: Tensor, phases: int) -> Source:
    """Return the source of (out, in, *positions) numbers of entries, given the phase of each position."""
    flat = numbers.flatten(2).flatten(0, 1).cpu()
    filled = flat.any(dim=1)  # blocks between groups are empty
    rows = int(filled.sum())
    row = torch.full((len(flat),), -1).masked_scatter(filled, torch.arange(rows))[:, None]
    cell = (row * phases + phase.flatten()).expand_as(flat)
    target = torch.full((entries.value.numel() + 1,), rows * phases)
    target[flat[flat > 0]] = cell[flat > 0]
    value = entries.value
    return Source(entries.call.key, entries.argument, value, target[1:].to(value.device), rows, phases)


class Live:
    """Tensors of some sources, read again at each call, with their gradients.

    A weight that is a parameter is looked up by name. Any other (weight_norm, spectral_norm, a scale in
    `forward`) is made again: the module that makes the call runs on the inputs it had when recorded, in eval
    mode, up to that call. To see those, the network runs once more on the inputs of the recording.
    """

    def __init__(self, model: nn.Module, inputs: tuple[Any, ...], sources: Iterable[Source]) -> None:
        tensors = chain(
            model.named_buffers(remove_duplicate=False), model.named_parameters(remove_duplicate=False)
        )
        names = {_identity(tensor): name for name, tensor in tensors}
        found = {source: names.get(_identity(source.value)) for source in sources}
        self._named = {source: name for source, name in found.items() if name is not None}
        self._made: dict[Source, tuple[CallKey, Inputs]] = {}
        others = [source for source, name in found.items() if name is None]
        if others:
            watcher = _Inputs(model, {source.key for source in others})
            with watcher, torch.no_grad():
                model(*inputs)
            self._made = {source: watcher.found[source.key] for source in others}
        self._dtype = weight_of(model).dtype

    def __call__(self, model: nn.Module, source: Source) -> Tensor:
        """Return the tensor now."""
        name, value = self._named.get(source), None
        with suppress(AttributeError):
            value = self._again(model, source) if name is None else attrgetter(name)(model)
        if not isinstance(value, Tensor) or value.shape != source.value.shape:
            raise UncheckError(
                f"the weight of {source.key} is no longer where it was when {type(model).__name__} was read; "
                "read it again after changing its layers"
            )
        return value

    def _again(self, model: nn.Module, source: Source) -> Any:
        key, (args, kwargs) = self._made[source]
        module = model.get_submodule(key.module)
        weight = weight_of(model)

        def moved(x: Tensor) -> Tensor:
            return x.to(weight.device, weight.dtype if x.dtype == self._dtype else x.dtype)

        args, kwargs = replace_tensors((args, kwargs), moved)
        with undisturbed(module):
            try:
                with _Until(model, key, source.argument):
                    module(*args, **kwargs)
            except _Reached as reached:
                return reached.value
        return None


class _Inputs(CallWatcher):
    """Watcher that keeps the inputs of modules that make certain calls, and the calls' numbers in them."""

    def __init__(self, model: nn.Module, keys: set[CallKey]) -> None:
        super().__init__(model)
        self.keys, self.found = keys, dict[CallKey, tuple[CallKey, Inputs]]()
        self._entered_with: dict[str, tuple[Inputs, dict[tuple[str, str], int]]] = {}
        self._hooks = [
            model.get_submodule(path).register_forward_pre_hook(self._remember(path), with_kwargs=True)
            for path in {key.module for key in keys}
        ]

    def _remember(self, path: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            kept = replace_tensors((args, kwargs), lambda x: x.detach().clone())
            self._entered_with[path] = (kept, dict(self._counts))

        return hook

    def on_call(
        self, key: CallKey, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> Any:
        if key in self.keys:
            inputs, before = self._entered_with[key.module]
            first = before.get((key.module, key.function), 0)
            self.found[key] = CallKey(key.module, key.function, key.occurrence - first), inputs
        return out

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        for hook in self._hooks:
            hook.remove()


class _Reached(Exception):
    """Signal that the wanted call comes next; carries one of its arguments."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _Until(CallWatcher):
    """Watcher that stops the run at a call."""

    def __init__(self, model: nn.Module, key: CallKey, argument: int | str) -> None:
        super().__init__(model)
        self.key, self.argument = key, argument

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name = function_name(func)
        if CallKey(self.path, name, self._counts[self.path, name]) == self.key:
            raise _Reached(args[self.argument] if isinstance(self.argument, int) else kwargs[self.argument])
        return super().__torch_function__(func, types, args, kwargs)


def _identity(tensor: Tensor) -> tuple[object, ...]:
    return tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.device
