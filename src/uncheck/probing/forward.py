"""Runs of a model as a black box, and their outputs in grey levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.measuring import infer_range, to_levels
from uncheck.measuring.batches import BatchLattice, Outputs, batch_lattice
from uncheck.measuring.brought import Inputs
from uncheck.measuring.components import Component
from uncheck.measuring.lattice import PERIODS
from uncheck.measuring.observed import BatchComponent
from uncheck.probing.replay import Edits, Replay
from uncheck.reading import CallWatcher, OutputGrid, PossiblePeriods, run

#: Share of the usual range that an output must span to be measured against it.
FULL_SPREAD = 1 / 8

#: Values that differ by less than so many epsilons of their type, at the size of the largest, differ by
#: rounding alone.
ROUNDED = 32

#: Share of what the values span that lies below 0 where their range is -1..1; less is overshoot of 0..1.
BOTH_SIDES = 1 / 4


#: Epsilon of the precision in which networks run where they say nothing else.
FLOAT = float(np.finfo(np.float32).eps)

#: Outputs looked at for what repeats beside the possible periods.
LOOKED_AT = 8


@dataclass
class Runner:
    """The model, the input it is probed with, and the number of forward passes spent so far.

    Attributes:
        model: the model, to be run inside `as_found`.
        example: its positional inputs; the first tensor is the one that probes replace.
        passes: forward passes so far, in multiples of one on `example` (a smaller input counts less).
        budget: passes that may be spent; optional probes ask `affords` first.
        advance: called with a label before each pass.
        unit: numbers in the signal of one pass; those of `example` if 0.
    """

    model: nn.Module
    example: tuple[Any, ...]
    passes: float = 0.0
    budget: float = float("inf")
    advance: Callable[[str], None] = lambda _: None
    unit: int = 0

    @property
    def signal(self) -> Tensor:
        """The first tensor among the inputs."""
        return next(x for x in self.example if isinstance(x, Tensor))

    @cached_property
    def own_inputs(self) -> Inputs:
        """The example's first tensor, real numbers, and the lattice it brings; UncheckError if not finite."""
        values = self.signal.detach().float().cpu().numpy()
        if not np.isfinite(values).all():
            raise UncheckError("the input holds NaN or infinite values; give finite numbers")
        return Inputs(np.moveaxis(values, 1, -1))

    def __call__(
        self, signal: Tensor | None = None, edits: Edits | None = None, watcher: CallWatcher | None = None
    ) -> Any:
        """Run on the example, or on `signal` in its place, with some outputs edited or under a watcher."""
        signal = self.signal if signal is None else signal
        return self.inputs(
            self.with_signal(signal), watcher or (Replay(self.model, edits) if edits else None)
        )

    def inputs(self, inputs: tuple[Any, ...], watcher: CallWatcher | None = None, seed: int = 0) -> Any:
        """Run on other inputs of the same kind, or more samples of them, with random numbers of a seed."""
        signal = next(x for x in inputs if isinstance(x, Tensor))
        self.passes += self.share(signal)
        return run(self.model, inputs, watcher, seed)

    def on(self, signal: Tensor) -> Runner:
        """Return a runner of the same model on another signal, the passes counted on."""
        return self.at(self.with_signal(signal))

    def at(self, example: tuple[Any, ...]) -> Runner:
        """Return a runner of the same model on other inputs, the passes counted on in the same unit."""
        return replace(self, example=example, unit=self.unit or self.signal.numel())

    def share(self, signal: Tensor) -> float:
        """Return what a run on a signal costs, in passes."""
        return signal.numel() / max(1, self.unit or self.signal.numel())

    def affords(self, signal: Tensor, times: int) -> bool:
        """Test whether the budget allows so many passes on a signal of this size."""
        return self.passes + times * self.share(signal) <= self.budget

    def with_signal(self, signal: Tensor) -> tuple[Any, ...]:
        """Return the inputs with the first tensor replaced."""
        first = next(i for i, x in enumerate(self.example) if isinstance(x, Tensor))
        return (*self.example[:first], signal, *self.example[first + 1 :])


def levels(
    tensor: Tensor, span: tuple[float, float] | None
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Return (N, *spatial, C) grey levels of (N, C, *spatial), and the range that became 0..255.

    Raises:
        UncheckError: NaN or infinite values.
    """
    whole = tensor.detach().cpu()
    values = (whole.float() if whole.is_floating_point() else whole).numpy()
    bad = values.size - int(np.isfinite(values).sum())
    if bad:
        raise UncheckError(
            f"{bad} of {values.size} output values are NaN or infinite; check the weights and the input range"
        )
    if span is None:
        fine = torch.finfo(whole.dtype if whole.is_floating_point() else torch.float32).eps
        span = output_range(values, fine)
    return np.moveaxis(to_levels(values, span), 1, -1), span


def output_range(values: NDArray[np.generic], epsilon: float = FLOAT) -> tuple[float, float]:
    """Return the range of an output: the usual one, or its own if it fills little of that.

    Untrained networks without a trained contrast leave outputs within a few hundredths; against 0..1 whatever
    they contain would look faint. Their own range is taken where 98 % of the values span less than an eighth
    of the usual one, be that 0..1 or, where they lie on both sides of 0, -1..1: a network that ends in tanh
    is measured as one that ends in a sigmoid. What rounding to `epsilon` leaves is no range.
    """
    low, high = infer_range(values)
    if values.dtype.kind != "f" or high <= low:
        return low, high
    dark, bright = np.percentile(values.ravel()[:: max(1, values.size // 65536)].astype(np.float64), (1, 99))
    if (low, high) == (0.0, 1.0) and dark < -BOTH_SIDES * (bright - dark):
        low = -1.0
    spread, lowest, highest = float(bright - dark), float(values.min()), float(values.max())
    least = ROUNDED * epsilon * max(abs(lowest), abs(highest))
    return (lowest, highest) if least < spread < FULL_SPREAD * (high - low) else (low, high)


@dataclass(frozen=True)
class OutputView:
    """The way that one output of a model is measured.

    Attributes:
        grid: which output it is, and its axes.
        span: values that stand for 0 and 255.
        possible: the periods that the model's upsampling can leave in it.
        threshold: grey levels below which a lattice is a trace.
    """

    grid: OutputGrid
    span: tuple[float, float]
    possible: PossiblePeriods
    threshold: float

    @property
    def name(self) -> str:
        """Its keys, names and indices joined by dots; "output" for a lone tensor."""
        return self.grid.name

    @property
    def ndim(self) -> int:
        """Spatial axes of the output."""
        return self.grid.ndim

    def __call__(self, output: Any) -> NDArray[np.float32]:
        """Return (N, *spatial, C) grey levels of this output on an input of the example's size."""
        values = self.of_any_size(output)
        if values.shape[1:-1] != self.grid.size:
            raise UncheckError(
                "the output changed its shape between two runs; give an input for which it does not"
            )
        return values

    def outputs(self) -> Outputs:
        """Return an empty set of outputs, to be tested at the possible periods."""
        return Outputs(self.possible.cycles, within=self.possible.within)

    def seen(self, outputs: Outputs, *, limits: bool = True) -> BatchLattice:
        """Find what is seen in a set of outputs, at the possible periods."""
        seen = outputs.lattice(self.threshold, limits=limits, population=True)
        return replace(
            seen,
            present=tuple(one for one in seen.present if self.possible.allows(one.component.period)),
            traces=tuple(one for one in seen.traces if self.possible.allows(one.component.period)),
        )

    def lattice(self, batch: NDArray[np.float32], *, limits: bool = False) -> BatchLattice:
        """Find what is seen in outputs (N, *spatial, C), grey levels, at the possible periods."""
        outputs = self.outputs()
        outputs.add(batch)
        return self.seen(outputs, limits=limits)

    def impossible(self, batch: NDArray[np.float32]) -> list[BatchComponent]:
        """Find what else repeats in outputs, at periods of 2 to 16 that are not possible."""
        found = []
        for one in batch_lattice(batch[:LOOKED_AT], PERIODS, self.threshold, limits=False).everything:
            lines = [line for line in one.component.lines if not self.possible.allows(line.period)]
            if lines:
                part = Component.of(lines, one.component.p_value)
                found.append(replace(one, component=part))
        return found

    def of_any_size(self, output: Any) -> NDArray[np.float32]:
        """Return the grey levels of this output on an input of another size."""
        return levels(self.grid.of(output), self.span)[0]
