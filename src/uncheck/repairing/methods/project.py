"""The least change of weights, and of biases per phase, to equal gains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import torch
from torch import nn

from uncheck import phases
from uncheck.editing.edits import Candidate
from uncheck.editing.kernels import WeightHandle
from uncheck.errors import Refusal, UncheckError
from uncheck.phases import PhaseKernel
from uncheck.reading.provenance import source_of
from uncheck.repairing.case import Advance, Case
from uncheck.repairing.methods.moments import patch_moment
from uncheck.repairing.methods.stages import WritableStages
from uncheck.repairing.methods.tune import tuned

#: Orders, whether weighted by calibration activations, and how much of the way; the least harmful first.
WAYS = ((1, True, 1.0), (1, True, 0.9), (1, False, 1.0), (2, True, 1.0), (2, False, 1.0))

#: A stage is not weighted where a system of more unknowns than this would have to be solved.
MOST_PATCH, MOST_TAPS = 2500, 5000

#: Where every phase has one tap, equal gains make all taps alike, which erases detail: only a change of
#: weights below this share of their norm is tried.
TINY = 0.05

#: Steps of the solver for biases.
STEPS = 8


def project(case: Case, advance: Advance) -> Iterator[Candidate]:
    """Try the projections to order 1 and 2, plain and in the norm of the calibration activations.

    Stages blamed: all whose output period is a multiple of a faulty one. The last is tried alone first, then
    all together, each calibrated behind the changed ones before it. Where the layer's own bias is one per
    phase (sub-pixel convolutions), the biases are then solved for equal phase means of the final output.

    What it does, on photographs it was not calibrated on: the projection of order 1, weighted, lowers
    the lattice of a kernel that feeds the output to the noise of the measurement, at 0.02 to 0.06 dB to the
    truth in super-resolution networks. The loss goes with the square of the way, so nine tenths of it are
    tried too: ten times lower at two thirds of the loss. Order 2 costs more fidelity and gains little. A
    nonlinearity after the stage turns unequal variances of the phases into unequal means, which no
    projection sees: biases solved on textured photographs remove that (`espcn_x3`), but leave ripple on
    smooth ones, so both are given. Gains per phase solved in the same way followed the calibration
    photographs there and made others worse.
    It does nothing for networks whose stages learned to cancel each other, or where the variances of phases
    decide (`style_rain_princess`): see `match`.

    Yields:
        Candidates, the least harmful first.

    Raises:
        Refusal: nothing applies.

    Cost: one forward pass per input and weighted stage, a factorisation of its taps, one pass to verify.
    """
    writable = WritableStages(case, "project")
    usable = [index for index, handle in writable.handles.items() if not _erases(handle, writable.reasons)]
    count = 0
    for order, weighted, share in WAYS:
        for chosen in _sets(writable, usable):
            way = f"order {order}{', weighted' if weighted else ''}"
            part = "" if share == 1 else f", {100 * share:.0f} % of the way"
            label = f"{way}{part}: {writable.names(chosen)}"
            advance(f"project, {label}")
            try:
                kernels = _projected(writable, chosen, order, weighted=weighted, share=share)
                yield writable.candidate(label, kernels)
                count += 1
                if order == 1 and share == 1:
                    yield from _biased(writable, kernels, label, advance)
            except (Refusal, UncheckError) as reason:
                writable.reasons.append(f"{label}: {reason}")
    # where no weights may change, the biases may
    native = {i: h.kernel for i, h in writable.handles.items() if i not in usable and _has_phase_bias(h)}
    for made in _biased(writable, native, writable.names(native), advance):
        yield made
        count += 1
    if not count:
        raise writable.refusal()


def _sets(writable: WritableStages, usable: list[int]) -> list[tuple[int, ...]]:
    """Return the last stage before the output alone, then all usable stages."""
    stages = writable.case.recording.stages
    last = [i for i in usable if stages[i].output_period == stages[i].stride]
    return [chosen for chosen in dict.fromkeys([tuple(last[-1:]), tuple(usable)]) if chosen]


def _erases(handle: WeightHandle, reasons: list[str]) -> bool:
    kernel = handle.kernel
    if int(kernel.taps.max()) > 1:
        return False
    change = phases.project(kernel).weight - kernel.weight
    share = float(change.norm() / kernel.weight.norm().clamp_min(1e-30))
    if share <= TINY:
        return False
    reasons.append(
        f"{handle.stage.name} has one tap per phase, so equal gains would make its taps alike and "
        f"erase detail (the weights would change by {100 * share:.0f} %)"
    )
    return True


def _projected(
    writable: WritableStages, chosen: Sequence[int], order: int, *, weighted: bool, share: float
) -> dict[int, PhaseKernel]:
    case, kernels = writable.case, dict[int, PhaseKernel]()
    model: nn.Module = case.model
    for index in chosen:
        kernel, weight = writable.handles[index].kernel, None
        if weighted and _can_weigh(kernel):
            source = source_of(case.recording.graph, case.recording.stages[index])
            assert source is not None
            weight = patch_moment(case, model, source.key, kernel)
        elif weighted and len(chosen) == 1:
            raise Refusal("too large to be weighted, or each phase has one tap")
        kernels[index] = _between(kernel, phases.project(kernel, order, weight), share)
        if weighted and index != chosen[-1]:
            model = writable.network(kernels)
    return kernels


def _between(old: PhaseKernel, new: PhaseKernel, share: float) -> PhaseKernel:
    if share == 1:
        return new
    weight = torch.lerp(old.weight, new.weight, share)
    bias = None if old.bias is None else torch.lerp(old.phase_bias(), new.phase_bias(), share)
    return PhaseKernel(weight, old.stride, bias, old.offset, old.margin, old.support)


def _can_weigh(kernel: PhaseKernel) -> bool:
    reach = prod(-(-k // s) for k, s in zip(kernel.kernel_size, kernel.stride, strict=True))
    n, taps = kernel.in_channels, prod(kernel.kernel_size)
    return reach > 1 and n * reach <= MOST_PATCH and n * taps <= MOST_TAPS


def _has_phase_bias(handle: WeightHandle) -> bool:
    return handle.bias is not None and handle.bias.index.ndim > 1


def _biased(
    writable: WritableStages, kernels: dict[int, PhaseKernel], label: str, advance: Advance
) -> Iterator[Candidate]:
    """Yield candidates with solved biases per phase, if a layer has such biases already."""
    chosen = [index for index in kernels if _has_phase_bias(writable.handles[index])]
    if chosen:
        advance(f"project, biases: {label}")
        model = writable.network(kernels)
        kernels = tuned(writable.case, model, kernels, chosen, advance, gains=False, steps=STEPS)
        yield writable.candidate(f"{label}, biases per phase", kernels)
