"""The notes of an inspection: what else there is to know, the worst first."""

from __future__ import annotations

from uncheck.probing.evidence import Evidence
from uncheck.probing.explanation import Explanation
from uncheck.probing.finding import Finding
from uncheck.probing.outputs import FoundOutputs
from uncheck.reading import Recording

#: Share of a period that may be left with all stages scrambled before it is called unexplained.
UNEXPLAINED = 0.5


def notes_of(
    recording: Recording,
    outputs: FoundOutputs,
    finding: Finding,
    explained: Explanation,
    evidence: Evidence | None,
) -> tuple[str, ...]:
    """Return the notes on the output that decides."""
    stages, blamed, present = recording.stages, explained.blamed or (), finding.present
    notes = [f"{name} was never called" for name in recording.unused]
    if finding.constant:
        notes.append(
            f"the output {finding.view.name} has one colour all over, so nothing could be measured: "
            "give another input, or look for a last activation that never opens"
        )
    if finding.shown:
        notes.append(f'the lattice shows on the "{finding.shown}" probe, not on the example')
    if finding.unread:
        notes.append(f"not understood on the way to the output: {finding.unread}")
    elif not stages:
        notes.append("no upsampling stages: upsampling is not to blame")
    notes += [f"the output {name} was not measured: {reason}" for name, reason in outputs.unmeasured.items()]
    notes += [
        f"the output {name} has no positions and was left out: {what}"
        for name, what in outputs.left_out.items()
    ]
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
        ((name, c) for name, p in finding.signals.probes.items() for c in p.lattice),
        key=lambda pair: pair[1].amplitude,
        default=None,
    )
    own = max((f.component.amplitude for f in present), default=0.0)
    if strongest is not None and strongest[1].amplitude > 2 * own:
        name, component = strongest
        shown = "x".join(map(str, component.period))
        notes.append(f'the "{name}" probe shows more: period {shown} at {component.amplitude:.2f} levels')
    return tuple(notes)
