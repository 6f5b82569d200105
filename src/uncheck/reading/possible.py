"""The periods that a network can leave in an output, as far as its stages tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import lcm

from uncheck.reading.growth import input_size, not_understood
from uncheck.reading.maps import OutputGrid
from uncheck.reading.record import Recording

#: Periods where nothing is known, and the longest multiple of what is known in part.
ANY = tuple(range(2, 17))

#: Longest period that is tested because a stage leaves it, by number of spatial axes.
LONGEST_LEFT = {1: 4096, 2: 64, 3: 32}

#: From so many positions on, an axis may have been enlarged with one more or one less than it has.
FENCE = 8


@dataclass(frozen=True)
class PossiblePeriods:
    """Which periods an output can have from the upsampling of its network.

    Equation: a lattice of every stage repeats after the least common multiple L_a of what the stages leave
    along axis a, whatever calls follow, because each of them commutes with a shift by L_a. So a period p is
    possible if p_a divides L_a on every axis. Where something on the way to the output was not understood,
    multiples of L are possible too, as are divisors and multiples of output size over input size; where
    neither says anything, 2 to 16.

    Attributes:
        axes: L_a in output pixels; 1 where nothing is left.
        understood: whether every call on the way to the output was.
        growth: output over input pixels, whole numbers of at least 2, where not everything was understood.
        asked: least common periods that the user asks for; always possible, with their divisors.

    >>> possible = PossiblePeriods((1, 4, 6), understood=True)
    >>> possible.cycles, possible.allows((1, 4, 3)), possible.allows((2, 1, 1))
    ((2, 3, 4, 6, 12), True, False)
    """

    axes: tuple[int, ...]
    understood: bool
    growth: tuple[int, ...] = ()
    asked: tuple[int, ...] = ()

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(self.axes)

    @cached_property
    def cycles(self) -> tuple[int, ...]:
        """Least common periods of the axes to test, output pixels, ascending; none where none is possible."""
        return tuple(sorted({*self._own, *self.asked}))

    @cached_property
    def _own(self) -> frozenset[int]:
        longest, whole = LONGEST_LEFT[self.ndim], lcm(*self.axes)
        found = {d for d in range(2, min(whole, longest) + 1) if whole % d == 0}
        if self.understood:
            return frozenset(found)
        for base in {whole, *self.growth} - {1}:
            found |= {d for d in range(2, min(base, longest) + 1) if base % d == 0}
            found |= set(range(base, min(max(base, ANY[-1]), longest) + 1, base))
        return frozenset(found or ANY)

    @property
    def within(self) -> tuple[int, ...] | None:
        """What the period of a line divides on each axis, for the plan of a test; None if anything goes."""
        if not self.understood:
            return None
        return tuple(lcm(own, *self.asked) for own in self.axes)

    def allows(self, period: Sequence[int]) -> bool:
        """Test whether a pattern of this period, in output pixels per axis, can come from the upsampling."""
        cycle = lcm(*period)
        if any(asked % cycle == 0 for asked in self.asked):
            return True
        if not self.understood and cycle in self._own:
            return True
        return all(own % p == 0 for own, p in zip(self.axes, period, strict=True))


def possible_periods(
    left: Iterable[Sequence[int] | None],
    ndim: int,
    *,
    understood: bool,
    sizes: tuple[Sequence[int], Sequence[int]] = ((), ()),
    asked: Iterable[int] = (),
) -> PossiblePeriods:
    """Join the periods that stages leave in one output.

    Args:
        left: for every stage that reaches the output the period it leaves there, per axis (fewer axes are
            the last ones); None where it is not known.
        ndim: spatial axes of the output.
        understood: whether everything else on the way is.
        sizes: pixels of the input and of the output, the last axes of both, where the input has such.
        asked: periods that the user asks for, output pixels.
    """
    known = [None if period is None else _on(period, ndim) for period in left]
    axes = tuple(lcm(*along) for along in zip((1,) * ndim, *filter(None, known), strict=True))
    whole = understood and None not in known
    growth = () if whole else tuple(sorted({g for pair in zip(*sizes, strict=False) for g in _growth(*pair)}))
    return PossiblePeriods(axes, whole, growth, tuple(sorted(set(asked))))


def read_possible(recording: Recording, grid: OutputGrid, asked: Iterable[int] = ()) -> PossiblePeriods:
    """Return the periods that a recorded network can leave in one of its outputs.

    `asked` are periods that the user asks for.
    """
    left = [period for period in grid.periods if period is not None]
    unknown = [None for _ in grid.unknown]
    return possible_periods(
        [*left, *unknown],
        grid.ndim,
        understood=not not_understood(recording, grid),
        sizes=(input_size(recording.graph, grid.ndim), grid.size),
        asked=asked,
    )


def _on(period: Sequence[int], ndim: int) -> tuple[int, ...] | None:
    """Return a period on the axes of an output; None where it has more axes than that."""
    return None if len(period) > ndim else (1,) * (ndim - len(period)) + tuple(period)


def _growth(before: int, after: int) -> set[int]:
    """Return what one axis may have been enlarged by: a whole number, also of one position more or less.

    >>> sorted(_growth(65, 64 * 256)), sorted(_growth(64, 64))
    ([256], [])
    """
    near = (before - 1, before, before + 1) if before >= FENCE else (before,)
    exact = {after // n for n in near if n > 0 and after % n == 0}
    return {g for g in exact or {round(after / max(1, before))} if g > 1}
