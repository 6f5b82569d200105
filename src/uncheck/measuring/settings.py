"""Settings of `measure`, checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from uncheck.errors import UncheckError
from uncheck.measuring.components import SIGNIFICANCE, VISIBLE
from uncheck.measuring.frequencies import checked_periods
from uncheck.measuring.lattice import PERIODS
from uncheck.measuring.sound.tones import AUDIBLE, LONGEST_SOUND

#: The longest period tested in pictures, pixels: a period P has about P^2 / 2 frequencies.
LONGEST_FLAT = 64


@dataclass(frozen=True)
class Settings:
    """Settings of the tests: `periods` in pixels, `threshold` in grey levels, `significance` a p-value,
    `audible` in decibels; whether to say `where`, and whether to test all signals `together`; `brief`:
    the verdict and the lattice alone, without limits, second order and dependence on brightness.
    """

    periods: tuple[int, ...] = PERIODS
    threshold: float = VISIBLE
    significance: float = SIGNIFICANCE
    audible: float = AUDIBLE
    where: bool = False
    together: bool = False
    brief: bool = False

    def __post_init__(self) -> None:
        if not np.isfinite(self.audible):
            raise UncheckError(f"audible {self.audible:g} is not a level; give decibels, such as -60")

    def check_pictures(self) -> None:
        """Raise UncheckError if a period is too long for pictures."""
        if max(self.periods) > LONGEST_FLAT:
            raise UncheckError(
                f"period {max(self.periods)} is too long for pictures; give at most {LONGEST_FLAT} pixels"
            )


def some_periods(periods: Iterable[int]) -> tuple[int, ...]:
    """Return periods as ascending whole numbers; UncheckError if none, or one too long for any signal."""
    whole = tuple(sorted(set(checked_periods(periods))))
    if not whole:
        raise UncheckError(f"no periods to test; give whole numbers of pixels from 2 to {LONGEST_FLAT}")
    if max(whole) > LONGEST_SOUND:
        raise UncheckError(
            f"period {max(whole)} is too long; give at most {LONGEST_FLAT} pixels for pictures, "
            f"{LONGEST_SOUND} samples for audio"
        )
    return whole
