"""Recorded weights as the one kernel form; None where a stage has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import prod
from typing import TypeGuard

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.phases import (
    PhaseKernel,
    from_conv_transpose,
    from_pixel_shuffle,
    from_resize,
    from_resize_conv,
    from_unpatchify,
)
from uncheck.reading.calls import Convolution
from uncheck.reading.layout import Layout
from uncheck.reading.neighbours import After


def transposed_kernel(conv: Convolution) -> PhaseKernel | None:
    """Return the kernel of a transposed convolution."""
    if not _real(conv.weight):
        return None
    try:
        return from_conv_transpose(
            conv.weight, conv.bias, conv.stride, conv.starts, conv.output_padding, conv.dilation, conv.groups
        )
    except UncheckError:
        return None


def resize_kernel(
    channels: int, factor: tuple[int, ...], mode: str, follower: After | None
) -> PhaseKernel | None:
    """Return the kernel of a resize, with the padding, the cropping and the convolution after it."""
    try:
        if follower is None:
            return from_resize(channels, factor, mode, ndim=len(factor))
        conv = follower.conv
        if not _real(conv.weight):
            return None
        bare = from_resize_conv(conv.weight, conv.bias, factor, mode, 0, conv.dilation, conv.groups)
    except UncheckError:
        return None
    pads = [(a + c, b + d) for (a, b), (c, d) in zip(follower.shift, conv.padding, strict=True)]
    offset = tuple(o - start for o, (start, _) in zip(bare.offset, pads, strict=True))
    margin = tuple(m + start + end for m, (start, end) in zip(bare.margin, pads, strict=True))
    return replace(bare, offset=offset, margin=margin)


def shuffle_kernel(conv: Convolution, factor: tuple[int, ...], channels: Tensor | None) -> PhaseKernel | None:
    """Return the kernel of a convolution followed by a rearrangement of its channels into phases.

    `channels` says which channel of the convolution each (out, *phase) takes; None is torch's pixel shuffle.
    """
    if not _real(conv.weight) or conv.transposed or max(conv.stride) > 1:
        return None
    weight, bias, groups = conv.weight, conv.bias, conv.groups
    if any(start != end for start, end in conv.padding):
        return None
    if channels is not None:
        order = channels.flatten().to(weight.device)
        mixed = groups > 1 and not torch.equal(order.cpu(), torch.arange(len(order)))
        if len(order) != weight.shape[0] or mixed:
            return None
        weight = weight[order]
        bias = None if bias is None else bias[order]
    try:
        return from_pixel_shuffle(weight, bias, factor, conv.starts, conv.dilation, groups)
    except UncheckError:
        return None


def patch_kernel(weight: Tensor | None, bias: Tensor | None, channels: Tensor) -> PhaseKernel | None:
    """Return the kernel of a linear layer whose features become patches, see `shuffle_kernel`."""
    if not _real(weight) or channels.numel() != weight.shape[0]:
        return None
    order = channels.to(weight.device)
    patch = tuple(channels.shape[1:])
    try:
        return from_unpatchify(weight[order], None if bias is None else bias[order], patch)
    except UncheckError:
        return None


def source_channels(layout: Layout, axis: int, dims: Sequence[int], factor: Sequence[int]) -> Tensor | None:
    """Return the source channel that each output channel and phase takes, as integers (out, *factor).

    None where some of that is held instead of read. `axis` is the channel axis of the source, `dims` are the
    spatial axes of the rearranged tensor.
    """
    phases: list[list[int]] = []
    for dim, count in zip(dims, factor, strict=True):
        inner = [atom for atom in layout[dim] if atom.axis in (axis, -1)]
        if any(atom.axis != axis for atom in inner):
            return None
        phases.append(_positions([(atom.step, atom.size) for atom in inner]))
        if len(phases[-1]) != count:
            return None
    outer = [atom for dim, run in enumerate(layout) if dim not in dims for atom in run if atom.axis == axis]
    rows = _positions([(atom.step, atom.size) for atom in outer])
    flat = [sum(parts) for parts in product(rows, *phases)]
    return torch.tensor(flat).reshape(len(rows), *factor) if len(flat) == len(rows) * prod(factor) else None


def _positions(runs: Sequence[tuple[int, int]]) -> list[int]:
    return [sum(parts) for parts in product(*(range(0, step * size, step) for step, size in runs))]


def _real(weight: Tensor | None) -> TypeGuard[Tensor]:
    return weight is not None and weight.device.type != "meta" and weight.is_floating_point()
