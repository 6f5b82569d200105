"""More evidence for an inspection: the outputs of more inputs, added to those on the example."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any

from uncheck.measuring.batches import BatchLattice
from uncheck.measuring.components import VISIBLE
from uncheck.probing.evidence import LEAST, Evidence, Standing, gather, widened
from uncheck.probing.finding import Finding, own_limits
from uncheck.probing.forward import Runner
from uncheck.probing.origin import passed_through

#: Times the passes of an inspection that it may take where more evidence is gathered, and those of them that
#: the evidence may take: the lattice is explained afterwards.
MORE, OF_IT = 4, 3

#: Seconds that evidence may take where nobody gave a number, told from the processor time of its first batch:
#: far beyond what it takes of most networks, and the same however busy the machine is.
SECONDS = 60.0

#: Share of the user's seconds that evidence may take.
SHARE = 0.5


def gathered(
    runner: Runner, output: Any, findings: Sequence[Finding], until: float
) -> tuple[list[Finding], Evidence]:
    """Gather evidence where no output shows a lattice: on few inputs, or where a visible one could hide.

    Args:
        runner: of the network; its budget grows where more evidence is gathered.
        output: what the network returned on the example.
        findings: of each output on the example and the probes.
        until: time of `time.monotonic` at which the inspection is to end.

    Returns:
        The findings on all outputs together, and what they rest on.
    """
    measured = [one for one in findings if not one.constant]
    sums = [one.view.outputs() for one in measured]
    lattices: list[BatchLattice] = []

    def add(returned: Any) -> None:
        batches = [one.view(returned) for one in measured]
        for one, batch in zip(sums, batches, strict=True):
            one.add(batch)

    def look() -> Standing:
        lattices[:] = [one.view.seen(own) for one, own in zip(measured, sums, strict=True)]
        known = [_own(runner, f, seen) for f, seen in zip(measured, lattices, strict=True)]
        shown = any(f.present for f in known)
        return Standing(shown, max((_worst(f) for f in known), default=0.0))

    samples = len(runner.signal)
    threshold = min((one.view.threshold for one in measured), default=inf) or VISIBLE
    limit = max((limit.amplitude for one in measured for limit in one.limits), default=0.0)
    tested = any(one.limits or one.traces for one in measured)
    if any(one.present for one in findings):
        return list(findings), Evidence(samples, 1.0, "lattice", limit)
    if not tested:
        return list(findings), Evidence(samples, 1.0, "nothing", None)
    if limit <= threshold and samples >= LEAST:
        return list(findings), Evidence(samples, 1.0, "limit", limit)
    for one, own in zip(measured, sums, strict=True):
        own.add(one.batch)
    now = time.monotonic()
    evidence = gather(
        runner,
        output,
        add,
        look,
        threshold=threshold,
        most=OF_IT * runner.budget,
        until=inf if until == inf else now + SHARE * max(0.0, until - now),
        work=SECONDS if until == inf else inf,
    )
    evidence = replace(evidence, passes=1.0 + evidence.passes)
    runner.budget *= MORE
    known = dict(zip(map(id, measured), lattices, strict=True))
    return [_own(runner, one, known[id(one)]) if id(one) in known else one for one in findings], evidence


def _worst(finding: Finding) -> float:
    return max((limit.amplitude for limit in finding.limits), default=0.0)


def _own(runner: Runner, finding: Finding, seen: BatchLattice) -> Finding:
    """Return the finding with what is seen in all outputs, less what the example brought with it."""
    brought = passed_through(runner, finding.batch, [*seen.present, *seen.traces])
    return replace(
        finding,
        present=tuple(one for one in seen.present if one not in brought),
        traces=tuple(one for one in seen.traces if one not in brought),
        from_input=(*(one for one in finding.from_input if one not in brought), *brought),
        limits=widened(own_limits(seen.limits, brought), len(runner.signal)),
        not_tested=seen.not_tested,
    )
