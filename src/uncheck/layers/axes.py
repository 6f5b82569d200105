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


def symmetric_padding(padding: Any, kernel_size: Sequence[int], dilation: Sequence[int]) -> tuple[int, ...]:
    """Give the padding per axis; None keeps the size, d (k - 1) / 2.

    Raises:
        ValueError: an even kernel with padding on both sides, which would shift by half a pixel.

    """
    ndim = len(kernel_size)
    extents = [d * (k - 1) + 1 for k, d in zip(kernel_size, dilation, strict=True)]
    if padding is None or padding == "same":
        result = tuple((extent - 1) // 2 for extent in extents)
    else:
        result = per_axis("padding", padding, ndim, 0)
    for extent, p in zip(extents, result, strict=True):
        if extent % 2 == 0 and (p > 0 or padding is None or padding == "same"):
            raise ValueError(
                f"an even kernel (kernel_size {tuple(kernel_size)}, dilation {tuple(dilation)}) cannot be "
                "padded alike on both sides: use an odd kernel_size, or padding=0"
            )
    return result
