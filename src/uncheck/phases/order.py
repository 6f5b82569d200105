"""Strang-Fix order, measured from the weights."""

from __future__ import annotations

import math
from itertools import product

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.phases.kernel import PhaseKernel, phase_sums


def strang_fix_order(kernel: PhaseKernel, tolerance: float, max_order: int = 4) -> int:
    """Return the largest L for which polynomials of degree < L pass without ripple.

    H has zeros of multiplicity L at every alias 2 pi a / s != 0, all mixed derivatives of total degree < L
    included. Equivalent, and what is computed: for every |alpha| < L the moments
    M_p = sum_j u^alpha h_p[j] are the same for all phases p, with u the position of the tap.

    Args:
        kernel: the upsampler, all pairs of channels together.
        tolerance: largest `moment_deviation` that counts as zero; 1e-6 suits float32 weights.
        max_order: where to stop counting, >= 1.

    Returns:
        0 (constants ripple) to max_order. A kernel of zeros, or of stride 1, has max_order.

    Raises:
        UncheckError: tolerance is negative, or max_order below 1.

    Cost: one pass over the weights per moment, binomial(ndim + max_order - 1, ndim) moments.
    Source: Strang and Fix, "A Fourier analysis of the finite element variational method", 1971.

    Example:
        >>> smooth = PhaseKernel(torch.tensor([[[1.0, 3.0, 3.0, 1.0]]]), stride=(2,))
        >>> strang_fix_order(smooth, tolerance=1e-6)
        3
    """
    if not tolerance >= 0:
        raise UncheckError(f"tolerance must be a number >= 0, not {tolerance}")
    if max_order < 1:
        raise UncheckError(f"max_order must be at least 1, not {max_order}")
    for order in range(max_order):
        if moment_deviation(kernel, order) > tolerance:
            return order
    return max_order


def moment_deviation(kernel: PhaseKernel, degree: int) -> float:
    """Return the largest deviation of the moments of one degree over the phases, between 0 and 1.

    max over |alpha| = degree of  sqrt(sum_p |M_p - mean M|^2) / (sqrt(N) |h|),  with positions u scaled to
    -1 .. 1 over the kernel and N the most taps of a phase. By Cauchy-Schwarz this is at most 1 whatever the
    kernel size, so that one tolerance serves all kernels.

    Args:
        kernel: the upsampler.
        degree: total degree of the moments, >= 0.

    Returns:
        0 (equal) to 1; 0 for a kernel of zeros. Computed in float64.

    Example:
        >>> moment_deviation(PhaseKernel(torch.ones(1, 1, 4), stride=(2,)), degree=0)
        0.0
    """
    weight = kernel.weight.double()
    scale = math.sqrt(max(1, int(kernel.taps.max()))) * float(weight.norm())
    if scale == 0:
        return 0.0
    worst = 0.0
    for powers in degrees(kernel.ndim, degree):
        moments = phase_sums(weight * monomial(kernel, powers), kernel.stride, kernel.offset).flatten(2)
        worst = max(worst, float((moments - moments.mean(2, keepdim=True)).norm()) / scale)
    return worst


def degrees(ndim: int, degree: int) -> list[tuple[int, ...]]:
    """List the exponents alpha, one per axis, with sum degree."""
    return [powers for powers in product(range(degree + 1), repeat=ndim) if sum(powers) == degree]


def monomial(kernel: PhaseKernel, powers: tuple[int, ...]) -> Tensor:
    """Return u^alpha at every tap, float64 (*k), with u from -1 to 1 over the kernel on each axis."""
    result = torch.ones((), dtype=torch.float64, device=kernel.weight.device)
    for k, power in zip(kernel.kernel_size, powers, strict=True):
        half = max(k - 1, 1) / 2
        u = (torch.arange(k, dtype=torch.float64, device=kernel.weight.device) - (k - 1) / 2) / half
        result = result[..., None] * u**power
    return result
