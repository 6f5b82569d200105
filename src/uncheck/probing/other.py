"""What repeats in an output at periods that no upsampling can leave, and what it likely comes from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.batches import amplitude_of
from uncheck.measuring.observed import TOGETHER, BatchComponent
from uncheck.probing.outputs import Seen
from uncheck.probing.result import Other
from uncheck.probing.samples import outputs_showing
from uncheck.reading import Recording
from uncheck.reading.repeats import learned_maps, read_repeats

FROM_INPUT = "the input, which has the same pattern"
BORDER = "the border: most of it goes where more of the border is cut off"
UNKNOWN = "not known"

#: Share of each side that is cut off to see whether a pattern comes from the border, beside what always is.
DEEPER = 1 / 4

#: Share of the amplitude of a pattern of the border that the inner part has at most.
INNER = 0.5


def others_in(
    recording: Recording,
    seen: Seen,
    strange: Sequence[BatchComponent],
    brought: Sequence[BatchComponent],
) -> tuple[Other, ...]:
    """Name the likely source of each component of a period that the upsampling cannot leave.

    The first that fits: the input, the border, then layers whose windows, patches, dilation or stride have
    the period, then learned maps. `brought` are those that came with the example. Strongest first; those
    fainter than the threshold are left out.

    Cost: one pass over the graph for each stage, where there is anything to explain.
    """
    found = [
        *((one, "") for one in strange),
        *((one, FROM_INPUT) for one in brought if not seen.view.possible.allows(one.component.period)),
    ]
    found = [pair for pair in found if pair[0].component.amplitude >= seen.view.threshold]
    found.sort(key=lambda pair: -pair[0].component.amplitude)
    return tuple(
        Other(
            one.component.period,
            one.component.amplitude,
            one.component.p_value,
            source or _source(recording, seen, one),
        )
        for one, source in found
    )


def _source(recording: Recording, seen: Seen, found: BatchComponent) -> str:
    if _at_border(seen.batch, found):
        return BORDER
    for repeat in read_repeats(recording, seen.view.grid):
        if repeat.explains(found.component.period):
            return repeat.what
    maps = learned_maps(recording, seen.view.grid)
    return f"a map of parameters ({maps[0]})" if maps else UNKNOWN


def _at_border(batch: NDArray[np.float32], found: BatchComponent) -> bool:
    """Test whether the middle of the outputs has less than half of a component."""
    whole = outputs_showing(batch, found)
    one = BatchComponent(found.component, TOGETHER)
    index = [slice(int(n * DEEPER), n - int(n * DEEPER)) for n in whole.shape[1:-1]]
    inner = whole[(slice(None), *index)]
    cycles = zip(inner.shape[1:-1], found.component.period, strict=True)
    if any(p > 1 and n < 4 * p for n, p in cycles):
        return False  # too few repetitions are left to tell
    return amplitude_of(inner, one) < INNER * amplitude_of(whole, one)
