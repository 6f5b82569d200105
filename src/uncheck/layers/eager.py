"""The fused upsampler with a backward pass of its own, for training in eager mode on the CPU."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from uncheck.layers.algebra import Fusing
from uncheck.layers.forms import (
    PhaseForm,
    TransposedForm,
    conv_transpose,
    cut_ends,
    phase_weight,
    transposed_form,
)
from uncheck.layers.phase_conv import apply_phases


@dataclass(frozen=True)
class Forms:
    """Everything the fused forms of one layer need beside weight and input; the matrices in float64.

    Attributes:
        fusing: the plan.
        transposed: arguments of the transposed convolution.
        phases: the phase form, None where there is none.
        matrix: (prod(taps), prod(k)), from the convolution's taps to the fused ones.
        groups: of the convolution.

    """

    fusing: Fusing
    transposed: TransposedForm
    phases: PhaseForm | None
    matrix: Tensor
    groups: int


def fused_weight(weight: Tensor, matrix: Tensor, taps: list[int], groups: int, channels_last: bool) -> Tensor:
    """Give the transposed convolution's weight, (in, out / groups, *taps), laid out as the kernel reads it fastest.

    Args:
        weight: (out, in / groups, *k).
        matrix: (prod(taps), prod(k)), of the weight's type and device.
        taps: of the fused kernel, per axis.
        groups: of the convolution.
        channels_last: whether the input is; then taps go outermost, which oneDNN takes without a copy.

    """
    out, inside = weight.shape[0], weight.shape[1]
    if channels_last and groups == 1:
        tall = matrix @ weight.flatten(2).permute(2, 1, 0).reshape(-1, inside * out)
        return tall.reshape(matrix.shape[0], inside, out).permute(1, 2, 0).unflatten(2, taps)
    wide = weight.reshape(out * inside, -1) @ matrix.t()
    if groups == 1:
        return wide.reshape([out, inside] + taps).transpose(0, 1)
    split = wide.reshape([groups, out // groups, inside] + taps).transpose(1, 2)
    return split.reshape([groups * inside, out // groups] + taps)


def apply_transposed(
    x: Tensor, weight: Tensor, bias: Tensor | None, matrix: Tensor, forms: Forms, channels_last: bool
) -> Tensor:
    """Upsample by one transposed convolution; differentiable through torch's own rules."""
    fused = fused_weight(weight, matrix, list(forms.fusing.taps), forms.groups, channels_last)
    form = forms.transposed
    y = conv_transpose(
        x, fused, bias, list(form.stride), list(form.padding), list(form.output_padding), forms.groups
    )
    return cut_ends(y, list(form.cut))


class Fused(torch.autograd.Function):
    """y = the fused upsampler, by either form forward and by the transposed form backward.

    Why not torch's own backward: it sums the gradient of the bias of a transposed convolution on a path that took
    up to four times as long as both other gradients (channels_last, torch 2.13), and the phases are written in
    place. Only the input and the k x k weight are kept for the backward pass.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        forms: Forms,
        by_phases: bool,
        out_size: tuple[int, ...],
        channels_last: bool,
    ) -> Tensor:
        """Compute the output; x continued beyond its ends."""
        return compute(x, weight, bias, forms, by_phases, out_size, channels_last)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep what the backward pass needs."""
        x, weight, bias, ctx.forms, _, _, ctx.channels_last = inputs
        ctx.save_for_backward(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """Give the gradients of input, weight and bias."""
        x, weight, bias = ctx.saved_tensors
        (gy,) = gradients
        forms: Forms = ctx.forms
        needed = ctx.needs_input_grad[:3]
        if torch.is_grad_enabled():
            # a second derivative is wanted: through torch's own rules
            wanted = [t for t, need in zip((x, weight, bias), needed, strict=True) if need]
            y = apply_transposed(x, weight, bias, forms.matrix.to(weight), forms, ctx.channels_last)
            found = iter(torch.autograd.grad(y, wanted, gy, create_graph=True))
            return *(next(found) if need else None for need in needed), None, None, None, None
        return *_gradients(gy, x, weight, needed, forms, ctx.channels_last), None, None, None, None


def compute(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    forms: Forms,
    by_phases: bool,
    out_size: tuple[int, ...],
    channels_last: bool,
) -> Tensor:
    """Compute the output by the form asked for, without gradients."""
    if not by_phases or forms.phases is None:
        return apply_transposed(x, weight, bias, forms.matrix.to(weight), forms, channels_last)
    stacked = phase_weight(weight, forms.phases.matrix.to(weight), forms.phases)
    return apply_phases(x, stacked, bias, forms.phases, out_size, memory_format(x.ndim - 2, channels_last))


def memory_format(ndim: int, channels_last: bool) -> torch.memory_format:
    """Give torch's name of the layout."""
    if not channels_last or ndim == 1:
        return torch.contiguous_format
    return torch.channels_last if ndim == 2 else torch.channels_last_3d


def _gradients(
    gy: Tensor,
    x: Tensor,
    weight: Tensor,
    needed: tuple[bool, ...],
    forms: Forms,
    channels_last: bool,
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    gx = gw = gb = None
    if needed[2]:
        gb = gy.sum([0, *range(2, gy.ndim)])
    if not (needed[0] or needed[1]):
        return gx, gw, gb
    form = forms.transposed
    pads = [n for pair in reversed(form.cut) for n in pair]
    if any(pads):
        gy = torch.nn.functional.pad(gy, pads)
    gy = gy.contiguous(memory_format=memory_format(x.ndim - 2, channels_last))
    matrix = forms.matrix.to(weight)
    fused = fused_weight(weight, matrix, list(forms.fusing.taps), forms.groups, channels_last)
    ones = [1] * (x.ndim - 2)
    gx, gh, _ = torch.ops.aten.convolution_backward(
        gy, x, fused, None, list(form.stride), list(form.padding), ones, True, list(form.output_padding),
        forms.groups, [needed[0], needed[1], False],
    )  # fmt: skip
    if gh is not None:
        out, inside = weight.shape[:2]
        groups = forms.groups
        tall = gh.reshape(groups, inside, out // groups, -1).transpose(1, 2).reshape(out * inside, -1)
        gw = (tall @ matrix).reshape(weight.shape)
    return gx, gw, gb


def make_forms(fusing: Fusing, phases: PhaseForm | None, matrix: Tensor, groups: int) -> Forms:
    """Gather the forms of a layer; the phase form holds for one group only."""
    return Forms(fusing, transposed_form(fusing), phases if groups == 1 else None, matrix, groups)
