"""Trials: runs of a network with some outputs edited, and how much of its lattice each leaves."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import inf
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.observed import BatchComponent
from uncheck.probing.counterfactuals import evening, mending, scrambling
from uncheck.probing.forward import OutputView, Runner
from uncheck.probing.replay import Edits, Replay
from uncheck.probing.waves import lattice_of, share_of, strength_of, waves_in
from uncheck.reading import Stage

How = Literal["equal means", "equal covariances", "phases scrambled", "mended"]

Left = tuple[NDArray[np.float64], NDArray[np.float64]]


class OutOfTime(Exception):
    """The time of an inspection is over."""


class Trial:
    """Runs of a network with some outputs edited, and how much of its lattice each leaves.

    Equation: with L the complex amplitudes of a component, b those of the unchanged output and a those of
    the edited one, the share left is 1 - Re <L, b - a> / |L|^2. What b and a have in common drops out.

    Args:
        runner: of the network, on the input that shows the lattice.
        present: the components to explain, at least one.
        unchanged: the output on that input, (N, *spatial, C) grey levels.
        view: how it is measured.
        until: time of `time.monotonic` after which no run is begun.

    Attributes:
        all_met: whether every call to edit was made in every run so far.
    """

    def __init__(
        self,
        runner: Runner,
        present: Sequence[BatchComponent],
        unchanged: NDArray[np.float32],
        view: OutputView,
        until: float = inf,
    ) -> None:
        self._runner, self._view, self._until = runner, view, until
        self.present = tuple(present)
        self._lattice = [lattice_of(found) for found in present]
        self._before = [waves_in(unchanged, found) for found in present]
        self.before = np.array([strength_of(wave) for wave in self._before])
        self._known: dict[tuple[str, tuple[int, ...]], Left] = {}
        self.all_met = True

    def __call__(self, how: How, stages: Sequence[Stage]) -> Left:
        """Return the amplitude of each period with some stages edited, and the share left of it in its phase.

        Cost: a forward pass; none for what was asked before.

        Raises:
            OutOfTime: the time is over.
        """
        key = how, tuple(stage.index for stage in stages)
        if key not in self._known:
            if time.monotonic() > self._until:
                raise OutOfTime
            names = stages[0].name if len(stages) == 1 else f"{len(stages)} stages"
            self._runner.advance(f"{names}: {how}")
            try:
                replay = Replay(self._runner.model, _edits_of(how, stages))
                self._known[key] = self._left(self._runner(watcher=replay))
                self.all_met = self.all_met and replay.met == set(replay.edits)
            except UncheckError:  # the network does not bear the change
                self._known[key] = self.before, np.ones(len(self.present))
        return self._known[key]

    def _left(self, output: Any) -> Left:
        batch = self._view(output)
        after = [waves_in(batch, found) for found in self.present]
        kept = [
            1 - share_of(own, b - a) for own, b, a in zip(self._lattice, self._before, after, strict=True)
        ]
        return np.array([strength_of(wave) for wave in after]), np.array(kept)


def _edits_of(how: How, stages: Sequence[Stage]) -> Edits:
    if how == "phases scrambled":
        return scrambling(stages)
    return mending(stages) if how == "mended" else evening(stages, second_order=how == "equal covariances")
