"""Cut-outs and reduced copies of a call's inputs, and the inputs that a repair is fitted and judged on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch.nn.functional as F
from torch import Tensor

from uncheck.reading import Inputs
from uncheck.repairing.case import Case

#: Side of the inputs judged on, pixels: enough to tell a lattice, and quick.
JUDGED = {1: 1 << 16, 2: 384, 3: 64}

#: Pictures fitted on and judged on, at most.
MOST_FITTED, MOST_JUDGED = 24, 8


def signal_of(inputs: Inputs) -> Tensor:
    """Return the first tensor among the inputs."""
    return next(x for x in inputs if isinstance(x, Tensor))


def sides(inputs: Inputs, ndim: int) -> tuple[int, ...]:
    """Return the spatial sizes of the signal."""
    return tuple(signal_of(inputs).shape[-ndim:])


def part(tensor: Tensor, start: Sequence[int], size: Sequence[int]) -> Tensor:
    """Return a cut-out of the last axes."""
    for axis, (begin, n) in enumerate(zip(start, size, strict=True), start=tensor.dim() - len(size)):
        tensor = tensor.narrow(axis, begin, n)
    return tensor


def cut(inputs: Inputs, start: Sequence[int], size: Sequence[int]) -> Inputs:
    """Return the inputs with every map of the signal's spatial size cut to `size` from `start`."""
    ndim, whole = len(size), sides(inputs, len(size))
    return tuple(
        part(x, start, size).contiguous()
        if isinstance(x, Tensor) and x.dim() >= ndim + 1 and tuple(x.shape[-ndim:]) == whole
        else x
        for x in inputs
    )


def room(whole: Sequence[int], most: int, spare: int, multiple: int = 16) -> tuple[int, ...]:
    """Return the largest cut-out up to `most` pixels a side, `spare` pixels left over, in whole `multiple`s.

    Networks that halve their input several times take multiples of 16 without complaint.
    """
    fits = [min(most, n - spare) for n in whole]
    return tuple(n // multiple * multiple if n >= multiple else max(1, n) for n in fits)


def reduced(signal: Tensor, steps: Sequence[int]) -> Tensor:
    """Return a picture reduced by whole steps: bicubic with antialiasing, cut to the picture's range."""
    size = [n // s for n, s in zip(signal.shape[2:], steps, strict=True)]
    small = F.interpolate(signal.float(), size, mode="bicubic", antialias=True)
    return small.clamp(float(signal.min()), float(signal.max())).to(signal.dtype)


def affordable(case: Case) -> Case:
    """Cut the inputs to judge on to a size that can be judged quickly, from the middle, in whole periods."""
    if case.scale is None:
        return case

    def smaller(call: Inputs) -> Inputs:
        whole = sides(call, case.ndim)
        size = [min(n, JUDGED[case.ndim]) for n in whole]
        return cut(call, [(n - s) // 2 // 16 * 16 for n, s in zip(whole, size, strict=True)], size)

    held = tuple(smaller(call) for call in case.held[:MOST_JUDGED])
    return replace(case, fit=case.fit[:MOST_FITTED], held=held)


def with_reduced(case: Case) -> Case:
    """Fit a super-resolution network on reduced copies of the pictures too: they are its purpose."""
    assert case.scale is not None
    steps = [round(s) for s in case.scale]
    return replace(case, fit=(*case.fit, *((reduced(signal_of(call), steps),) for call in case.fit)))
