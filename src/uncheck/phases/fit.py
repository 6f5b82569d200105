"""Phase kernels as a resize and a convolution, exactly or by least squares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.phases.kernel import PhaseKernel
from uncheck.phases.resize import axis_hold
from uncheck.phases.to_torch import even_bias


class ResizeConvForm(NamedTuple):
    """Resize by an integer factor, pad, convolve with stride 1.

    Args:
        weight: (out, in, *k), torch's correlation form.
        bias: (out,) or None.
        factor: of the resize, per axis.
        mode: "nearest" or "linear", half-pixel centres.
        padding: per axis (before, after), zeros added after the resize; negative numbers crop.
        residual: |h - hold * w| / |h|, 0 (exact) to 1.

    Examples:
        >>> form = to_resize_conv(PhaseKernel(torch.ones(1, 1, 2), stride=(2,)))
        >>> form.mode, form.weight, round(form.residual, 6)
        ('nearest', tensor([[[1.]]]), 0.0)
    """

    weight: Tensor
    bias: Tensor | None
    factor: tuple[int, ...]
    mode: str
    padding: tuple[tuple[int, int], ...]
    residual: float


def to_resize_conv(
    kernel: PhaseKernel, mode: str = "nearest", tolerance: float | None = None
) -> ResizeConvForm:
    """Write the kernel as a resize and a convolution; exact, away from borders, where hold divides h.

    Args:
        kernel: the upsampler.
        mode: "nearest" or "linear".
        tolerance: largest relative residual that counts as exact; default 32 eps, at least 1e-12.

    Returns:
        weight, bias, factor, mode, padding and residual. With nearest, equal at the borders too.

    Raises:
        UncheckError: hold does not divide h (with the least-squares residual), or the bias is uneven.

    Example:
        >>> to_resize_conv(PhaseKernel(torch.tensor([[[1.0, 3.0, 2.0]]]), stride=(2,))).weight
        tensor([[[2., 1.]]])
    """
    fit = fit_resize_conv(kernel, mode)
    limit = max(32 * torch.finfo(kernel.weight.dtype).eps, 1e-12) if tolerance is None else tolerance
    if fit.residual > limit:
        raise UncheckError(
            f"the kernel is no {mode} resize by {kernel.stride} and convolution, least-squares residual "
            f"{fit.residual:.3g} of its norm above {limit:.3g}: project it first or use fit_resize_conv"
        )
    return fit._replace(bias=even_bias(kernel))


def fit_resize_conv(kernel: PhaseKernel, mode: str, size: Sequence[int] | None = None) -> ResizeConvForm:
    """Fit the nearest resize and convolution by least squares:  min_w |h - hold * w|.

    Args:
        kernel: the upsampler.
        mode: "nearest" or "linear".
        size: taps of the convolution per axis; by default the k - |hold| + 1 that make the extents equal, at
            least 1. Larger ones reach beyond h on both sides.

    Returns:
        The fit with its residual; the bias is the mean over phases.

    Raises:
        UncheckError: no such mode, or a size below 1.

    Cost: prod(k) * prod(size) per pair of channels, and one pseudo-inverse per axis.

    Example:
        >>> fit = fit_resize_conv(PhaseKernel(torch.tensor([[[1.0, 0.0]]]), stride=(2,)), "nearest")
        >>> fit.weight.item(), round(fit.residual, 4)
        (0.5, 0.7071)
    """
    h = kernel.weight.double()
    padding = []
    fitted, rebuilt, given = h, h, h
    for axis, k in enumerate(kernel.kernel_size):
        s = kernel.stride[axis]
        hold, hold_offset = axis_hold(s, mode)
        taps = max(1, k - len(hold) + 1) if size is None else size[axis]
        if taps < 1:
            raise UncheckError(f"size must be at least 1 on every axis, not {tuple(size or ())}")
        # the fit starts `front` positions before h; both are laid out over the union of their extents
        front = (taps + len(hold) - 1 - k) // 2
        end = taps + len(hold) - 1 - k - front
        skipped = max(0, -front)
        table = torch.zeros(k + max(0, front) + max(0, end), taps, dtype=torch.float64)
        for t in range(taps):
            table[skipped + t : skipped + t + len(hold), t] = torch.tensor(hold, dtype=torch.float64)
        table = table.to(h.device)
        inverse = torch.linalg.pinv(table)
        ends = (max(0, front), max(0, end))
        fitted = _along(_pad(fitted, 2 + axis, *ends), 2 + axis, inverse)
        rebuilt = _along(_pad(rebuilt, 2 + axis, *ends), 2 + axis, table @ inverse)
        given = _pad(given, 2 + axis, *ends)
        before = taps - 1 - (kernel.offset[axis] + front) + hold_offset
        padding.append((before, kernel.margin[axis] - before + taps - 1))
    total = float(given.norm())
    residual = float((given - rebuilt).norm()) / total if total else 0.0
    bias = None if kernel.bias is None else kernel.phase_bias().flatten(1).mean(1)
    weight = fitted.flip(list(range(2, fitted.ndim))).to(kernel.weight.dtype)
    return ResizeConvForm(weight, bias, kernel.stride, mode, tuple(padding), residual)


def _along(values: Tensor, axis: int, table: Tensor) -> Tensor:
    product: Tensor = torch.tensordot(values, table, dims=([axis], [1]))
    return product.movedim(-1, axis)


def _pad(values: Tensor, axis: int, before: int, after: int) -> Tensor:
    pads = [0, 0] * (values.ndim - 1 - axis) + [before, after]
    return F.pad(values, pads)
