"""The coarse local test: the harmonic test in nine overlapping parts of a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from uncheck.measuring.areas import shifted
from uncheck.measuring.checks import attribute_harmonics, without_bands
from uncheck.measuring.coherence import confirmed, inside
from uncheck.measuring.components import Component, Lattice
from uncheck.measuring.correction import components
from uncheck.measuring.eigenspectra import box_spectra
from uncheck.measuring.frequencies import plan
from uncheck.measuring.harmonic import LineTests, line_test
from uncheck.measuring.lattice import find_lattice
from uncheck.measuring.passes import FrequencyPlan
from uncheck.measuring.places.part import Part, Parts, name_of_part
from uncheck.measuring.places.phasors import typical, window_size, windowed
from uncheck.measuring.places.places import STANDS_OUT, Region
from uncheck.measuring.rivals.jpeg_blocks import jpeg_grid
from uncheck.measuring.rivals.repetition import before_repetition
from uncheck.measuring.support import Support

#: Parts start at multiples of it: the blocks of JPEG.
STEP = 16

#: Share of a part that must be measured.
MEASURED = 0.5

#: Shortest side of a picture whose parts are tested, pixels: windows of 16 pixels must agree in each.
SHORTEST = 160

#: Periods up to this are looked for, and those: what one stage or stacked strides of two leave.
EVERY, ALSO = 8, (16,)

#: How many times as strong as in the whole picture a lattice must be to be worth a second look: one that
#: fills a quarter of the picture is four times as strong there.
STRONGER = 2.0

#: Periods of the blocks of JPEG, and the most that they leave: 0.75 levels in parts of 589 photographs. Their
#: harmonics are lines along the axes.
JPEG_PERIODS, JPEG_MOST = (8, 16), 1.5

#: Says what explains a lattice in a part (H, W, C) that begins at a multiple of 16 pixels, or None.
Explain = Callable[[NDArray[np.float32], Lattice], str | None]


def local_periods(periods: Iterable[int]) -> tuple[int, ...]:
    """Return those of the periods that are looked for in parts.

    >>> local_periods(range(2, 20))
    (2, 3, 4, 5, 6, 7, 8, 16)
    """
    return tuple(p for p in periods if p <= EVERY or p in ALSO)


def find_in_parts(
    array: NDArray[np.float32],
    found: Lattice,
    explain: Explain,
    *,
    periods: Iterable[int],
    significance: float,
    support: Support | None = None,
) -> Parts | None:
    """Look for lattices in nine overlapping parts of a picture that its whole does not show.

    Each part is half as high and wide as the picture, a quarter apart. A component counts if, in its part,
    the harmonic test is significant, corrected for the nine, and all holds that the whole picture asks for:
    profiles along the axes, windows that agree on the phase, no rival. It must also be `found.threshold`
    strong, twice as strong as the whole's trace, and five times as strong as it is in most windows outside
    of its part.

    Args:
        array: (H, W, C) grey levels.
        found: what the whole picture has; what is present there is not looked for.
        explain: names the rival that explains a lattice in a part, or None.
        periods: pixels; those to 8, and 16, are looked for.
        significance: corrected p-value for all parts together.
        support: where the picture is measured; parts that are mostly not are left out.

    Returns:
        None for pictures that are too small.

    Cost: about twice that of `eigenspectra` of the whole; more for each part that seems to have something.
    """
    wanted = local_periods(periods)
    if min(array.shape[:2]) < SHORTEST or not wanted:
        return None
    rows, columns = (_cuts(n) for n in array.shape[:2])
    scheme = plan((rows[0].stop, columns[0].stop), wanted)
    boxes = [(r, c) for r in rows for c in columns]
    spectra = box_spectra(array, rows, columns, scheme)
    tests = _tests(spectra, boxes, scheme, support)
    each = significance / len(boxes)
    promising = [
        {p: c for p, c in components(lines, scheme, each).items() if _stronger(c, found)} if lines else {}
        for lines in tests
    ]
    parts: list[Part] = []
    for index in _best(promising):
        box, known = boxes[index], [*found.present, *(p.region.component for p in parts)]
        here = _found(array[box], found, explain, scheme.tested, each, support and support.part(box))
        for component in here:
            if any(component.cycle % p == 0 for p in promising[index]) and not any(
                component.divides(one) for one in known
            ):
                region = _region(array, box, component, support)
                if component.amplitude >= STANDS_OUT * region.elsewhere and not _of_blocks(component, array):
                    parts.append(Part(name_of_part(index), region))
    # Repeated pixels make a period of their own of every trace.
    if parts and before_repetition(array) is not None:
        parts = []
    parts.sort(key=lambda part: -part.region.component.amplitude)
    left = tuple(p for p in found.tested if p not in scheme.tested)
    return Parts((array.shape[0], array.shape[1]), tuple(parts), scheme.tested, left)


def _cuts(n: int) -> list[slice]:
    """Return the parts of an axis: from its start, its middle and about its half on, equally long."""
    length = n - -(-(n // 2) // STEP) * STEP
    starts = [0, (n - length) // 2 // STEP * STEP, (n - length) // STEP * STEP]
    return [slice(start, start + length) for start in starts]


def _tests(
    spectra: NDArray[np.complex64],
    boxes: Sequence[tuple[slice, slice]],
    scheme: FrequencyPlan,
    support: Support | None,
) -> list[LineTests | None]:
    """Test the lines of each part; None where it is mostly not measured."""
    if support is None:
        return [*line_test(spectra, scheme.sums, scheme.real)]
    out: list[LineTests | None] = []
    for one, box in zip(spectra, boxes, strict=True):
        own = support.part(box)
        enough = own is None or float(own.share.mean()) >= MEASURED
        known = (one[None], scheme.sums) if own is None else own.restricted(one[None], scheme)
        out.append(line_test(*known, scheme.real)[0] if enough else None)
    return out


def _stronger(component: Component, found: Lattice) -> bool:
    """Test whether a component of a part may be one that the whole picture does not have."""
    if component.amplitude < found.threshold or any(component.divides(known) for known in found.present):
        return False
    traces = [t.amplitude for t in found.traces if t.divides(component) or component.divides(t)]
    return component.amplitude >= STRONGER * max(traces, default=0.0)


def _best(promising: Sequence[dict[int, Component]]) -> list[int]:
    """Return the parts in which some period is most significant."""
    out: list[int] = []
    for period in sorted({p for one in promising for p in one}):
        having = [i for i, one in enumerate(promising) if period in one]
        best = min(having, key=lambda i: (promising[i][period].p_value, -promising[i][period].amplitude))
        if best not in out:
            out.append(best)
    return out


def _found(
    part: NDArray[np.float32],
    found: Lattice,
    explain: Explain,
    periods: tuple[int, ...],
    significance: float,
    support: Support | None,
) -> tuple[Component, ...]:
    """Test a part as the whole picture is tested, and return what is there; phases from its first pixel."""
    here = find_lattice(
        part, periods=periods, threshold=found.threshold, significance=significance, support=support
    )
    here = attribute_harmonics(part, without_bands(part, here, support))
    # Where there are too few windows to ask, the whole picture is believed, and a part is not.
    here = confirmed(part, here, support, surely=True)
    if not here.present or explain(np.ascontiguousarray(part), here) is not None:
        return ()
    return here.present


def _region(
    array: NDArray[np.float32], box: tuple[slice, slice], component: Component, support: Support | None
) -> Region:
    """Return a part as a region; phases are those of the whole picture."""
    rows, columns = box
    share = (rows.stop - rows.start) * (columns.stop - columns.start) / (array.shape[0] * array.shape[1])
    alone = Lattice((component,), (), (), ())
    (whole,) = shifted(alone, (-rows.start, -columns.start)).present
    elsewhere = _elsewhere(array, box, whole, support)
    return Region((rows.start, columns.start, rows.stop, columns.stop), share, whole, elsewhere)


def _elsewhere(
    array: NDArray[np.float32], box: tuple[slice, slice], component: Component, support: Support | None
) -> float:
    """Return how strong a component is in most windows outside of a part.

    In its own phase, where the noise of its many lines does not add up; but that of the traces of cameras and
    scanners, at period 2, goes with the colour.
    """
    size, half = (window_size(max(component.period)) // n for n in (1, 2))
    lines = sorted(component.lines, key=lambda line: line.frequency)
    planes = np.ascontiguousarray(np.moveaxis(array, -1, 0))
    local = windowed(planes, np.array([line.frequency for line in lines]), size)
    outside = np.ones(local.shape[1:3], bool)
    outside[tuple([slice(max(0, b.start // half - 1), -(-b.stop // half)) for b in box])] = False
    if support is not None:
        outside &= inside(support, size)
    if not outside.any():
        return 0.0
    there = [
        replace(line, mean=tuple(map(complex, typical(local[:, outside, i])))) for i, line in enumerate(lines)
    ]
    if max(component.period) == 2:
        return Component.of(there, 1.0).amplitude
    weight = np.array([[1.0 if line.real else 4.0] for line in lines])
    own, other = (np.array([line.mean for line in some]) for some in (lines, there))
    along = float((weight * other * own.conj()).real.sum() / (weight * np.abs(own) ** 2).sum())
    return abs(along) * component.amplitude


def _of_blocks(component: Component, array: NDArray[np.float32]) -> bool:
    """Test whether it may be the blocks of a JPEG, which show most where the picture is busy."""
    along_axes = all(sum(p > 1 for p in line.period) == 1 for line in component.lines)
    of_blocks = max(component.period) in JPEG_PERIODS or (along_axes and not 16 % component.cycle)
    return of_blocks and component.amplitude <= JPEG_MOST and jpeg_grid(array) is not None
