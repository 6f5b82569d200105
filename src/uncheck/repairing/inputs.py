"""The user's inputs as calls to fit on and to judge on, their cut-outs and reduced copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.reading import Inputs
from uncheck.reading.tensors import replace_tensors, tensors_in
from uncheck.repairing.case import Case
from uncheck.words import plural

#: Side of the inputs judged on, pixels: enough to tell a lattice, and quick.
JUDGED = {1: 1 << 16, 2: 384, 3: 64}

#: Pictures fitted on and judged on, at most.
MOST_FITTED, MOST_JUDGED = 24, 8

#: Positions from which an input is a map; smaller ones are codes, which networks with batch statistics need
#: in batches.
LEAST_MAP = 64

#: Of so many calls one is held out to judge on.
ONE_HELD_OF = 3


def split_samples(inputs: Any) -> tuple[tuple[Inputs, ...], tuple[Inputs, ...]]:
    """Return the calls to fit on, and those to judge on.

    Args:
        inputs: a tensor (N, ...) of N samples; a list of tensors or tuples, one call each; or a tuple of
            positional inputs, of which those tensors that have N entries along axis 0 are split and all
            others repeated.

    Returns:
        Maps: calls of one sample each, of which every third is held out. Codes (N, D), (N, C, 1, 1) and maps
        below 64 positions: the first half of the batch as one call to fit on, the other half to judge on.

    Raises:
        UncheckError: no tensor, fewer than two samples, NaN, or sizes that differ.
    """
    if isinstance(inputs, list) and len(inputs) == 1:
        inputs = inputs[0]
    if isinstance(inputs, list):
        calls = tuple(one if isinstance(one, tuple) else (one,) for one in inputs)
        _check_alike(calls)
        return _thirds(calls)
    whole = inputs if isinstance(inputs, tuple) else (inputs,)
    signal = _signal(whole)
    count = signal.shape[0] if signal.dim() > 1 else 1
    _check_count(count)
    _check_finite(whole)
    _check_batch(whole, count)
    if is_spatial(signal):
        return _thirds(tuple(_some(whole, count, n, n + 1) for n in range(count)))
    half = (count + 1) // 2
    return (_some(whole, count, 0, half),), (_some(whole, count, half, count),)


def is_spatial(signal: Tensor) -> bool:
    """Test whether an input has the positions of a picture, volume or sequence."""
    return signal.dim() > 2 and prod(signal.shape[2:]) >= LEAST_MAP


def _signal(call: Inputs) -> Tensor:
    signal = next(tensors_in(call), None)
    if signal is None:
        kind = type(call[0]).__name__ if call else "an empty tuple"
        raise UncheckError(
            f"expected a tensor (N, ...), a list of them, or a tuple of positional inputs, got {kind}"
        )
    return signal


def _thirds(calls: Sequence[Inputs]) -> tuple[tuple[Inputs, ...], tuple[Inputs, ...]]:
    _check_count(len(calls))
    last = len(calls) - 1
    held = [n for n in range(len(calls)) if n % ONE_HELD_OF == ONE_HELD_OF - 1] or [last]
    return tuple(c for n, c in enumerate(calls) if n not in held), tuple(calls[n] for n in held)


def _some(whole: Inputs, count: int, start: int, stop: int) -> Inputs:
    def of(tensor: Tensor) -> Tensor:
        return tensor[start:stop] if tensor.dim() and tensor.shape[0] == count else tensor

    made = replace_tensors(whole, of)
    assert isinstance(made, tuple)
    return made


def _check_count(count: int) -> None:
    if count < 2:
        raise UncheckError(
            f"repair needs at least 2 inputs, some to fit on and others to judge on; got {count}"
        )


def _check_finite(value: object) -> None:
    for tensor in tensors_in(value):
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            bad = tensor.numel() - int(torch.isfinite(tensor).sum())
            raise UncheckError(
                f"{bad} of {tensor.numel()} input values are NaN or infinite; give finite numbers"
            )


def _check_batch(whole: Inputs, count: int) -> None:
    for tensor in tensors_in(whole):
        if tensor.dim() and tensor.shape[0] not in (1, count):
            raise UncheckError(
                f"the positional inputs hold {plural(count, 'sample')} and {tensor.shape[0]} (shape "
                f"{tuple(tensor.shape)}): give as many of each, or a list of tuples, one for each call"
            )


def _check_alike(calls: Sequence[Inputs]) -> None:
    """Check that all calls of a list take tensors of the same sizes; batch sizes may differ."""
    for call in calls:
        _signal(call)
        _check_finite(call)
    sizes = [tuple(tuple(tensor.shape[1:]) for tensor in tensors_in(call)) for call in calls]
    kinds = list(dict.fromkeys(sizes))
    if len(kinds) > 1:
        named = [" and ".join("x".join(map(str, one)) or "()" for one in kind) for kind in kinds]
        more = ", ..." if len(named) > 4 else ""
        raise UncheckError(
            f"the inputs are of {len(kinds)} sizes ({', '.join(named[:4])}{more}); give inputs of one size, "
            "cut to the smallest"
        )


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
