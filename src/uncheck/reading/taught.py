"""Operations that users taught to reading, and who watches their calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from torch import nn

from uncheck.errors import UncheckError


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


BY_NAME: dict[str, Taught] = {}
FUNCTIONS: dict[Any, str] = {}
MODULES: dict[Any, str] = {}
SCRIPTED: dict[Any, str] = {}
"""What was registered by name, and the names by torch function, class of modules and scripted function."""
WATCHING: list[Watching] = []
"""Who watches the calls, the last one first."""


def taught_by_name(name: str) -> Taught | None:
    """Return what was registered under the name of a call."""
    return BY_NAME.get(name)


def taught_by_function(function: Any) -> Taught | None:
    """Return what was registered for a torch function or operator as a function mode sees it."""
    if not FUNCTIONS:
        return None
    try:
        return BY_NAME.get(FUNCTIONS.get(plain_operator(function), ""))
    except TypeError:  # not hashable
        return None


def taught_by_module(module: nn.Module) -> Taught | None:
    """Return what was registered for a module's class or one of its bases."""
    if not MODULES:
        return None
    return next((BY_NAME.get(MODULES[kind]) for kind in type(module).__mro__ if kind in MODULES), None)


def show_to(watcher: Watching) -> None:
    """Show a watcher the calls of what was registered, until `hide_from`."""
    WATCHING.append(watcher)


def hide_from(watcher: Watching) -> None:
    """Show them to whoever watched before; once is enough."""
    if watcher in WATCHING:
        WATCHING.remove(watcher)


def run_taught(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a registered function, seen by whoever watches; its wrapper calls this."""
    taught = BY_NAME[name]
    if not WATCHING:
        return taught.original(*args, **kwargs)
    return WATCHING[-1].on_taught(taught, args, kwargs)


def plain_operator(function: Any) -> Any:
    """Return the operator that an overload is one of; other functions as they are."""
    return getattr(function, "overloadpacket", function)
