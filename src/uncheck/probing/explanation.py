"""Why a lattice is there: the stages to blame, its order, and whether it is built in."""

from __future__ import annotations

from dataclasses import dataclass

from uncheck.measuring import Component
from uncheck.probing.blame import Control, StageBlame, blame, control
from uncheck.probing.finding import Finding
from uncheck.probing.forward import Runner
from uncheck.probing.origin import built_in
from uncheck.reading import Recording


@dataclass(frozen=True)
class Explanation:
    """The causes of a lattice.

    Attributes:
        blamed: the blame of each stage, in their order; None where there is no lattice.
        controls: for each component present what is left of it with all stages mended.
        random_lattice: that of the same architecture with random weights; None if not tried.
        fault: "architecture" or "learning"; None where that is not known.
    """

    blamed: tuple[StageBlame, ...] | None = None
    controls: tuple[Control, ...] = ()
    random_lattice: tuple[Component, ...] | None = None
    fault: str | None = None


def explain(runner: Runner, recording: Recording, finding: Finding, until: float) -> Explanation:
    """Find the causes of what is present in one output, on the input that shows it.

    `until` is the time of `time.monotonic` at which to stop. Passes are counted on `runner`.
    """
    stages = recording.stages
    if not stages:
        return Explanation()
    shown = finding.explained
    accused = runner.on(finding.signals.inputs[finding.shown]) if finding.shown else runner
    present = finding.present
    blamed = blame(accused, stages, present, shown, finding.view) if present else None
    controls = control(accused, stages, present, shown, finding.view) if present else ()
    random, fault = built_in(accused, shown, present, finding.view)
    runner.passes = max(runner.passes, accused.passes)
    return Explanation(blamed, controls, random, fault)
