"""Cycle spinning of the whole network: exact for a lattice locked to the grid, at several times the cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from uncheck.editing.cycle_spin import CycleSpin, Shifts, few_shifts, full_shifts, usual_strength
from uncheck.editing.edits import KINDS, Candidate, Spun
from uncheck.errors import Refusal, UncheckError
from uncheck.judging.judgement import GONE_LEVELS, GONE_TIMES
from uncheck.measuring import Component
from uncheck.measuring.batches import interior
from uncheck.measuring.observed import observe
from uncheck.reading import Inputs
from uncheck.repairing.case import Advance, Case

#: Most runs of the network that one call of the repaired one may take.
MOST_RUNS = 64

#: Margins tried where the network refuses that of the period: usual divisors of sizes.
MARGINS = (8, 16, 32, 64)

#: Frequencies without a finding count as this share of the strongest, times the usual strength there.
UNSEEN = 0.02


def spin(case: Case, advance: Advance) -> Iterator[Candidate]:
    """Try fewer shifts than all, where they leave little on the inputs to fit on; then all.

    Raises:
        Refusal: no shift of the input is a shift of the output, or a call would take too many runs.

    Cost: runs of the network, count * len(case.fit) for each smaller set of shifts; none for all of them.
    """
    period = spin_period(case)
    advance("spin: looking for the margin")
    margin = find_margin(case, case.fit[0], period)
    runs = math.prod(period)
    before = found_in(case, case.model, period, advance)
    limit = {p: max(GONE_LEVELS, c.amplitude / GONE_TIMES) for p, c in before.items()}
    strength = line_strengths(before.values(), period)
    for count in dict.fromkeys((max(period), runs // 4, runs // 2)):
        if not 1 < count < runs:
            continue
        shifts = few_shifts(period, count, strength)
        left = found_in(case, CycleSpin(case.model, shifts, margin=margin), period, advance)
        if all(c.amplitude <= limit.get(p, GONE_LEVELS) for p, c in left.items()):
            yield _candidate(shifts, margin, f"{count} of {runs} shifts")
            break
    yield _candidate(full_shifts(period), margin, f"all {runs} shifts")


def spin_period(case: Case) -> tuple[int, ...]:
    """Return the period to spin over, pixels per axis: the least common multiple of the faulty ones.

    Raises:
        Refusal: the network cannot be spun.
    """
    if case.scale is None:
        raise Refusal(
            "this network is driven by codes, which have no place on the lattice: a shift of the code is no "
            "shift of the picture"
        )
    if not case.spinnable:
        s = "x".join(f"{one:g}" for one in dict.fromkeys(case.scale))
        raise Refusal(
            f"one input pixel is {s} output pixels: shifts by input pixels leave the lattice where it is"
        )
    if not case.faulty:
        raise Refusal("no lattice was found on the inputs to fit on: there is nothing to spin away")
    each = math.lcm(*case.faulty)
    runs = each**case.ndim
    if runs > MOST_RUNS:
        raise Refusal(
            f"the lattice repeats every {each} pixels, so that cycle spinning would take {runs} runs of the "
            f"network for each call; at most {MOST_RUNS} are allowed"
        )
    return (each,) * case.ndim


def spun_target(case: Case, inputs: Inputs, period: tuple[int, ...], advance: Advance) -> Tensor:
    """Return the fully spun network's picture of one call's inputs.

    Returns:
        (N, C, *spatial), float32, of the size the network itself gives, without gradients.

    Raises:
        Refusal: the network cannot be run on a larger input.

    Cost: prod(period) + 2 runs of the network; `advance` is called before each.
    """
    margin = find_margin(case, inputs, period)
    shifts = full_shifts(period)
    total = torch.zeros(())
    for index, shift in enumerate(shifts):
        advance(f"spin: shift {index + 1} of {len(shifts)}")
        total = total + case.run(CycleSpin(case.model, (shift,), margin=margin), inputs).float()
    return total / len(shifts)


def find_margin(case: Case, inputs: Inputs, period: tuple[int, ...]) -> tuple[int, ...]:
    """Return the least margin with which the network runs and its output grows by as much as its input.

    Raises:
        Refusal: there is none.

    Cost: two runs of the network, where the period's own margin does.
    """
    wanted = case.run(case.model, inputs).shape
    none = (tuple([0] * len(period)),)
    reason = ""
    for least in (1, *MARGINS):
        margin = tuple(math.lcm(s, least) for s in period)
        try:
            shape = case.run(CycleSpin(case.model, none, margin=margin), inputs).shape
        except UncheckError as error:
            reason = reason or str(error)
            continue
        if shape == wanted:
            return margin
        reason = reason or f"its output became {list(shape)} instead of {list(wanted)}"
    raise Refusal(f"the network does not take an input a few pixels larger ({reason})")


def found_in(case: Case, model: nn.Module, period: tuple[int, ...], advance: Advance) -> dict[int, Component]:
    """Return the significant components of the outputs on the inputs to fit on, at divisors of the period."""
    tested = [p for p in range(2, max(period) + 1) if any(s % p == 0 for s in period)]
    outputs = []
    for index, one in enumerate(case.fit):
        advance(f"spin: output {index + 1} of {len(case.fit)}")
        outputs.append(case.levels(case.run(model, one)))
    found = observe(interior(np.concatenate(outputs)), tested).strongest()
    return {period: one.component for period, one in found.items()}


def line_strengths(found: Iterable[Component], period: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the amplitude of each lattice frequency, shape `period`, for `few_shifts`; none is zero."""
    power = np.zeros(period)
    for line in (line for component in found for line in component.lines):
        for sign in (1, -1):
            place = tuple(round(sign * f * s) % s for f, s in zip(line.frequency, period, strict=True))
            power[place] = max(line.amplitudes) ** 2
    return np.asarray(np.sqrt(power) + UNSEEN * (np.sqrt(power.max()) or 1.0) * usual_strength(period))


def _candidate(shifts: Shifts, margin: tuple[int, ...], label: str) -> Candidate:
    return Candidate("spin", label, KINDS[1], (Spun(shifts, 1, margin),))
