"""One layer as sizes: kernel, stride, padding, output padding, dilation, direction."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from uncheck.errors import UncheckError
from uncheck.geometry.axis import AxisSizes, axis_pattern, axis_size
from uncheck.plain import Brief

Sizes = int | Sequence[int]
"""One integer for all axes, or one per axis in tensor order (depth, height, width)."""

SIZES = ("kernel_size", "stride", "padding", "output_padding", "dilation")
"""The sizes of a layer, in order."""


@dataclass(frozen=True)
class Layer(Brief):
    """A convolution, transposed or plain, of which only the sizes matter.

    Args:
        kernel_size: taps per axis, >= 1.
        stride: pixels per axis, >= 1; upsampling factor if transposed, downsampling factor if plain.
        padding: pixels per axis, >= 0; cropped from the output if transposed, added to the input if plain.
        output_padding: pixels per axis added at the end of the output, 0 <= it < max(stride, dilation).
        dilation: pixels between taps per axis, >= 1.
        transposed: True for a transposed convolution.

    Raises:
        UncheckError: a size is out of range, not an integer, or the axes do not agree.
    """

    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    output_padding: tuple[int, ...]
    dilation: tuple[int, ...]
    transposed: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.ndim <= 3:
            raise UncheckError(
                f"a layer has 1, 2 or 3 axes, but kernel_size has {self.ndim}: give 1 to 3 sizes"
            )
        for name in SIZES:
            per_axis(name, getattr(self, name), self.ndim, _least(name))
        for extra, stride, dilation in zip(self.output_padding, self.stride, self.dilation, strict=True):
            if extra and not self.transposed:
                raise UncheckError(
                    f"output_padding {extra} has no meaning in a plain convolution: use 0 or transposed=True"
                )
            if extra and extra >= max(stride, dilation):
                raise UncheckError(
                    f"output_padding {extra} must be below stride {stride} or dilation {dilation}: lower it"
                )

    @property
    def ndim(self) -> int:
        """Number of spatial axes, 1 to 3."""
        return len(self.kernel_size)

    @property
    def even(self) -> bool:
        """Whether all phases of the output get the same number of taps, as `overlap` says."""
        return all(len(set(axis_pattern([self.along(axis)], object))) == 1 for axis in range(self.ndim))

    def along(self, axis: int) -> AxisSizes:
        """Return the sizes along one axis."""
        return AxisSizes(
            self.kernel_size[axis],
            self.stride[axis],
            self.padding[axis],
            self.output_padding[axis],
            self.dilation[axis],
            self.transposed,
        )


def per_axis(name: str, value: object, ndim: int, least: int | None = None) -> tuple[int, ...]:
    """Return one integer per axis, from one integer for all axes or from a sequence; 2.0 counts as 2.

    Raises:
        UncheckError: a value is no integer or too small, or the sequence has another length than ndim.

    Example:
        >>> per_axis("stride", 2, ndim=3)
        (2, 2, 2)
    """
    given = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value] * ndim
    if len(given) != ndim:
        raise UncheckError(
            f"{name} {tuple(given)} has {len(given)} axes where {ndim} were expected: give {ndim}"
        )
    try:
        sizes = tuple(_integer(one) for one in given)
    except TypeError:
        raise UncheckError(f"{name} must be an integer or one integer per axis, not {value!r}") from None
    for size in sizes:
        if least is not None and size < least:
            raise UncheckError(f"{name} must be at least {least}, not {size}: change it in {sizes}")
    return sizes


def sizes_per_axis(ndim: int, **named: Sizes) -> tuple[tuple[int, ...], ...]:
    """Return named sizes as one integer per axis, in order; paddings may be 0, all others are at least 1.

    Raises:
        UncheckError: as `per_axis`.
    """
    return tuple(per_axis(name, value, ndim, _least(name)) for name, value in named.items())


def count_axes(ndim: int | None, *sizes: object) -> int:
    """Return the number of axes: as stated, else the length of the first sequence, else 2.

    Raises:
        UncheckError: not 1, 2 or 3.
    """
    if ndim is None:
        ndim = next((len(one) for one in sizes if isinstance(one, Sequence) and not isinstance(one, str)), 2)
    if ndim not in (1, 2, 3):
        raise UncheckError(f"a layer has 1, 2 or 3 axes, not {ndim!r}: give 1 to 3 sizes")
    return ndim


def _least(name: str) -> int:
    return 0 if name.endswith("padding") else 1


def _integer(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError
    return operator.index(int(value) if isinstance(value, float) and value.is_integer() else value)


def layer(
    kernel_size: Sizes,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    dilation: Sizes = 1,
    *,
    ndim: int | None = None,
    transposed: bool = True,
) -> Layer:
    """Make a Layer from integers or sequences, as torch's layers take them.

    Sizes as in `Layer`; ndim, 1 to 3, is taken from the sequences given, else 2.

    Raises:
        UncheckError: see Layer.
    """
    given = (kernel_size, stride, padding, output_padding, dilation)
    axes = count_axes(ndim, *given)
    sizes = {name: per_axis(name, value, axes) for name, value in zip(SIZES, given, strict=True)}
    return Layer(**sizes, transposed=transposed)


def output_size(layer: Layer, input_size: Sizes) -> tuple[int, ...]:
    """Return the output size of a layer, equal to torch's.

    Transposed: (n - 1) s - 2 p + d (k - 1) + output_padding + 1.
    Plain: floor((n + 2 p - d (k - 1) - 1) / s) + 1.

    Raises:
        UncheckError: the input is empty, has other axes than the layer, or the output would be empty.

    Source: torch.nn.ConvTranspose2d and torch.nn.Conv2d, "Shape".
    """
    sizes = per_axis("input_size", input_size, layer.ndim, 1)
    result = tuple(axis_size(layer.along(axis), size) for axis, size in enumerate(sizes))
    for axis, out in enumerate(result):
        if out < 1:
            raise UncheckError(
                f"the output would have {out} pixels on axis {axis}: input {sizes[axis]}, padding "
                f"{layer.padding[axis]}, kernel {layer.kernel_size[axis]}; enlarge the input or lower the "
                "padding"
            )
    return result
