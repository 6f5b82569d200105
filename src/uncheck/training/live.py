"""The weights of recorded calls as they are now, however the network makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.nn.parallel import DataParallel, DistributedDataParallel

from uncheck.errors import UncheckError
from uncheck.reading import CallKey, CallWatcher, as_found, eagerly
from uncheck.reading.tensors import replace_tensors, tensors_in
from uncheck.reading.watch import function_name
from uncheck.training.sources import Source

#: Attributes of layers that change what they compute.
SETTINGS = (
    "stride", "kernel_size", "padding", "output_padding", "dilation", "groups", "padding_mode",
    "scale_factor", "size", "mode", "align_corners", "upscale_factor",
)  # fmt: skip

Inputs = tuple[tuple[Any, ...], dict[str, Any]]


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the network inside DataParallel or DistributedDataParallel, whose forward waits for others."""
    while isinstance(model, DataParallel | DistributedDataParallel):
        model = model.module
    return model


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Set eval mode without autocast or compilation; put everything back after, random states too.

    Inside or outside a user's autocast, the numbers are those of the weights as they are.
    """
    device = next((p.device.type for p in model.parameters()), "cpu")
    with as_found(model), eagerly(), torch.autocast(device, enabled=False):
        yield


@contextmanager
def untouched() -> Iterator[None]:
    """Do the same for modules that are not known before they run; without gradients."""
    known: set[int] = set()
    with ExitStack() as stack:
        stack.enter_context(as_found(nn.Module()))
        stack.enter_context(eagerly())
        for device in {"cpu", *(["cuda"] if torch.is_autocast_enabled("cuda") else [])}:
            stack.enter_context(torch.autocast(device, enabled=False))

        def keep(module: nn.Module, _: Any) -> None:
            if id(module) not in known:
                known.update(map(id, module.modules()))
                stack.enter_context(as_found(module))

        stack.callback(register_module_forward_pre_hook(keep).remove)
        with torch.no_grad():
            yield


def placed(model: nn.Module, inputs: Any) -> tuple[Any, ...]:
    """Copy positional inputs to the device of the model, numbers in the model's precision."""
    weight = _weight(model)

    def place(x: Tensor) -> Tensor:
        dtype = weight.dtype if x.is_floating_point() else x.dtype
        return x.detach().to(device=weight.device, dtype=dtype, copy=True)

    values = inputs if isinstance(inputs, tuple) else (inputs,)
    out: tuple[Any, ...] = tuple(replace_tensors(value, place) for value in values)
    return out


def first_sample(inputs: Any) -> Any:
    """Return the first of a batch of inputs: reading stages needs no more."""
    count = next((t.shape[0] for t in tensors_in(inputs) if t.ndim), 0)
    return replace_tensors(inputs, lambda t: t[:1] if t.ndim and t.shape[0] == count else t)


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
        names = {_identity(t): name for name, t in _tensors(model)}
        self._named: dict[Source, str] = {}
        self._made: dict[Source, tuple[CallKey, Inputs]] = {}
        others = []
        for source in sources:
            name = names.get(_identity(source.value))
            if name is None:
                others.append(source)
            else:
                self._named[source] = name
        if others:
            watcher = _Inputs(model, {source.key for source in others})
            with watcher, torch.no_grad():
                model(*inputs)
            self._made = {source: watcher.found[source.key] for source in others}
        self._dtype = _weight(model).dtype

    def __call__(self, model: nn.Module, source: Source) -> Tensor:
        """Return the tensor now."""
        name = self._named.get(source)
        try:
            value = _at(model, name) if name is not None else self._again(model, source)
        except AttributeError:
            value = None
        if value is None or value.shape != source.value.shape:
            raise UncheckError(
                f"the weight of {source.key} is no longer where it was when {type(model).__name__} was read; "
                "read it again after changing its layers"
            )
        return value

    def _again(self, model: nn.Module, source: Source) -> Tensor | None:
        key, (args, kwargs) = self._made[source]
        module = model.get_submodule(key.module)
        weight = _weight(model)

        def moved(x: Tensor) -> Tensor:
            return x.to(weight.device, weight.dtype if x.dtype == self._dtype else x.dtype)

        args, kwargs = replace_tensors((args, kwargs), moved)
        watcher = _Until(model, key, source.argument, module)
        with undisturbed(module):
            try:
                with watcher:
                    module(*args, **kwargs)
            except _Reached:
                pass
        return watcher.value


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
    """Signal that the call looked for is about to be made."""


class _Until(CallWatcher):
    """Run up to a call, and take one of its arguments."""

    def __init__(self, model: nn.Module, key: CallKey, argument: int | str, module: nn.Module) -> None:
        super().__init__(model)
        self.key, self.argument, self.value = key, argument, None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name = function_name(func)
        if CallKey(self.path, name, self._counts[self.path, name]) == self.key:
            self.value = args[self.argument] if isinstance(self.argument, int) else kwargs[self.argument]
            raise _Reached
        return super().__torch_function__(func, types, args, kwargs)


def structure(model: nn.Module) -> tuple[object, ...]:
    """Return what tells a network from one with other layers; the weights' values do not count."""
    return tuple(
        (
            name,
            type(module).__qualname__,
            tuple((key, None if p is None else tuple(p.shape)) for key, p in module._parameters.items()),
            tuple(str(vars(module).get(setting)) for setting in SETTINGS),
        )
        for name, module in unwrapped(model).named_modules()
    )


def _tensors(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from model.named_buffers(remove_duplicate=False)
    yield from model.named_parameters(remove_duplicate=False)


def _identity(tensor: Tensor) -> tuple[object, ...]:
    return tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.device


def _at(model: nn.Module, name: str) -> Tensor | None:
    owner, _, attribute = name.rpartition(".")
    value = getattr(model.get_submodule(owner), attribute)
    return value if isinstance(value, Tensor) else None


def _weight(model: nn.Module) -> Tensor:
    """Return the weight whose device and precision stand for the model's."""
    return next((p for p in model.parameters() if p.is_floating_point()), torch.zeros(()))
