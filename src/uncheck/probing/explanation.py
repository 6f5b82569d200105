"""Why a lattice is there: the stages to blame, its order, and whether it is built in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from uncheck.measuring import Component
from uncheck.measuring.observed import TOGETHER, BatchComponent
from uncheck.probing.blame import StageBlame, blame
from uncheck.probing.control import Control, control
from uncheck.probing.evidence import Evidence
from uncheck.probing.finding import Finding
from uncheck.probing.forward import Runner
from uncheck.probing.larger_batches import enlarged
from uncheck.probing.origin import built_in
from uncheck.probing.representatives import first_samples, simplest
from uncheck.probing.trial import OutOfTime, Trial
from uncheck.reading import Recording, Stage

#: Of so many inputs the one is looked for that shows most of what more evidence found; where none stands for
#: all, so many explain it.
MOST_SAMPLES, FEW_SAMPLES = 8, 3


@dataclass(frozen=True)
class Explanation:
    """The causes of a lattice.

    Attributes:
        blamed: the blame of each stage, in their order; None where there is no lattice, or no time was left.
        controls: each component present with all stages mended at once; likewise.
        random_lattice: that of the same architecture with random weights; None if not tried.
        fault: "architecture" or "learning"; None where that is not known.
        dropped: what was left out for want of time.
    """

    blamed: tuple[StageBlame, ...] | None = None
    controls: tuple[Control, ...] = ()
    random_lattice: tuple[Component, ...] | None = None
    fault: str | None = None
    dropped: tuple[str, ...] = ()

    @property
    def orders(self) -> tuple[str, ...]:
        """The order of each component present, "first" or "second"; empty where that is not known."""
        return tuple(one.order for one in self.controls)


def explain(
    runner: Runner, recording: Recording, finding: Finding, evidence: Evidence, until: float
) -> Explanation:
    """Find the causes of what is present in one output, on the input that shows it.

    A lattice that it took more inputs to find is explained on one or a few of them.
    `until` is the time of `time.monotonic` at which to stop: random weights are left out first, then blame.
    Passes are counted on `runner`.
    """
    stages, present, view = recording.stages, finding.present, finding.view
    if not stages:
        return Explanation()
    shown = finding.explained
    accused = runner.on(finding.signals.inputs[finding.shown]) if finding.shown else runner
    blamed: tuple[StageBlame, ...] | None = None
    controls: tuple[Control, ...] = ()
    dropped: list[str] = []
    if present and not finding.shown and evidence.stopped == "lattice" and evidence.passes > 1:
        accused, output = enlarged(runner, recording.output, min(evidence.inputs, MOST_SAMPLES))
        shown = view(output)
        present = _within(present, len(shown))
        accused, shown, present = simplest(accused, present, shown, view)
        accused, shown = first_samples(accused, shown, max(FEW_SAMPLES, len(runner.signal)))
        present = _within(present, len(shown))
    elif present:
        accused, shown, present = simplest(accused, present, shown, view)
    if present:
        trial = Trial(accused, present, shown, view, until)
        try:
            controls = control(trial, stages)
            blamed = blame(trial, stages)
        except OutOfTime:
            dropped.append("the blame of the stages")
    random, fault = None, None
    if time.monotonic() < until:
        random, fault = built_in(accused, shown, present, view)
    else:
        dropped.append("random weights")
    runner.passes = max(runner.passes, accused.passes)
    return Explanation(blamed, controls, random, fault, tuple(dropped))


def _within(present: tuple[BatchComponent, ...], count: int) -> tuple[BatchComponent, ...]:
    """Return the components with those of single outputs that are not at hand laid to all together."""
    return tuple(one if one.view < count else replace(one, view=TOGETHER) for one in present)


def orders_of(
    runner: Runner, stages: Sequence[Stage], finding: Finding, evidence: Evidence, until: float
) -> tuple[str, ...]:
    """Return the orders of an output's lattice that is not the worst; empty where that is not known.

    Cost: at most three forward passes, which are spent only if the budget allows them.
    """
    gathered = not finding.shown and evidence.passes > 1
    if not (stages and finding.present) or gathered or not runner.affords(runner.signal, 3):
        return ()
    accused = runner.on(finding.signals.inputs[finding.shown]) if finding.shown else runner
    try:
        trial = Trial(accused, finding.present, finding.explained, finding.view, until)
        return tuple(one.order for one in control(trial, stages))
    except OutOfTime:
        return ()
    finally:
        runner.passes = max(runner.passes, accused.passes)
