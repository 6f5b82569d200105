"""More evidence on a network: other inputs alike, until a lattice shows or none of any strength can hide."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import ceil, inf
from typing import Any

import torch

from uncheck.errors import UncheckError
from uncheck.measuring.components import Limit
from uncheck.plain import Plain
from uncheck.probing.alike import Alike
from uncheck.probing.forward import Runner
from uncheck.probing.larger_batches import batch_size, outputs_among

#: Outputs that a verdict without a lattice rests on: how strong one is depends on the content.
LEAST = 8

#: Most outputs that are looked at: the limit falls with their root only.
MOST_OUTPUTS = 256

#: A limit that is still more than this share of the one before, of half as many outputs, falls no more, if
#: more than twice `LEAST` outputs were looked at: what all outputs share does not average out.
STALLED = 0.9

#: Outputs grow by this factor at least before they are tested again.
LEAST_GROWTH = 1.25

#: Share by which a lattice on inputs drawn anew may exceed what those made of one tell: of 100 random
#: networks called clean without it, 13 held more than their limit, two of them more than 1.5 times (seeds 400
#: to 559, experiments/verdict/results/made_of_one.json).
UNLIKE = 0.5

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
    size, stalled = batch_size(runner, first, most), False
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
            outputs = runner.inputs(inputs, seed=seen) if checked else outputs_among(runner, inputs, first)
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


def widened(limits: Iterable[Limit], given: int) -> tuple[Limit, ...]:
    """Return limits of what there is on any inputs, from those told by inputs made of `given` ones.

    Each is multiplied by 1 + 0.5 / sqrt(given): what is made of an input shares its content.

    >>> [one.amplitude for one in widened([Limit((2, 2), 0.2)], 4)]
    [0.25]
    """
    return tuple(replace(one, amplitude=one.amplitude * (1 + UNLIKE / given**0.5)) for one in limits)
