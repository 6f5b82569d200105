"""Cut-outs of a call's inputs: all maps of the signal's size are cut alike."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from uncheck.reading import Inputs


def signal_of(inputs: Inputs) -> Tensor:
    """Return the first tensor among the inputs."""
    return next(x for x in inputs if isinstance(x, Tensor))


def sides(inputs: Inputs, ndim: int) -> tuple[int, ...]:
    """Return the spatial sizes of the signal."""
    return tuple(signal_of(inputs).shape[-ndim:])


def cut(inputs: Inputs, start: Sequence[int], size: Sequence[int]) -> Inputs:
    """Return the inputs with every map of the signal's spatial size cut to `size` from `start`."""
    ndim = len(size)
    whole = sides(inputs, ndim)
    out = []
    for x in inputs:
        if isinstance(x, Tensor) and x.dim() >= ndim + 1 and tuple(x.shape[-ndim:]) == whole:
            for axis, (begin, n) in enumerate(zip(start, size, strict=True), start=x.dim() - ndim):
                x = x.narrow(axis, begin, n)
            x = x.contiguous()
        out.append(x)
    return tuple(out)


def room(whole: Sequence[int], most: int, spare: int, multiple: int = 16) -> tuple[int, ...]:
    """Return the largest cut-out up to `most` pixels a side, `spare` pixels left over, in whole `multiple`s.

    Networks that halve their input several times take multiples of 16 without complaint.
    """
    out = []
    for n in whole:
        fits = min(most, n - spare)
        out.append(fits // multiple * multiple if fits >= multiple else max(1, fits))
    return tuple(out)
