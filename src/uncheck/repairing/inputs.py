"""The inputs that a repair is fitted and judged on."""

from __future__ import annotations

from dataclasses import replace

import torch.nn.functional as F

from uncheck.reading import Inputs
from uncheck.repairing.case import Case
from uncheck.repairing.methods.distill.crops import cut, sides, signal_of

#: Side of the inputs judged on, pixels: enough to tell a lattice, and quick.
JUDGED = {1: 1 << 16, 2: 384, 3: 64}

#: Pictures fitted on and judged on, at most.
MOST_FITTED, MOST_JUDGED = 24, 8


def affordable(case: Case) -> Case:
    """Cut the inputs to judge on to a size that can be judged quickly, from the middle, in whole periods."""
    if case.scale is None:
        return case
    most = JUDGED[case.ndim]

    def smaller(call: Inputs) -> Inputs:
        whole = sides(call, case.ndim)
        size = [n if n <= most else most for n in whole]
        start = [(n - s) // 2 // 16 * 16 for n, s in zip(whole, size, strict=True)]
        return cut(call, start, size)

    held = tuple(smaller(call) for call in case.held[:MOST_JUDGED])
    return replace(case, fit=case.fit[:MOST_FITTED], held=held)


def with_reduced(case: Case) -> Case:
    """Fit a super-resolution network on reduced copies of the pictures too: they are its purpose."""
    assert case.scale is not None
    steps = [round(s) for s in case.scale]
    reduced = []
    for call in case.fit:
        signal = signal_of(call)
        size = [n // s for n, s in zip(signal.shape[2:], steps, strict=True)]
        small = F.interpolate(signal.float(), size, mode="bicubic", antialias=True)
        reduced.append((small.clamp(float(signal.min()), float(signal.max())).to(signal),))
    return replace(case, fit=(*case.fit, *reduced))
