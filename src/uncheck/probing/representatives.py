"""The few samples that stand for all: runs on them take less time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from uncheck.errors import UncheckError
from uncheck.measuring.observed import TOGETHER, BatchComponent
from uncheck.probing.forward import OutputView, Runner
from uncheck.probing.samples import samples_of
from uncheck.probing.waves import lattice_of, share_of, waves_in

#: Share of the lattice of all outputs that one must show to stand for them.
SHOWS = 0.8

#: At most so many outputs are tried for that.
MOST_TRIED = 16

#: An output alone and among others differ by at most this share of its deviation.
SAME = 1e-3


def simplest(
    runner: Runner, present: Sequence[BatchComponent], unchanged: NDArray[np.float32], view: OutputView
) -> tuple[Runner, NDArray[np.float32], tuple[BatchComponent, ...]]:
    """Return a runner on the one sample that shows the lattice of all, its output and the components there.

    Where there is no such sample, return what was given.

    Runs on one of N samples take an N-th of the time. It must show at least four fifths of every period, in
    its phase, and give the same output alone.

    Cost: one run on that sample.
    """
    samples = len(runner.signal)
    given = runner, unchanged, tuple(present)
    if samples == 1 or len(unchanged) != samples:
        return given
    there = tuple(replace(found, view=TOGETHER) for found in present)
    shown = [
        min(share_of(lattice_of(found), waves_in(unchanged[i : i + 1], found)) for found in there)
        for i in range(min(samples, MOST_TRIED))
    ]
    best = int(np.argmax(shown))
    if shown[best] < SHOWS:
        return given
    alone = runner.at(samples_of(runner.example, slice(best, best + 1), samples))
    try:
        output = view(alone())
    except UncheckError:
        return given
    runner.passes = alone.passes
    wanted = unchanged[best : best + 1]
    same = np.abs(output - wanted).mean() <= SAME * max(1e-6, float(wanted.std()))
    return (alone, wanted, there) if same else given


def first_samples(
    runner: Runner, unchanged: NDArray[np.float32], count: int
) -> tuple[Runner, NDArray[np.float32]]:
    """Return a runner on the first samples of its example, with their outputs."""
    samples = len(runner.signal)
    if samples <= count or len(unchanged) != samples:
        return runner, unchanged
    return runner.at(samples_of(runner.example, slice(count), samples)), unchanged[:count]
