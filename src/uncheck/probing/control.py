"""The control of blame: all stages mended at once, and what is left of the lattice then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from uncheck.plain import Plain
from uncheck.probing.counterfactuals import can_even
from uncheck.probing.trial import How, Trial
from uncheck.reading import Stage

#: Share of a lattice that mending must take to explain it.
EXPLAINS = 0.5

Order = Literal["first", "second"]


@dataclass(frozen=True)
class Control(Plain):
    """One period of the final lattice with all stages mended at once: what the upsampling has to do with it.

    Attributes:
        before: its amplitude in the unchanged network, grey levels.
        means: what is left of it, in its own phase, with the means of all phases evened at every stage.
        mended: the least that is left with means, or covariances too, evened, or phases scrambled as well.
        sure: whether the input at hand shows most of it, so that what is left of it can be told.
    """

    period: tuple[int, ...]
    before: float
    means: float
    mended: float
    sure: bool = True

    @property
    def order(self) -> Order:
        """First where equal means suffice to take half of it, else second."""
        return "first" if self.means <= EXPLAINS * self.before else "second"

    @property
    def explained(self) -> bool:
        """Whether the upsampling makes more than half of it, as far as can be told."""
        return not self.sure or self.mended <= EXPLAINS * self.before


def control(trial: Trial, stages: Sequence[Stage]) -> tuple[Control, ...]:
    """Mend all stages at once, and measure what is left of each period of the lattice.

    Only what keeps its phase counts: a pattern that the mending itself brings in is not what was there.

    Cost: one forward pass where equal means explain all periods, else two or three.
    """
    able = [stage for stage in stages if can_even(stage)]
    ways: tuple[How, ...] = ("equal means", "equal covariances", "mended")
    left = np.ones((len(ways), len(trial.present)))
    for row, how in zip(left, ways if able else (), strict=False):
        if (left.min(axis=0) > EXPLAINS).any():
            row[:] = np.clip(trial(how, able)[1], 0.0, None)
    return tuple(
        Control(
            f.component.period,
            float(b),
            float(b * m),
            float(b * rest),
            bool(able)
            and len(able) == len(stages)
            and trial.all_met
            and bool(b >= EXPLAINS * f.component.amplitude),
        )
        for f, b, m, rest in zip(trial.present, trial.before, left[0], left.min(axis=0), strict=True)
    )
