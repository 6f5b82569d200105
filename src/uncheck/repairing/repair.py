"""`uncheck.repair`: a released network without its lattice, judged on held-out inputs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from torch import nn

from uncheck.errors import UncheckError
from uncheck.progress import Progress
from uncheck.reading import as_found
from uncheck.repairing.clock import Clock
from uncheck.repairing.inputs import affordable
from uncheck.repairing.methods import METHODS
from uncheck.repairing.prepare import prepare
from uncheck.repairing.result import Repair
from uncheck.repairing.search import Search


def repair(
    model: nn.Module,
    inputs: Any,
    *,
    method: str = "auto",
    minutes: float = 10.0,
    fidelity: float | None = None,
    which: str | None = None,
    span: tuple[float, float] | None = None,
    seed: int = 0,
    even_if_invisible: bool = False,
    checkpoint: str | Path | None = None,
    progress: Progress | None = None,
) -> Repair:
    """Repair a network without its training data, or say why not.

    The inputs are split: two thirds to fit on, one third (half, for codes) to judge on. Methods are tried
    cheapest first (project, match, distill, spin) until one leaves no significant lattice. Each candidate is
    verified, and the best that keeps the fidelity asked for is returned. Ctrl-C keeps the best so far.

    Args:
        model: any module; left untouched.
        inputs: real inputs: a tensor (N, ...), a list of tensors or tuples (one call each), or a tuple of
            positional inputs sharing the batch axis; at least 2 samples, better a dozen.
        method: "auto", or one of "project", "match", "distill", "spin".
        minutes: time to spend at most, judging and timing included; it may be 15 % more.
        fidelity: least PSNR to the original's output, dB; None accepts what removing the lattice takes, but
            no loss of more than 0.05 dB to a known truth and of 15 % of sharpness.
        which: key or index of the output meant, among several.
        span: values of the output that stand for 0 and 255; inferred if None.
        seed: of everything drawn at random.
        even_if_invisible: whether to repair a lattice, too, that is too weak to be seen, in pictures and on
            flat colour (docs/conventions.md).
        checkpoint: file from which an interrupted distillation goes on; None for none.
        progress: called with a label, seconds spent and seconds given.

    Returns:
        A `Repair`; its `model` is None if every method was refused.

    Raises:
        UncheckError: wrong inputs or options, or a network that cannot be run or compared.

    Cost: up to `minutes`, and 15 % more; `distill` and `spin` need the most.

    >>> import torch
    >>> print(repair(torch.nn.Conv2d(3, 3, 3), torch.rand(4, 3, 32, 32, generator=torch.manual_seed(0))))
    Conv2d was not repaired: all: nothing to repair: the network has no upsampling stage
    """
    chosen = [one for one in METHODS if method in ("auto", one.name)]
    if not chosen:
        raise UncheckError(
            f"there is no method {method!r}: use auto, {', '.join(one.name for one in METHODS)}"
        )
    if not (math.isfinite(minutes) and minutes > 0):
        raise UncheckError(f"minutes {minutes:g} is no time: give more than 0")
    clock = Clock(60 * minutes, progress)
    case = affordable(prepare(model, inputs, which=which, span=span, progress=progress))
    path = None if checkpoint is None else Path(checkpoint)
    search = Search(case, clock, fidelity, seed, path, even_if_invisible=even_if_invisible)
    with as_found(case.model):  # for the random states of the process
        try:
            search.run(chosen)
        except KeyboardInterrupt:
            search.interrupt("interrupted: this is the best so far")
        return search.outcome(model)
