"""The kernel of two upsamplers in a row."""

from __future__ import annotations

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.phases.axes import conv_transpose
from uncheck.phases.kernel import PhaseKernel, check_entries, phase_sums


def compose(first: PhaseKernel, second: PhaseKernel) -> PhaseKernel:
    """Return the kernel of `first` followed by `second`:  h[v] = sum_{u + s2 t = v} h2[u] h1[t].

    Stride s1 s2, offset o2 + s2 o1, margin g2 + s2 g1. The bias of the first passes through the second,
    which makes it one per phase of s1 s2, unless the second has stride 1 and the first bias is per channel.

    Args:
        first: applied to the input.
        second: applied to the output of first; takes as many channels as first gives.

    Returns:
        The kernel, equal to the pair where the second reads no pixel beyond the border of the first's output.

    Raises:
        UncheckError: channels or axes do not agree, or the kernel is too large to hold.

    Cost: prod(k1) prod(k2) * in * middle * out multiplications.

    Example:
        >>> twice = PhaseKernel(torch.ones(1, 1, 2), stride=(2,))
        >>> compose(twice, twice)
        PhaseKernel(1 -> 1 channels, kernel 4, stride 4, offset (0,), margin (0,), bias none, torch.float32)
    """
    if first.ndim != second.ndim or first.out_channels != second.in_channels:
        raise UncheckError(
            f"the first kernel gives {first.out_channels} channels on {first.ndim} axes, the second takes "
            f"{second.in_channels} on {second.ndim}: compose kernels that fit"
        )
    steps = second.stride
    k = [s * (a - 1) + b for s, a, b in zip(steps, first.kernel_size, second.kernel_size, strict=True)]
    check_entries((second.out_channels, first.in_channels, *k), "the composed kernel")
    weight = conv_transpose(first.weight.transpose(0, 1), second.weight.transpose(0, 1), stride=steps)
    support = None
    gaps = any(s > b for s, b in zip(steps, second.kernel_size, strict=True))
    if first.support is not None or second.support is not None or gaps:
        ones = [one.support_mask()[None, None].to(weight.dtype) for one in (first, second)]
        support = conv_transpose(ones[0], ones[1], stride=steps)[0, 0] > 0
    return PhaseKernel(
        weight.transpose(0, 1),
        tuple(a * b for a, b in zip(first.stride, steps, strict=True)),
        _bias(first, second),
        tuple(b + s * a for a, b, s in zip(first.offset, second.offset, steps, strict=True)),
        tuple(b + s * a for a, b, s in zip(first.margin, second.margin, steps, strict=True)),
        support,
    )


def _bias(first: PhaseKernel, second: PhaseKernel) -> Tensor | None:
    if first.bias is None and (second.bias is None or second.bias.ndim == 1):
        return second.bias
    if first.bias is not None and first.bias.ndim == 1 and max(second.stride) == 1:
        through = second.weight.flatten(2).sum(2) @ first.bias
        return through if second.bias is None else through + second.phase_bias().flatten()
    total = [a * b for a, b in zip(first.stride, second.stride, strict=True)]
    # b[p] = sum_{j < s1} F[p + o2 - s2 j mod s1 s2] b1[j], with F the second kernel folded to s1 s2
    folded = phase_sums(second.weight, total, [0] * first.ndim)
    for axis in range(first.ndim):
        p = torch.arange(total[axis], device=folded.device)[:, None] + second.offset[axis]
        j = torch.arange(first.stride[axis], device=folded.device)[None, :]
        index = (p - second.stride[axis] * j) % total[axis]
        folded = folded[(slice(None),) * (2 + 2 * axis) + (index,)]
    pixels, phases = "xyz"[: first.ndim], "uvw"[: first.ndim]
    pairs = "".join(a + b for a, b in zip(pixels, phases, strict=True))
    through = torch.einsum(f"oc{pairs},c{phases}->o{pixels}", folded, first.phase_bias())
    return through + second.phase_bias().repeat([1, *first.stride])
