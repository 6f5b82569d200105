"""One upsampling step of a network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from uncheck.geometry import Layer
from uncheck.phases import PhaseKernel
from uncheck.plain import Brief
from uncheck.reading.calls import Convolution
from uncheck.reading.graph import Node
from uncheck.reading.tables import is_in_place
from uncheck.reading.watch import WRITES, CallKey


@dataclass(frozen=True, kw_only=True)
class Stage(Brief):
    """One upsampling step, in forward order.

    Attributes:
        index: position among the stages.
        name: path of the layer; for a functional call the path of its caller, a dot and the function.
        call: how many times this name had made a stage before, for shared and repeated layers.
        kind: "transposed" (zeros inserted and blocks added up, too), "sub-pixel" (channels or tensors that
            take turns), "nearest", "linear", "cubic" (other smooth resizes, too), "un-patchify" or "unpool".
        ndim: number of spatial axes, 1 to 3.
        stride: output pixels per input pixel and axis; a float where a resize is by no integer.
        kernel_size: transposed: its own; sub-pixel: of the convolution before; resize: of the convolution
            after it if one follows directly, else the factor; un-patchify: the patch; unpool: its window.
        padding: of that convolution, per axis, at the start.
        output_padding: of a transposed convolution, else 0.
        dilation: of that convolution.
        groups: of that convolution.
        overlap: "even" or "uneven" as `uncheck.overlap` says of transposed convolutions; else "none".
        kernel: the whole stage as one kernel, the convolution included; None if unknown.
        exact: False where a nonlinearity lies inside the stage, between the convolution and the resize.
        output_size: spatial size right after the upsampling call.
        output_period: period of this stage's lattice in output pixels per output axis; None if it reaches
            none.
        key: the upsampling call.
        axes: which axes of that call's output are spatial.
        even_key: the call whose output a counterfactual evens: the convolution after a resize if nothing
            else reads the resize, else the upsampling call itself.
        even_axes: which axes of the output of `even_key` are spatial.
        node: index of the node in the graph that its lattice is followed from, along `axes`.
    """

    index: int = 0
    name: str
    call: int = 0
    kind: str
    ndim: int
    stride: tuple[int | float, ...]
    kernel_size: tuple[int, ...]
    padding: tuple[int, ...]
    output_padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    overlap: str = "none"
    kernel: PhaseKernel | None = None
    exact: bool = True
    output_size: tuple[int, ...]
    output_period: tuple[int, ...] | None = None
    key: CallKey
    axes: tuple[int, ...]
    even_key: CallKey
    even_axes: tuple[int, ...]
    node: int = -1

    @property
    def evens_whole(self) -> bool:
        """Whether `even_key` writes to a view, and the whole tensor that it is a part of is evened."""
        written = self.key.function == "(written)" and self.even_key != self.key
        return written and (is_in_place(self.even_key.function) or self.even_key.function in WRITES)

    @property
    def channels(self) -> tuple[int, int] | None:
        """Channels before and after, its convolution included; None where the stage has none, or unknown."""
        has_convolution = self.kind in ("transposed", "sub-pixel") or self.even_key != self.key
        if self.kernel is None or not has_convolution:
            return None
        out_channels, in_channels = self.kernel.weight.shape[:2]
        return in_channels, out_channels

    @property
    def own_period(self) -> tuple[int, ...]:
        """Period of its lattice right where it is made, per axis: the stride, or its numerator."""
        return tuple(Fraction(s).limit_denominator(1000).numerator for s in self.stride)

    def __str__(self) -> str:
        """Show name, kind, stride, kernel and period in a line."""
        period = (
            "reaches no output grid" if self.output_period is None else f"period {_sizes(self.output_period)}"
        )
        kernel = f"kernel {_sizes(self.kernel_size)}, " if self.kernel_size != self.stride else ""
        overlap = f"{self.overlap} overlap, " if self.overlap != "none" else ""
        again = f" (call {self.call})" if self.call else ""
        return f"{self.name}{again}: {self.kind} x{_sizes(self.stride)}, {kernel}{overlap}{period}"


def make_stage(
    node: Node,
    kind: str,
    stride: tuple[int | float, ...],
    dims: tuple[int, ...],
    conv: Convolution | None = None,
    **known: Any,
) -> Stage:
    """Make a stage of an upsampling call, without its period, with the sizes of its convolution, if any."""
    still = (0,) * len(stride)
    plain: dict[str, Any] = {
        "name": node.label,
        "ndim": len(stride),
        "kernel_size": conv.kernel_size if conv else stride,
        "padding": conv.starts if conv else still,
        "output_padding": conv.output_padding if conv else still,
        "dilation": conv.dilation if conv else (1,) * len(stride),
        "groups": conv.groups if conv else 1,
        "output_size": tuple(node.shape[dim] for dim in dims),
        "key": node.key,
        "axes": dims,
        "even_key": node.key,
        "even_axes": dims,
    }
    return Stage(kind=kind, stride=stride, **plain | known)


def stride_of(factors: Iterable[Fraction]) -> tuple[int | float, ...]:
    """Return factors as a stride: an integer where one is whole, else a float.

    >>> stride_of([Fraction(2), Fraction(3, 2)])
    (2, 1.5)
    """
    return tuple(int(factor) if factor.denominator == 1 else float(factor) for factor in factors)


def overlap_of(sizes: Layer) -> str:
    """Return the word for the overlap of a transposed convolution: "even" or "uneven".

    >>> overlap_of(Layer((4,), (2,), (1,), (0,), (1,))), overlap_of(Layer((3,), (2,), (1,), (0,), (1,)))
    ('even', 'uneven')
    """
    return "even" if sizes.even else "uneven"


def last_axes(node: Node, ndim: int) -> tuple[int, ...]:
    """Return the last axes of a node's output, which are the spatial ones of torch's own layers."""
    return tuple(range(len(node.shape) - ndim, len(node.shape)))


def _sizes(values: tuple[int | float, ...]) -> str:
    """Write sizes: one number where all axes agree."""
    return f"{values[0]:g}" if len(set(values)) == 1 else "x".join(f"{value:g}" for value in values)
