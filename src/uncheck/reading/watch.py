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
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.hooks import RemovableHandle

from uncheck.reading.taught import Taught, hide_from, show_to, taught_by_function, taught_by_module
from uncheck.reading.tensors import tensors_in

WRITES = frozenset({"__setitem__", "data.__set__"})
"""Calls that return nothing and change a tensor; they get keys too."""
FOREIGN = "aten::"
"""What the names of calls begin with that TorchScript or C++ made, which no function mode is shown."""


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

    @property
    def foreign(self) -> bool:
        """Whether code made it whose inside torch shows call by call only: TorchScript, C++."""
        return self.function.startswith(FOREIGN)

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
        packet = str(getattr(func, "overloadpacket", func))
        return packet.removeprefix("aten.")
    return name


class CallWatcher(TorchFunctionMode):
    """See each torch call of a model, with the path of the module that makes it.

    Use as a context manager around a forward pass of the model. Module paths come from hooks common to all
    modules, so the model's own hooks are left alone; calls that a torch function makes inside itself are not
    seen. Calls that TorchScript or C++ make are seen with `foreign` only, which costs every call a little.

    Attributes:
        reached: path of the module entered last, for saying where a forward raised.
        entered: paths of the modules that have been called.
        calls: how many calls have been given a key.
    """

    def __init__(self, model: nn.Module, foreign: bool = False) -> None:
        super().__init__()
        self._foreign = _Foreign() if foreign else None
        self._paths = {id(module): path for path, module in model.named_modules()}
        self._stack: list[tuple[nn.Module, str]] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._handles: list[RemovableHandle] = []
        self._quiet = 0
        self._taught: list[nn.Module] = []
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

    def on_question(self, name: str, args: tuple[Any, ...]) -> None:
        """Handle a call that returned no tensor, such as a question about one."""

    def on_enter(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        """Handle the start of a module, after `path` has changed."""

    def on_leave(self, module: nn.Module, output: Any) -> None:
        """Handle the return of a module, before `path` changes back; not where it raised."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if self._quiet:
            return func(*args, **kwargs)
        taught = taught_by_function(func)
        if taught is not None:
            return self.on_taught(taught, args, kwargs, func)
        name = function_name(func)
        if self._foreign is not None and self._foreign.calling:
            name, self._foreign.calling = FOREIGN + name, False
        out = func(*args, **kwargs)
        if name not in WRITES and next(tensors_in(out), None) is None:
            self.on_question(name, args)
            return out  # a question about a tensor, such as its size
        return self._seen(name, func, args, kwargs, out)

    def _seen(
        self, name: str, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> Any:
        key = CallKey(self.path, name, self._counts[self.path, name])
        self._counts[self.path, name] += 1
        self.calls += 1
        return self.on_call(key, func, args, kwargs, out)

    def _seen_taught(self, taught: Taught, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> Any:
        first = next(tensors_in((args, kwargs)), None)
        for tensor in tensors_in(out):
            taught.check(None if first is None else tuple(first.shape), tuple(tensor.shape))
        return self._seen(taught.name, taught.like or taught.original, args, kwargs, out)

    def on_taught(
        self,
        taught: Taught,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        func: Callable[..., Any] | None = None,
    ) -> Any:
        """See a call of what was registered, and nothing inside it."""
        if self._quiet:
            return taught.original(*args, **kwargs)
        self._quiet += 1
        try:
            out = (func or taught.original)(*args, **kwargs)
        finally:
            self._quiet -= 1
        return self._seen_taught(taught, args, kwargs, out)

    def __enter__(self) -> CallWatcher:
        self._handles = [
            register_module_forward_pre_hook(self._push),
            register_module_forward_hook(self._pop, always_call=True),
        ]
        super().__enter__()  # type: ignore[no-untyped-call]
        if self._foreign is not None:
            self._foreign.__enter__()  # type: ignore[no-untyped-call]
        show_to(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        hide_from(self)
        self._quiet = 0
        self._taught.clear()
        if self._foreign is not None:
            self._foreign.__exit__(kind, error, trace)  # type: ignore[no-untyped-call]
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
        if taught_by_module(module) is not None:
            self._taught.append(module)
            self._quiet += 1

    def _pop(self, module: nn.Module, args: tuple[Any, ...], output: Tensor | Any) -> Any:
        if not any(running is module for running, _ in self._stack):
            return None
        changed = self._leave_taught(module, args, output)
        output = output if changed is None else changed
        while self._stack[-1][0] is not module:  # those inside it raised before they could be left
            self._stack.pop()
        if output is not None:
            self.on_leave(module, output)
        self._stack.pop()
        return changed

    def _leave_taught(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        """See the call of a registered module, and return its output if that is another now."""
        if not any(one is module for one in self._taught):
            return None
        while self._taught.pop() is not module:  # those inside it raised
            self._quiet -= 1
        self._quiet -= 1
        taught = taught_by_module(module)
        if taught is None or self._quiet or output is None:
            return None
        seen = self._seen_taught(taught, args, {}, output)
        return None if seen is output else seen


class _Foreign(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Show the function mode the calls that reach torch's dispatcher without it: it is asked again."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calling = False

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        self.calling = True
        try:
            return func(*args, **(kwargs or {}))
        finally:
            self.calling = False
