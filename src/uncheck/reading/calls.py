"""The arguments of recorded calls, by name and one entry per axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from string import ascii_letters
from typing import Any

from torch import Tensor

from uncheck.reading.graph import Node, Slot
from uncheck.reading.signatures import SIGNATURES
from uncheck.reading.tables import (
    CONVOLUTION,
    PAD,
    POOL,
    RESIZE,
    SCALING,
    SHUFFLE,
    TRANSPOSED,
    UNPOOL,
    UNSHUFFLE,
)
from uncheck.reading.taught import taught_by_name


def arguments(node: Node) -> dict[str, Any]:
    """Return the arguments of a call by name, for functions in `SIGNATURES`; tensors are `Slot`s."""
    names = SIGNATURES.get(node.name, "input dim keepdim").split()
    return dict(zip(names, node.args, strict=False)) | node.kwargs


def einsum_letters(node: Node) -> tuple[list[str], str] | None:
    """Return the letters of each operand of an einsum and of its result, those of `...` written out.

    None where the equation is not written in letters or one repeats within an operand, as for a diagonal.
    """
    equation, *operands = node.args
    if len(operands) == 1 and isinstance(operands[0], tuple | list):
        operands = list(operands[0])
    if not isinstance(equation, str) or "->" not in equation:
        return None
    left, result = equation.replace(" ", "").split("->")
    terms = left.split(",")
    if len(terms) != len(operands) or not all(isinstance(one, Slot) for one in operands):
        return None
    spare = "".join(sorted(set(ascii_letters) - set(equation)))
    ranks = [len(one.shape) - len(term.replace("...", "")) for one, term in zip(operands, terms, strict=True)]
    ranks = [rank for rank, term in zip(ranks, terms, strict=True) if "..." in term]
    most = max(ranks, default=0)
    hidden = [spare[most - rank : most] for rank in ranks][::-1]
    terms = [term.replace("...", hidden.pop()) if "..." in term else term for term in terms]
    if any(len(set(term)) < len(term) for term in terms):
        return None
    return terms, result.replace("...", spare[:most])


def torch_sizes(value: Any, ndim: int, default: int = 1) -> tuple[int, ...]:
    """Return one integer per axis from an integer, a sequence of one or `ndim`, or None for the default."""
    if value is None or value == ():
        return (default,) * ndim
    if isinstance(value, Sequence):
        return tuple(int(item) for item in value) if len(value) == ndim else (int(value[0]),) * ndim
    return (int(value),) * ndim


def axes_of(dim: Any, rank: int) -> tuple[int, ...]:
    """Return the axes that an argument names, one or several, counted from the first.

    >>> axes_of(-1, 4), axes_of([2, -1], 4)
    ((3,), (2, 3))
    """
    return tuple(int(one) % rank for one in (dim if isinstance(dim, tuple | list) else (dim,)))


@dataclass(frozen=True)
class Convolution:
    """The arguments of a plain or transposed convolution, one entry per axis.

    Attributes:
        weight: as torch's function takes it; None if unknown.
        padding: at the start and end of each axis, as (start, end).
    """

    weight: Tensor | None
    bias: Tensor | None
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    output_padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    transposed: bool

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(self.stride)

    @property
    def starts(self) -> tuple[int, ...]:
        """Padding at the start of each axis."""
        return tuple(start for start, _ in self.padding)


def convolution(node: Node) -> Convolution | None:
    """Return the convolution that a call makes, plain or transposed; None for other calls."""
    if node.name not in CONVOLUTION.names | TRANSPOSED.names:
        return None
    given = arguments(node)
    weight, bias = given.get("weight"), given.get("bias")
    if not isinstance(weight, Slot):
        return None
    ndim = len(weight.shape) - 2
    kernel = weight.shape[2:]
    dilation = torch_sizes(given.get("dilation"), ndim)
    padding = given.get("padding")
    if isinstance(padding, str):  # torch puts the odd one of "same" at the end
        total = [d * (k - 1) if padding == "same" else 0 for d, k in zip(dilation, kernel, strict=True)]
        pads = tuple((t // 2, t - t // 2) for t in total)
    else:
        pads = tuple((p, p) for p in torch_sizes(padding, ndim, 0))
    return Convolution(
        weight.value,
        bias.value if isinstance(bias, Slot) else None,
        kernel,
        torch_sizes(given.get("stride"), ndim),
        pads,
        torch_sizes(given.get("output_padding"), ndim, 0),
        dilation,
        int(given.get("groups", 1)),
        node.name in TRANSPOSED.names or given.get("transposed") is True,
    )


def resize_factors(node: Node) -> tuple[Fraction, ...]:
    """Return output over input pixels per axis of an interpolation."""
    given = arguments(node)
    before, after = main_input(node).shape[2:], node.shape[2:]
    scale = given.get("scale_factor")
    if scale is None or given.get("recompute_scale_factor"):
        return tuple(Fraction(b, a) for a, b in zip(before, after, strict=True))
    scales = scale if isinstance(scale, Sequence) else (scale,) * len(before)
    return tuple(Fraction(float(one)).limit_denominator(1000) for one in scales)


def slice_steps(node: Node) -> tuple[int, ...]:
    """Return the steps of the slices in `x[...]` or `x[...] = y`, at least one; a dropped axis has none."""
    steps = [part.step for part in index_parts(node) if isinstance(part, slice)]
    return tuple(step if isinstance(step, int) else 1 for step in steps) or (1,)


def slices(node: Node) -> tuple[slice, ...] | None:
    """Return the slice that `x[...]` takes along each axis; None if axes are dropped, added or indexed."""
    rank = len(main_input(node).shape)
    parts = index_parts(node)
    places = [place for place, part in enumerate(parts) if part is Ellipsis]
    if places:
        fill = (slice(None),) * (rank - len(parts) + 1)
        parts = (*parts[: places[0]], *fill, *parts[places[0] + 1 :])
    if not all(isinstance(part, slice) for part in parts):
        return None
    return (*parts, *[slice(None)] * (rank - len(parts)))


def index_parts(node: Node) -> tuple[Any, ...]:
    """Return the index in `x[index]` or `x[index] = y` as a tuple."""
    index = arguments(node).get("index")
    return index if isinstance(index, tuple) else (index,)


def main_input(node: Node) -> Slot:
    """Return the first tensor that a call took."""
    for value in (*node.args, *node.kwargs.values()):
        if isinstance(value, Slot):
            return value
        if isinstance(value, tuple | list) and value and isinstance(value[0], Slot):
            return value[0]
    return Slot(None, ())


def scales(node: Node) -> tuple[Fraction, ...] | None:
    """Return the output pixels per input pixel of each spatial axis; None where that is no fixed number.

    The spatial axes are the last of the tensor. An axis pooled to one pixel has scale 0.
    """
    conv = convolution(node)
    if conv is not None:
        return tuple(Fraction(s) if conv.transposed else Fraction(1, s) for s in conv.stride)
    if node.name in SCALING.names:
        taught = taught_by_name(node.key.function)
        return taught.factors(len(node.shape)) if taught is not None else None
    if node.name in RESIZE.names:
        return resize_factors(node)
    if node.name in SHUFFLE.names:
        return (Fraction(int(arguments(node)["upscale_factor"])),) * 2
    if node.name in UNSHUFFLE.names:
        return (Fraction(1, int(arguments(node)["downscale_factor"])),) * 2
    if node.name in UNPOOL.names:
        return tuple(Fraction(s) for s in pool_sizes(node)[1])
    if node.name.startswith("adaptive"):
        ndim = int(node.name.split("pool")[1][0])
        pairs = zip(main_input(node).shape[-ndim:], node.shape[-ndim:], strict=True)
        found = [Fraction(0) if b == 1 else Fraction(b, a) for a, b in pairs]
        return None if any(f.numerator > 1 for f in found) else tuple(found)
    if node.name in POOL.names:
        return tuple(Fraction(1, s) for s in pool_sizes(node)[1])
    return None


def pool_sizes(node: Node) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the window and the stride of a pooling or unpooling; of adaptive pooling the largest of each."""
    ndim = int(node.name.split("pool")[1][0])
    if node.name.startswith("adaptive"):
        pairs = zip(main_input(node).shape[-ndim:], node.shape[-ndim:], strict=True)
        kernel = tuple(-(-a // b) for a, b in pairs)
        return kernel, kernel
    given = arguments(node)
    kernel, stride = torch_sizes(given.get("kernel_size"), ndim), given.get("stride")
    return kernel, kernel if stride in (None, (), []) else torch_sizes(stride, ndim)


def pad_of(node: Node) -> tuple[str, tuple[tuple[int, int], ...]] | None:
    """Return mode and amount of a call that pads; None for other calls."""
    if node.name not in PAD.names:
        return None
    given = arguments(node)
    flat = given.get("pad")
    if not isinstance(flat, tuple | list) or not all(isinstance(n, int) for n in flat):
        return None
    amount = tuple((flat[i], flat[i + 1]) for i in range(0, len(flat) - 1, 2))[::-1]
    if node.name.startswith("reflection"):
        return "reflect", amount
    if node.name.startswith("replication"):
        return "replicate", amount
    mode = str(given.get("mode", "constant"))
    if mode == "constant":
        return ("constant" if given.get("value") else "zero"), amount
    return mode, amount
