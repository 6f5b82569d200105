"""The lattice over a training run, for plain training loops."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from typing import Any

from torch import Tensor, nn

from uncheck.errors import UncheckError, UncheckWarning
from uncheck.measuring.components import SIGNIFICANCE as PRESENT
from uncheck.measuring.components import VISIBLE
from uncheck.measuring.frequencies import checked_periods
from uncheck.measuring.lattice import PERIODS
from uncheck.measuring.sets import VISIBLE_IN_SETS
from uncheck.training import network
from uncheck.training.alarm import IN_A_ROW, SIGNIFICANCE, Alarm, warning_of
from uncheck.training.gains import StageGains
from uncheck.training.images import Span, checked_span
from uncheck.training.measurement import StepMeasurement, checked_loggers, from_all, is_first_process, log
from uncheck.training.network import Choice
from uncheck.training.sums import BatchSums, all_parts, batch_sums
from uncheck.training.trend import Trend, checked_end, checked_share, checked_visible, lattice_trend

#: Steps between measurements, so that they cost less than 2 % of training (benchmarks/monitor.py).
EVERY = 100


class LatticeTracker:
    """Tracker of the lattice in a network's outputs: measures every N steps, logs and warns.

        tracker = LatticeTracker(generator, codes, span=(-1, 1), logger=SummaryWriter(), end=steps)
        for ...:
            ...
            tracker.step()

    It measures the lattice that all outputs share (the set test of `LatticeMetric`), the mean strength of
    single outputs, and the gain spread of the weights of each upsampling stage. Training is not affected: the
    network runs in eval mode, without gradients or autocast, and weights, statistics and random states are
    left as they were. A sixteenth of each side is left out, as in `inspect`, because padding disturbs the
    border; periods too long for the rest are not tested. Each cause of failure is warned of once;
    none is raised.

    Args:
        model: the network that makes the images. None: only `outputs` given to `step` are measured.
        inputs: what it is run on: a tensor, a tuple, or a callable that returns one. The same inputs each
            time make the best curve; 16 images or more are a good set.
        every: steps between measurements.
        output: which of several outputs of the model are the images: index, key, or a callable that gets
            what the model returned. None: the largest map, as in `inspect`, with a warning if there are
            others.
        periods: pixels, from 2. None: those that the stages can leave; where the network is not given or
            not understood, 2 to 16 as `measure`. Those that do not fit the images are not tested.
        span: the lowest and highest value of the images, which become 0 and 255. None: inferred each time.
        logger: a SummaryWriter, a Lightning logger, or a callable (name, value, step).
        end: the step at which training ends, for the verdict; None looks ahead to four times each step.
        visible: grey levels from which a lattice is warned of.
        significance: corrected p-value below which a lattice is warned of. Smaller than that from which a
            period counts (0.001, as in `inspect`), because the same inputs make two measurements in a row
            nearly one sample, and because upsampled noise, whose strength depends on the phase, violates
            the null hypothesis of the test.
        prefix: of the names logged: strength, mean_strength, strength_P and p_value_P of each period P, and
            gain_spread/NAME of each stage.

    Attributes:
        history: the measurements so far.
        periods: those asked for at the last measurement; the keys of its `strengths` are those that fit.

    In distributed training every process calls `step` as often as the others, with or without outputs; the
    sums of all are gathered, and process 0 logs and warns.

    Raises:
        UncheckError: an argument that cannot be.

    Cost: one forward pass on `inputs` and two harmonic tests of each image, every N steps; docs/training.md.
        Testing periods 2 to 16, where no network is known, takes many times as long as 2, 4 and 8.

    Example:
        >>> import torch
        >>> images = torch.tensor([10.0, 0.0]).repeat(32)[:, None].expand(16, 1, 64, 64)
        >>> tracker = LatticeTracker(every=1, periods=(2, 4), span=(0, 255))
        >>> round(tracker.step(images).strength, 2)
        5.0
    """

    def __init__(
        self,
        model: nn.Module | None = None,
        inputs: Any = None,
        *,
        output: Choice = None,
        every: int = EVERY,
        periods: Iterable[int] | None = None,
        span: Span | None = None,
        logger: Any = None,
        end: float | None = None,
        visible: float = VISIBLE,
        significance: float = SIGNIFICANCE,
        prefix: str = "lattice/",
    ) -> None:
        self.model, self.inputs, self.output = model, inputs, output
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise UncheckError(f"every must be a whole number of steps from 1, not {every}")
        self.every, self.span, self.end = every, checked_span(span), checked_end(end)
        self.visible = checked_visible(visible)
        self.significance = checked_share("significance", significance)
        self.prefix, self.loggers, self.shift = prefix, checked_loggers(logger), 0
        self._chosen = None if periods is None else checked_periods(periods)
        if self._chosen == ():
            raise UncheckError(
                "periods are empty; give some, such as (2, 4, 8), or None for those of the network"
            )
        self.periods: tuple[int, ...] = self._chosen or PERIODS
        self.history: list[StepMeasurement] = []
        self._steps = 0
        self._structure: object = None
        self._gains: StageGains | None = None
        self._problem: Exception | None = None
        self._alarm = Alarm(visible, significance)
        self._lasting = 0
        self._said: set[str] = set()

    def step(self, outputs: Any = None, step: int | None = None) -> StepMeasurement | None:
        """Count a training step, and measure if it is time.

        Args:
            outputs: images (N, C, *spatial) to measure, or a callable that makes them when needed, whose
                modules run in eval mode and are put back as found. None: the model's on `inputs`; in a
                process without model, none.
            step: its number; None counts the calls, from 1.

        Returns:
            The measurement if there was one.
        """
        step = self._steps + 1 if step is None else step
        due, self._steps = self.due(step), step
        return self.measure(outputs, step) if due else None

    def due(self, step: int) -> bool:
        """Test whether a measurement is due: a multiple of `every` was reached since the last one."""
        return step // self.every > self._steps // self.every

    def measure(self, outputs: Any = None, step: int | None = None) -> StepMeasurement | None:
        """Measure now, whatever the step; None if it failed, which is warned of."""
        step = self._steps if step is None else step
        self._read()
        self.periods = self._chosen or self._known_periods()
        part, error = self._own(outputs)
        try:
            whole, error = all_parts(part, error)
            if whole is None or error:
                raise UncheckError(error or "there are no outputs; give some, or a model and inputs")
            measured = replace(whole.measured(VISIBLE_IN_SETS, PRESENT, step), spreads=self._spreads())
        except UncheckError as problem:
            # Each cause is warned of once, whatever its numbers are this time.
            cause = "".join(filter(str.isalpha, str(problem)))
            text = f"nothing was measured, and training goes on: {problem}"
            self._once(f"nothing measured {cause}", text, problem)
            return None
        # A run that went back to an earlier step measures it anew.
        self.history = [m for m in self.history if m.step < step] + [measured]
        if is_first_process():
            self._log(measured)
            try:
                self._tell(measured)
            except Exception as failure:
                self._once("no verdict", f"no verdict was found, and training goes on: {failure}", failure)
        return measured

    def trend(self) -> Trend:
        """Return the verdict of `lattice_trend` whether the lattice fades by the end of training."""
        steps, strengths = [m.step for m in self.history], [m.strength for m in self.history]
        return lattice_trend(steps, strengths, end=self.end, visible=self.visible)

    def __repr__(self) -> str:
        """Return how often it measured, and the verdict."""
        return f"<LatticeTracker: {len(self.history)} measurements; {self.trend()}>"

    def _repr_html_(self) -> str:
        return self.trend()._repr_html_()

    def plot(self, ax: Any = None) -> Any:
        """Draw the curve and its verdict as `Trend.plot` does."""
        return self.trend().plot(ax)

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint; with it the curve continues."""
        return {
            "steps": self._steps,
            "history": [asdict(m) for m in self.history],
            "warned": sorted(self._alarm.warned),
            "said": sorted(self._said),
            "lasting": self._lasting,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        self._steps = int(state["steps"])
        self.history = [
            # JSON made text of the periods.
            StepMeasurement(
                **m | {k: {int(p): v for p, v in m[k].items()} for k in ("strengths", "p_values")}
            )
            for m in state["history"]
        ]
        self._alarm.warned = set(state["warned"])
        self._said = set(state.get("said", ()))
        self._lasting = int(state.get("lasting", 0))

    def _known_periods(self) -> tuple[int, ...]:
        """Return the periods that the stages can leave if a process knows them, else `measure`'s."""
        known = [
            own for own in from_all(None if self._gains is None else self._gains.periods) if own is not None
        ]
        return tuple(sorted({p for own in known for p in own})) or PERIODS

    def _own(self, outputs: Any) -> tuple[BatchSums | None, str]:
        """Return the sums of this process's images, or why there are none."""
        try:
            if outputs is not None and not isinstance(outputs, Tensor) and callable(outputs):
                with network.undisturbed():
                    outputs = outputs()
            if outputs is None and self.model is not None and self.inputs is not None:
                outputs, several = network.outputs_on(self.model, self._inputs, self.output)
                if several:
                    self._once("several outputs", several)
            return (None if outputs is None else batch_sums(outputs, self.periods, self.span)), ""
        except UncheckError as error:
            return None, str(error)
        except Exception as error:  # a diagnostic must not end the run it looks at
            return None, f"{type(error).__name__}: {error}"

    def _inputs(self) -> Any:
        return self.inputs() if isinstance(self.inputs, Callable) else self.inputs  # type: ignore[arg-type]

    def _read(self) -> None:
        """Read the stages, again if layers were added or replaced; `_spreads` warns of errors."""
        if self.model is None or self.inputs is None:
            return
        try:
            now = network.structure(self.model)
            if now == self._structure:
                return
            self._structure, self._gains, self._problem = now, None, None
            with network.undisturbed(network.unwrapped(self.model)):
                inputs = self._inputs()
            self._gains = StageGains(self.model, network.first_sample(inputs))
        except Exception as error:
            self._problem = error

    def _spreads(self) -> dict[str, float]:
        if self._gains is not None and self.model is not None and self._problem is None:
            if self._gains.unread:
                names = ", ".join(self._gains.unread)
                self._once(f"unread {names}", f"gain spread is not known for {names}")
            try:
                return self._gains.spreads(self.model)
            except Exception as error:
                self._problem = error
        if self._problem is not None:
            text = f"gain spreads are left out from here on, and training goes on: {self._problem}"
            self._once(f"gain spreads {type(self._problem).__name__}", text, self._problem)
        return {}

    def _log(self, measured: StepMeasurement) -> None:
        try:
            log(self.loggers, measured.values(self.prefix), measured.step + self.shift)
        except Exception as error:
            text = f"the logger failed, and training goes on: {error}"
            self._once(f"logger {type(error).__name__}", text, error)

    def _tell(self, measured: StepMeasurement) -> None:
        stages = {} if self._gains is None else self._gains.named
        for period in self._alarm.periods(self.history, self.end):
            self._warn(warning_of(period, measured, stages))
        trend = self.trend()
        self._lasting = self._lasting + 1 if trend.verdict == "will not fade" else 0
        if self._lasting >= IN_A_ROW:
            self._once("will not fade", f"the lattice {trend}")

    def _once(self, key: str, text: str, cause: Exception | None = None) -> None:
        """Warn once for each key."""
        if key not in self._said:
            self._said.add(key)
            self._warn(text, cause)

    def _warn(self, text: str, cause: Exception | None = None) -> None:
        if is_first_process():
            warnings.warn(f"LatticeTracker: {text}", UncheckWarning, stacklevel=_depth(), source=cause)


def _depth() -> int:
    """Count the callers between the warning and whoever called this module."""
    frame, depth = inspect.currentframe(), 0
    while frame is not None and frame.f_code.co_filename == __file__:
        frame, depth = frame.f_back, depth + 1
    return depth
