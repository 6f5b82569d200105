"""One upsampling step of a network, and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass

from uncheck.phases import PhaseKernel
from uncheck.reading.watch import CallKey


@dataclass(frozen=True)
class Stage:
    """One upsampling step, in forward order.

    Attributes:
        index: position among the stages.
        name: path of the layer; for a functional call the path of its caller, a dot and the function.
        call: how many times this name had made a stage before, for shared and repeated layers.
        kind: "transposed", "sub-pixel", "nearest", "linear", "cubic", "un-patchify" or "unpool".
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
        even_key: the call whose output a counterfactual evens: the convolution after a resize if nothing
            else reads the resize, else the upsampling call itself.
        even_axes: which axes of that output are spatial.
    """

    index: int
    name: str
    call: int
    kind: str
    ndim: int
    stride: tuple[int | float, ...]
    kernel_size: tuple[int, ...]
    padding: tuple[int, ...]
    output_padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    overlap: str
    kernel: PhaseKernel | None
    exact: bool
    output_size: tuple[int, ...]
    output_period: tuple[int, ...] | None
    key: CallKey
    even_key: CallKey
    even_axes: tuple[int, ...]

    def __str__(self) -> str:
        """One line: name, kind, stride, kernel and period."""
        period = (
            "reaches no output grid" if self.output_period is None else f"period {_sizes(self.output_period)}"
        )
        kernel = f"kernel {_sizes(self.kernel_size)}, " if self.kernel_size != self.stride else ""
        overlap = f"{self.overlap} overlap, " if self.overlap != "none" else ""
        again = f" (call {self.call})" if self.call else ""
        return f"{self.name}{again}: {self.kind} x{_sizes(self.stride)}, {kernel}{overlap}{period}"


def _sizes(values: tuple[int | float, ...]) -> str:
    """Sizes as a reader writes them: one number where all axes agree."""
    return f"{values[0]:g}" if len(set(values)) == 1 else "x".join(f"{value:g}" for value in values)
