"""What repeats in an output at periods that no upsampling can leave, and what it likely comes from."""

from __future__ import annotations

from collections.abc import Sequence

from uncheck.measuring.batches import BatchComponent
from uncheck.probing.forward import Runner
from uncheck.probing.outputs import Seen
from uncheck.probing.result import Other
from uncheck.reading import Recording

FROM_INPUT = "the input: it has the same pattern"
UNKNOWN = "not known"


def others_in(
    runner: Runner,
    recording: Recording,
    seen: Seen,
    strange: Sequence[BatchComponent],
    brought: Sequence[BatchComponent],
) -> tuple[Other, ...]:
    """Name the likely source of each component of a period that the upsampling cannot leave.

    `brought` are those that came with the example. Strongest first; those fainter than the threshold are
    left out.
    """
    found = [
        *((one, UNKNOWN) for one in strange),
        *((one, FROM_INPUT) for one in brought if not seen.view.possible.allows(one.component.period)),
    ]
    found.sort(key=lambda pair: -pair[0].component.amplitude)
    return tuple(
        Other(one.component.period, one.component.amplitude, one.component.p_value, source)
        for one, source in found
        if one.component.amplitude >= seen.view.threshold
    )
