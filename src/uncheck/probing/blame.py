"""Blame of each stage: the share of the lattice that disappears when this stage alone is mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.batches import BatchComponent, amplitude_of
from uncheck.plain import Plain
from uncheck.probing.counterfactuals import Edits, can_even, evening, scrambling
from uncheck.probing.forward import OutputView, Runner
from uncheck.reading import Stage

#: A stage whose evening makes a period this much stronger was being cancelled by the others.
RAISES = 1.25


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


def blame(
    runner: Runner,
    stages: Sequence[Stage],
    present: Sequence[BatchComponent],
    unchanged: NDArray[np.float32],
    view: OutputView,
) -> tuple[StageBlame, ...]:
    """Measure the share of the final lattice that each stage causes.

    Two counterfactuals, the rest of the network unchanged: A_i is the amplitude of a period with stage i
    made even to second order, S_i with the phases of stages 0 to i scrambled, A = S_(-1) without either:

        share_i = (clip((A - A_i) / A, 0, 1) + clip((S_(i-1) - S_i) / A, 0, 1)) / 2.

    Evening sees what a stage does even where others cancel it, but only means and covariances; scrambling
    sees every difference between phases, but blurs the lattices that come from before, hence the order.
    Stages without whole phases get 0.

    `present` are the components to explain, at least one; `unchanged` is the output of the unchanged network
    on the example, (N, *spatial, C) grey levels.

    Cost: 3 n forward passes for n stages.
    """
    able = [stage for stage in stages if can_even(stage)]

    def amplitudes(label: str, edits: Edits) -> NDArray[np.float64]:
        runner.advance(label)
        batch = view(runner(edits=edits))
        return np.array([amplitude_of(batch, found) for found in present])

    before = np.array([amplitude_of(unchanged, found) for found in present])
    least, out = before, []
    for stage in stages:
        if stage not in able:
            out.append(StageBlame(stage.index, 0.0, None, (), False))
            continue
        means = amplitudes(f"{stage.name}: equal means", evening([stage], second_order=False))
        both = amplitudes(f"{stage.name}: equal covariances", evening([stage], second_order=True))
        until = [s for s in able if s.index <= stage.index]
        mixed = amplitudes(f"{stage.name}: phases scrambled", scrambling(until))
        out.append(_stage_blame(stage.index, present, before, means, both, least, mixed))
        least = np.minimum(least, mixed)
    return tuple(out)


def _stage_blame(
    index: int, present: Sequence[BatchComponent], *amplitudes: NDArray[np.float64]
) -> StageBlame:
    before, means, both, least, mixed = amplitudes
    safe = np.maximum(before, 1e-9)
    evened, scrambled = np.clip((before - both) / safe, 0, 1), np.clip((least - mixed) / safe, 0, 1)
    shares = (evened + scrambled) / 2
    periods = tuple(
        PeriodBlame(f.component.period, *map(float, row))
        for f, row in zip(present, np.column_stack([before, means, both, mixed, shares]), strict=True)
    )
    weight = before**2 / max(1e-18, float((before**2).sum()))
    share = float((weight * shares).sum())
    by_means = float((weight * np.clip((before - means) / safe, 0, 1)).sum())
    order = None if share < 0.1 else 1 if by_means >= 0.5 * max(float((weight * evened).sum()), share) else 2
    # Only periods that carry weight make a stage interact: a trace doubled is still a trace.
    interacts = bool(((weight > 0.05) & (both > RAISES * before)).any())
    return StageBlame(index, share, order, periods, interacts)
