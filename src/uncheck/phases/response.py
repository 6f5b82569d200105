"""The upsampler as a linear map: its frequency response, image rejection, and matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.geometry import Sizes, per_axis
from uncheck.phases.kernel import PhaseKernel, check_entries, tile_phases


@dataclass(frozen=True, eq=False)
class ImageRejection:
    """Image rejection of a kernel in dB; larger is cleaner, +inf is perfect.

    Args:
        per_alias: (*stride), at index a the rejection of the image at a / s cycles per output pixel; 0 at
            index 0, the wanted signal itself.
        worst: the smallest entry over a != 0; +inf for stride 1.
        band: fraction of the input band that was looked at, 0 (constants only) to 1.

    Examples:
        >>> found = image_rejection_db(PhaseKernel(torch.ones(1, 1, 3), stride=(2,)))
        >>> found.per_alias.round(decimals=3), found.band
        (tensor([0.0000, 9.5420], dtype=torch.float64), 0.0)
    """

    per_alias: Tensor
    worst: float
    band: float


def frequency_response(kernel: PhaseKernel, n: Sizes) -> Tensor:
    """Sample the spectrum of the kernel:  H[f] = sum_u h[u] exp(-2 pi i f (u - offset) / n).

    Args:
        kernel: the upsampler.
        n: number of frequencies, one or one per axis, >= 1; index f is f / n cycles per output pixel.

    Returns:
        complex (out, in, *n), complex128; phase zero is output pixel 0.

    Raises:
        UncheckError: n below 1.

    Cost: out * in * prod(k) * n.

    Example:
        >>> frequency_response(PhaseKernel(torch.ones(1, 1, 2), stride=(2,)), 2).abs().round(decimals=6)
        tensor([[[2., 0.]]], dtype=torch.float64)
    """
    counts = per_axis("n", n, kernel.ndim, 1)
    check_entries((*kernel.weight.shape[:2], *counts), "the frequency response")
    device = kernel.weight.device
    return _sample(kernel, [torch.arange(c, dtype=torch.float64, device=device) / c for c in counts])


def image_rejection_db(kernel: PhaseKernel, band: float = 0.0, points: int = 9) -> ImageRejection:
    """Compare the gain of the signal with the gain of its images at a / s cycles per output pixel.

    20 log10 |H(theta / s)| / |H((theta + a) / s)|,  norms over all pairs of channels, least over input
    frequencies theta in [-band / 2, band / 2] cycles per input pixel and axis.

    Args:
        kernel: the upsampler.
        band: fraction of the input band, 0 (constants only) to 1 (up to Nyquist).
        points: input frequencies looked at per axis where band > 0, >= 2.

    Returns:
        The rejection per alias and the worst; +inf where an image vanishes to float64 rounding, -inf where
        only the signal does.

    Raises:
        UncheckError: band outside 0..1 or points below 2.

    Cost: out * in * prod(k) * prod(s * points).

    Example:
        >>> round(image_rejection_db(PhaseKernel(torch.ones(1, 1, 3), stride=(2,))).worst, 3)
        9.542
    """
    if not 0 <= band <= 1:
        raise UncheckError(f"band must be a fraction from 0 to 1 of the input band, not {band}")
    if points < 2:
        raise UncheckError(f"points must be at least 2, not {points}")
    device = kernel.weight.device
    theta = torch.zeros(1, dtype=torch.float64, device=device)
    if band > 0:
        theta = torch.linspace(-band / 2, band / 2, points, dtype=torch.float64, device=device)
    grids = [
        ((torch.arange(s, dtype=torch.float64, device=device)[:, None] + theta[None]) / s).flatten()
        for s in kernel.stride
    ]
    check_entries((*kernel.weight.shape[:2], *(len(g) for g in grids)), "the response over the band")
    size = _sample(kernel, grids).abs().square().sum((0, 1)).sqrt()
    split = [number for s in kernel.stride for number in (s, len(theta))]
    order = [2 * a for a in range(kernel.ndim)] + [2 * a + 1 for a in range(kernel.ndim)]
    size = size.reshape(split).permute(order).reshape(*kernel.stride, -1)
    signal = size[(0,) * kernel.ndim]
    floor = 16 * torch.finfo(torch.float64).eps * float(kernel.weight.double().abs().sum())
    per_alias = torch.zeros(kernel.stride, dtype=torch.float64)
    worst = math.inf
    for alias in product(*map(range, kernel.stride)):
        if any(alias):
            per_alias[alias] = min(
                _decibels(float(wanted), float(image), floor)
                for wanted, image in zip(signal, size[alias], strict=True)
            )
            worst = min(worst, float(per_alias[alias]))
    return ImageRejection(per_alias, worst, band)


def matrix(kernel: PhaseKernel, input_size: Sequence[int]) -> Tensor:
    """Return the matrix with y.flatten() = A x.flatten() + bias_vector, zeros beyond the border.

    A[(o, j), (i, m)] = h[o, i, j + offset - s m] where that tap exists, else 0.

    Args:
        kernel: the upsampler.
        input_size: input pixels per axis, >= 1.

    Returns:
        (out * prod(output size), in * prod(input size)), the weight's dtype.

    Raises:
        UncheckError: no output pixel, or more than 2**28 entries.

    Cost: as many entries as the matrix has.

    Example:
        >>> matrix(PhaseKernel(torch.tensor([[[1.0, 2.0]]]), stride=(2,)), (2,))
        tensor([[1., 0.],
                [2., 0.],
                [0., 1.],
                [0., 2.]])
    """
    sizes = tuple(input_size)
    outputs = kernel.output_size(sizes)
    check_entries((kernel.out_channels, kernel.in_channels, *outputs, *sizes), "the matrix of the upsampler")
    values = kernel.weight
    for axis in range(kernel.ndim):
        j = torch.arange(outputs[axis], device=values.device)[:, None] + kernel.offset[axis]
        index = j - kernel.stride[axis] * torch.arange(sizes[axis], device=values.device)[None]
        there = (index >= 0) & (index < kernel.kernel_size[axis])
        place = 2 + 2 * axis
        picked = values[(slice(None),) * place + (index.clamp(0, kernel.kernel_size[axis] - 1),)]
        values = picked * there.reshape(*index.shape, *[1] * (values.ndim - place - 1))
    rows = [2 + 2 * axis for axis in range(kernel.ndim)]
    columns = [3 + 2 * axis for axis in range(kernel.ndim)]
    ordered = values.permute([0, *rows, 1, *columns])
    return ordered.flatten(0, kernel.ndim).flatten(1)


def bias_vector(kernel: PhaseKernel, input_size: Sequence[int]) -> Tensor:
    """Return the upsampler's answer to zeros, (out * prod(output size),).

    Args:
        kernel: the upsampler.
        input_size: input pixels per axis, >= 1.

    Raises:
        UncheckError: no output pixel.

    Example:
        >>> bias_vector(PhaseKernel(torch.ones(1, 1, 2), (2,), bias=torch.tensor([[1.0, 2.0]])), (2,))
        tensor([1., 2., 1., 2.])
    """
    return tile_phases(kernel.phase_bias(), kernel.output_size(input_size)).flatten()


def _decibels(wanted: float, image: float, floor: float) -> float:
    if image <= floor:
        return math.inf
    return 20 * math.log10(wanted / image) if wanted > floor else -math.inf


def _sample(kernel: PhaseKernel, grids: Sequence[Tensor]) -> Tensor:
    """Evaluate H at a product grid of frequencies in cycles per output pixel, one axis after the other."""
    values = kernel.weight.to(torch.complex128)
    for axis, (grid, offset) in enumerate(zip(grids, kernel.offset, strict=True)):
        u = torch.arange(kernel.kernel_size[axis], dtype=torch.float64, device=values.device) - offset
        turns = torch.outer(u, grid)
        waves = torch.polar(torch.ones_like(turns), -2 * math.pi * turns)
        values = torch.tensordot(values, waves, dims=([2], [0]))
    return values
