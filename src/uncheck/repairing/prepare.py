"""A `Case` made of a network and its inputs, checked before any long work."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.measuring.brought import certain_periods
from uncheck.measuring.frequencies import plan
from uncheck.probing.forward import levels
from uncheck.progress import Progress
from uncheck.reading import (
    Inputs,
    Recording,
    as_found,
    call,
    copied,
    eagerly,
    picture_of,
    record,
    run,
)
from uncheck.reading.graph import Node
from uncheck.reading.outputs import largest_maps, maps_in, same_but_rounding
from uncheck.reading.possible import PossiblePeriods, possible_periods, read_possible
from uncheck.reading.tables import DROPOUT, RANDOM
from uncheck.reading.tensors import tensors_in
from uncheck.repairing.case import Case
from uncheck.repairing.inputs import is_spatial, split_samples

#: Pixels that an output must have along its shortest axis, and periods that must fit it.
LEAST_SIDE, LEAST_PERIODS = 16, 4

#: No more than this is asked for, by number of spatial axes: many networks take one size only.
ENOUGH = {1: 4096, 2: 128, 3: 64}

#: Values of which the range of the outputs is inferred.
SAMPLED = 1 << 22

#: Functions that draw numbers, beside those that make new tensors of them.
DRAWS = RANDOM | {"bernoulli", "multinomial", "poisson", "randperm", "gumbel_softmax", "cauchy", "log_normal"}

#: Position of the argument `training` among those of dropouts.
TRAINING = 2


def prepare(
    model: nn.Module,
    inputs: Any,
    *,
    which: str | None = None,
    span: tuple[float, float] | None = None,
    progress: Progress | None = None,
) -> Case:
    """Copy a network, split its inputs, read it, and find its faulty periods.

    Args:
        model: any module; left untouched.
        inputs: a tensor (N, ...), a list of tensors or tuples (one call each), or a tuple of positional
            inputs that share the batch axis.
        which: key or index of the output meant, dots for nests; the largest map if None.
        span: values of the output that stand for 0 and 255; inferred if None.
        progress: called with a label, steps done and steps in all.

    Returns:
        The `Case`. Unsupported operations on the signal path are in `recording.ledger.unsupported`: whoever
        repairs must refuse.

    Raises:
        UncheckError: a network that cannot be copied; too few, too small, unequal or infinite inputs; no
            output that is a map, or several of equal standing; infinite outputs; outputs that are random.

    Cost: two forward passes on the first input and one on each other to fit on; inputs to judge on are not
    run.
    """
    tell = progress or (lambda label, done, total: None)
    tell("reading the network", 0, 1)
    net = copied(model, "repair").requires_grad_(False)
    for module in net.modules():
        module.training = False  # as `as_found` does: a train() of the model's own must not run
    fit, held = split_samples(inputs)
    first = fit[0]
    with as_found(net), eagerly():
        recording = record(net, *first)
        ndim = _ndim(recording, first)
        picture = _picture(recording, which, ndim)
        _check_size(recording, first, picture)
        _check_steady(net, first, recording)
        outputs = [picture]
        for done, call in enumerate(fit[1:], 1):
            tell("running the network", done, len(fit))
            outputs.append(picture_of(run(net, call), which, ndim))
    tell("looking for the lattice", len(fit), len(fit))
    sizes = {tuple(picture.shape[1:]) for picture in outputs}
    if len(sizes) > 1:
        raise UncheckError(
            f"outputs of inputs of one size have {len(sizes)} sizes ({', '.join(map(str, sorted(sizes)))}): "
            "give inputs for which they have one"
        )
    used = _span(outputs) if span is None else span
    values = [levels(output, used)[0] for output in outputs]
    possible = possible_left(recording, which, ndim)
    periods = plan(tuple(picture.shape[2:]), possible.cycles, within=possible.within).tested
    signals = [next(tensors_in(call)) for call in fit]
    maps = is_spatial(signals[0]) and signals[0].dim() == ndim + 2
    seen = scale = None
    if maps:
        seen = np.concatenate([np.moveaxis(x.detach().float().cpu().numpy(), 1, -1) for x in signals])
        scale = tuple(o / i for o, i in zip(picture.shape[2:], signals[0].shape[2:], strict=True))
    return Case(
        model=net,
        fit=fit,
        held=held,
        recording=recording,
        which=which,
        ndim=ndim,
        span=used,
        periods=periods,
        faulty=certain_periods(np.concatenate(values), seen, periods, within=possible.within),
        scale=scale,
    )


def possible_left(recording: Recording, which: str | None, ndim: int) -> PossiblePeriods:
    """Return the periods that the network can leave in the output meant, the same as `uncheck.inspect`."""
    grids = [
        grid
        for grid in recording.outputs
        if grid.is_map and grid.ndim == ndim and (which is None or f"{grid.name}.".startswith(f"{which}."))
    ]
    if not grids:
        left = (stage.output_period for stage in recording.stages)
        return possible_periods(left, ndim, understood=not recording.ledger.unsupported)
    return read_possible(recording, max(grids, key=lambda grid: prod(grid.size)))


def _ndim(recording: Recording, call: Inputs) -> int:
    """Return the spatial axes of the output: those of its last stage, else as the input's rank suggests."""
    if recording.stages:
        reaching = [stage for stage in recording.stages if stage.output_period]
        return (reaching or recording.stages)[-1].ndim
    rank = next(tensors_in(call)).dim()
    return min(3, rank - 2) if rank > 2 else 2


def _picture(recording: Recording, which: str | None, ndim: int) -> Tensor:
    output = recording.output
    if which is None:
        maps = maps_in(output, ndim, strict=True)
        largest = largest_maps(maps)
        if len(largest) > 1:
            named = ", ".join(f"{'.'.join(map(str, path))} {tuple(tensor.shape)}" for path, tensor in largest)
            raise UncheckError(
                f"the network returns {len(largest)} outputs of equal standing ({named}): "
                "name the one meant with --which, or which= in Python"
            )
        if not recording.stages and not maps:
            raise UncheckError(
                f"the output holds no map of {ndim} spatial axes, so it has no lattice to repair"
            )
    return picture_of(output, which, ndim)


def _check_size(recording: Recording, call: Inputs, picture: Tensor) -> None:
    """Check that enough periods fit the output; a generator's size is fixed by its codes."""
    size = tuple(picture.shape[2:])
    periods = [stage.output_period for stage in recording.stages if stage.output_period]
    known = [period for period in periods if len(period) == len(size)]
    # An axis along which nothing is enlarged, such as time, may be as short as it likes.
    unknown = (LEAST_SIDE // LEAST_PERIODS,) * len(size)
    longest = [max(period) for period in zip(*(known or [unknown]), strict=True)]
    enough = ENOUGH[len(size)] if is_spatial(next(tensors_in(call))) else LEAST_SIDE
    needed = [max(LEAST_SIDE, min(LEAST_PERIODS * p, enough)) if p > 1 else 1 for p in longest]
    if any(n < least for n, least in zip(size, needed, strict=True)):
        shown, wanted = (" x ".join(map(str, sizes)) for sizes in (size, needed))
        raise UncheckError(
            f"the inputs are too small: the output is {shown} pixels, and its lattice can be told from "
            f"{wanted} on; give larger inputs"
        )


def _check_steady(net: nn.Module, inputs: Inputs, recording: Recording) -> None:
    """Check that the output does not depend on the random state; UncheckError names the call that draws."""
    with torch.no_grad():
        again = call(net, inputs, seed=1)  # the recording was made with another
    if same_but_rounding(recording.output, again):
        return
    drawing = next((node for node in recording.graph.nodes if _draws(node)), None)
    if drawing is None:
        raise UncheckError(
            f"{type(net).__name__} gives another output in each run, so that repairs cannot be compared: see "
            "what it keeps from run to run, or draws outside torch"
        )
    where = drawing.key.module or "the model's own forward"
    what, cure = "draws random numbers", "pass them in as an input, or keep them in a buffer"
    if drawing.name in DROPOUT.names:
        what, cure = "is active in eval mode", "call it with training=self.training, or take it out"
    raise UncheckError(f"{drawing.name} in {where} {what}, so that each run gives another output: {cure}")


def _draws(node: Node) -> bool:
    if node.name in DROPOUT.names or node.name == "rrelu":
        place = TRAINING if node.name in DROPOUT.names else 3
        given = node.args[place] if len(node.args) > place else node.kwargs.get("training", True)
        return given is True
    return node.name in DRAWS


def _span(outputs: Sequence[Tensor]) -> tuple[float, float]:
    """Return the range of all outputs together; of many values, that of a sample and the extremes."""
    step = max(1, sum(picture.numel() for picture in outputs) // SAMPLED)
    parts = []
    for picture in outputs:
        values = picture.detach().flatten().cpu()
        values = values.float() if values.is_floating_point() else values
        parts += [values[::step]] + ([torch.stack(values.aminmax())] if step > 1 else [])
    return levels(torch.cat(parts)[None, None], None)[1]
