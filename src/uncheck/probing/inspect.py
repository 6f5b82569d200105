"""The inspection of a network: the lattice of its outputs, and the layer to blame."""

from __future__ import annotations

import time
from collections.abc import Iterable
from math import inf
from typing import Any

from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.measuring.components import VISIBLE
from uncheck.measuring.frequencies import checked_periods
from uncheck.probing.assembly import explained_result, result_without_output
from uncheck.probing.backward import gradient_of
from uncheck.probing.finding import Finding, find, with_probes, worst
from uncheck.probing.forward import Runner
from uncheck.probing.gathering import MORE, gathered
from uncheck.probing.inputs import is_white, like_weights, made_up
from uncheck.probing.origin import COLOURS, probes
from uncheck.probing.outputs import FoundOutputs, outputs_of
from uncheck.probing.result import Inspection
from uncheck.progress import Progress
from uncheck.reading import Recording, as_found, eagerly, record


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
        pulled = gradient_of(runner, recording, threshold) if gradient and not findings else None
        if not findings:
            return result_without_output(recording, outputs, pulled, runner.passes)
        _check_rate(rate, worst(findings))
        steps.expect(MORE * runner.budget)
        findings, evidence = gathered(runner, recording.output, findings, until)
        return explained_result(runner, recording, outputs, findings, evidence, until, gradient, rate)


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
