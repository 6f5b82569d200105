"""Operations that users teach to reading: what a function or module does to the grid of positions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import CodeType, FunctionType, TracebackType
from typing import Any, Protocol

import torch
from torch import nn
from torch.overrides import get_testing_overrides

from uncheck.errors import UncheckError
from uncheck.reading.tables import TAUGHT, group_of

EFFECTS = {"pointwise": "registered_pointwise", "keeps positions": "registered_keeping"}
"""What a function may do to positions, and the name that the tables have for it."""
SCALING = "registered_scaling"
MARK = "run_taught"
KINDS = ("transposed", "sub-pixel", "nearest", "linear", "cubic", "un-patchify", "unpool")


@dataclass(frozen=True, eq=False)
class Taught:
    """One function or class of modules that was registered.

    Attributes:
        name: what its calls are named.
        like: the torch function that it is like; None for other effects.
        scale: output positions per input position along the last axes, or along all after the first two
            where it is one number; None for other effects.
        kind: of the stage that it is if that enlarges.
        original: what its calls run.
    """

    name: str
    like: Callable[..., Any] | None
    scale: tuple[Fraction, ...] | Fraction | None
    kind: str
    original: Any

    def check(self, before: tuple[int, ...] | None, after: tuple[int, ...]) -> None:
        """Compare the shapes that a call took and returned with what was said about it.

        Raises:
            UncheckError: they contradict it.
        """
        if self.like is not None or before is None or len(before) != len(after):
            return
        factors = self.factors(len(after))
        if factors is None:
            fits = sum(a != b for a, b in zip(before, after, strict=True)) <= 1
            said = "as keeping positions"
        else:
            sizes = zip(before[-len(factors) :], after[-len(factors) :], factors, strict=True)
            fits = all(a * f / 2 < b < 2 * a * f + 16 for a, b, f in sizes)
            said = f"with a scale of {' x '.join(f'{float(f):g}' for f in factors)}"
        if not fits:
            raise UncheckError(
                f"{self.name} was registered {said}, and made {after} of {before}: say what it really does"
            )

    def factors(self, rank: int) -> tuple[Fraction, ...] | None:
        """Return the scale of each of the last axes of an output of so many axes."""
        return (self.scale,) * min(3, max(1, rank - 2)) if isinstance(self.scale, Fraction) else self.scale


class Watching(Protocol):
    """Whatever wants to see the calls of what was registered."""

    def on_taught(self, taught: Taught, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the call and return what the model gets."""


_BY_NAME: dict[str, Taught] = {}
_FUNCTIONS: dict[Any, str] = {}
_MODULES: dict[Any, str] = {}
_SCRIPTED: dict[Any, str] = {}
_WATCHING: list[Watching] = []


class Registration:
    """What `register` returns: `remove()` takes the teaching back, and so does the end of a `with` block."""

    def __init__(self, taught: Taught, undo: Callable[[], None]) -> None:
        self.taught, self._undo = taught, undo

    def remove(self) -> None:
        """Forget what was registered; once is enough."""
        if _BY_NAME.pop(self.taught.name, None) is not None:
            TAUGHT.pop(self.taught.name, None)
            self._undo()

    def __enter__(self) -> Registration:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def register(
    function: Any,
    *,
    like: Callable[..., Any] | None = None,
    effect: str | None = None,
    scale: float | Sequence[float] | None = None,
    kind: str = "transposed",
) -> Registration:
    """Teach reading what a function or module does to positions: networks that use it are understood then.

    One of `like`, `effect` and `scale` says it. What its calls do inside is not looked at any more.

    Args:
        function: a Python function, a torch function or custom operator (torch.ops.mine.up), a scripted
            function, a subclass of torch.autograd.Function, or a class of modules; all its calls are meant,
            also those of networks made before.
        like: the torch function that it does the same as, with the same arguments.
        effect: "pointwise" (every position alike, by itself) or "keeps positions" (it mixes channels or
            neighbours, without a grid of its own).
        scale: output positions per input position along the last axes: 2, (2, 2), (1, 2, 2), or 0.5; a single
            number stands for all axes after the first two.
        kind: of the stage that a scale above 1 makes, in the words of `Stage.kind`.

    Returns:
        A `Registration`: `remove()` it, or use it in a `with` block.

    Raises:
        UncheckError: it is none of these, was registered before, or the effect is not one of these.

    Cost: nothing where no network is being read; Python functions get the code of a wrapper that costs a
    microsecond per call.

    >>> import torch
    >>> from uncheck.reading import record, register
    >>> def double(x):
    ...     return torch.from_numpy(x.numpy().repeat(2, axis=-1))
    >>> class Net(torch.nn.Module):
    ...     def forward(self, x):
    ...         return double(x)
    >>> record(Net(), torch.zeros(1, 1, 8)).ledger.unsupported
    {'opaque': 1}
    >>> with register(double, scale=(2,), kind="nearest"):
    ...     print(record(Net(), torch.zeros(1, 1, 8)))
    double: nearest x2, period 2
    1 calls handled, 0 ignored on purpose, none unsupported
    """
    given = [what for what in (like, effect, scale) if what is not None]
    if len(given) != 1:
        raise UncheckError("register needs one of like=, effect= and scale=: say what the function does once")
    function = _plain(function)
    name = _name(function)
    _check(function, name, like, effect, kind)
    factors = None if scale is None else _factors(scale)
    canonical = EFFECTS[effect] if effect is not None else SCALING if factors is not None else _known(like)
    original, undo = _intercept(function, name)
    taught = Taught(name, like, factors, kind, original)
    _BY_NAME[name], TAUGHT[name] = taught, canonical
    return Registration(taught, undo)


def taught_by_name(name: str) -> Taught | None:
    """Return what was registered under the name of a call."""
    return _BY_NAME.get(name)


def taught_by_function(function: Any) -> Taught | None:
    """Return what was registered for a torch function or operator as a function mode sees it."""
    if not _FUNCTIONS:
        return None
    try:
        return _BY_NAME.get(_FUNCTIONS.get(_plain(function), ""))
    except TypeError:  # not hashable
        return None


def taught_by_module(module: nn.Module) -> Taught | None:
    """Return what was registered for a module's class or one of its bases."""
    if not _MODULES:
        return None
    return next((_BY_NAME.get(_MODULES[kind]) for kind in type(module).__mro__ if kind in _MODULES), None)


def show_to(watcher: Watching) -> None:
    """Show a watcher the calls of what was registered, until `hide_from`."""
    _WATCHING.append(watcher)


def hide_from(watcher: Watching) -> None:
    """Show them to whoever watched before; once is enough."""
    if watcher in _WATCHING:
        _WATCHING.remove(watcher)


def run_taught(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a registered function, seen by whoever watches; its wrapper calls this."""
    taught = _BY_NAME[name]
    if not _WATCHING:
        return taught.original(*args, **kwargs)
    return _WATCHING[-1].on_taught(taught, args, kwargs)


def _plain(function: Any) -> Any:
    """Return the operator that an overload is one of; other functions as they are."""
    return getattr(function, "overloadpacket", function)


def _name(function: Any) -> str:
    if type(function).__name__ == "OpOverloadPacket":
        return str(function)
    name = getattr(function, "__name__", None) or getattr(function, "name", None)
    return str(name if isinstance(name, str) else type(function).__name__)


def _check(function: Any, name: str, like: Any, effect: str | None, kind: str) -> None:
    if name in _BY_NAME:
        raise UncheckError(f"{name} was registered before: remove that registration first")
    if effect is not None and effect not in EFFECTS:
        raise UncheckError(f"there is no effect {effect!r}: choose {' or '.join(map(repr, EFFECTS))}")
    if kind not in KINDS:
        raise UncheckError(f"there is no kind of stage {kind!r}: choose one of {', '.join(KINDS)}")
    if like is not None and isinstance(function, type) and issubclass(function, nn.Module):
        raise UncheckError(
            f"{name} is a module, whose call has no weights: say its scale= or effect= instead"
        )


def _known(like: Any) -> str:
    name = str(getattr(like, "__name__", like))
    if group_of(name) is None:
        raise UncheckError(f"reading does not know {name} either: name a torch function in like=")
    return name


def _factors(scale: float | Sequence[float]) -> tuple[Fraction, ...] | Fraction:
    values = scale if isinstance(scale, Sequence) else (scale,)
    try:
        factors = tuple(Fraction(float(one)).limit_denominator(1000) for one in values)
    except (TypeError, ValueError, OverflowError):
        factors = ()
    if not 1 <= len(factors) <= 3 or min(factors) <= 0:
        raise UncheckError(
            f"scale is {scale!r}: give one to three positive numbers, one for each of the last axes"
        )
    return factors if isinstance(scale, Sequence) else factors[0]


Intercepted = tuple[Any, Callable[[], None]]
"""What the calls of a function ran before they could be seen, and how to have them so again."""


def _intercept(function: Any, name: str) -> Intercepted:
    """Let `run_taught` or a watcher see the calls of a function."""
    if isinstance(function, type) and issubclass(function, nn.Module):
        return function, _noted(_MODULES, function, name)
    if isinstance(function, type) and issubclass(function, torch.autograd.Function):
        return _intercept_apply(function, name)
    if type(function).__name__ == "OpOverloadPacket" or _is_torch(function):
        return function, _noted(_FUNCTIONS, function, name)
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
        known = _SCRIPTED.get(self)
        return call(self, *args, **kwargs) if known is None else run_taught(known, args, kwargs)

    seen.original = call  # type: ignore[attr-defined]
    kind.__call__ = seen
    forget = _noted(_SCRIPTED, function, name)

    def undo() -> None:
        forget()
        if not _SCRIPTED:
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
