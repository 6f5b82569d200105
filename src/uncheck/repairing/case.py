"""The network to repair, the inputs it is fitted and judged on, and the fault to repair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import lcm

from uncheck.judging.judgement import Subject
from uncheck.reading import Inputs, Recording, Stage

Advance = Callable[[str], None]


@dataclass(frozen=True, eq=False, kw_only=True)
class Case(Subject):
    """One network to repair.

    Attributes:
        fit: the calls to fit on.
        recording: of the first call.
        faulty: those of `periods` at which `fit` shows a lattice.
        scale: output pixels per input pixel and axis; None for codes.
    """

    fit: tuple[Inputs, ...]
    recording: Recording
    faulty: tuple[int, ...]
    scale: tuple[float, ...] | None

    @property
    def spinnable(self) -> bool:
        """Whether shifting the input by a pixel should shift the output by a pixel."""
        return self.scale is not None and all(s == 1 for s in self.scale)

    @property
    def blamed(self) -> tuple[Stage, ...]:
        """The stages that can leave a faulty period, as their own or as a harmonic, in forward order."""
        return tuple(
            stage
            for stage in self.recording.stages
            if stage.output_period is not None
            and any(lcm(*stage.output_period) % period == 0 for period in self.faulty)
        )
