"""The notes of an inspection: what else a reader must know, each true, the worst first, five at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log10

from uncheck.measuring import Component
from uncheck.probing.blame import StageBlame
from uncheck.probing.control import Control
from uncheck.probing.evidence import Evidence
from uncheck.probing.explanation import Explanation
from uncheck.probing.finding import Finding
from uncheck.probing.origin import COLOURS
from uncheck.probing.outputs import FoundOutputs
from uncheck.probing.result import Probe
from uncheck.reading import Recording, Stage

#: More notes than this are read by nobody.
MOST = 5

#: A probe is told of where it shows this many times as much as the example.
TELLING = 2.0

#: Amplitude of a sinusoid that fills the whole scale, grey levels.
FULL_SCALE = 127.5


@dataclass(frozen=True)
class Known:
    """What the notes are made from.

    Attributes:
        stages: of the network.
        lattice: components of the verdict.
        blamed: blame of the stages; empty where nothing was found.
        controls: all stages mended at once, one for each component of the verdict.
        probes: lattices on test signals.
        shown_on: the probe that shows the lattice of the verdict, "" where the example does.
        constant: whether the output is the same everywhere.
        hidden: periods that not even the strongest lattice would have shown.
        unread: what was not understood on the way to the output, "" if nothing.
        unmeasured: outputs that were not measured, by name: the reason.
        left_out: outputs that hold no lattice, such as scores, by name: what they are.
        evidence: on more inputs, None where none was asked for.
        threshold: grey levels that a lattice of the verdict has at least.
        not_tested: possible periods that are too long for the output.
        unused: paths of upsampling layers that were never called.
        dropped: what was left out for want of time.
        ndim: spatial axes of the output; one is a sound.
    """

    stages: Sequence[Stage]
    lattice: Sequence[Component] = ()
    blamed: Sequence[StageBlame] = ()
    controls: Sequence[Control] = ()
    probes: Mapping[str, Probe] = field(default_factory=dict)
    shown_on: str = ""
    constant: bool = False
    hidden: Sequence[int] = ()
    unread: str = ""
    unmeasured: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    evidence: Evidence | None = None
    threshold: float = 0.3
    not_tested: Sequence[int] = ()
    unused: Sequence[str] = ()
    dropped: Sequence[str] = ()
    ndim: int = 2


def notes_of(
    recording: Recording,
    outputs: FoundOutputs,
    finding: Finding,
    explained: Explanation,
    evidence: Evidence | None,
    dropped: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return the notes on the output that decides, and on those that were not measured."""
    return notes(
        Known(
            stages=recording.stages,
            lattice=[one.component for one in finding.present],
            blamed=explained.blamed or (),
            controls=explained.controls,
            probes=finding.signals.probes,
            shown_on=finding.shown,
            constant=finding.constant,
            hidden=finding.hidden,
            unread=finding.unread,
            evidence=evidence,
            threshold=finding.view.threshold,
            unmeasured=outputs.unmeasured,
            left_out=outputs.left_out,
            not_tested=finding.not_tested,
            unused=recording.unused,
            dropped=(*explained.dropped, *dropped),
            ndim=finding.view.ndim,
        )
    )


def notes(known: Known) -> tuple[str, ...]:
    """Return at most five notes, the worst first.

    >>> notes(Known(stages=()))
    ('no upsampling stages: upsampling is not to blame',)
    """
    every = (*_measured(known), *_understood(known), *_blamed(known), *_more(known))
    return tuple(dict.fromkeys(every))[:MOST]


def _measured(known: Known) -> list[str]:
    """Say what makes the verdict worth less than it seems."""
    out = []
    if known.constant:
        out.append(
            "the output has one colour all over, so nothing could be measured: give another input, "
            "or look for a last activation that never opens"
        )
    if known.hidden and not known.lattice:
        periods = ", ".join(map(str, sorted(set(known.hidden))))
        out.append(
            f"the output is too small or too restless to show any lattice of period {periods}: give a larger "
            "input, or more of them"
        )
    out += unmeasured_notes(known.unmeasured)
    evidence = known.evidence
    limit = None if evidence is None else evidence.limit
    if evidence is not None and limit is not None and limit >= known.threshold and not known.lattice:
        many = f"{evidence.inputs} input{'s' if evidence.inputs > 1 else ''}"
        out.append(
            f"{evidence.reason} at {amount(limit, known.ndim)} after {many}: "
            f"a fainter lattice may hide; give more {evidence.cure}"
        )
    if known.dropped:
        out.append(f"left out for want of time: {', '.join(known.dropped)}; give more seconds")
    if known.shown_on:
        out.append(f'the lattice shows on the "{known.shown_on}" probe, not on the example')
    return out


def unmeasured_notes(unmeasured: Mapping[str, str]) -> list[str]:
    """Say of each output that was not measured why.

    >>> unmeasured_notes({"output": "is empty"})
    ['the output was not measured: it is empty']
    """
    notes = []
    for name, reason in unmeasured.items():
        which = "the output" if name == "output" else f"the output {name}"
        says = f"it {reason}" if reason.startswith(("has ", "is ", "holds ", "lies ")) else reason
        notes.append(f"{which} was not measured: {says}")
    return notes


def _understood(known: Known) -> list[str]:
    if known.unread:
        return [f"not understood on the way to the output: {known.unread}"]
    if not known.stages and not known.unmeasured and not known.constant and not known.hidden:
        return ["no upsampling stages: upsampling is not to blame"]
    return []


def _blamed(known: Known) -> list[str]:
    out = []
    for one in known.controls:
        if not one.explained:
            left = f"{one.mended / one.before:.0%} of period {sizes(one.period)}"
            out.append(
                f"{left} ({amount(one.before, known.ndim)}) stays with all stages evened and scrambled: "
                "something other than the upsampling makes it"
            )
    raised = [
        (part.second_order / max(part.before, 1e-9), known.stages[b.index], part)
        for b in known.blamed
        if b.interacts
        for part in b.periods
        if part.second_order > part.before
    ]
    if raised and len(known.stages) > 1:
        _, stage, part = max(raised, key=lambda one: one[0])
        name = stage.name or "the model itself"
        again = f" (call {stage.call + 1})" if stage.call else ""
        out.append(
            f"stages interact: evening {name}{again} alone brings period {sizes(part.period)} from "
            f"{amount(part.before, known.ndim)} to {amount(part.second_order, known.ndim)}, "
            "so mend them together"
        )
    return out


def _more(known: Known) -> list[str]:
    out = []
    own = max((c.amplitude for c in known.lattice), default=0.0)
    # A ramp has steps after any resize by nearest neighbours, and one sample of noise is no more than one.
    shown = [
        (c.amplitude, name, c) for name in COLOURS if name in known.probes for c in known.probes[name].lattice
    ]
    strongest = max(shown, key=lambda one: one[0], default=None)
    if strongest is not None and strongest[0] > TELLING * own and strongest[1] != known.shown_on:
        amplitude, name, component = strongest
        strength = amount(amplitude, known.ndim)
        out.append(f'the "{name}" probe shows more: period {sizes(component.period)} at {strength}')
    if known.not_tested:
        many = "s" if len(known.not_tested) > 1 else ""
        periods = ", ".join(map(str, known.not_tested))
        out.append(f"period{many} {periods}: too long for this output to be tested; give larger inputs")
    out += [f"the output {name} was left out: {what}" for name, what in known.left_out.items()]
    out += [f"{name} was never called" for name in known.unused]
    return out


def sizes(period: Sequence[int]) -> str:
    """Write a period: one number where all axes agree.

    >>> sizes((4, 4)), sizes((1, 2))
    ('4', '1x2')
    """
    return str(period[0]) if len(set(period)) == 1 else "x".join(map(str, period))


def amount(amplitude: float, ndim: int) -> str:
    """Write an amplitude: grey levels of pictures and volumes, decibels of full scale of a sound.

    >>> amount(1.234, 2), amount(1.275, 1)
    ('1.23 levels', '-40 dB of full scale')
    """
    if ndim == 1:
        return f"{20 * log10(max(amplitude, 1e-9) / FULL_SCALE):.0f} dB of full scale"
    return f"{amplitude:.2f} levels"
