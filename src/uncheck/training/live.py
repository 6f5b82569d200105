"""The weights of recorded calls as they are now, however the network makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import chain
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.reading import CallKey, CallWatcher
from uncheck.reading.tensors import replace_tensors
from uncheck.reading.watch import function_name
from uncheck.training.network import undisturbed, weight_of
from uncheck.training.sources import Source

Inputs = tuple[tuple[Any, ...], dict[str, Any]]


class Live:
    """Tensors of some sources, read again at each call, with their gradients.

    A weight that is a parameter is looked up by name. Any other (weight_norm, spectral_norm, a scale in
    `forward`) is made again: the module that makes the call runs on the inputs it had when recorded, in eval
    mode, up to that call.

    Args:
        model: the network, run once more if any weight is not a parameter.
        inputs: what it was recorded with.
        sources: whose tensors are wanted.
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
    """Inputs of the modules that make certain calls, and the calls' numbers within them."""

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
    """Signal that the call looked for is about to be made, with one of its arguments."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _Until(CallWatcher):
    """Run up to a call."""

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
