"""The boundary artifact of a network: its depth and strength, and the padding that makes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.plain import Brief, Plain
from uncheck.probing.edges import Edge, edge_of_constant, edge_of_crop
from uncheck.probing.forward import OutputView, Runner
from uncheck.probing.replication import Replicating
from uncheck.reading import CallKey, CallWatcher, Recording

#: Paddings are tried one by one on an input of at most this many pixels per axis.
SMALL = 64

#: At most so many paddings are tried, in so many passes.
MOST_PADDINGS, MOST_PASSES = 32, 4

#: A padding that removes less of the border is not named.
LEAST_SHARE = 0.05

Suspects = dict[tuple[str, str], list[CallKey]]
"""Calls that pad, by name and mode."""
Judge = Callable[[NDArray[np.float32]], "Edge | None"]
"""The border of an output."""


@dataclass(frozen=True)
class PaddingBlame(Brief):
    """One padding: `share` (0..1) of the border's strength that replicating there instead removes."""

    name: str
    mode: str
    share: float


@dataclass(frozen=True)
class Boundary(Plain):
    """The border of the output.

    Attributes:
        constant: on an input of constant colour; None where that could not be run or has no flat answer.
        real: on the user's input, against the same input cut smaller; None where sizes do not allow it.
        paddings: those that answer for the border on real input (on constant input where real is None),
            the worst first.
    """

    constant: Edge | None
    real: Edge | None
    paddings: tuple[PaddingBlame, ...] = ()


def boundary(
    runner: Runner,
    recording: Recording,
    batch: NDArray[np.float32],
    view: OutputView,
    constant_output: NDArray[np.float32] | None,
    until: float = inf,
) -> Boundary | None:
    """Measure the border on constant and on real input, and name the paddings that make it.

    `batch` is the output on the example, (N, *spatial, C) grey levels, and `constant_output` that on its mean
    colour, if it could be run. `until` is the time of `time.monotonic` after which no padding is tried.

    Returns:
        None for networks driven by codes: every place of their output is a different function.

    Cost: about half a forward pass for the smaller real input, and one small pass per padding, at most four
    passes in all and as far as the budget goes; networks that take no other size are asked for no padding.
    """
    if runner.signal.dim() != view.ndim + 2 or not runner.signal.is_floating_point():
        return None
    periods = [s.output_period for s in recording.stages if s.output_period]
    flat = edge_of_constant(constant_output, periods) if constant_output is not None else None
    real = _real(runner, batch, view)
    paddings: tuple[PaddingBlame, ...] = ()
    if (real or flat or Edge(0, 0.0)).depth:
        signal, edge = _small_real(runner, batch) if real else _small_flat(runner, periods)

        def strength(keys: list[CallKey]) -> float | None:
            output = _output(runner, signal, view, Replicating(runner.model, keys))
            found = None if output is None else edge(output)
            return found.strength if found else None

        paddings = _paddings(runner, _suspects(recording), signal, strength, until)
    return Boundary(flat, real, paddings)


def _output(
    runner: Runner, signal: Tensor, view: OutputView, watcher: CallWatcher | None = None
) -> NDArray[np.float32] | None:
    """Return grey levels of the output on a smaller input; None from a network that takes no other size."""
    try:
        return view.of_any_size(runner(signal, watcher=watcher))
    except UncheckError:
        return None


def _real(runner: Runner, batch: NDArray[np.float32], view: OutputView) -> Edge | None:
    """Run the example again without its rim, on the same lattice of the network."""
    signal = runner.signal
    sizes = signal.shape[2:]
    unit = 16 if min(sizes) >= 128 else 8
    rim = min(sizes) // 8 // unit * unit
    index = (slice(None), slice(None), *(slice(rim, n - rim) for n in sizes))
    if rim == 0 or not runner.affords(signal[index], 1):
        return None
    runner.advance("border on real input")
    output = _output(runner, signal[index].contiguous(), view)
    return None if output is None else edge_of_crop(batch, output, _moved([rim] * len(sizes), batch, signal))


def _moved(place: Sequence[int], batch: NDArray[np.float32], signal: Tensor) -> tuple[int, ...]:
    """Return the place of the output that belongs to a place of the input."""
    return tuple(
        round(p * (o / i)) for p, o, i in zip(place, batch.shape[1:-1], signal.shape[2:], strict=True)
    )


def _small_real(runner: Runner, batch: NDArray[np.float32]) -> tuple[Tensor, Judge]:
    """Return the middle of the example, and a judge that compares an output on it with the whole output."""
    signal = runner.signal
    sizes = [min(n, SMALL) for n in signal.shape[2:]]
    starts = [(n - small) // 2 // 16 * 16 for n, small in zip(signal.shape[2:], sizes, strict=True)]
    index = (slice(0, 1), slice(None), *(slice(a, a + n) for a, n in zip(starts, sizes, strict=True)))
    offset = _moved(starts, batch, signal)
    return signal[index].contiguous(), lambda output: edge_of_crop(batch[:1], output, offset)


def _small_flat(runner: Runner, periods: list[tuple[int, ...]]) -> tuple[Tensor, Judge]:
    """Return a small input of the example's mean colour, and the edge of an output on it."""
    signal = runner.signal
    mean = signal.mean(dim=(0, *range(2, signal.dim())), keepdim=True)
    index = (slice(0, 1), slice(None), *(slice(min(n, SMALL)) for n in signal.shape[2:]))
    return mean.expand_as(signal)[index].contiguous(), lambda output: edge_of_constant(output, periods)


def _paddings(
    runner: Runner,
    suspects: Suspects,
    signal: Tensor,
    strength: Callable[[list[CallKey]], float | None],
    until: float,
) -> tuple[PaddingBlame, ...]:
    """Return the blame of each padding, given the strength of the border with some of them replicating.

    None is named where there is no budget or time to try them all.
    """
    affordable = min(MOST_PASSES, (runner.budget - runner.passes)) / max(1e-9, runner.share(signal))
    if len(suspects) + 1 > affordable:
        return ()
    runner.advance("which padding makes the border")
    whole = strength([])
    if not whole:
        return ()
    found = []
    for (name, mode), keys in suspects.items():
        if time.monotonic() > until:
            return ()
        rest = strength(keys)
        if rest is not None and 1 - rest / whole >= LEAST_SHARE:
            found.append(PaddingBlame(name, mode, min(1.0, 1 - rest / whole)))
    return tuple(sorted(found, key=lambda one: -one.share))


def _suspects(recording: Recording) -> Suspects:
    """List the calls that pad, by name and mode; transposed convolutions take the outside for zero."""
    out: Suspects = {}
    for padding in recording.paddings:
        if padding.mode != "replicate":
            out.setdefault((padding.name, padding.mode), []).append(padding.key)
    for stage in recording.stages:
        if stage.kind == "transposed":
            out.setdefault((stage.name, "zero (outside)"), []).append(stage.key)
    return dict(list(out.items())[:MOST_PADDINGS])
