"""Input moments and per-phase output moments of a stage, from calibration inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import ceil, prod
from typing import Any

import torch
from torch import Tensor, nn

from uncheck.errors import Refusal
from uncheck.measuring.lines import hann
from uncheck.phases import PhaseKernel
from uncheck.phases.project import ROUNDING_VARIANCE, evening_map
from uncheck.reading import CallKey, CallWatcher, Stage, run
from uncheck.repairing.case import Case

#: Input positions per call that enter the moment of the patches.
POSITIONS = 4096

#: Share of the mean second moment added to all.
RIDGE = 1e-2


class CallReader(CallWatcher):
    """Watcher that passes the input and the output of one call to a function."""

    def __init__(self, model: nn.Module, key: CallKey, show: Callable[[Tensor, Tensor], None]) -> None:
        super().__init__(model)
        self._key, self._show = key, show

    def on_call(
        self, key: CallKey, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> Any:
        """Pass input and output on; the output stays."""
        if key == self._key:
            self._show(args[0] if args else kwargs["input"], out)
        return out


def patch_moment(case: Case, model: nn.Module, key: CallKey, kernel: PhaseKernel) -> Tensor:
    """Return the second moment of a stage's input patches over `case.fit`:  R = mean_i v_i v_i^T.

    v_i = (x[c, i - j]) over channels c and j < J = ceil(k / s) per axis, zeros beyond the border; at most
    `POSITIONS` places i of each call, evenly spread. A hundredth of its mean diagonal is added to the
    diagonal, so that directions the inputs seldom show are not free: of 1e-6 to 1, that hundredth lost the
    least on photographs not calibrated on.

    Returns:
        (in * J, in * J), float64.

    Cost: one forward pass per call, and (in * J)^2 multiplications per position.
    """
    reach = [ceil(k / s) for k, s in zip(kernel.kernel_size, kernel.stride, strict=True)]
    n = kernel.in_channels * prod(reach)
    total = torch.zeros(n, n, dtype=torch.float64)
    count = 0

    def add(x: Tensor, _: Tensor) -> None:
        nonlocal count
        rows = patches(x.detach(), reach, kernel.in_channels)
        rows = rows[:: max(1, -(-len(rows) // POSITIONS))].double().cpu()
        total.add_(rows.T @ rows)
        count += len(rows)

    for inputs in case.fit:
        run(model, inputs, CallReader(model, key, add))
    total /= max(1, count)
    return total + RIDGE * total.diagonal().mean() * torch.eye(n, dtype=torch.float64)


def patches(x: Tensor, reach: list[int], channels: int) -> Tensor:
    """Return rows (x[c, i - j])_(c, j), (positions, channels * prod(reach)), also of tokens."""
    ndim = len(reach)
    if prod(reach) == 1:
        return x.movedim(1, -1).reshape(-1, channels) if x.ndim == ndim + 2 else x.reshape(-1, channels)
    pads = [m for j in reversed(reach) for m in (j - 1, j - 1)]
    wide = nn.functional.pad(x, pads)
    for axis, j in enumerate(reach):
        wide = wide.unfold(2 + axis, j, 1)
    wide = wide.flip(list(range(2 + ndim, 2 + 2 * ndim)))  # window n of i - J + 1 .. i: j runs backwards
    order = [0, *range(2, 2 + ndim), 1, *range(2 + ndim, 2 + 2 * ndim)]
    return wide.permute(order).reshape(-1, channels * prod(reach))


@dataclass(frozen=True, eq=False)
class PhaseMoments:
    """Mean (phases, C) and covariance (phases, C, C) of a stage's output, per phase in row-major order."""

    mean: Tensor
    covariance: Tensor
    samples: int


def phase_moments(case: Case, model: nn.Module, stage: Stage) -> PhaseMoments:
    """Return the moments per phase of the stage's outputs over `case.fit`, float64, Hann-weighted per call.

    Raises:
        Refusal: the output has other axes beside batch, channels and space, or fewer than two of a phase.

    Cost: one forward pass per call, and C^2 multiplications per output pixel.
    """
    stride = tuple(int(s) for s in stage.stride)
    phases = list(product(*(range(s) for s in stride)))
    sums: list[tuple[Tensor, Tensor, Tensor]] = []
    samples = 0

    def add(_: Tensor, y: Tensor) -> None:
        nonlocal samples
        maps = as_maps(y, stage)
        if any(n < 2 * s for n, s in zip(maps.shape[2:], stride, strict=True)):
            raise Refusal(f"the output of {stage.name} has fewer than two pixels of a phase on an axis")
        for place, p in enumerate(phases):
            part = maps[
                (slice(None), slice(None), *(slice(q, None, s) for q, s in zip(p, stride, strict=True)))
            ]
            w = torch.ones((), dtype=torch.float64, device=y.device)
            for n, q, s in zip(maps.shape[2:], p, stride, strict=True):
                w = w[..., None] * torch.tensor(hann(n)).to(y.device)[q::s]
            w = (w / w.sum()).flatten().repeat(len(part))
            rows = part.movedim(1, -1).reshape(-1, maps.shape[1]).double()
            one = (w.sum().cpu(), (w @ rows).cpu(), ((rows * w[:, None]).T @ rows).cpu())
            if len(sums) <= place:
                sums.append(one)
            else:
                sums[place] = (sums[place][0] + one[0], sums[place][1] + one[1], sums[place][2] + one[2])
        samples += len(rows)

    for inputs in case.fit:
        run(model, inputs, CallReader(model, stage.key, add))
    mean = torch.stack([s / n for n, s, _ in sums])
    square = torch.stack([q / n for n, _, q in sums])
    return PhaseMoments(mean, square - mean[:, :, None] * mean[:, None, :], samples)


def as_maps(y: Tensor, stage: Stage) -> Tensor:
    """Return the output of a stage's call as (N, C, *spatial)."""
    axes = stage.even_axes if stage.even_key == stage.key else tuple(range(y.ndim - stage.ndim, y.ndim))
    rest = [a for a in range(y.ndim) if a not in axes]
    if len(rest) > 2 or not rest:
        raise Refusal(f"the output of {stage.name} has more axes than batch, channels and space")
    maps = y.permute([*rest, *axes])
    return maps if len(rest) == 2 else maps[None]


def matched(kernel: PhaseKernel, moments: PhaseMoments, order: str, groups: int = 1) -> PhaseKernel:
    """Return the kernel with the moments of its phases made equal to those of their mean.

    y_p <- T_p (y_p - m_p) + m  is  h_p <- T_p h_p,  b_p <- T_p (b_p - m_p) + m.  T_p = 1 for "means",
    diag(s / s_p) for "variances", and for "covariances" the least move that turns covariance C_p into the
    average C, T_p = C_p^(-1/2) (C_p^(1/2) C C_p^(1/2))^(1/2) C_p^(-1/2), within the groups of channels.

    `moments` are those of its output; channels of different groups are not mixed.

    Source: Olkin and Pukelsheim (1982) for the least move between covariances.
    """
    mean = moments.mean.mean(0)
    weight = kernel.weight.double().clone()
    bias = kernel.phase_bias().double().clone()
    for place, p in enumerate(product(*(range(s) for s in kernel.stride))):
        turn = _turn(moments, place, order, groups).to(weight.device)
        axes = zip(p, kernel.offset, kernel.stride, strict=True)
        index: Any = (..., *(slice((q + o) % s, None, s) for q, o, s in axes))
        weight[index] = torch.einsum("ab,bi...->ai...", turn, weight[index])
        own = moments.mean[place].to(bias.device)
        place_of: Any = (..., *p)
        bias[place_of] = turn @ (bias[place_of] - own) + mean.to(bias.device)
    changed = PhaseKernel(weight, kernel.stride, bias, kernel.offset, kernel.margin, kernel.support)
    return changed.to(kernel.weight.dtype)


def _turn(moments: PhaseMoments, place: int, order: str, groups: int) -> Tensor:
    channels = moments.mean.shape[1]
    if order == "means":
        return torch.eye(channels, dtype=torch.float64)
    square = (moments.covariance.diagonal(dim1=1, dim2=2) + moments.mean.square()).mean()
    floor = ROUNDING_VARIANCE * square + 1e-30
    if order == "variances":
        variances = moments.covariance.diagonal(dim1=1, dim2=2).clamp_min(0) + floor
        return torch.diag((variances.mean(0) / variances[place]).sqrt())
    own = moments.covariance[place] + floor * torch.eye(channels, dtype=torch.float64)
    wanted = moments.covariance.mean(0) + floor * torch.eye(channels, dtype=torch.float64)
    out = torch.zeros(channels, channels, dtype=torch.float64)
    size = channels // groups
    for g in range(groups):
        part = slice(g * size, (g + 1) * size)
        out[part, part] = evening_map(own[part, part], wanted[part, part])
    return out
