"""Who is to blame: even one stage, run the rest unchanged, see how much of the lattice goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uncheck.probing.even import can_even, evening
from uncheck.probing.forward import Runner
from uncheck.probing.lattices import Found, amplitude_of
from uncheck.probing.outputs import View
from uncheck.reading import Stage

#: A stage whose evening makes a period this much stronger was being cancelled by the others.
RAISES = 1.25

#: The two counterfactuals of a stage (alone evened, alone left uneven) disagree by more: it interacts.
DISAGREE = 0.5


@dataclass(frozen=True)
class PeriodBlame:
    """What happens to one period of the final lattice, amplitudes in grey levels.

    Attributes:
        period: of the component.
        before: its amplitude in the unchanged network.
        first_order: with this stage's phase means evened.
        second_order: with its phase means and covariances evened.
        only_this: with every other stage evened and this one left as it is.
        all_even: with every stage evened: what none of them answers for by these moments.
        share: of the lattice's amplitude that this stage answers for, 0..1.
    """

    period: tuple[int, ...]
    before: float
    first_order: float
    second_order: float
    only_this: float
    all_even: float
    share: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**vars(self), "period": list(self.period)}


@dataclass(frozen=True)
class StageBlame:
    """The blame of one stage.

    Attributes:
        index: of the stage.
        share: of the whole lattice, 0..1: shares per period weighted by their power.
        order: 1 if equal means suffice to remove most of what the stage answers for, 2 if it takes equal
            covariances, None if the stage answers for nothing.
        periods: per period.
        interacts: whether evening it alone makes some period stronger, or the two counterfactuals disagree.
    """

    index: int
    share: float
    order: int | None
    periods: tuple[PeriodBlame, ...]
    interacts: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**vars(self), "periods": [p.to_dict() for p in self.periods]}


def blame(
    runner: Runner,
    stages: Sequence[Stage],
    present: Sequence[Found],
    unchanged: NDArray[np.float32],
    view: View,
    advance: Callable[[str], None] = lambda _: None,
) -> tuple[StageBlame, ...]:
    """Share of the final lattice that each stage answers for.

    With A the amplitude of a period in the unchanged network, A_i with stage i evened to second order, B with
    all stages evened and B_i with all but i:   share_i = clip(((A - A_i) + (B_i - B)) / (2 A), 0, 1),
    the mean of what goes when the stage alone is mended and what comes when it alone is not (Shapley's value
    for two orders of arrival). Stages without whole phases get 0.

    Args:
        runner: the model and its example.
        stages: its upsampling stages.
        present: the components to explain, at least one.
        unchanged: (N, *spatial, C) grey levels of the unchanged network's output on the example.
        view: how the outputs are looked at.
        advance: told before each pass what it is.

    Cost: 3 n + 1 forward passes for n stages (2 for a single stage).
    """
    able = [stage for stage in stages if can_even(stage)]

    def amplitudes(edited: Sequence[Stage], label: str, *, second_order: bool) -> NDArray[np.float64]:
        advance(label)
        batch = view(runner(edits=evening(edited, second_order=second_order)))
        return np.array([amplitude_of(batch, found) for found in present])

    before = np.array([amplitude_of(unchanged, found) for found in present])
    means = {s.index: amplitudes([s], f"{s.name}: equal means", second_order=False) for s in able}
    both = {s.index: amplitudes([s], f"{s.name}: equal covariances", second_order=True) for s in able}
    if len(able) > 1:
        none = amplitudes(able, "all stages even", second_order=True)
        only = {
            s.index: amplitudes([o for o in able if o is not s], f"all even but {s.name}", second_order=True)
            for s in able
        }
    else:
        none = both[able[0].index] if able else before
        only = {s.index: before for s in able}
    return tuple(
        _stage_blame(s.index, present, before, means[s.index], both[s.index], only[s.index], none)
        if s.index in both
        else StageBlame(s.index, 0.0, None, (), False)
        for s in stages
    )


def _stage_blame(
    index: int,
    present: Sequence[Found],
    before: NDArray[np.float64],
    means: NDArray[np.float64],
    both: NDArray[np.float64],
    only: NDArray[np.float64],
    none: NDArray[np.float64],
) -> StageBlame:
    safe = np.maximum(before, 1e-9)
    goes, comes = (before - both) / safe, (only - none) / safe
    shares = np.clip((goes + comes) / 2, 0.0, 1.0)
    periods = tuple(
        PeriodBlame(f.component.period, *map(float, row))
        for f, row in zip(present, np.column_stack([before, means, both, only, none, shares]), strict=True)
    )
    weight = before**2 / max(1e-18, float((before**2).sum()))
    share = float((weight * shares).sum())
    removed, by_means = float((weight * goes).sum()), float((weight * (before - means) / safe).sum())
    order = None if share < 0.1 else 1 if by_means >= 0.5 * max(removed, share) else 2
    # Only periods that carry weight make a stage interact: a trace doubled is still a trace.
    heavy = weight > 0.05
    interacts = bool((heavy & ((both > RAISES * before) | (np.abs(goes - comes) > DISAGREE))).any())
    return StageBlame(index, share, order, periods, interacts)
