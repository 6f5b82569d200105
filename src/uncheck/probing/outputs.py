"""The outputs of a network: which are measured and how, and which are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.probing.forward import OutputView, Runner, levels
from uncheck.reading import PossiblePeriods, Recording, possible_periods
from uncheck.reading.growth import explained_size, unread_growth
from uncheck.reading.outputs import maps_in
from uncheck.reading.tensors import NestPath, named_tensors

#: An output is constant if no value differs from the mean of its channel by a larger share of the largest.
CONSTANT = 1e-6


@dataclass(frozen=True, eq=False)
class Seen:
    """One output that can be measured, on the example.

    Attributes:
        view: how it is measured.
        batch: (N, *spatial, C) grey levels.
        unread: what was not understood on the way to it, in words; empty if nothing.
        constant: whether it has one colour all over, so that it tells nothing.
    """

    view: OutputView
    batch: NDArray[np.float32]
    unread: str
    constant: bool


@dataclass(eq=False)
class FoundOutputs:
    """The outputs of a network.

    Attributes:
        seen: those that can be measured, the largest first.
        unmeasured: those with positions that cannot, by name: the reason.
        left_out: those without positions, such as class scores, by name: what they are.
    """

    seen: list[Seen] = field(default_factory=list)
    unmeasured: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def outputs_of(
    runner: Runner,
    recording: Recording,
    *,
    span: tuple[float, float] | None,
    threshold: float,
    asked: Sequence[int] = (),
    which: str | None = None,
) -> FoundOutputs:
    """Find every output of a recorded pass that can hold a lattice.

    Args:
        runner: of the network, for its inputs.
        recording: of one pass on them.
        span: output values that stand for 0 and 255; inferred for each output if None.
        threshold: grey levels below which a lattice is a trace.
        asked: periods that the user asks for.
        which: name of the only output to look at.

    Raises:
        UncheckError: no output of that name; NaN or infinite values in every output that has positions.
    """
    out = FoundOutputs()
    tensors = {_name(path): (path, tensor) for path, tensor in named_tensors(recording.output)}
    if which is not None and which not in tensors:
        raise UncheckError(f"the network returns no output {which!r}; it returns {', '.join(tensors)}")
    strict, ndim = not recording.stages, _ndim(runner, recording)
    maps = _maps(recording.output, ndim, strict)
    real = any(tensor.is_floating_point() for _, tensor, _ in maps.values())
    errors: list[UncheckError] = []
    for name, (path, tensor) in tensors.items():
        if which not in (None, name):
            continue
        found = maps.get(path)
        if found is None:
            has_positions = bool(recording.stages) and tensor.dim() > 2
            kind = out.unmeasured if has_positions else out.left_out
            kind[name] = f"{tuple(tensor.shape)} is no map of {ndim} spatial axes"
        elif real and which is None and not found[1].is_floating_point():
            out.left_out[name] = f"{tuple(tensor.shape)} holds labels"
        else:
            try:
                node = _node(recording, tensor)
                out.seen.append(_seen(runner, recording, name, node, found, (span, threshold, asked, strict)))
            except UncheckError as error:
                errors.append(error)
                out.unmeasured[name] = str(error)
    if errors and not out.seen:
        raise errors[0]
    out.seen.sort(key=lambda one: -one.batch[0, ..., 0].size)
    return out


def _maps(output: Any, ndim: int, strict: bool) -> dict[NestPath, tuple[NestPath, Tensor, int]]:
    """Return the maps among the outputs by path, with their spatial axes."""
    found = {path: (path, tensor, ndim) for path, tensor in maps_in(output, ndim, strict=strict)}
    for axes in (3, 2):  # heads of other ranks
        for path, tensor in maps_in(output, axes, strict=True):
            found.setdefault(path, (path, tensor, axes))
    return found


def _seen(
    runner: Runner,
    recording: Recording,
    name: str,
    node: int | None,
    found: tuple[NestPath, Tensor, int],
    asked: tuple[tuple[float, float] | None, float, Sequence[int], bool],
) -> Seen:
    path, tensor, ndim = found
    span, threshold, periods, strict = asked
    batch, used = levels(tensor, span)
    size = tuple(tensor.shape[2:])
    unread = not_understood(recording, runner.signal.shape[2:], size, node)
    possible = _possible(runner, recording, size, ndim, not unread, periods)
    view = OutputView(name, path, ndim, used, possible, threshold, size, strict)
    return Seen(view, batch, unread, is_constant(tensor))


def not_understood(
    recording: Recording, before: Sequence[int], size: tuple[int, ...], output: int | None
) -> str:
    """Name what was not understood on the way to an output: operations, or what enlarges it.

    `before` and `size` are the pixels of the input and of the output, `output` its node in the graph.
    """
    if recording.ledger.unsupported:
        return ", ".join(recording.ledger.unsupported)
    if output is None:
        return ""
    known = explained_size(recording.graph, recording.stages, recording.strided, output, len(size))
    return unread_growth(size, known, before)


def _node(recording: Recording, tensor: Tensor) -> int | None:
    nodes = recording.graph.nodes
    return next((o for o in recording.graph.outputs if nodes[o].shape == tuple(tensor.shape)), None)


def _possible(
    runner: Runner,
    recording: Recording,
    size: tuple[int, ...],
    ndim: int,
    understood: bool,
    asked: Sequence[int],
) -> PossiblePeriods:
    made = {node.key: node.index for node in recording.graph.nodes if node.item == 0}
    left = [
        stage.output_period
        for stage in recording.stages
        if stage.output_period or made.get(stage.key) in recording.graph.leading
    ]
    before = runner.signal.shape[2:] if runner.signal.dim() == ndim + 2 else ()
    return possible_periods(left, ndim, understood=understood, sizes=(before, size), asked=asked)


def is_constant(tensor: Tensor) -> bool:
    """Test whether each channel of (N, C, *spatial) has one value but for rounding."""
    values = tensor.detach().cpu().double()
    over = tuple(range(2, values.dim()))
    spread = (values.amax(dim=over) - values.amin(dim=over)).max()
    return bool(spread <= CONSTANT * values.abs().max())


def _ndim(runner: Runner, recording: Recording) -> int:
    """Return the number of spatial axes: that of the last stage, else as the input's rank suggests."""
    if recording.stages:
        reaching = [stage for stage in recording.stages if stage.output_period]
        return (reaching or recording.stages)[-1].ndim
    return min(3, max(1, runner.signal.dim() - 2)) if runner.signal.dim() > 2 else 2


def _name(path: NestPath) -> str:
    return ".".join(map(str, path)) or "output"
