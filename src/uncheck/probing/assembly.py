"""The result of an inspection, put together from what was found in the outputs."""

from __future__ import annotations

import time
from collections.abc import Sequence

from torch import nn

from uncheck.measuring import Component
from uncheck.measuring.observed import BatchComponent
from uncheck.phases import gain_spread, strang_fix_order
from uncheck.probing.backward import Gradient, gradient_of
from uncheck.probing.blame import StageBlame
from uncheck.probing.borders import boundary
from uncheck.probing.evidence import Evidence
from uncheck.probing.explanation import explain, orders_of
from uncheck.probing.finding import Finding, worst
from uncheck.probing.forward import Runner
from uncheck.probing.notes import notes_of, unmeasured_notes
from uncheck.probing.outputs import FoundOutputs
from uncheck.probing.result import Inspection, OutputReport, StageReport
from uncheck.reading import Recording, Stage

#: Strang-Fix orders are measured with this relative tolerance.
ORDER_TOLERANCE = 1e-3


def explained_result(
    runner: Runner,
    recording: Recording,
    outputs: FoundOutputs,
    findings: Sequence[Finding],
    evidence: Evidence,
    until: float,
    gradient: bool,
    rate: float | None,
) -> Inspection:
    """Explain the output that decides, and put everything together."""
    finding = worst(findings)
    explained = explain(runner, recording, finding, evidence, until)
    orders = {id(finding): explained.orders} | {
        id(f): orders_of(runner, recording.stages, f, evidence, until) for f in findings if f is not finding
    }
    flat_output, in_time = finding.signals.outputs.get("mean"), time.monotonic() < until
    border = None
    if in_time:
        border = boundary(runner, recording, finding.batch, finding.view, flat_output, until)
    passes = runner.passes
    reports = (
        *(
            OutputReport(f.view.name, f.verdict, _components(f.present), f.limits, orders[id(f)])
            for f in findings
        ),
        *(OutputReport(name, "undetermined") for name in outputs.unmeasured),
    )
    return Inspection(
        verdict=finding.verdict if finding.present or not outputs.unmeasured else "undetermined",
        range=finding.view.span,
        lattice=_components(finding.present),
        orders=explained.orders,
        traces=_components(finding.traces),
        limit=finding.limits,
        not_tested=finding.not_tested,
        other=finding.other,
        from_input=_components(finding.from_input),
        outputs=reports,
        evidence=evidence,
        stages=_reports(recording, explained.blamed),
        ledger=recording.ledger,
        probes=finding.signals.probes,
        random_lattice=explained.random_lattice,
        fault=explained.fault,
        boundary=border,
        gradient=gradient_of(runner, recording, finding.view.threshold) if gradient else None,
        passes=passes,
        rate=rate,
        notes=notes_of(recording, outputs, finding, explained, evidence, () if in_time else ("the border",)),
        output=finding.batch,
    )


def result_without_output(
    recording: Recording, outputs: FoundOutputs, gradient: Gradient | None, passes: float
) -> Inspection:
    """Return the result where no output can be measured.

    Outputs without positions have no lattice, but the gradient may have one.
    """
    reached = any(stage.output_period for stage in recording.stages)
    unknown = bool(outputs.unmeasured or recording.ledger.unsupported or reached)
    notes = unmeasured_notes(outputs.unmeasured)
    if outputs.left_out:
        notes.append(
            "the output has no spatial axes, so it has no lattice; look at the gradient (--gradient)"
        )
    return Inspection(
        verdict="undetermined" if unknown else "clean",
        outputs=tuple(OutputReport(name, "undetermined") for name in outputs.unmeasured),
        stages=_reports(recording, None),
        ledger=recording.ledger,
        gradient=gradient,
        passes=passes,
        notes=tuple(notes),
    )


def _components(found: Sequence[BatchComponent]) -> tuple[Component, ...]:
    return tuple(f.component for f in found)


def _reports(recording: Recording, blamed: Sequence[StageBlame] | None) -> tuple[StageReport, ...]:
    out = []
    for i, stage in enumerate(recording.stages):
        kernel = stage.kernel
        spread = gain_spread(kernel) if kernel is not None else None
        order = strang_fix_order(kernel, ORDER_TOLERANCE) if kernel is not None else None
        kind = recording.types.get(stage.name) or _called(stage)
        out.append(StageReport(stage, spread, order, blamed[i] if blamed else None, kind))
    return tuple(out)


def _called(stage: Stage) -> str:
    """Return the function that makes a stage where no layer does, as it is written: "F.interpolate"."""
    function = stage.key.function
    return f"F.{function}" if hasattr(nn.functional, function) else f"torch.{function}"
