"""The calls of functions and modules, so that whoever watches sees them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

import torch
from torch import nn
from torch.overrides import get_testing_overrides

from uncheck.errors import UncheckError
from uncheck.reading.taught import FUNCTIONS, MODULES, SCRIPTED, run_taught

MARK = "run_taught"
"""Stands in the code of a wrapper for the function, until that is put there."""
Intercepted = tuple[Any, Callable[[], None]]
"""What the calls of a function ran before they could be seen, and how to have them so again."""


def intercept(function: Any, name: str) -> Intercepted:
    """Let `run_taught` or a watcher see the calls of a function."""
    if isinstance(function, type) and issubclass(function, nn.Module):
        return function, _noted(MODULES, function, name)
    if isinstance(function, type) and issubclass(function, torch.autograd.Function):
        return _intercept_apply(function, name)
    if type(function).__name__ == "OpOverloadPacket" or _is_torch(function):
        return function, _noted(FUNCTIONS, function, name)
    if isinstance(function, torch.jit.ScriptFunction):
        return _intercept_scripted(function, name)
    if isinstance(function, FunctionType) and not inspect.iscoroutinefunction(function):
        return _intercept_python(function, name)
    raise UncheckError(
        f"{name} is of type {type(function).__name__}, whose calls cannot be seen: put it into a Python "
        "function that the network calls, and register that"
    )


def _is_torch(function: Any) -> bool:
    try:
        return function in get_testing_overrides()
    except TypeError:
        return False


def _noted(table: dict[Any, str], key: Any, name: str) -> Callable[[], None]:
    table[key] = name

    def undo() -> None:
        table.pop(key, None)

    return undo


def _intercept_apply(function: Any, name: str) -> Intercepted:
    original = function.apply
    function.apply = staticmethod(lambda *args, **kwargs: run_taught(name, args, kwargs))
    return original, lambda: delattr(function, "apply")


def _intercept_scripted(function: Any, name: str) -> Intercepted:
    """TorchScript calls all its functions through one method, which is exchanged once for all of them."""
    kind: Any = torch.jit.ScriptFunction
    call = getattr(kind.__call__, "original", kind.__call__)

    def seen(self: Any, *args: Any, **kwargs: Any) -> Any:
        known = SCRIPTED.get(self)
        return call(self, *args, **kwargs) if known is None else run_taught(known, args, kwargs)

    seen.original = call  # type: ignore[attr-defined]
    kind.__call__ = seen
    forget = _noted(SCRIPTED, function, name)

    def undo() -> None:
        forget()
        if not SCRIPTED:
            kind.__call__ = call

    return lambda *args, **kwargs: call(function, *args, **kwargs), undo


def _intercept_python(function: FunctionType, name: str) -> Intercepted:
    """Exchange the code of a Python function, so that whoever holds the function calls the wrapper."""
    code, defaults, words = function.__code__, function.__defaults__, function.__kwdefaults__
    original = FunctionType(code, function.__globals__, function.__name__, defaults, function.__closure__)
    original.__kwdefaults__ = words
    function.__code__ = _wrapper(name, code)
    function.__defaults__ = function.__kwdefaults__ = None

    def undo() -> None:
        function.__code__, function.__defaults__, function.__kwdefaults__ = code, defaults, words

    return original, undo


def _wrapper(name: str, code: CodeType) -> CodeType:
    """Return code that calls `run_taught`, with the free variables of the code it stands for."""
    uses = "".join(f"        {word}\n" for word in code.co_freevars)
    source = (
        f"def outer({', '.join(code.co_freevars)}):\n    def inner(*args, **kwargs):\n"
        f"        run = {MARK!r}\n        return run({name!r}, args, kwargs)\n{uses}    return inner\n"
    )
    space: dict[str, Any] = {}
    exec(source, space)
    inner: CodeType = space["outer"](*code.co_freevars).__code__
    # The function itself is a constant of the code: the globals are those of the function it stands for.
    constants = tuple(run_taught if one == MARK else one for one in inner.co_consts)
    return inner.replace(
        co_consts=constants,
        co_name=code.co_name,
        co_filename=code.co_filename,
        co_firstlineno=code.co_firstlineno,
    )
