"""One layer as sizes: kernel, stride, padding, output padding, dilation, direction."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass

from uncheck.errors import UncheckError

Sizes = int | Sequence[int]
"""One integer for all axes, or one per axis in tensor order (depth, height, width)."""


@dataclass(frozen=True)
class Layer:
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
        for name, lowest in (
            ("kernel_size", 1),
            ("stride", 1),
            ("padding", 0),
            ("output_padding", 0),
            ("dilation", 1),
        ):
            sizes = getattr(self, name)
            if len(sizes) != self.ndim:
                raise UncheckError(
                    f"{name} has {len(sizes)} axes and kernel_size {self.ndim}: give the same number"
                )
            for size in sizes:
                if size < lowest:
                    raise UncheckError(f"{name} must be at least {lowest}, not {size}: change it in {sizes}")
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


def expand(name: str, sizes: Sizes, ndim: int) -> tuple[int, ...]:
    """Return one integer per axis, from one integer for all axes or from a sequence.

    Raises:
        UncheckError: a size is not an integer, or the sequence has another length than ndim.
    """
    given = list(sizes) if isinstance(sizes, Sequence) and not isinstance(sizes, str) else [sizes] * ndim
    if len(given) != ndim:
        raise UncheckError(
            f"{name} {tuple(given)} has {len(given)} axes where {ndim} were expected: give {ndim}"
        )
    try:
        return tuple(operator.index(size) for size in given)
    except TypeError:
        raise UncheckError(f"{name} must be an integer or one integer per axis, not {sizes!r}") from None


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

    Args:
        kernel_size: taps, >= 1.
        stride: pixels, >= 1.
        padding: pixels, >= 0.
        output_padding: pixels, 0 <= it < max(stride, dilation).
        dilation: pixels, >= 1.
        ndim: number of axes, 1 to 3; taken from the sequences given, else 2.
        transposed: False for a plain convolution.

    Returns:
        The layer, every size expanded to one integer per axis.

    Raises:
        UncheckError: see Layer.
    """
    named = {
        "kernel_size": kernel_size,
        "stride": stride,
        "padding": padding,
        "output_padding": output_padding,
        "dilation": dilation,
    }
    lengths = [len(sizes) for sizes in named.values() if isinstance(sizes, Sequence)]
    axes = ndim if ndim is not None else (lengths[0] if lengths else 2)
    if not 1 <= axes <= 3:
        raise UncheckError(f"a layer has 1, 2 or 3 axes, not {axes}: give 1 to 3 sizes")
    expanded = {name: expand(name, sizes, axes) for name, sizes in named.items()}
    return Layer(**expanded, transposed=transposed)


def output_size(layer: Layer, input_size: Sizes) -> tuple[int, ...]:
    """Return the output size of a layer, equal to torch's.

    Transposed: (n - 1) s - 2 p + d (k - 1) + output_padding + 1.
    Plain: floor((n + 2 p - d (k - 1) - 1) / s) + 1.

    Args:
        layer: the layer.
        input_size: pixels per axis, >= 1.

    Returns:
        Pixels per axis, all >= 1.

    Raises:
        UncheckError: the input is empty, has other axes than the layer, or the output would be empty.

    Source: torch.nn.ConvTranspose2d and torch.nn.Conv2d, "Shape".
    """
    sizes = expand("input_size", input_size, layer.ndim)
    result = []
    for axis, size in enumerate(sizes):
        if size < 1:
            raise UncheckError(f"input_size must be at least 1, not {size}: change it in {sizes}")
        reach = layer.dilation[axis] * (layer.kernel_size[axis] - 1) + 1
        stride, padding = layer.stride[axis], layer.padding[axis]
        if layer.transposed:
            out = (size - 1) * stride - 2 * padding + reach + layer.output_padding[axis]
        else:
            out = (size + 2 * padding - reach) // stride + 1
        if out < 1:
            raise UncheckError(
                f"the output would have {out} pixels on axis {axis}: input {size}, padding {padding}, kernel "
                f"{layer.kernel_size[axis]}; enlarge the input or lower the padding"
            )
        result.append(out)
    return tuple(result)
