"""One published architecture: how it is built, and its upsampling stages as its code has them, by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

#: The files with the cases, one a library.
LIBRARIES = (
    "diffusers",
    "transformers",
    "audio",
    "smp",
    "monai",
    "spandrel",
    "kornia",
    "timm",
    "torchvision",
)

#: What can be done about what an untrained network shows.
CURES = {
    "even": 'equal gains: `swap(to="equal_gain")`, or `to="resize"`',
    "icnr": "start with `icnr_`",
    "mixed": '`icnr_`, and `swap(to="equal_gain")` for its transposed layers',
    "resize": "none needed of first order: it resizes",
    "fixed": "none: fixed filters",
    "nothing": "none: it does not upsample",
}


@dataclass(frozen=True)
class Up:
    """One upsampling stage as the architecture's code has it.

    Args:
        kind: as `uncheck.reading.Stage` calls it; several with | between where two names are as good.
        stride: output positions per input position and axis.
        period: pixels of the output after which its lattice repeats, per axis of the output; None where it
            reaches no output map.
    """

    kind: str
    stride: tuple[float, ...]
    period: tuple[int, ...] | None


@dataclass(frozen=True)
class Case:
    """One architecture."""

    library: str
    name: str
    task: str
    cure: str
    truth: tuple[Up, ...]
    build: Callable[[], tuple[Any, tuple[Any, ...]]]
    source: str = ""


def up(kind: str, stride: Any, period: Any, ndim: int = 2, times: int = 1) -> tuple[Up, ...]:
    """One stage, or the same several times; a single number stands for all axes.

    >>> up("nearest", 2, 4)
    (Up(kind='nearest', stride=(2.0, 2.0), period=(4, 4)),)
    """
    one = Up(kind, tuple(map(float, _axes(stride, ndim))), None if period is None else _axes(period, ndim))
    return (one,) * times


def pyramid(kind: str, stride: int, steps: int, ndim: int = 2, last: int = 1) -> tuple[Up, ...]:
    """`steps` stages of one stride in a row; what follows the last enlarges by `last` more.

    >>> [stage.period for stage in pyramid("nearest", 2, 3, ndim=1)]
    [(8,), (4,), (2,)]
    """
    return sum((up(kind, stride, last * stride ** (steps - i), ndim) for i in range(steps)), ())


def _axes(value: Any, ndim: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple) else (value,) * ndim


_CASES: dict[str, Case] = {}


def case(
    name: str, task: str, cure: str, *truth: tuple[Up, ...], source: str = ""
) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Register the function that builds an architecture; `truth` are its stages in forward order."""

    def register(build: Callable[[], Any]) -> Callable[[], Any]:
        library = build.__module__.rpartition(".")[2].removeprefix("zoo_")
        if name in _CASES and _CASES[name].build.__module__ != build.__module__:
            raise ValueError(f"two architectures are called {name}")
        if cure not in CURES:
            raise ValueError(f"{name}: no cure is called {cure!r}")
        _CASES[name] = Case(library, name, task, cure, sum(truth, ()), build, source)
        return build

    return register


def cases() -> dict[str, Case]:
    """All architectures, by name, in the order of LIBRARIES; no library is imported."""
    for library in LIBRARIES:
        import_module(f"zoo_{library}")
    return dict(sorted(_CASES.items(), key=lambda item: LIBRARIES.index(item[1].library)))
