"""Phase gains: the response of each output phase to a constant input."""

from __future__ import annotations

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.phases.kernel import PhaseKernel, phase_sums


def phase_gains(kernel: PhaseKernel) -> Tensor:
    """Return the gain of each phase, its response to a constant 1:  G_p = sum_j h_p[j].

    Returns:
        (out, in, *stride), by output index mod stride; all phases alike exactly when constants stay constant.

    Cost: one pass over the weights.

    Example:
        >>> phase_gains(PhaseKernel(torch.ones(1, 1, 3), stride=(2,)))
        tensor([[[2., 1.]]])
    """
    return phase_sums(kernel.weight, kernel.stride, kernel.offset)


def gain_spread(kernel: PhaseKernel) -> float:
    """Return the spread of the gains:  sqrt(sum |G_p - mean_p G|^2 / sum |G_p|^2), over out, in and p.

    Returns:
        0 (even, or all gains zero) to 1 (the gains average to zero); computed in float64.

    Cost: one pass over the weights.

    Example:
        >>> round(gain_spread(PhaseKernel(torch.ones(1, 1, 3), stride=(2,))), 4)
        0.3162
    """
    return _spread(phase_gains(kernel.double()), kernel.ndim)


def bias_spread(kernel: PhaseKernel) -> float:
    """Return the spread of the bias:  sqrt(sum |b_p - mean_p b|^2 / sum |b_p|^2), over out and p.

    Returns:
        0 (per channel, none, or all zero) to 1.

    Example:
        >>> bias_spread(PhaseKernel(torch.ones(1, 1, 2), (2,), bias=torch.tensor([[1.0, -1.0]])))
        1.0
    """
    if kernel.bias is None or kernel.bias.ndim == 1:
        return 0.0
    return _spread(kernel.bias.double(), kernel.ndim)


def visible_ripple(kernel: PhaseKernel, mean_activation: Tensor) -> Tensor:
    """Return the mean output per phase:  E[o, p] = sum_i mu_i G[o, i, p] + b[o, p].

    Args:
        kernel: the upsampler.
        mean_activation: mu, (in,), the mean of each input channel.

    Returns:
        (out, *stride), in the units of the output; what varies over p is the visible lattice.

    Raises:
        UncheckError: mean_activation is not one number per input channel.

    Example:
        >>> visible_ripple(PhaseKernel(torch.ones(1, 1, 3), stride=(2,)), torch.tensor([10.0]))
        tensor([[20., 10.]])
    """
    if tuple(mean_activation.shape) != (kernel.in_channels,):
        raise UncheckError(
            f"mean_activation must have shape ({kernel.in_channels},), not {tuple(mean_activation.shape)}"
        )
    gains = phase_gains(kernel)
    mean = mean_activation.to(dtype=gains.dtype, device=gains.device)
    return torch.einsum("oi...,i->o...", gains, mean) + kernel.phase_bias()


def ripple_amplitude(kernel: PhaseKernel, mean_activation: Tensor) -> Tensor:
    """Return the size of the visible ripple per output channel:  sqrt(mean_p |E[o, p] - mean_p E[o]|^2).

    Args:
        kernel: the upsampler.
        mean_activation: (in,), the mean of each input channel.

    Returns:
        (out,), in the units of the output.

    Raises:
        UncheckError: mean_activation is not one number per input channel.

    Example:
        >>> ripple_amplitude(PhaseKernel(torch.ones(1, 1, 3), stride=(2,)), torch.tensor([10.0]))
        tensor([5.])
    """
    ripple = visible_ripple(kernel, mean_activation).flatten(1)
    return (ripple - ripple.mean(1, keepdim=True)).square().mean(1).sqrt()


def _spread(values: Tensor, ndim: int) -> float:
    flat = values.flatten(-ndim)
    total = flat.norm()
    if total == 0:
        return 0.0
    # rounding may carry the ratio a last bit beyond 1
    return min(1.0, float((flat - flat.mean(-1, keepdim=True)).norm() / total))
