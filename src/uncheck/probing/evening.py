"""Even phases: the output phases of a stage made alike in mean and covariance."""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from uncheck.measuring.lines import hann
from uncheck.phases.project import ROUNDING_VARIANCE, evening_map
from uncheck.probing.axes import channel_axis, laid_along

#: Samples per channel and phase that a covariance needs to be worth evening.
SAMPLES = 8

#: More channels than this are evened in variance only: eigendecompositions would cost more than the network.
MOST_CHANNELS = 256


def even_phases(
    tensor: Tensor, axes: tuple[int, ...], stride: tuple[int, ...], *, second_order: bool
) -> Tensor:
    """Make all output phases alike in mean, and in covariance over channels if asked.

    Equation: y[s i + p] <- T_p (y[s i + p] - m_p) + m, with m_p the mean of phase p over positions and
    batch, m the average of the m_p, and T_p = 1 (first order) or the least move that turns covariance C_p
    into the average C of all phases, T_p = C_p^(-1/2) (C_p^(1/2) C C_p^(1/2))^(1/2) C_p^(-1/2) (second
    order). With fewer than `SAMPLES` samples per channel and phase, variances alone: T_p = diag(s / s_p).
    Moments are weighted by Hann's window, so that neither borders nor a trend of the content count.

    Args:
        tensor: a batch of feature maps; axis 0 is the batch, axis 1 the channels unless it is spatial.
        axes: the spatial axes of `tensor`.
        stride: phases per axis, whole numbers.
        second_order: also even the covariances, not the means alone.

    Returns:
        A new tensor; nothing else of the signal changes. An axis with fewer than two samples of a phase is
        left alone.

    Cost: a few passes over the tensor, and per phase an eigendecomposition of size channels.
    Source: Olkin and Pukelsheim (1982) for the least move between covariances.
    """
    stride = tuple(s if tensor.shape[a] >= 2 * s else 1 for s, a in zip(stride, axes, strict=True))
    phases = list(product(*(range(s) for s in stride)))
    if len(phases) == 1:
        return tensor
    channel = channel_axis(tensor.dim(), axes)
    precise = torch.float32 if tensor.device.type == "mps" else torch.float64  # MPS has no float64
    windows = [torch.tensor(hann(tensor.shape[a])).to(tensor.device, precise) for a in axes]
    inner, weights = [], []
    for p in phases:
        x = tensor[_phase(tensor, axes, stride, p)]
        w = torch.ones((), dtype=precise, device=tensor.device)
        for axis, s, start, window in zip(axes, stride, p, windows, strict=True):
            w = w * laid_along(window[start::s], axis, tensor.dim())
        w = w.expand([n if a != channel else 1 for a, n in enumerate(x.shape)]).movedim(channel, -1).flatten()
        inner.append(x.movedim(channel, -1).flatten(0, -2).to(precise))
        weights.append(w / w.sum())
    means = [w @ x for x, w in zip(inner, weights, strict=True)]
    mean = torch.stack(means).mean(dim=0)
    turns = _turns(inner, means, weights) if second_order else [None] * len(phases)
    out = tensor.clone()
    for phase, own, turn in zip(phases, means, turns, strict=True):
        where = _phase(tensor, axes, stride, phase)
        part = tensor[where].movedim(channel, -1).to(precise) - own
        if turn is not None:
            part = part * turn if turn.dim() == 1 else part @ turn
        out[where] = (part + mean).movedim(-1, channel).to(tensor.dtype)
    return out


def _turns(inner: list[Tensor], means: list[Tensor], weights: list[Tensor]) -> list[Tensor | None]:
    """Return T_p of each phase: a matrix, or the diagonal of one where samples are few."""
    centred = [x - m for x, m in zip(inner, means, strict=True)]
    channels = means[0].numel()
    square = torch.stack([w @ x.square() for x, w in zip(inner, weights, strict=True)]).mean(dim=0)
    least = ROUNDING_VARIANCE * square.mean() + 1e-30
    # Unequal weights make fewer samples count.
    samples = min(1 / float(w.square().sum()) for w in weights)
    if samples < SAMPLES * channels or channels > MOST_CHANNELS:
        variances = [w @ x.square() for x, w in zip(centred, weights, strict=True)]
        target = torch.stack(variances).mean(dim=0)
        return [((target + least) / (v + least)).sqrt() for v in variances]
    floor = least * torch.eye(channels, dtype=square.dtype, device=square.device)
    covariances = [(x * w[:, None]).T @ x + floor for x, w in zip(centred, weights, strict=True)]
    wanted = torch.stack(covariances).mean(dim=0)
    return [evening_map(own, wanted) for own in covariances]


def _phase(
    tensor: Tensor, axes: tuple[int, ...], stride: tuple[int, ...], phase: tuple[int, ...]
) -> tuple[slice, ...]:
    """Return the index of one phase."""
    index = [slice(None)] * tensor.dim()
    for axis, s, p in zip(axes, stride, phase, strict=True):
        index[axis] = slice(p, None, s)
    return tuple(index)
