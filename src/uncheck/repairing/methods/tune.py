"""Gain and bias per phase of some stages, solved for the least lattice of the final output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import lcm
from typing import Any

import torch
from torch import Tensor, nn

from uncheck.layers.phase_transpose import PhaseConvTranspose
from uncheck.measuring.lines import hann
from uncheck.phases import PhaseKernel
from uncheck.phases.kernel import tile_phases
from uncheck.probing.replay import Replay
from uncheck.reading import CallKey, Stage, call, eagerly
from uncheck.repairing.case import Advance, Case
from uncheck.repairing.methods.moments import as_maps
from uncheck.signals.levels import LEVELS

#: Penalty on the logarithms of the gains and the biases in standard deviations, grey levels squared.
KEEP = 1e-3


@dataclass(frozen=True, eq=False)
class PhaseAffine:
    """Gains and biases per phase, each (out, *stride):  y_p <- gain_p y_p + bias_p."""

    gain: Tensor
    bias: Tensor

    def of(self, kernel: PhaseKernel) -> PhaseKernel:
        """Return the kernel followed by them:  h_p <- gain_p h_p,  b_p <- gain_p b_p + bias_p."""
        gain, bias = self.gain.to(kernel.weight), self.bias.to(kernel.weight)
        whole = gain * kernel.phase_bias() + bias
        # the gain at a position of h is that of the output phase that reads it
        index = [o % s for o, s in zip(kernel.offset, kernel.stride, strict=True)]
        turned = torch.roll(gain, index, list(range(1, gain.ndim)))
        taps = kernel.weight * tile_phases(turned, kernel.kernel_size)[:, None]
        return PhaseKernel(taps, kernel.stride, whole, kernel.offset, kernel.margin, kernel.support)


def output_means(case: Case, picture: Tensor, period: Sequence[int]) -> Tensor:
    """Return the Hann-weighted mean of each phase of the output, (N, C, *period), grey levels."""
    low, high = case.span
    means = picture.double() * (LEVELS / (high - low))
    for p in period:
        n = means.shape[2]  # the axes done go to the end
        weight = torch.tensor(hann(n))[:, None].to(means.device)
        place = torch.nn.functional.one_hot(torch.arange(n, device=means.device) % p, p) * weight
        means = torch.tensordot(means, place / place.sum(0), dims=([2], [0]))
    return means


def tuned(
    case: Case,
    model: nn.Module,
    kernels: Mapping[int, PhaseKernel],
    chosen: Sequence[int],
    advance: Advance,
    *,
    gains: bool,
    steps: int,
) -> dict[int, PhaseKernel]:
    """Return kernels whose gains and biases per phase lower the lattice of the output over `case.fit`.

    Minimises  |mean_n d_n|^2 + single * mean_n |d_n|^2 + KEEP * (mean square of log gains and biases), d_n
    the deviation of the phase means of output n from their mean, by L-BFGS; the gains average (in their
    logarithm) to 1 over the phases and the biases to 0, so that the picture's own gain stays.

    Args:
        case: gives inputs and unit; single outputs count unless they are made from codes.
        model: the network with these kernels.
        kernels: by index of the stage.
        chosen: those to change; their stages must keep their calls.
        advance: called at every step.
        gains: solve for gains too, not for biases alone.
        steps: of L-BFGS, each one or two passes over `case.fit`.
    """
    stages = [case.recording.stages[index] for index in chosen]
    period = [1] * case.ndim
    for stage in stages:
        if stage.output_period is not None and len(stage.output_period) == case.ndim:
            period = [lcm(a, b) for a, b in zip(period, stage.output_period, strict=True)]
    single = 0.0 if case.scale is None else 1.0
    scales = {stage.index: _scale(case, model, stage) for stage in stages}
    raw = {
        stage.index: torch.zeros(
            2, len(scales[stage.index]), *map(int, stage.stride), dtype=torch.float64, requires_grad=True
        )
        for stage in stages
    }
    solver = torch.optim.LBFGS(
        list(raw.values()), lr=1.0, max_iter=steps, history_size=12, line_search_fn="strong_wolfe"
    )

    def affine(index: int) -> PhaseAffine:
        centred = _centred(raw[index])
        gain = torch.exp(centred[0]) if gains else torch.ones_like(centred[0])
        return PhaseAffine(gain, centred[1] * scales[index].reshape(-1, *[1] * (centred.ndim - 2)))

    def deviations(inputs: tuple[object, ...]) -> Tensor:
        edits = {stage.index: _edit(stage, affine(stage.index)) for stage in stages}
        with eagerly(), edited(model, stages, edits):
            picture = case.picture(call(model, inputs))
        return _centred(output_means(case, picture, period))

    def closure() -> Tensor:
        solver.zero_grad()
        with torch.no_grad():
            each = [deviations(inputs) for inputs in case.fit]
            count = sum(len(d) for d in each)
            shared = sum((d.sum(0) for d in each), torch.zeros_like(each[0][0])) / count
            loss = (
                shared.square().mean() + single * sum(float(d.square().mean() * len(d)) for d in each) / count
            )
        for inputs in case.fit:
            d = deviations(inputs)
            part = 2 * (shared * d.sum(0)).mean() / count + single * d.square().mean() * len(d) / count
            part.backward()  # type: ignore[no-untyped-call]
        penalty = KEEP * torch.stack([r.square().mean() for r in raw.values()]).sum()
        penalty.backward()  # type: ignore[no-untyped-call]
        value = loss + penalty.detach()
        advance(f"lattice power {float(value):.4g}")
        return value

    solver.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        return {i: affine(i).of(kernel) if i in raw else kernel for i, kernel in kernels.items()}


def _centred(values: Tensor) -> Tensor:
    """Return (N, C, *phases) less the mean over the phases."""
    return values - values.mean(dim=tuple(range(2, values.ndim)), keepdim=True)


@contextmanager
def edited(
    model: nn.Module, stages: Sequence[Stage], edits: Mapping[int, Callable[[Tensor], Tensor]]
) -> Iterator[None]:
    """Watcher that changes the outputs of stages: of their calls, or of the layers that replace them."""
    calls: dict[CallKey, Callable[[Tensor], Tensor]] = {}
    with ExitStack() as stack:
        for stage in stages:
            layer, edit = model.get_submodule(stage.key.module), edits[stage.index]
            if isinstance(layer, PhaseConvTranspose):  # its call does not hold the bias yet
                stack.callback(layer.register_forward_hook(_hook(edit)).remove)
            else:
                calls[stage.key] = edit
        stack.enter_context(Replay(model, calls))
        yield


def _hook(edit: Callable[[Tensor], Tensor]) -> Callable[[nn.Module, Any, Tensor], Tensor]:
    return lambda module, inputs, output: edit(output)


def _scale(case: Case, model: nn.Module, stage: Stage) -> Tensor:
    """Return the standard deviation of each channel of the stage's output, the unit of its biases."""
    found: list[Tensor] = []

    def keep(y: Tensor) -> Tensor:
        maps = as_maps(y, stage)
        found.append(maps.double().movedim(1, 0).flatten(1).std(1))
        return y

    with torch.no_grad(), eagerly(), edited(model, (stage,), {stage.index: keep}):
        call(model, case.fit[0])
    return found[0].clamp_min(1e-12).cpu()


def _edit(stage: Stage, affine: PhaseAffine) -> Callable[[Tensor], Tensor]:
    def edit(y: Tensor) -> Tensor:
        size = as_maps(y, stage).shape[2:]
        gain, bias = (tile_phases(part, size).to(y) for part in (affine.gain, affine.bias))
        axes = stage.even_axes
        if y.ndim == len(axes) + 2 and axes != tuple(range(2, y.ndim)):  # channels last
            gain, bias = gain.movedim(0, -1), bias.movedim(0, -1)
        return y * gain + bias

    return edit
