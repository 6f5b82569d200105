"""More evidence on a network: other inputs alike, until a lattice shows or none of any strength can hide."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, inf
from typing import Any

import numpy as np
import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.plain import Plain
from uncheck.probing.alike import Alike
from uncheck.probing.forward import Runner
from uncheck.reading.tensors import replace_tensors, tensors_in

#: Samples run at once, where the example itself has fewer.
AT_ONCE = 8

#: Most numbers of an output that are computed at once, so that memory stays sane.
MOST_NUMBERS = 2**26

#: Outputs of one input, run alone and among others, agree to this share of their deviation.
SAME = 1e-3

#: Why no more evidence was gathered, and what to give for more.
STOPPED = {
    "limit": ("stopped", "inputs"),
    "lattice": ("a lattice showed", "inputs"),
    "passes": ("passes ran out", "inputs"),
    "seconds": ("time ran out", "seconds"),
    "inputs": ("no more inputs could be made", "inputs"),
}


@dataclass(frozen=True)
class Standing:
    """What the outputs so far tell: whether they show a lattice, and the worst limit of a possible period."""

    found: bool
    limit: float


@dataclass(frozen=True)
class Evidence(Plain):
    """The outputs that a verdict rests on.

    Attributes:
        inputs: how many, the example's own among them.
        passes: forward passes spent on them, in multiples of one on the example.
        stopped: why no more were looked at, a key of `STOPPED`.
        limit: the worst limit of a possible period at the end, grey levels.
    """

    inputs: int
    passes: float
    stopped: str
    limit: float

    @property
    def reason(self) -> str:
        """Why no more were looked at, in words."""
        return STOPPED[self.stopped][0]

    @property
    def cure(self) -> str:
        """What to give more of."""
        return STOPPED[self.stopped][1]

    def __str__(self) -> str:
        """Say how many outputs were looked at, and why no more."""
        return f"{self.inputs} inputs; {self.reason} at {self.limit:.2g} levels"


def gather(
    runner: Runner,
    first: Any,
    judge: Callable[[Any], Standing],
    standing: Standing,
    *,
    threshold: float,
    most: float = inf,
    until: float = inf,
) -> Evidence:
    """Run a network on more inputs alike until the limit is below the threshold or a lattice shows.

    The limit falls as the root of the number of outputs, so ceil(n (limit / threshold)^2) are wanted. They
    are run in batches of at most eight, or as large as the example's own: where the network takes no other,
    or where an output depends on what else is in the batch, which the example run among others shows.

    Args:
        runner: of the network, with the example that the new inputs are made like.
        first: its output on the example.
        judge: takes an output on new inputs, adds it to those before, and says how matters stand.
        standing: how matters stand after the example.
        threshold: grey levels; the limit of every possible period is to be below.
        most: passes that `runner` may have spent at the end, in multiples of one on the example.
        until: time of `time.monotonic` at which to stop.

    Cost: as many passes as the limit asks for, plus one where batches are larger than the example's.
    """
    samples, began, seen = len(runner.signal), runner.passes, len(runner.signal)
    alike = Alike(runner.example)
    size = _batch(runner, first, most)
    checked = size == samples
    while True:
        wanted = ceil(seen * (standing.limit / threshold) ** 2) - seen if standing.limit < inf else size
        count = samples if size == samples else min(size, max(wanted, 1))
        reasons = {
            "lattice": standing.found,
            "limit": standing.limit < threshold,
            "inputs": not alike.varied,
            "passes": runner.passes + count / samples + (not checked) > most,
            "seconds": time.monotonic() > until,
        }
        stopped = next((reason for reason, holds in reasons.items() if holds), "")
        if stopped:
            break
        runner.advance("gathering evidence")
        inputs = alike(count)
        try:
            if checked:
                outputs = runner.inputs(inputs, seed=seen)
            elif (outputs := _among(runner, inputs, first)) is None:
                size = samples
            checked = True
            if outputs is not None:
                standing = judge(outputs)
                seen += count
        except UncheckError:  # the network fails on such inputs
            stopped = "inputs"
            break
    return Evidence(seen, runner.passes - began, stopped, standing.limit)


def _batch(runner: Runner, first: Any, most: float) -> int:
    """Return how many samples to run at once."""
    samples = len(runner.signal)
    numbers = max((t.numel() for t in tensors_in(first)), default=1) / samples
    fitting = max(samples, min(AT_ONCE, int(MOST_NUMBERS / max(1.0, numbers))))
    return fitting if runner.passes + 1 + fitting / samples <= most else samples


def _among(runner: Runner, inputs: tuple[Any, ...], first: Any) -> Any:
    """Return the outputs on new inputs run beside the example; None unless its own is as it was."""
    samples = len(runner.signal)
    both = replace_tensors(
        inputs,
        lambda new, old: torch.cat([old, new]) if _goes_along(new, old, samples) else old,
        runner.example,
    )
    try:
        outputs = runner.inputs(both)
    except UncheckError:
        return None
    whole = len(next(x for x in both if isinstance(x, Tensor)))
    for got, known in zip(tensors_in(outputs), tensors_in(first), strict=False):
        if known.dim() == 0 or len(known) % samples or len(got) * samples != len(known) * whole:
            return None
        if not _same(got[: len(known)], known):
            return None
    return replace_tensors(outputs, lambda got, known: got[len(known) :], first)


def _goes_along(new: Tensor, old: Tensor, samples: int) -> bool:
    return new.dim() > 0 and len(old) == samples and new.shape[1:] == old.shape[1:]


def _same(one: Tensor, other: Tensor) -> bool:
    a, b = one.detach().cpu(), other.detach().cpu()
    if a.dtype == torch.bool or not (a.is_floating_point() or a.is_complex()):
        return float((a != b).float().mean()) < SAME
    difference = float((a - b).abs().double().square().mean().sqrt())
    size = float(np.std(b.float().numpy())) if not b.is_complex() else float(b.abs().double().std())
    return difference <= SAME * size + 1e-6
