"""The upsampler written out as one matrix and one vector; small sizes only."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from uncheck.phases.kernel import PhaseKernel, check_entries, tile_phases


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
        picked = values.index_select(place, index.clamp(0, kernel.kernel_size[axis] - 1).flatten())
        after = [1] * (values.ndim - place - 1)
        picked = picked.reshape(*values.shape[:place], *index.shape, *values.shape[place + 1 :])
        values = picked * there.reshape(*index.shape, *after)
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
