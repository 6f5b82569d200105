"""The frequencies of one shape and set of periods, and the passes over a picture that compute them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class FullPass:
    """Lattice frequencies a/s of `periods` (s per axis) in one pass over the picture.

    Of the product of `numerators` (per axis) the lines at `bins` (F, ndim) are kept.
    """

    periods: tuple[int, ...]
    numerators: tuple[tuple[int, ...], ...]
    bins: NDArray[np.intp]


@dataclass(frozen=True)
class AxialPass:
    """Lines a/s that vary along one `axis` only, for many `periods`: their `numerators`, period by period."""

    axis: int
    periods: tuple[int, ...]
    numerators: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class LowPass:
    """The low harmonics of many `periods`, with the same `numerators` per axis for all of them.

    Kept are the lines at `bins` (F, 1 + ndim): period, numerator per axis. `shrink` is the factor by which
    the picture may be shrunk before: all these frequencies lie below half of the rate left. What is folded
    onto them makes white noise up to 5.5 times as strong at the highest, 1.2 times at the lowest.
    """

    periods: tuple[int, ...]
    numerators: tuple[tuple[int, ...], ...]
    bins: NDArray[np.intp]
    shrink: int


@dataclass(frozen=True, eq=False)
class Profile:
    """The lines that vary along all of some `axes`, found in the mean of an array along the others.

    `passes` are those whose lines, concatenated, are `count` frequencies in order.
    """

    axes: tuple[int, ...]
    passes: tuple[FullPass | AxialPass | LowPass, ...]
    count: int


@dataclass(frozen=True, eq=False)
class FrequencyPlan:
    """All frequencies of one shape and set of periods; conjugates and duplicates left out.

    Attributes:
        shape: pixels per axis.
        profiles: whose lines, concatenated, are the frequencies in order. A picture has one, of both axes. Of
            a volume, lines that do not vary along an axis are tested in its mean along this: where it holds
            still, or is slow, its slices are not independent samples of what surrounds a line.
        sums: (1, K) or (F, K) sums of the tapers of each line; NaN where it has fewer tapers than others.
        frequencies: (F, ndim) in cycles per pixel, 0 <= f < 1.
        denominators: (F, ndim) of the reduced fractions: the period of the line along each axis.
        family: (F,) the period each line belongs to, the least common multiple of its denominators.
        real: (F,) whether the line is its own conjugate (every component 0 or 1/2).
        half_widths: (F,) of the band of each line, cycles per pixel, on the axis where it is widest.
        tested, not_tested: the periods that fit the shape, and those that do not.
        within: what every period of a line divides, per axis; None if anything is tested.
    """

    shape: tuple[int, ...]
    profiles: tuple[Profile, ...]
    sums: NDArray[np.float64]
    frequencies: NDArray[np.float64]
    denominators: NDArray[np.intp]
    family: NDArray[np.intp]
    real: NDArray[np.bool_]
    half_widths: NDArray[np.float64]
    tested: tuple[int, ...]
    not_tested: tuple[int, ...]
    within: tuple[int, ...] | None = None

    @property
    def passes(self) -> tuple[FullPass | AxialPass | LowPass, ...]:
        """The passes of all profiles."""
        return tuple(one for profile in self.profiles for one in profile.passes)
