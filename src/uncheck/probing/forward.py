"""Runs of a model as a black box, and how many there were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from uncheck.probing.even import Replay
from uncheck.reading import CallKey, CallWatcher, run

Edits = Mapping[CallKey, Callable[[Tensor], Tensor]]


@dataclass
class Runner:
    """The model, the input it is probed with, and the number of forward passes spent so far.

    Attributes:
        model: the model, to be run inside `as_found`.
        example: its positional inputs; the first tensor is the one that probes replace.
        passes: forward passes so far, in multiples of one on `example` (a smaller input counts less).
        budget: passes that may be spent; optional probes ask `affords` first.
    """

    model: nn.Module
    example: tuple[Any, ...]
    passes: float = 0.0
    budget: float = float("inf")

    @property
    def signal(self) -> Tensor:
        """The first tensor among the inputs."""
        return next(x for x in self.example if isinstance(x, Tensor))

    def __call__(
        self, signal: Tensor | None = None, edits: Edits | None = None, watcher: CallWatcher | None = None
    ) -> Any:
        """Run on the example, or on `signal` in its place, with some outputs edited or under a watcher."""
        signal = self.signal if signal is None else signal
        self.passes += signal.numel() / max(1, self.signal.numel())
        return run(self.model, self.with_signal(signal), watcher or Replay(self.model, edits or {}))

    def on(self, signal: Tensor) -> Runner:
        """Return a runner of the same model on another example of the same size, the passes counted on."""
        return Runner(self.model, self.with_signal(signal), self.passes, self.budget)

    def affords(self, signal: Tensor, times: int) -> bool:
        """Test whether the budget allows so many passes on a signal of this size."""
        return self.passes + times * signal.numel() / max(1, self.signal.numel()) <= self.budget

    def with_signal(self, signal: Tensor) -> tuple[Any, ...]:
        """Return the inputs with the first tensor replaced."""
        first = next(i for i, x in enumerate(self.example) if isinstance(x, Tensor))
        return (*self.example[:first], signal, *self.example[first + 1 :])
