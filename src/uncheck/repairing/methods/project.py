"""The least change of weights, and of biases per phase, to equal gains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
from uncheck.repairing.methods.stages import candidate, handles, names
from uncheck.repairing.methods.tune import tune

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

    Args:
        case: the network.
        advance: called with each trial.

    Yields:
        Candidates, the least harmful first.

    Raises:
        Refusal: nothing applies.

    Cost: one forward pass per input and weighted stage, a factorisation of its taps, one pass to verify.
    """
    found, reasons = handles(case)
    usable = [index for index, handle in found.items() if not _erases(handle, reasons)]
    none = True
    for order, weighted, share in WAYS:
        for chosen in _sets(found, usable):
            label = f"order {order}{', weighted' if weighted else ''}{_part(share)}: {names(found, chosen)}"
            advance(f"project, {label}")
            try:
                made, kernels = _projected(case, found, chosen, (order, weighted, share), label)
                yield made
                none = False
                if order == 1 and share == 1:
                    more = _biased(case, found, kernels, made, label, advance)
                    if more is not None:
                        yield more
            except (Refusal, UncheckError) as reason:
                reasons.append(f"{label}: {reason}")
    native = {i: h.kernel for i, h in found.items() if i not in usable and _has_phase_bias(h)}
    if native:  # no weights may change, but the biases may
        more = _biased(case, found, native, None, names(found, list(native)), advance)
        if more is not None:
            yield more
            none = False
    if none:
        raise Refusal("; ".join(dict.fromkeys(reasons)) or "no upsampling stage leaves the periods found")


def _sets(found: dict[int, WeightHandle], usable: list[int]) -> list[tuple[int, ...]]:
    """Return the stage that feeds the output alone, then all."""
    last = [i for i in usable if found[i].stage.output_period == found[i].stage.stride]
    sets = [tuple(last[-1:]), tuple(usable)]
    return [chosen for chosen in dict.fromkeys(sets) if chosen]


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
    case: Case,
    found: dict[int, WeightHandle],
    chosen: Sequence[int],
    way: tuple[int, bool, float],
    label: str,
) -> tuple[Candidate, dict[int, PhaseKernel]]:
    order, weighted, share = way
    kernels: dict[int, PhaseKernel] = {}
    model: nn.Module = case.model
    for index in chosen:
        handle = found[index]
        weight = None
        if weighted:
            if not _can_weigh(handle.kernel):
                if len(chosen) == 1:
                    raise Refusal("too large to be weighted, or each phase has one tap")
            else:
                source = source_of(case.recording.graph, case.recording.stages[index])
                assert source is not None
                weight = patch_moment(case, model, source.key, handle.kernel)
        kernels[index] = _between(handle.kernel, phases.project(handle.kernel, order, weight), share)
        if weighted and index != chosen[-1]:
            model = candidate(case, "project", label, found, kernels).done_to(case.copy())
    return candidate(case, "project", label, found, kernels), kernels


def _between(old: PhaseKernel, new: PhaseKernel, share: float) -> PhaseKernel:
    if share == 1:
        return new
    weight = torch.lerp(old.weight, new.weight, share)
    bias = None if old.bias is None else torch.lerp(old.phase_bias(), new.phase_bias(), share)
    return PhaseKernel(weight, old.stride, bias, old.offset, old.margin, old.support)


def _part(share: float) -> str:
    return "" if share == 1 else f", {100 * share:.0f} % of the way"


def _can_weigh(kernel: PhaseKernel) -> bool:
    reach = 1
    taps = 1
    for k, s in zip(kernel.kernel_size, kernel.stride, strict=True):
        reach *= -(-k // s)
        taps *= k
    n = kernel.in_channels
    return reach > 1 and n * reach <= MOST_PATCH and n * taps <= MOST_TAPS


def _has_phase_bias(handle: WeightHandle) -> bool:
    return handle.bias is not None and handle.bias.index.ndim > 1


def _biased(
    case: Case,
    found: dict[int, WeightHandle],
    kernels: dict[int, PhaseKernel],
    start: Candidate | None,
    label: str,
    advance: Advance,
) -> Candidate | None:
    """Return the same with biases per phase solved for; None where no layer has them already."""
    chosen = [index for index in kernels if _has_phase_bias(found[index])]
    if not chosen:
        return None
    advance(f"project, biases: {label}")
    model = case.copy() if start is None else start.done_to(case.copy())
    stages = [case.recording.stages[index] for index in chosen]
    solved = tune(case, model, stages, advance, gains=False, steps=STEPS, keep=1e-3)
    changed = {i: solved[i].of(kernel) if i in solved else kernel for i, kernel in kernels.items()}
    return candidate(case, "project", f"{label}, biases per phase", found, changed)
