"""The fused upsampler in eager mode: either form forward, and a backward pass of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from uncheck.layers.algebra import Fusing, fused_weight
from uncheck.layers.forms import (
    cut_ends,
    input_pads,
    pad_input,
    phase_form,
    phase_weight,
    phase_weight_of_fused,
    transposed_form,
)
from uncheck.layers.phase_conv import apply_phases
from uncheck.phases.axes import conv_transpose, flat_pads


class Forms:
    """Constants of the fused forms of one layer.

    Attributes:
        plan: the sizes of the fused kernel and its output.
        transposed: arguments of the transposed convolution.
        phases: the phase form; None where there is none, or with groups.
        pads: calls that continue the input, see `input_pads`.
        groups: of the convolution.
    """

    def __init__(self, plan: Fusing, groups: int) -> None:
        self.plan, self.groups = plan, groups
        self.transposed, self.pads = transposed_form(plan), input_pads(plan)
        self.phases = phase_form(plan) if groups == 1 else None


@dataclass(frozen=True)
class Weights:
    """The maps from a convolution's taps to the fused ones, in its type and on its device.

    Attributes:
        transposed: (prod(taps), prod(k)).
        phases: (prod(s) * prod(phase taps), prod(k)), None where there is no phase form.
    """

    transposed: Tensor
    phases: Tensor | None

    def to(self, dtype: torch.dtype) -> Weights:
        """Return the maps in another type."""
        return Weights(self.transposed.to(dtype), None if self.phases is None else self.phases.to(dtype))


def apply_transposed(x: Tensor, fused: Tensor, bias: Tensor | None, forms: Forms) -> Tensor:
    """Upsample by one transposed convolution; differentiable through torch's own rules."""
    form = forms.transposed
    y = conv_transpose(x, fused, bias, form.stride, form.padding, form.output_padding, forms.groups)
    return cut_ends(y, form.cut)


class FusedFunction(torch.autograd.Function):
    """y = the fused upsampler, by either form forward and by the transposed form backward.

    Why not torch's own backward: on the CPU it sums the gradient of a transposed convolution's bias on a slow
    path where the layout is channels_last (torch 2.13), and the phases are written in place.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(
        x: Tensor,
        fused: Tensor,
        bias: Tensor | None,
        forms: Forms,
        out_size: tuple[int, ...] | None,
        channels_last: bool,
    ) -> Tensor:
        """Compute the output from the fused weight; see `compute`."""
        return compute(x, fused, bias, None, forms, out_size, channels_last)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep what the backward pass needs."""
        x, fused, bias, ctx.forms, _, ctx.channels_last = inputs
        ctx.save_for_backward(x, fused, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """Return the gradients of input, fused weight and bias."""
        x, fused, bias = ctx.saved_tensors
        needed = ctx.needs_input_grad[:3]
        if not torch.is_grad_enabled():
            plain = _gradients(gradients[0], x, fused, needed, ctx.forms, ctx.channels_last)
            return *plain, None, None, None
        # a second derivative is wanted: through torch's own rules
        y = apply_transposed(x, fused, bias, ctx.forms)
        wanted = [t for t, need in zip((x, fused, bias), needed, strict=True) if need]
        found = iter(torch.autograd.grad(y, wanted, gradients[0], create_graph=True))
        return *(next(found) if need else None for need in needed), None, None, None


def run(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    weights: Weights | None,
    forms: Forms,
    form: str,
    channels_last: bool,
    training: bool,
) -> Tensor:
    """Continue the input, then `compute` by the form "transposed" or "phases", with or without gradients."""
    size = None
    if form == "phases" and forms.phases is not None:
        axes = zip(forms.plan.scale_factor, x.shape[2:], forms.plan.margin, strict=True)
        size = tuple(s * n + margin for s, n, margin in axes)
    if channels_last:
        x = x.contiguous(memory_format=memory_format(x.ndim - 2, True))
    x = pad_input(x, forms.pads)
    if training:
        fused = _fuse(weight, weights, forms, channels_last)
        y: Tensor = FusedFunction.apply(x, fused, bias, forms, size, channels_last)  # type: ignore[no-untyped-call]
        return y
    return compute(x, weight, bias, weights, forms, size, channels_last)


def compute(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    weights: Weights | None,
    forms: Forms,
    out_size: tuple[int, ...] | None,
    channels_last: bool,
) -> Tensor:
    """Compute the output by the form asked for.

    Args:
        x: (batch, in, *size), continued beyond its ends.
        weight: of the convolution, (out, in / groups, *k); or the fused one where `weights` is None.
        bias: (out,) or None.
        weights: the maps from the convolution's taps to the fused ones.
        forms: of the layer.
        out_size: pixels of the output for the phase form; None for the transposed form.
        channels_last: layout of the output.
    """
    if out_size is None or forms.phases is None:
        return apply_transposed(x, _fuse(weight, weights, forms, channels_last), bias, forms)
    if weights is None or weights.phases is None:
        stacked = phase_weight_of_fused(weight, forms.phases)
    else:
        stacked = phase_weight(weight, weights.phases, forms.phases)
    return apply_phases(x, stacked, bias, forms.phases, out_size, memory_format(x.ndim - 2, channels_last))


def memory_format(ndim: int, channels_last: bool) -> torch.memory_format:
    """Return torch's name of the layout."""
    if not channels_last or ndim == 1:
        return torch.contiguous_format
    return torch.channels_last if ndim == 2 else torch.channels_last_3d


def _fuse(weight: Tensor, weights: Weights | None, forms: Forms, channels_last: bool) -> Tensor:
    if weights is None:
        return weight
    return fused_weight(weight, weights.transposed, forms.plan.taps, forms.groups, channels_last)


def _gradients(
    gy: Tensor, x: Tensor, fused: Tensor, needed: tuple[bool, ...], forms: Forms, channels_last: bool
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    gb = gy.sum([0, *range(2, gy.ndim)]) if needed[2] else None
    if not (needed[0] or needed[1]):
        return None, None, gb
    form = forms.transposed
    pads = flat_pads(form.cut)
    if any(pads):
        gy = F.pad(gy, pads)
    gy = gy.contiguous(memory_format=memory_format(x.ndim - 2, channels_last))
    gx, gh, _ = torch.ops.aten.convolution_backward(
        gy,
        x,
        fused,
        None,
        form.stride,
        form.padding,
        [1] * len(form.stride),
        True,
        form.output_padding,
        forms.groups,
        [*needed[:2], False],
    )
    return gx, gh, gb
