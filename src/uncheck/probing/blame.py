"""Blame of each stage: the share of the lattice that disappears when this stage alone is mended."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.measuring.batches import TOGETHER, BatchComponent, interior
from uncheck.measuring.lines import line_means
from uncheck.plain import Plain
from uncheck.probing.counterfactuals import Edits, Replay, can_even, evening, mending, scrambling
from uncheck.probing.forward import OutputView, Runner
from uncheck.reading import Stage

#: A stage whose evening makes a period this much stronger was being cancelled by the others.
RAISES = 1.25

#: A stage that answers for less of the lattice is not to blame.
BLAMED = 0.1

#: More stages than this are first tried in halves.
FEW = 4

#: A group of stages is left out where mending all of them takes less than this share of every period.
INNOCENT = 0.1

#: Share of a lattice that mending must take to explain it.
EXPLAINS = 0.5

#: Share of the lattice of all outputs that one must show to stand for them.
SHOWS = 0.8

#: At most so many outputs are tried for that.
MOST_TRIED = 16

#: An output alone and among others differ by at most this share of its deviation.
SAME = 1e-3

Order = Literal["first", "second"]
How = Literal["equal means", "equal covariances", "phases scrambled", "mended"]
Left = tuple[NDArray[np.float64], NDArray[np.float64]]


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
        self._lattice = [_lattice(found) for found in present]
        self._before = [_waves(unchanged, found) for found in present]
        self.before = np.array([_amplitude(wave) for wave in self._before])
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
        after = [_waves(batch, found) for found in self.present]
        kept = [
            1 - float((own.conj() * (b - a)).real.sum() / max(1e-18, float((np.abs(own) ** 2).sum())))
            for own, b, a in zip(self._lattice, self._before, after, strict=True)
        ]
        return np.array([_amplitude(wave) for wave in after]), np.array(kept)


def _edits_of(how: How, stages: Sequence[Stage]) -> Edits:
    if how == "phases scrambled":
        return scrambling(stages)
    return mending(stages) if how == "mended" else evening(stages, second_order=how == "equal covariances")


def _lattice(found: BatchComponent) -> NDArray[np.complex128]:
    """Return the complex amplitudes of a component's own lines, (lines, channels), in grey levels."""
    return np.array([np.asarray(line.mean) * (1 if line.real else 2) for line in found.component.lines])


def _waves(batch: NDArray[np.float32], found: BatchComponent) -> NDArray[np.complex128]:
    """Return the complex amplitudes of a component's lines in a batch, (lines, channels), in grey levels."""
    cut = interior(batch)
    values = np.asarray(cut.mean(axis=0) if found.view == TOGETHER else cut[found.view])
    lines = found.component.lines
    return np.array([[1.0 if line.real else 2.0] for line in lines]) * line_means(values, lines)


def _amplitude(waves: NDArray[np.complex128]) -> float:
    return float(np.sqrt((np.abs(waves) ** 2).sum(axis=0).max()))


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


def simplest(
    runner: Runner, present: Sequence[BatchComponent], unchanged: NDArray[np.float32], view: OutputView
) -> tuple[Runner, NDArray[np.float32], tuple[BatchComponent, ...]]:
    """Return a runner on the one sample that shows the lattice of all, its output and the components there.

    Where there is no such sample, return what was given.

    Runs on one of N samples take an N-th of the time. It must show at least four fifths of every period, in
    its phase, and give the same output alone.

    Cost: one run on that sample.
    """
    samples = len(runner.signal)
    given = runner, unchanged, tuple(present)
    if samples == 1 or len(unchanged) != samples:
        return given
    there = tuple(replace(found, view=TOGETHER) for found in present)
    shown = [
        min(_shown(unchanged[i : i + 1], found) for found in there) for i in range(min(samples, MOST_TRIED))
    ]
    best = int(np.argmax(shown))
    if shown[best] < SHOWS:
        return given
    alone = runner.at(tuple(_sample(x, best, samples) for x in runner.example))
    try:
        output = view(alone())
    except UncheckError:
        return given
    runner.passes = alone.passes
    wanted = unchanged[best : best + 1]
    same = np.abs(output - wanted).mean() <= SAME * max(1e-6, float(wanted.std()))
    return (alone, wanted, there) if same else given


def _shown(batch: NDArray[np.float32], found: BatchComponent) -> float:
    own = _lattice(found)
    return float((own.conj() * _waves(batch, found)).real.sum() / max(1e-18, float((np.abs(own) ** 2).sum())))


def first_samples(
    runner: Runner, unchanged: NDArray[np.float32], count: int
) -> tuple[Runner, NDArray[np.float32]]:
    """Return a runner on the first samples of its example, with their outputs."""
    samples = len(runner.signal)
    if samples <= count or len(unchanged) != samples:
        return runner, unchanged

    def cut(value: Any) -> Any:
        goes_along = isinstance(value, Tensor) and value.dim() > 0 and len(value) == samples
        return value[:count] if goes_along else value

    return runner.at(tuple(map(cut, runner.example))), unchanged[:count]


def _sample(value: Any, index: int, samples: int) -> Any:
    goes_along = isinstance(value, Tensor) and value.dim() > 0 and len(value) == samples
    return value[index : index + 1] if goes_along else value
