"""Larger batches: new samples run beside those of the example, whose own outputs must stay as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.probing.alike import Alike
from uncheck.probing.forward import Runner
from uncheck.probing.samples import goes_along
from uncheck.reading.tensors import replace_tensors, tensors_in

#: Samples run at once, where the example itself has fewer.
AT_ONCE = 8

#: Most numbers of an output that are computed at once, so that memory stays sane.
MOST_NUMBERS = 2**26

#: Outputs of one input, run alone and among others, agree to this share of their deviation.
SAME = 1e-3


def enlarged(runner: Runner, first: Any, count: int) -> tuple[Runner, Any]:
    """Return a runner on the example and more inputs alike, `count` samples in all, and its output.

    It is the one given where the network takes no larger batches.

    Cost: a run on them.
    """
    samples = len(runner.signal)
    if count <= samples:
        return runner, first
    both = _beside(runner, Alike(runner.example)(count - samples))
    larger = runner.at(both)
    try:
        outputs = larger()
    except UncheckError:
        return runner, first
    runner.passes = larger.passes
    return (larger, outputs) if _holds(outputs, first, samples, count) else (runner, first)


def batch_size(runner: Runner, first: Any, most: float) -> int:
    """Return how many samples to run at once."""
    samples = len(runner.signal)
    numbers = max((t.numel() for t in tensors_in(first)), default=1) / samples
    fitting = max(samples, min(AT_ONCE, int(MOST_NUMBERS / max(1.0, numbers))))
    return fitting if runner.passes + 1 + fitting / samples <= most else samples


def outputs_among(runner: Runner, inputs: tuple[Any, ...], first: Any) -> Any:
    """Return the outputs on new inputs run beside the example; None unless its own is as it was."""
    samples, both = len(runner.signal), _beside(runner, inputs)
    try:
        outputs = runner.inputs(both)
    except UncheckError:
        return None
    if not _holds(outputs, first, samples, len(next(x for x in both if isinstance(x, Tensor)))):
        return None
    return replace_tensors(outputs, lambda got, known: got[len(known) :], first)


def _beside(runner: Runner, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the example and new inputs in one batch."""
    samples = len(runner.signal)
    return replace_tensors(  # type: ignore[no-any-return]
        inputs,
        lambda new, old: torch.cat([old, new]) if _joins(new, old, samples) else old,
        runner.example,
    )


def _holds(outputs: Any, first: Any, samples: int, whole: int) -> bool:
    """Test whether the outputs of a larger batch begin with those of the example alone."""
    for got, known in zip(tensors_in(outputs), tensors_in(first), strict=False):
        if known.dim() == 0 or len(known) % samples or len(got) * samples != len(known) * whole:
            return False
        if not _same(got[: len(known)], known):
            return False
    return True


def _joins(new: Tensor, old: Tensor, samples: int) -> bool:
    return goes_along(old, samples) and new.shape[1:] == old.shape[1:]


def _same(one: Tensor, other: Tensor) -> bool:
    a, b = one.detach().cpu(), other.detach().cpu()
    if a.dtype == torch.bool or not (a.is_floating_point() or a.is_complex()):
        return float((a != b).float().mean()) < SAME
    difference = float((a - b).abs().double().square().mean().sqrt())
    size = float(np.std(b.float().numpy())) if not b.is_complex() else float(b.abs().double().std())
    return difference <= SAME * size + 1e-6
