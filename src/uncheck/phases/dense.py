"""Weights as torch's modules hold them, made dense: groups expanded, dilation filled with zeros."""

from __future__ import annotations

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.geometry import Sizes
from uncheck.geometry.layer import expand
from uncheck.phases.kernel import check_entries


def axes(weight: Tensor) -> int:
    """Return the number of spatial axes of a convolution weight.

    Raises:
        UncheckError: not 1 to 3, or an empty axis.
    """
    if not 3 <= weight.ndim <= 5 or min(weight.shape) < 1:
        raise UncheckError(
            f"a convolution weight has 2 channel axes and 1 to 3 more, not shape {tuple(weight.shape)}"
        )
    return weight.ndim - 2


def sizes(ndim: int, **named: Sizes) -> list[tuple[int, ...]]:
    """Expand named sizes to one integer per axis, in order; paddings may be 0, all others are at least 1.

    Raises:
        UncheckError: a size is out of range or has another number of axes.
    """
    result = []
    for name, sizes in named.items():
        expanded = expand(name, sizes, ndim)
        lowest = 0 if name.endswith("padding") else 1
        if min(expanded) < lowest:
            raise UncheckError(f"{name} must be at least {lowest} on every axis, not {expanded}")
        result.append(expanded)
    return result


def as_bias(bias: Tensor, length: int) -> Tensor:
    """Check that a bias has one number per channel.

    Raises:
        UncheckError: it has another shape.
    """
    if tuple(bias.shape) != (length,):
        raise UncheckError(f"bias must have shape ({length},), not {tuple(bias.shape)}")
    return bias


def dense(weight: Tensor, groups: int) -> Tensor:
    """Expand (a, b / groups, *k) to (a, b, *k), zero outside the diagonal blocks.

    Raises:
        UncheckError: groups do not divide a.
    """
    if groups < 1 or weight.shape[0] % groups:
        raise UncheckError(f"groups {groups} must divide the first axis of the weight, {weight.shape[0]}")
    if groups == 1:
        return weight.detach()
    rows, columns, *k = weight.shape
    check_entries((rows, columns * groups, *k), "the dense kernel of the groups")
    blocks = weight.detach().reshape(groups, rows // groups, 1, columns, *k)
    eye = torch.eye(groups, dtype=weight.dtype, device=weight.device).reshape(
        groups, 1, groups, 1, *[1] * len(k)
    )
    return (blocks * eye).reshape(rows, columns * groups, *k)


def dilate(weight: Tensor, dilation: tuple[int, ...]) -> Tensor:
    """Spread the taps, with zeros between them: (a, b, *k) to (a, b, *(d (k - 1) + 1))."""
    if max(dilation) == 1:
        return weight
    k = [d * (n - 1) + 1 for d, n in zip(dilation, weight.shape[2:], strict=True)]
    check_entries((*weight.shape[:2], *k), "the dilated kernel")
    spread = weight.new_zeros(*weight.shape[:2], *k)
    spread[(slice(None), slice(None), *(slice(None, None, d) for d in dilation))] = weight
    return spread


def support(weight: Tensor, dilation: tuple[int, ...]) -> Tensor | None:
    """Return where the dilated kernel has taps, bool; None where everywhere."""
    # symmetric, so that flipping the kernel leaves it alone
    if max(dilation) == 1:
        return None
    return dilate(torch.ones_like(weight[:1, :1]), dilation)[0, 0] > 0


def flip(weight: Tensor) -> Tensor:
    """Turn correlation into convolution form and back."""
    return weight.flip(list(range(2, weight.ndim)))
