"""The user's inputs as calls: some to fit a repair on, others to judge it on."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.reading import Inputs
from uncheck.reading.tensors import replace_tensors, tensors_in

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
    if is_map(signal):
        return _thirds(tuple(_part(whole, count, n, n + 1) for n in range(count)))
    half = (count + 1) // 2
    return (_part(whole, count, 0, half),), (_part(whole, count, half, count),)


def is_map(signal: Tensor) -> bool:
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


def _part(whole: Inputs, count: int, start: int, stop: int) -> Inputs:
    def cut(tensor: Tensor) -> Tensor:
        return tensor[start:stop] if tensor.dim() and tensor.shape[0] == count else tensor

    made = replace_tensors(whole, cut)
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
                f"the positional inputs hold {count} samples and {tensor.shape[0]} (shape "
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
