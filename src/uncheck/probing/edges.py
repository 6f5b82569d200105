"""The edge of an output: how deep a border reaches into it, and how strong it is."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm

import numpy as np
from numpy.typing import NDArray

from uncheck.plain import Brief
from uncheck.probing.axes import laid_along

#: Grey levels below which a border does not show.
FAINT = 0.5


@dataclass(frozen=True)
class Edge(Brief):
    """A boundary artifact: `depth` in output pixels, `strength` its largest RMS in grey levels."""

    depth: int
    strength: float


def edge_of_constant(batch: NDArray[np.float32], periods: list[tuple[int, ...]]) -> Edge | None:
    """Measure the border of an output that should be flat, or periodic.

    The middle half tells what each phase of the lattice should be; the border is what differs from that.

    Args:
        batch: (N, *spatial, C) grey levels of the output on a constant input.
        periods: of the lattices that may be there, per axis; they are no boundary artifact.

    Returns:
        The edge, or None when the middle does not hold one whole common period or is not periodic itself.
    """
    shape = batch.shape[1:-1]
    common = tuple(lcm(*(p[a] for p in periods if len(p) == len(shape)), 1) for a in range(len(shape)))
    if any(n // 2 < c for n, c in zip(shape, common, strict=True)):
        return None
    expected = np.empty_like(batch)
    for phase in np.ndindex(*common):
        where = tuple(slice(p, None, c) for p, c in zip(phase, common, strict=True))
        middle = tuple(
            slice(p + -(-(n // 4 - p) // c) * c, n - n // 4, c)
            for p, c, n in zip(phase, common, shape, strict=True)
        )
        inside = batch[(slice(None), *middle)]
        if not inside.size:
            return None
        over = tuple(range(1, inside.ndim - 1))
        expected[(slice(None), *where)] = inside.mean(axis=over, keepdims=True)
    return _edge(batch - expected)


def edge_of_crop(
    whole: NDArray[np.float32], part: NDArray[np.float32], offset: tuple[int, ...]
) -> Edge | None:
    """Measure the border of a real output: the change near it when the input is cut there.

    `whole` is (N, *spatial, C), and `offset` is where `part` lies in it, output pixels per axis.
    """
    index = tuple(slice(o, o + n) for o, n in zip(offset, part.shape[1:-1], strict=True))
    inner = whole[(slice(None), *index)]
    return _edge(part - inner) if inner.shape == part.shape else None


def _edge(difference: NDArray[np.float32]) -> Edge | None:
    """Return depth and strength of a difference image, by distance from its border."""
    shape = difference.shape[1:-1]
    distance = np.full(shape, max(shape))
    for axis, n in enumerate(shape):
        line = np.minimum(np.arange(n), np.arange(n)[::-1])
        distance = np.minimum(distance, laid_along(line, axis, len(shape)))
    power = np.square(difference, dtype=np.float64).mean(axis=(0, -1)).ravel()
    counts = np.bincount(distance.ravel())
    profile = np.sqrt(np.bincount(distance.ravel(), weights=power) / np.maximum(counts, 1))
    half = max(1, len(profile) // 2)
    # Whatever differs in the inner half (a global statistic, say) is no border.
    floor = float(np.median(profile[half:])) if len(profile) > half else 0.0
    visible = np.flatnonzero(profile[:half] > max(FAINT, 3 * floor))
    if floor > FAINT and not len(visible):
        return None
    strength = float(max(0.0, profile[:half].max() - floor))
    return Edge(int(visible[-1]) + 1 if len(visible) else 0, strength)
