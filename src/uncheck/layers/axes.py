"""Arguments per axis: what the constructors of all layers check in the same words."""

from collections.abc import Sequence
from typing import Any

Sizes = int | Sequence[int]
"""One integer for all axes, or one per axis."""


def axes_of(ndim: int | None, *values: object) -> int:
    """Give the number of spatial axes: as stated, else the length of the first sequence, else 2.

    Raises:
        ValueError: not 1, 2 or 3.

    """
    if ndim is None:
        lengths = [len(value) for value in values if isinstance(value, tuple | list)]
        ndim = lengths[0] if lengths else 2
    if ndim not in (1, 2, 3):
        raise ValueError(f"ndim must be 1, 2 or 3, not {ndim!r}")
    return ndim


def per_axis(name: str, value: Any, ndim: int, least: int) -> tuple[int, ...]:
    """Give one integer per axis; floats that are whole numbers, such as 2.0, count as integers.

    Args:
        name: of the argument, for the message.
        value: an integer, or a sequence of ndim integers.
        ndim: number of axes.
        least: smallest value allowed.

    Raises:
        ValueError: not an integer, too small, or another number of axes.

    """
    values = list(value) if isinstance(value, tuple | list) else [value] * ndim
    if len(values) != ndim:
        raise ValueError(f"{name} must be one integer or {ndim}, one per axis, not {value!r}")
    result = []
    for one in values:
        whole = isinstance(one, int) or (isinstance(one, float) and one.is_integer())
        if isinstance(one, bool) or not whole or one < least:
            raise ValueError(f"{name} must be an integer of at least {least} on every axis, not {value!r}")
        result.append(int(one))
    return tuple(result)


def check_channels(in_channels: int, out_channels: int, groups: int) -> None:
    """Refuse channels and groups that no convolution can have.

    Raises:
        ValueError: a number below 1, or groups that do not divide both.

    """
    for name, value in (("in_channels", in_channels), ("out_channels", out_channels), ("groups", groups)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a positive integer, not {value!r}")
    for name, value in (("in_channels", in_channels), ("out_channels", out_channels)):
        if value % groups:
            raise ValueError(f"groups must divide {name}: {groups} does not divide {value}")
