"""Operations that users teach to reading: what a function or module does to the grid of positions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from types import TracebackType
from typing import Any

from torch import nn

from uncheck.errors import UncheckError
from uncheck.reading.interception import intercept
from uncheck.reading.tables import TAUGHT, group_of
from uncheck.reading.taught import BY_NAME, Taught, plain_operator

EFFECTS = {"pointwise": "registered_pointwise", "keeps positions": "registered_keeping"}
"""What a function may do to positions, and the name that the tables have for it."""
SCALING = "registered_scaling"
KINDS = ("transposed", "sub-pixel", "nearest", "linear", "cubic", "un-patchify", "unpool")


class Registration:
    """What `register` returns: `remove()` takes the teaching back, and so does the end of a `with` block."""

    def __init__(self, taught: Taught, undo: Callable[[], None]) -> None:
        self.taught, self._undo = taught, undo

    def remove(self) -> None:
        """Forget what was registered; once is enough."""
        if BY_NAME.pop(self.taught.name, None) is not None:
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
    1 call handled, 0 ignored on purpose, none unsupported
    """
    given = [what for what in (like, effect, scale) if what is not None]
    if len(given) != 1:
        raise UncheckError("register needs one of like=, effect= and scale=: say what the function does once")
    function = plain_operator(function)
    name = _name(function)
    _check(function, name, like, effect, kind)
    factors = None if scale is None else _factors(scale)
    canonical = EFFECTS[effect] if effect is not None else SCALING if factors is not None else _known(like)
    original, undo = intercept(function, name)
    taught = Taught(name, like, factors, kind, original)
    BY_NAME[name], TAUGHT[name] = taught, canonical
    return Registration(taught, undo)


def _name(function: Any) -> str:
    if type(function).__name__ == "OpOverloadPacket":
        return str(function)
    name = getattr(function, "__name__", None) or getattr(function, "name", None)
    return str(name if isinstance(name, str) else type(function).__name__)


def _check(function: Any, name: str, like: Any, effect: str | None, kind: str) -> None:
    if name in BY_NAME:
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
