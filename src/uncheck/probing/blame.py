"""Blame of each stage: the share of the lattice that disappears when this stage alone is mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.observed import BatchComponent
from uncheck.plain import Plain
from uncheck.probing.counterfactuals import can_even
from uncheck.probing.trial import Trial
from uncheck.reading import Stage

#: A stage whose evening makes a period this much stronger was being cancelled by the others.
RAISES = 1.25

#: A stage that answers for less of the lattice is not to blame.
BLAMED = 0.1

#: More stages than this are first tried in halves.
FEW = 4

#: A group of stages is left out where mending all of them takes less than this share of every period.
INNOCENT = 0.1


@dataclass(frozen=True)
class PeriodBlame(Plain):
    """One period of the final lattice in the counterfactuals of one stage, amplitudes in grey levels.

    Attributes:
        before: its amplitude in the unchanged network.
        first_order: with this stage's phase means evened.
        second_order: with its phase means and covariances evened.
        scrambled: with the phases of this stage and of all before it scrambled.
        share: of the lattice's amplitude that this stage answers for, 0..1.
    """

    period: tuple[int, ...]
    before: float
    first_order: float
    second_order: float
    scrambled: float
    share: float


@dataclass(frozen=True)
class StageBlame(Plain):
    """The blame of one stage.

    Attributes:
        share: of the whole lattice, 0..1: shares per period weighted by their power.
        order: 1 if equal means suffice to remove most of what the stage answers for, 2 if it takes equal
            covariances, None if the stage answers for nothing.
        interacts: whether evening it alone makes some period stronger: other stages were cancelling it.
    """

    index: int
    share: float
    order: int | None
    periods: tuple[PeriodBlame, ...]
    interacts: bool


def blame(trial: Trial, stages: Sequence[Stage]) -> tuple[StageBlame, ...]:
    """Measure the share of the final lattice that each stage causes.

    Two counterfactuals, the rest of the network unchanged: a_i is the share of a period that is left, in its
    own phase, with stage i made even to second order, s_i with the phases of stages 0 to i scrambled, and
    s_(-1) = 1:

        share_i = (clip(1 - a_i, 0, 1) + clip(s_(i-1) - s_i, 0, 1)) / 2.

    Evening sees what a stage does even where others cancel it, but only means and covariances; scrambling
    sees every difference between phases, but blurs the lattices that come from before, hence the order.
    Stages without whole phases get 0, and so do those that cannot leave a period; evening them still shows
    whether others were cancelling it.

    Cost: two forward passes for each stage that may have left a period, one more for each that has, and in
    networks of many stages one or two for every group that has not.
    """
    present = trial.present
    nothing = np.zeros(len(present))
    leaves = {s.index: np.array([_may_leave(s, f) for f in present]) for s in stages if can_even(s)}
    suspects = {s.index for s in _suspects([s for s in stages if leaves.get(s.index, nothing).any()], trial)}
    least, out, until = np.ones(len(present)), [], []
    for stage in stages:
        suspect = stage.index in suspects
        if not suspect and (stage.index not in leaves or len(leaves) > FEW):
            out.append(StageBlame(stage.index, 0.0, None, (), False))
            continue
        both, kept = trial("equal covariances", [stage])
        means, mixed, shares, by_means, evened = both, both, nothing, nothing, nothing
        if suspect:
            until.append(stage)
            mixed, scrambled = trial("phases scrambled", until)
            evened = np.clip(1 - kept, 0, 1) * leaves[stage.index]
            shares = (evened + np.clip(least - scrambled, 0, 1) * leaves[stage.index]) / 2
            least = np.minimum(least, np.maximum(scrambled, 0.0))
        if _weighted(trial.before, shares) >= BLAMED:
            means, left = trial("equal means", [stage])
            by_means = np.clip(1 - left, 0, 1)
        rows = np.column_stack([trial.before, means, both, mixed, shares])
        out.append(_stage_blame(stage.index, present, rows, by_means, evened))
    return tuple(out)


def _may_leave(stage: Stage, found: BatchComponent) -> bool:
    """Test whether a component repeats within the period that a stage leaves; unknown ones may leave any."""
    own, period = stage.output_period, found.component.period
    return own is None or len(own) != len(period) or all(q % p == 0 for q, p in zip(own, period, strict=True))


def _suspects(stages: Sequence[Stage], trial: Trial) -> list[Stage]:
    """Leave out groups of stages that change nothing even where all of them are mended."""
    if len(stages) <= FEW:
        return list(stages)
    out = []
    for half in (stages[: len(stages) // 2], stages[len(stages) // 2 :]):
        _, kept = trial("mended", half)
        if (np.abs(1 - kept) >= INNOCENT).any():
            out += _suspects(half, trial)
    return out


def _weighted(before: NDArray[np.float64], shares: NDArray[np.float64]) -> float:
    """Return the mean of shares per period, weighted by the power of the period."""
    return float((before**2 * shares).sum() / max(1e-18, float((before**2).sum())))


def _stage_blame(
    index: int,
    present: Sequence[BatchComponent],
    rows: NDArray[np.float64],
    by_means: NDArray[np.float64],
    evened: NDArray[np.float64],
) -> StageBlame:
    before, _, both, _, shares = rows.T
    periods = tuple(
        PeriodBlame(f.component.period, *map(float, row)) for f, row in zip(present, rows, strict=True)
    )
    share = _weighted(before, shares)
    most = max(_weighted(before, evened), share)
    order = None if share < BLAMED else 1 if _weighted(before, by_means) >= 0.5 * most else 2
    # Only periods that carry weight make a stage interact: a trace doubled is still a trace.
    weight = before**2 / max(1e-18, float((before**2).sum()))
    interacts = bool(((weight > 0.05) & (both > RAISES * before)).any())
    return StageBlame(index, share, order, periods, interacts)
