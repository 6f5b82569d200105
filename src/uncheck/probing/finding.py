"""What is found in one output: the lattice that its network can leave, and what else repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import lcm

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.components import Limit
from uncheck.measuring.observed import BatchComponent
from uncheck.probing.forward import OutputView, Runner
from uncheck.probing.origin import Probed, passed_through
from uncheck.probing.other import others_in
from uncheck.probing.outputs import Seen
from uncheck.probing.result import Other
from uncheck.reading import Recording
from uncheck.signals.levels import LEVELS

#: Grey levels of the strongest lattice that fills the range: black and white in turn.
STRONGEST = LEVELS / 2


@dataclass(frozen=True, eq=False)
class Finding:
    """One output, what was found in it, and where.

    Attributes:
        view: how it is measured.
        batch: (N, *spatial, C) grey levels on the example.
        unread: what was not understood on the way to it, in words; empty if nothing.
        constant: whether it has one colour all over.
        present: components of possible periods that count, strongest first.
        traces: the same, fainter than the threshold.
        from_input: components that the example brought with it.
        other: what repeats at periods that the upsampling cannot leave.
        limits: for every possible period tested and not found what would have been found.
        not_tested: possible periods too long for the output.
        signals: outputs on the probe signals.
        shown: name of the probe that shows `present`; empty for the example.
    """

    view: OutputView
    batch: NDArray[np.float32]
    unread: str = ""
    constant: bool = False
    present: tuple[BatchComponent, ...] = ()
    traces: tuple[BatchComponent, ...] = ()
    from_input: tuple[BatchComponent, ...] = ()
    other: tuple[Other, ...] = ()
    limits: tuple[Limit, ...] = ()
    not_tested: tuple[int, ...] = ()
    signals: Probed = field(default_factory=lambda: Probed({}, {}, {}, {}))
    shown: str = ""

    @property
    def verdict(self) -> str:
        """The word "lattice", "undetermined" where something was not measured or understood, or "clean"."""
        if self.present:
            return "lattice"
        unknown = self.unread or self.constant or self.untested or self.hidden
        return "undetermined" if unknown else "clean"

    @property
    def untested(self) -> bool:
        """Whether the output is too small for every possible period."""
        return bool(self.view.possible.cycles) and set(self.view.possible.cycles) <= set(self.not_tested)

    @property
    def hidden(self) -> tuple[int, ...]:
        """Periods whose limit is above the strongest lattice that there can be: they were not measured."""
        return tuple(max(one.period) for one in self.limits if one.amplitude > STRONGEST)

    @property
    def strength(self) -> float:
        """Root of the summed squares of the amplitudes present, grey levels."""
        return float(np.sqrt(sum(one.component.amplitude**2 for one in self.present)))

    @property
    def explained(self) -> NDArray[np.float32]:
        """The outputs that show `present`: those on the example, or on a probe."""
        return self.signals.outputs[self.shown] if self.shown else self.batch


def find(runner: Runner, recording: Recording, seen: Seen) -> Finding:
    """Test one output on the example.

    Cost: two harmonic tests of each of the first outputs.
    """
    lattice = seen.view.lattice(seen.batch, limits=True)
    strange = seen.view.impossible(seen.batch)
    everything = [*lattice.present, *lattice.traces, *strange]
    brought = passed_through(runner, seen.batch, everything)
    other = others_in(recording, seen, [one for one in strange if one not in brought], brought)
    return Finding(
        seen.view,
        seen.batch,
        seen.unread,
        seen.constant,
        present=tuple(one for one in lattice.present if one not in brought),
        traces=tuple(one for one in lattice.traces if one not in brought),
        from_input=tuple(brought),
        other=other,
        limits=own_limits(lattice.limits, brought),
        not_tested=lattice.not_tested,
    )


def own_limits(limits: Sequence[Limit], brought: Sequence[BatchComponent]) -> tuple[Limit, ...]:
    """Return the limits but for periods that the example brought with it."""
    known = {one.component.cycle for one in brought}
    return tuple(one for one in limits if lcm(*one.period) not in known)


def with_probes(finding: Finding, signals: Probed, judged: Sequence[str]) -> Finding:
    """Return the finding with what the probe signals show; where the example shows nothing, those decide.

    `judged` are the probes that may make the verdict.
    """
    finding = replace(finding, signals=signals)
    name = None if finding.present else signals.worst(judged)
    if name is None:
        return finding
    found = signals.found[name]
    known = {one.component.cycle for one in found}
    limits = tuple(one for one in finding.limits if lcm(*one.period) not in known)
    return replace(finding, present=found, shown=name, limits=limits)


def worst(findings: Sequence[Finding]) -> Finding:
    """Return the finding that decides: the strongest lattice, what is not known, the worst limit."""
    order = {"lattice": 2, "undetermined": 1, "clean": 0}

    def badness(one: Finding) -> tuple[int, float, float]:
        limit = max((limit.amplitude for limit in one.limits), default=0.0)
        return order[one.verdict], one.strength, 0.0 if one.present else limit

    return max(findings, key=badness)
