"""The lattice that inputs of a network bring with them, and what the outputs have besides."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.batches import batch_lattice
from uncheck.measuring.lattice import PERIODS
from uncheck.measuring.observed import BatchComponent, Pictures
from uncheck.signals.levels import infer_range, to_levels

#: An output lattice at most this many times as strong as the input's own, relative to contrast, came with it.
GAIN = 3.0


def certain_periods(
    batch: Pictures,
    inputs: NDArray[np.floating] | None,
    periods: Sequence[int],
    *,
    within: tuple[int, ...] | None = None,
) -> tuple[int, ...]:
    """Return the periods of a lattice that outputs show and inputs did not bring, ascending.

    These are the periods that count in some view (`Observed`), also those too faint to see. Inputs are
    channels last, in any unit; None for codes.
    """
    found = batch_lattice(batch, periods, within=within, limits=False).everything
    brought = Inputs(inputs).brought(batch, found) if inputs is not None and found else []
    return tuple(sorted({one.component.cycle for one in found if one not in brought}))


class Inputs:
    """Inputs of a network, and the lattice that they bring with them, which is looked for when first asked.

    Args:
        inputs: (N, *spatial, C) in any unit, finite.
    """

    def __init__(self, inputs: NDArray[np.floating]) -> None:
        self._levels = to_levels(inputs, infer_range(inputs))

    @cached_property
    def _own(self) -> tuple[BatchComponent, ...]:
        try:
            return batch_lattice(self._levels, PERIODS, 0.0, limits=False).everything
        except UncheckError:
            return ()  # too small an input to carry a lattice

    def brought(self, batch: Pictures, found: Sequence[BatchComponent]) -> list[BatchComponent]:
        """Return those found in the outputs on these inputs that came with them.

        Cameras and codecs leave lattices of up to a few tenths of a level in photographs; a network that
        enlarges by r turns their period P into r P.
        """
        given = self._levels
        if given.ndim != batch.ndim or not found:
            return []
        # Against the contrast of either, because their grey levels may stand for different ranges.
        contrast = float(batch.std()) / max(float(given.std()), 1e-6)
        ratio = [o / i for o, i in zip(batch.shape[1:-1], given.shape[1:-1], strict=True)]
        most = {
            tuple(round(p * r) if p > 1 else 1 for p, r in zip(c.component.period, ratio, strict=True)): GAIN
            * contrast
            * c.component.amplitude
            for c in self._own
        }
        return [one for one in found if one.component.amplitude <= most.get(one.component.period, 0.0)]
