"""The lattice over a training run, for plain training loops."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from uncheck.errors import UncheckError, UncheckWarning
from uncheck.measuring.components import SIGNIFICANCE, VISIBLE
from uncheck.measuring.frequencies import checked_periods
from uncheck.measuring.sets import VISIBLE_IN_SETS
from uncheck.training.alarm import IN_A_ROW, Alarm, warning_of
from uncheck.training.gains import StageGains
from uncheck.training.images import Span
from uncheck.training.live import first_sample, largest_map, placed, undisturbed, unwrapped
from uncheck.training.measurement import Measurement, Part, all_parts, is_first_process, writer
from uncheck.training.shared import batch_sums, set_values
from uncheck.training.trend import Trend, lattice_trend

#: Steps between measurements, so that they cost less than 2 % of training (benchmarks/monitor.py).
EVERY = 100


class LatticeTracker:
    """Measures the lattice of a network's outputs every N steps of training, logs it and warns of it.

        tracker = LatticeTracker(generator, codes, span=(-1, 1), logger=SummaryWriter(), end=steps)
        for ...:
            ...
            tracker.step()

    Measured are the lattice that all outputs share (the set test of `LatticeMetric`) and the mean strength of
    single ones, and of each upsampling stage the gain spread of its weights. Training goes on as it would
    have without: the network runs in eval mode, without gradients or autocast, and weights, statistics and
    random states are left as they were. What fails is warned of once, and never raised.

    Args:
        model: the network that makes the images. None: only `outputs` given to `step` are measured.
        inputs: what it is run on: a tensor, a tuple, or a callable that returns one. The same inputs each
            time make the best curve; 16 images or more are a good set.
        every: steps between measurements.
        periods: pixels, from 2.
        span: the lowest and highest value of the images, which become 0 and 255. None: inferred each time.
        logger: a SummaryWriter, a Lightning logger, or a callable (name, value, step).
        end: the step at which training ends, for the verdict; None looks ahead to four times each step.
        visible: grey levels from which a lattice is warned of.
        significance: p-value below which a period is there.
        prefix: of the names logged: strength, mean_strength, strength_P and p_value_P of each period P, and
            gain_spread/NAME of each stage.

    Attributes:
        history: the measurements so far.

    In distributed training every process calls `step` as often as the others, with or without outputs; the
    sums of all are gathered, and process 0 logs and warns.

    Raises:
        UncheckError: periods, logger or interval that cannot be; `every` below 1.

    Cost: one forward pass on `inputs` and two harmonic tests of each image, every N steps; docs/training.md.
    """

    def __init__(
        self,
        model: nn.Module | None = None,
        inputs: Any = None,
        *,
        every: int = EVERY,
        periods: Iterable[int] = (2, 4, 8),
        span: Span | None = None,
        logger: Any = None,
        end: float | None = None,
        visible: float = VISIBLE,
        significance: float = SIGNIFICANCE,
        prefix: str = "lattice/",
    ) -> None:
        if every < 1:
            raise UncheckError(f"every must be at least 1 step, not {every}")
        self.model, self.inputs = model, inputs
        self.every, self.periods, self.span = every, checked_periods(periods), span
        self.end, self.visible, self.significance, self.prefix = end, visible, significance, prefix
        self.write = writer(logger)
        self.history: list[Measurement] = []
        self._steps = 0
        self._gains: StageGains | None = None
        self._alarm = Alarm(visible, significance)
        self._lasting = 0
        self._said: set[str] = set()

    def step(self, outputs: Any = None, step: int | None = None) -> Measurement | None:
        """Count a training step, and measure if it is time.

        Args:
            outputs: images (N, C, *spatial) to measure, or a callable that makes them when needed. None: the
                model's on `inputs`; in a process without model, none.
            step: its number; None counts the calls, from 1.

        Returns:
            The measurement if there was one.
        """
        step = self._steps + 1 if step is None else step
        due, self._steps = self.due(step), step
        return self.measure(outputs, step) if due else None

    def due(self, step: int) -> bool:
        """Whether a measurement is due at this step: a multiple of `every` was reached since the last one."""
        return step // self.every > self._steps // self.every

    def measure(self, outputs: Any = None, step: int | None = None) -> Measurement | None:
        """Measure now, whatever the step; None if it failed, which is warned of."""
        step = self._steps if step is None else step
        part, error = self._own(outputs)
        try:
            whole, error = all_parts(part, error)
            if whole is None or error:
                raise UncheckError(error or "there are no outputs; give some, or a model and inputs")
            values = set_values(*whole, self.periods, VISIBLE_IN_SETS, self.significance)
        except UncheckError as problem:
            self._warn(f"nothing was measured, and training goes on: {problem}", problem)
            return None
        tested = [p for p in self.periods if f"strength_{p}" in values]
        measured = Measurement(
            step,
            values["strength"],
            values["mean_strength"],
            {p: values[f"strength_{p}"] for p in tested},
            {p: values[f"p_value_{p}"] for p in tested},
            self._spreads(),
        )
        # A run that went back to an earlier step measures it anew.
        self.history = [m for m in self.history if m.step < step] + [measured]
        self._tell(measured)
        return measured

    def trend(self) -> Trend:
        """Whether the lattice will have faded at the end: `lattice_trend` of the history."""
        steps, strengths = [m.step for m in self.history], [m.strength for m in self.history]
        return lattice_trend(steps, strengths, end=self.end, visible=self.visible)

    def state_dict(self) -> dict[str, Any]:
        """What to keep in a checkpoint, so that the curve goes on after it."""
        return {
            "steps": self._steps,
            "history": [asdict(m) for m in self.history],
            "warned": sorted(self._alarm.warned),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._steps = int(state["steps"])
        self.history = [
            # JSON made text of the periods.
            Measurement(**m | {k: {int(p): v for p, v in m[k].items()} for k in ("strengths", "p_values")})
            for m in state["history"]
        ]
        self._alarm.warned = set(state["warned"])

    def _own(self, outputs: Any) -> tuple[Part, str]:
        """The sums of this process's images, or why there are none."""
        try:
            if outputs is not None and not isinstance(outputs, Tensor) and callable(outputs):
                outputs = outputs()
            if outputs is None and self.model is not None and self.inputs is not None:
                outputs = self._run(self.model)
            return (None if outputs is None else batch_sums(outputs, self.periods, self.span)), ""
        except Exception as error:  # a diagnostic must not end the run it looks at
            return None, f"{type(error).__name__}: {error}" if not isinstance(error, UncheckError) else str(
                error
            )

    def _run(self, model: nn.Module) -> Tensor:
        model = unwrapped(model)
        with undisturbed(model), torch.no_grad():
            return largest_map(model(*placed(model, self._inputs())))

    def _inputs(self) -> Any:
        return self.inputs() if isinstance(self.inputs, Callable) else self.inputs  # type: ignore[arg-type]

    def _spreads(self) -> dict[str, float]:
        if self.model is None or self.inputs is None or "stages" in self._said:
            return {}
        try:
            if self._gains is None:
                with undisturbed(unwrapped(self.model)):
                    inputs = self._inputs()
                self._gains = StageGains(self.model, first_sample(inputs))
                if self._gains.unread:
                    self._warn(f"gain spread is not known for {', '.join(self._gains.unread)}")
            return self._gains.spreads(self.model)
        except Exception as error:
            self._said.add("stages")
            self._warn(f"gain spreads are left out from here on, and training goes on: {error}", error)
            return {}

    def _tell(self, measured: Measurement) -> None:
        if not is_first_process():
            return
        try:
            self.write(measured.values(self.prefix), measured.step)
        except Exception as error:
            self._warn(f"the logger failed, and training goes on: {error}", error, depth=5)
        stages, names = ((), ()) if self._gains is None else (self._gains.stages, self._gains.names)
        for period in self._alarm.periods(self.history, self.end):
            self._warn(warning_of(period, measured, stages, names), depth=5)
        trend = self.trend()
        self._lasting = self._lasting + 1 if trend.verdict == "will not fade" else 0
        if self._lasting >= IN_A_ROW and "lasting" not in self._said:
            self._said.add("lasting")
            self._warn(f"the lattice {trend}", depth=5)

    def _warn(self, text: str, cause: Exception | None = None, depth: int = 4) -> None:
        """Once for each text, in process 0; `depth` callers up is whoever called `step`."""
        if is_first_process() and text not in self._said:
            self._said.add(text)
            warnings.warn(f"LatticeTracker: {text}", UncheckWarning, stacklevel=depth, source=cause)
