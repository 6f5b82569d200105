"""The inspection of a network: the lattice of its outputs, and the layer to blame."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from math import inf
from typing import Any

from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.measuring import Component
from uncheck.measuring.batches import BatchComponent
from uncheck.measuring.components import VISIBLE
from uncheck.measuring.frequencies import checked_periods
from uncheck.measuring.lattice import PERIODS
from uncheck.phases import gain_spread, strang_fix_order
from uncheck.probing.backward import Gradient, gradient_lattice
from uncheck.probing.blame import StageBlame
from uncheck.probing.borders import boundary
from uncheck.probing.evidence import Evidence
from uncheck.probing.explanation import explain, orders_of
from uncheck.probing.finding import Finding, find, with_probes, worst
from uncheck.probing.forward import Runner
from uncheck.probing.gathering import MORE, gathered
from uncheck.probing.inputs import is_white, like_weights, made_up
from uncheck.probing.notes import notes_of, unmeasured_notes
from uncheck.probing.origin import COLOURS, probes
from uncheck.probing.outputs import FoundOutputs, outputs_of
from uncheck.probing.result import Inspection, OutputReport, StageReport
from uncheck.progress import Progress
from uncheck.reading import Recording, Stage, as_found, eagerly, record
from uncheck.reading.possible import LONGEST_LEFT

#: Strang-Fix orders are measured with this relative tolerance.
ORDER_TOLERANCE = 1e-3


def inspect(
    model: nn.Module,
    example_input: Any,
    *,
    span: tuple[float, float] | None = None,
    threshold: float = VISIBLE,
    gradient: bool = False,
    flat: bool | None = None,
    periods: Iterable[int] | None = None,
    which: str | None = None,
    seconds: float | None = None,
    rate: float | None = None,
    progress: Progress | None = None,
) -> Inspection:
    """Find the lattice that a network leaves: its periods, its strength, and the layer that makes it.

    Only periods that the network's upsampling can leave are tested for the verdict (`PossiblePeriods`). What
    else repeats is listed as `other` and blamed on nobody.

    Args:
        model: any module; run in eval mode under no_grad, and left exactly as it was found.
        example_input: a tensor (N, C, *spatial) or codes (N, D); a tuple of positional inputs of which the
            first tensor is the signal; or a shape, for a made-up input. Several samples show more than one.
        span: the output values that stand for black and white; inferred if None.
        threshold: grey levels (0..255) below which a significant lattice is only a trace.
        gradient: also look at the gradient of the output with respect to the input.
        flat: whether a lattice on any flat colour alone makes the verdict too, by default where the input is
            made up, or white noise as made-up inputs are; one on the mean colour of the user's pictures or
            volumes always does, and so does one on noise where the example is white noise itself.
        periods: output pixels, to be tested beside those that the network's stages tell.
        which: name of the only output to look at: its key, attribute or index, joined by dots for nests. By
            default every output is looked at, and the worst decides.
        seconds: time for more evidence and for the blame; no limit if None.
        rate: samples per second of a sound, for the report.
        progress: called with a label, passes begun and passes expected.

    Returns:
        An `Inspection`.

    Raises:
        UncheckError: the forward raises (naming the module reached), NaN or infinite outputs, wrong input, or
            no output of the name.

    Cost: at most 8 + 4 n forward passes for n upsampling stages where the lattice shows at once, and at most
        four times that where more evidence is gathered (`Inspection.passes` says how many); with `gradient`
        one forward and 1 + m backward passes more for m strided layers.

    >>> found = inspect(nn.ConvTranspose1d(1, 1, 3, stride=2), (1, 1, 64))
    >>> found.verdict, found.stages[0].stage.overlap
    ('lattice', 'uneven')
    """
    until = inf if seconds is None else time.monotonic() + seconds
    asked = () if periods is None else checked_periods(periods)
    example, shaped = _example(model, example_input)
    with as_found(model), eagerly():
        steps = _Steps(progress)
        steps("recording")
        recording = record(model, *example)
        runner = Runner(model, example, passes=1.0, budget=8 + 4 * len(recording.stages), advance=steps)
        steps.expect(runner.budget)
        outputs = outputs_of(recording, span=span, threshold=threshold, asked=asked, which=which)
        judged = shaped or is_white(runner.signal) if flat is None else flat
        findings = _findings(runner, recording, outputs, judged)
        pulled = _gradient(runner, recording, threshold) if gradient and not findings else None
        if not findings:
            return _without_output(recording, outputs, pulled, runner.passes)
        _check_rate(rate, worst(findings))
        steps.expect(MORE * runner.budget)
        findings, evidence = gathered(runner, recording.output, findings, until)
        return _explained(runner, recording, outputs, findings, evidence, until, gradient, rate)


def _check_rate(rate: float | None, finding: Finding) -> None:
    """Raise UncheckError where a rate is given for what is no sound."""
    if rate is not None and finding.view.ndim != 1:
        axes = finding.view.ndim
        raise UncheckError(
            f"rate {rate:g} is for sound, but the output has {axes} spatial axes; leave it out"
        )


def _example(model: nn.Module, example_input: Any) -> tuple[tuple[Any, ...], bool]:
    """Return the positional inputs, and whether they were made up of a shape."""
    example = example_input if isinstance(example_input, tuple) else (example_input,)
    shaped = bool(example) and all(isinstance(n, int) and not isinstance(n, bool) for n in example)
    if shaped:
        example = (like_weights(model, made_up(tuple(example))),)
    if not any(isinstance(x, Tensor) for x in example):
        raise UncheckError(
            f"expected a tensor, a tuple with one, or a shape as input, got {type(example_input).__name__}"
        )
    return example, shaped


def _findings(runner: Runner, recording: Recording, outputs: FoundOutputs, flat: bool) -> list[Finding]:
    """Test every output on the example and on the probes."""
    findings = [find(runner, recording, seen) for seen in outputs.seen]
    signals = probes(runner, [one.view for one in findings])
    # Where the example is white noise, the noise probe is one more sample of it.
    noise = ("noise",) if is_white(runner.signal) else ()
    return [
        with_probes(one, probed, (*_colours(one, flat), *noise))
        for one, probed in zip(findings, signals, strict=True)
    ]


def _colours(finding: Finding, flat: bool) -> tuple[str, ...]:
    """Return the probes of flat colour that may make the verdict."""
    # A constant picture should stay constant; what a constant should sound like is for the user to say.
    return COLOURS if flat else ("mean",) if finding.view.ndim > 1 else ()


def _explained(
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
        stages=_reports(recording.stages, explained.blamed),
        ledger=recording.ledger,
        probes=finding.signals.probes,
        random_lattice=explained.random_lattice,
        fault=explained.fault,
        boundary=border,
        gradient=_gradient(runner, recording, finding.view.threshold) if gradient else None,
        passes=passes,
        rate=rate,
        notes=notes_of(recording, outputs, finding, explained, evidence, () if in_time else ("the border",)),
        output=finding.batch,
    )


def _without_output(
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
        stages=_reports(recording.stages, None),
        ledger=recording.ledger,
        gradient=gradient,
        passes=passes,
        notes=tuple(notes),
    )


class _Steps:
    """The steps of an inspection, which the progress callback is called with."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress, self._done, self._total = progress, 0, 1

    def expect(self, total: float) -> None:
        self._total = round(total)

    def __call__(self, label: str) -> None:
        if self._progress is not None:
            self._progress(label, min(self._done, self._total), self._total)
        self._done += 1


def _gradient(runner: Runner, recording: Recording, threshold: float) -> Gradient:
    ndim = max(1, min(3, runner.signal.dim() - 2))
    strided = [s for s in recording.strided if len(s.stride) == ndim]
    periods = sorted(set(PERIODS) | {p for p in (2**i for i in range(1, 6)) if p <= LONGEST_LEFT[ndim]})
    return gradient_lattice(runner, strided, periods, threshold)


def _components(found: Sequence[BatchComponent]) -> tuple[Component, ...]:
    return tuple(f.component for f in found)


def _reports(stages: Sequence[Stage], blamed: Sequence[StageBlame] | None) -> tuple[StageReport, ...]:
    out = []
    for i, stage in enumerate(stages):
        kernel = stage.kernel
        spread = gain_spread(kernel) if kernel is not None else None
        order = strang_fix_order(kernel, ORDER_TOLERANCE) if kernel is not None else None
        out.append(StageReport(stage, spread, order, blamed[i] if blamed else None))
    return tuple(out)
