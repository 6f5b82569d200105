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
from uncheck.probing.samples import goes_along
from uncheck.reading.tensors import replace_tensors, tensors_in

#: Samples run at once, where the example itself has fewer.
AT_ONCE = 8

#: Most numbers of an output that are computed at once, so that memory stays sane.
MOST_NUMBERS = 2**26

#: Outputs that a verdict without a lattice rests on: how strong one is depends on the content.
LEAST = 8

#: Most outputs that are looked at: the limit falls with their root only.
MOST_OUTPUTS = 256

#: A limit that is still more than this share of the one before, of half as many outputs, falls no more, if
#: more than twice `LEAST` outputs were looked at: what all outputs share does not average out.
STALLED = 0.9

#: Outputs grow by this factor at least before they are tested again.
LEAST_GROWTH = 1.25

#: Outputs of one input, run alone and among others, agree to this share of their deviation.
SAME = 1e-3

#: Why no more evidence was gathered, and what to give for more.
STOPPED = {
    "limit": ("stopped", "inputs"),
    "lattice": ("a lattice showed", "inputs"),
    "outputs": ("stopped", "inputs"),
    "stalled": ("what all outputs share hides more: stopped", "different inputs"),
    "passes": ("passes ran out", "inputs"),
    "seconds": ("time ran out", "seconds"),
    "inputs": ("no more inputs could be made", "inputs"),
    "nothing": ("nothing to test", "periods"),
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
        passes: forward passes spent on them, that on the example among them, in multiples of that.
        stopped: why no more were looked at, a key of `STOPPED`.
        limit: the worst limit of a possible period at the end, grey levels; None where nothing was tested: no
            output could be measured, or none at a period that the upsampling can leave.
    """

    inputs: int
    passes: float
    stopped: str
    limit: float | None

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
        at = f" at {self.limit:.2g} levels" if self.limit else ""
        return f"{self.inputs} input{'s' if self.inputs > 1 else ''}; {self.reason}{at}"


def gather(
    runner: Runner,
    first: Any,
    add: Callable[[Any], None],
    look: Callable[[], Standing],
    *,
    threshold: float,
    most: float = inf,
    until: float = inf,
    work: float = inf,
) -> Evidence:
    """Run a network on eight inputs or more until the limit is below the threshold or a lattice shows.

    The limit falls as the root of the number of outputs, so n (limit / threshold)^2 are wanted, up to 256,
    and fewer where twice as many do not lower it. They are
    run in batches of at most eight, or as large as the example's own: where the network takes no other, or
    where an output depends on what else is in the batch, which the example run among others shows. All
    outputs are tested anew when their number has doubled, or when as many as wanted are there: not more
    often, for each test may find what is not there.

    Args:
        runner: of the network, with the example that the new inputs are made like.
        first: its output on the example, which has been added.
        add: takes an output on new inputs, to be tested with those before.
        look: says how matters stand with all outputs so far.
        threshold: grey levels; the limit of every possible period is to be below.
        most: passes that `runner` may have spent at the end, in multiples of one on the example.
        until: time of `time.monotonic` at which to stop.
        work: seconds that all may take as told from the processor time of the first batch and its threads,
            so that what is found does not depend on what else the machine does.

    Cost: as many passes as the limit asks for, plus one where batches are larger than the example's.
    """
    samples, began = len(runner.signal), runner.passes
    seen = looked = samples
    standing = look()
    alike = Alike(runner.example)
    size, stalled = _batch(runner, first, most), False
    checked = size == samples
    each = 0.0  # processor seconds of one output
    while True:
        growth = (standing.limit / threshold) ** 2 if standing.limit < inf else 2.0
        wanted = max(LEAST, ceil(looked * max(LEAST_GROWTH, growth) - 1e-9))
        if seen > looked and (seen >= wanted or seen >= 2 * looked):
            last, before = standing.limit, looked
            standing, looked = look(), seen
            stalled = seen >= 2 * before and seen > 2 * LEAST and standing.limit > STALLED * last
            continue
        count = samples if size == samples else min(size, max(wanted - seen, 1))
        reasons = {
            "lattice": standing.found,
            "limit": standing.limit <= threshold and seen >= LEAST,
            "inputs": not alike.varied,
            "stalled": stalled,
            "outputs": seen >= MOST_OUTPUTS,
            "passes": runner.passes + count / samples + (not checked) > most,
            "seconds": time.monotonic() > until or (seen - samples + count) * each > work,
        }
        stopped = next((reason for reason, holds in reasons.items() if holds), "")
        if stopped:
            break
        runner.advance("gathering evidence")
        inputs, began_at = alike(count), time.process_time()
        try:
            outputs = runner.inputs(inputs, seed=seen) if checked else _among(runner, inputs, first)
            size = samples if outputs is None else size
            checked = True
            if outputs is not None:
                add(outputs)
                seen += count
                each = each or (time.process_time() - began_at) / torch.get_num_threads() / count
        except UncheckError:  # the network fails on such inputs
            stopped = "inputs"
            break
    if seen > looked:
        standing = look()
        stopped = "lattice" if standing.found else "limit" if standing.limit <= threshold else stopped
    return Evidence(seen, runner.passes - began, stopped, standing.limit)


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


def _batch(runner: Runner, first: Any, most: float) -> int:
    """Return how many samples to run at once."""
    samples = len(runner.signal)
    numbers = max((t.numel() for t in tensors_in(first)), default=1) / samples
    fitting = max(samples, min(AT_ONCE, int(MOST_NUMBERS / max(1.0, numbers))))
    return fitting if runner.passes + 1 + fitting / samples <= most else samples


def _among(runner: Runner, inputs: tuple[Any, ...], first: Any) -> Any:
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
