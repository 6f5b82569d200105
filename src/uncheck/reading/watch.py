"""A watcher of every torch call a model makes, at the level people write in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

from uncheck.reading.tensors import tensors_in

WRITES = frozenset({"__setitem__", "data.__set__"})
"""Calls that return nothing and change a tensor; they get keys too."""


@dataclass(frozen=True, order=True)
class CallKey:
    """A call of a forward pass: the same call has the same key each time the forward is replayed.

    Attributes:
        module: path of the innermost named module running, "" for the model itself.
        function: name of the torch function, such as "conv_transpose2d" or "view".
        occurrence: how many calls of that function that module had made before, from 0.
    """

    module: str
    function: str
    occurrence: int

    def __str__(self) -> str:
        place = f"{self.module}.{self.function}" if self.module else self.function
        return f"{place}[{self.occurrence}]"


def function_name(func: Callable[..., Any]) -> str:
    """Return the name that a torch function is called by; for a property of a tensor the property's name."""
    name = str(getattr(func, "__name__", type(func).__name__))
    if name in ("__get__", "__set__"):  # a property such as x.T arrives as a bound descriptor method
        owner = str(getattr(getattr(func, "__self__", None), "__name__", "property"))
        return owner if name == "__get__" else f"{owner}.__set__"
    if type(func).__name__ in ("OpOverload", "OpOverloadPacket"):
        return str(func).removeprefix("aten.").split(".")[0] if str(func).startswith("aten.") else str(func)
    return name


class CallWatcher(TorchFunctionMode):
    """See each torch call of a model, with the path of the module that makes it.

    Use as a context manager around a forward pass of the model. Module paths come from hooks common to all
    modules, so the model's own hooks are left alone; calls that a torch function makes inside itself are not
    seen.

    Attributes:
        reached: path of the module entered last, for saying where a forward raised.
        entered: paths of the modules that have been called.
        calls: how many calls have been given a key.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self._paths = {id(module): path for path, module in model.named_modules()}
        self._stack: list[tuple[nn.Module, str]] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._handles: list[RemovableHandle] = []
        self.entered: set[str] = set()
        self.reached = ""
        self.calls = 0

    @property
    def path(self) -> str:
        """Path of the innermost named module running now, "" outside and in the model's own forward."""
        return self._stack[-1][1] if self._stack else ""

    @property
    def running(self) -> tuple[nn.Module, ...]:
        """The modules running now, outermost first."""
        return tuple(module for module, _ in self._stack)

    def on_call(
        self, key: CallKey, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> Any:
        """Handle the call `func(*args, **kwargs)`, and return the output that the model gets.

        That is `out`, what the call returned (None for an assignment to a slice), or another in its place.
        """
        return out

    def on_enter(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        """Handle the start of a module, after `path` has changed."""

    def on_leave(self, module: nn.Module, output: Any) -> None:
        """Handle the return of a module, before `path` changes back; not where it raised."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = function_name(func)
        out = func(*args, **kwargs)
        if name not in WRITES and next(tensors_in(out), None) is None:
            return out  # a question about a tensor, such as its size
        key = CallKey(self.path, name, self._counts[self.path, name])
        self._counts[self.path, name] += 1
        self.calls += 1
        return self.on_call(key, func, args, kwargs, out)

    def __enter__(self) -> CallWatcher:
        self._handles = [
            register_module_forward_pre_hook(self._push),
            register_module_forward_hook(self._pop, always_call=True),
        ]
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)  # type: ignore[no-untyped-call]
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._stack.clear()

    def _push(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        path = self._paths.get(id(module), self.path)  # a module the model does not name counts as its caller
        self._stack.append((module, path))
        if id(module) in self._paths:
            self.reached = path
            self.entered.add(path)
        self.on_enter(module, args)

    def _pop(self, module: nn.Module, args: tuple[Any, ...], output: Tensor | Any) -> None:
        if not any(running is module for running, _ in self._stack):
            return
        while self._stack[-1][0] is not module:  # those inside it raised before they could be left
            self._stack.pop()
        if output is not None:
            self.on_leave(module, output)
        self._stack.pop()
