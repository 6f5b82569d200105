"""The inspection of a network: the lattice of its output, and the layer to blame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.measuring import Component
from uncheck.measuring.batches import BatchComponent, batch_lattice
from uncheck.measuring.components import VISIBLE
from uncheck.measuring.lattice import PERIODS
from uncheck.phases import gain_spread, strang_fix_order
from uncheck.probing.backward import Gradient, gradient_lattice
from uncheck.probing.blame import StageBlame, blame
from uncheck.probing.borders import boundary
from uncheck.probing.forward import OutputView, Runner, levels
from uncheck.probing.inputs import is_white, like_weights, made_up
from uncheck.probing.origin import COLOURS, Probed, built_in, passed_through, probes
from uncheck.probing.result import Inspection, StageReport
from uncheck.progress import Progress
from uncheck.reading import Recording, Stage, as_found, eagerly, record, spatial_output

#: Strang-Fix orders are measured with this relative tolerance.
ORDER_TOLERANCE = 1e-3

#: Longest period tested because a stage leaves it, by number of spatial axes.
LONGEST_LEFT = {1: 1024, 2: 64, 3: 32}

#: Share of a period that may be left with all stages scrambled before it is called unexplained.
UNEXPLAINED = 0.5

#: An output this much larger than its stages explain was enlarged by something that was not read.
UNREAD_GROWTH = 1.3


def inspect(
    model: nn.Module,
    example_input: Any,
    *,
    span: tuple[float, float] | None = None,
    threshold: float = VISIBLE,
    gradient: bool = False,
    flat: bool | None = None,
    progress: Progress | None = None,
) -> Inspection:
    """Find the lattice that a network leaves: its periods, its strength, and the layer that makes it.

    Args:
        model: any module; run in eval mode under no_grad, and left exactly as it was found.
        example_input: a tensor (N, C, *spatial) or codes (N, D); a tuple of positional inputs of which the
            first tensor is the signal; or a shape, for a made-up input. Several samples show more than one.
        span: the output values that stand for black and white; inferred if None.
        threshold: grey levels (0..255) below which a significant lattice is only a trace.
        gradient: also look at the gradient of the output with respect to the input.
        flat: whether a lattice on any flat colour alone makes the verdict too, by default where the input is
            made up; one on the mean colour of the user's pictures or volumes always does, and so does one on
            noise where the example is white noise itself.
        progress: called with a label, passes begun and passes expected.

    Returns:
        An `Inspection`.

    Raises:
        UncheckError: the forward raises (naming the module reached), NaN or infinite outputs, or wrong input.

    Cost: at most 8 + 4 n forward passes for n upsampling stages (`Inspection.passes` says how many), and with
    `gradient` one forward and 1 + m backward passes for m strided layers.

    >>> found = inspect(nn.ConvTranspose1d(1, 1, 3, stride=2), (1, 1, 64))
    >>> found.verdict, found.stages[0].stage.overlap
    ('lattice', 'uneven')
    """
    example = example_input if isinstance(example_input, tuple) else (example_input,)
    shaped = bool(example) and all(isinstance(n, int) and not isinstance(n, bool) for n in example)
    if shaped:
        example = (like_weights(model, made_up(tuple(example))),)
    if not any(isinstance(x, Tensor) for x in example):
        raise UncheckError(
            f"expected a tensor, a tuple with one, or a shape as input, got {type(example_input).__name__}"
        )
    with as_found(model), eagerly():
        steps = _Steps(progress)
        steps("recording")
        recording = record(model, *example)
        runner = Runner(model, example, passes=1.0, budget=8 + 4 * len(recording.stages), advance=steps)
        steps.expect(runner.budget)
        ndim = _ndim(runner, recording)
        pictured = spatial_output(recording.output, ndim, strict=not recording.stages)
        if pictured is None:
            pulled = _gradient(runner, recording, threshold) if gradient else None
            return _without_output(recording, pulled, runner.passes)
        batch, span = levels(pictured, span)
        view = OutputView(ndim, span, _periods(recording.stages, ndim), threshold, pictured.shape[2:])
        judge_flat = shaped if flat is None else flat
        return _inspect(runner, recording, view, batch, judge_flat, gradient)


def _inspect(
    runner: Runner,
    recording: Recording,
    view: OutputView,
    batch: NDArray[np.float32],
    flat: bool,
    gradient: bool,
) -> Inspection:
    stages = recording.stages
    notes = [f"{name} was never called" for name in recording.unused]
    found, traces = batch_lattice(batch, view.periods, view.threshold)
    present, own_traces, from_input = passed_through(runner.signal, batch, found, traces)
    # Made-up signals have sharp spectra of their own: only periods that a stage can leave are looked for.
    expected = replace(view, periods=_left_by(stages, view.periods))
    signals = probes(runner, expected)
    accused, shown = runner, batch
    # A constant picture should stay constant; what a constant should sound like is for the user to say.
    judged = COLOURS if flat else ("mean",) if view.ndim > 1 else ()
    # Where the example is white noise, the noise probe is one more sample of it.
    judged = (*judged, "noise") if is_white(runner.signal) else judged
    if not present and (name := signals.worst(judged)) is not None:
        present, shown = list(signals.found[name]), signals.outputs[name]
        accused = runner.on(signals.inputs[name])
        notes.append(f'the lattice shows on the "{name}" probe, not on the example')
    blamed = blame(accused, stages, present, shown, view) if present and stages else None
    runner.passes = max(runner.passes, accused.passes)
    random, fault = built_in(accused, shown, present, expected) if stages else (None, None)
    runner.passes = max(runner.passes, accused.passes)
    border = boundary(runner, recording, batch, view, signals.outputs.get("mean"))
    passes = runner.passes
    unread = _unread(runner, recording, batch)
    pulled = _gradient(runner, recording, view.threshold) if gradient else None
    return Inspection(
        verdict="lattice" if present else "undetermined" if unread else "clean",
        range=view.span,
        lattice=_components(present),
        traces=_components(own_traces),
        from_input=_components(from_input),
        stages=_reports(stages, blamed),
        ledger=recording.ledger,
        probes=signals.probes,
        random_lattice=random,
        fault=fault,
        boundary=border,
        gradient=pulled,
        passes=passes,
        notes=(*notes, *_notes(stages, present, blamed or (), signals, unread)),
        output=batch,
    )


def _without_output(recording: Recording, gradient: Gradient | None, passes: float) -> Inspection:
    """Return the result for an output without positions, which has no lattice; its gradient may have one."""
    note = "the output has no spatial axes, so it has no lattice; look at the gradient (--gradient)"
    return Inspection(
        verdict="undetermined" if recording.ledger.unsupported else "clean",
        stages=_reports(recording.stages, None),
        ledger=recording.ledger,
        gradient=gradient,
        passes=passes,
        notes=(note,),
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


def _ndim(runner: Runner, recording: Recording) -> int:
    """Return the number of spatial axes: that of the last stage, else as the input's rank suggests."""
    if recording.stages:
        return recording.stages[-1].ndim
    return min(3, max(1, runner.signal.dim() - 2)) if runner.signal.dim() > 2 else 2


def _periods(stages: Sequence[Stage], ndim: int) -> tuple[int, ...]:
    return tuple(sorted({p for p in _left(stages) if 2 <= p <= LONGEST_LEFT[ndim]} | set(PERIODS)))


def _unread(runner: Runner, recording: Recording, batch: NDArray[np.float32]) -> str:
    """Name the operations between input and output that were not understood; empty if none."""
    names = ", ".join(recording.ledger.unsupported)
    if names or runner.signal.dim() != batch.ndim:
        return names
    for axis, (before, after) in enumerate(zip(runner.signal.shape[2:], batch.shape[1:-1], strict=True)):
        grown = prod(s.stride[axis] for s in recording.stages if len(s.stride) > axis)
        if after > UNREAD_GROWTH * grown * before + 16:
            return f"what enlarges {before} pixels to {after} (the stages found: {grown:g} times)"
    return ""


def _left(stages: Sequence[Stage]) -> set[int]:
    return {p for s in stages for p in s.output_period or ()}


def _left_by(stages: Sequence[Stage], periods: Sequence[int]) -> tuple[int, ...]:
    """Return those of the periods that divide a period left by a stage; all if none does."""
    left = _left(stages)
    return tuple(p for p in periods if any(own % p == 0 for own in left)) or tuple(periods)


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


def _notes(
    stages: Sequence[Stage],
    present: Sequence[BatchComponent],
    blamed: Sequence[StageBlame],
    signals: Probed,
    unread: str,
) -> list[str]:
    notes = []
    if unread:
        notes.append(f"not understood on the way to the output: {unread}")
    elif not stages:
        notes.append("no upsampling stages: upsampling is not to blame")
    left = _left(stages)
    for found in present:
        period = max(found.component.period)
        if stages and all(s.output_period for s in stages) and not any(own % period == 0 for own in left):
            notes.append(f"period {period} is none that an upsampling stage of this network leaves")
    if any(b.interacts for b in blamed):
        worst = max(blamed, key=lambda b: b.share)
        names = [stages[b.index].name for b in blamed if b.interacts or b is worst]
        notes.append(f"{' and '.join(names)} interact: evening one changes what is left of the other")
    for part in blamed[-1].periods if blamed else ():
        if part.scrambled > UNEXPLAINED * part.before:
            notes.append(
                f"period {max(part.period)} keeps {part.scrambled:.2f} of {part.before:.2f} levels "
                "with all stages scrambled: something other than the upsampling makes it"
            )
    strongest = max(
        ((name, c) for name, p in signals.probes.items() for c in p.lattice),
        key=lambda pair: pair[1].amplitude,
        default=None,
    )
    own = max((f.component.amplitude for f in present), default=0.0)
    if strongest is not None and strongest[1].amplitude > 2 * own:
        name, component = strongest
        shown = "x".join(map(str, component.period))
        notes.append(f'the "{name}" probe shows more: period {shown} at {component.amplitude:.2f} levels')
    return notes
