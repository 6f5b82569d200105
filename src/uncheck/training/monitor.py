"""The lattice over a training run, as a Lightning callback."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any

from torch import nn

from uncheck.errors import UncheckError, UncheckWarning
from uncheck.measuring.components import VISIBLE
from uncheck.training.alarm import SIGNIFICANCE
from uncheck.training.images import Span
from uncheck.training.measurement import StepMeasurement
from uncheck.training.network import Choice
from uncheck.training.tracker import EVERY, LatticeTracker
from uncheck.training.trend import Trend

if TYPE_CHECKING:
    from lightning.pytorch import Callback
else:
    # Both names of the library are in use; a run has one of them loaded already.
    names = sorted(("lightning.pytorch", "pytorch_lightning"), key=lambda name: name not in sys.modules)
    for name in names:
        try:
            __import__(name)
            Callback = sys.modules[name].Callback
            break
        except ImportError:
            continue
    else:
        raise UncheckError("LatticeMonitor needs Lightning; install it with pip install lightning")


class LatticeMonitor(Callback):
    """`LatticeTracker` as a Lightning callback.

        Trainer(callbacks=[LatticeMonitor(inputs=codes, network=lambda module: module.generator)])

    It measures after batches in which an optimizer stepped, and steps count these batches. Values go to all
    loggers of the trainer, under the step of everything else logged for that batch (one less, as Lightning
    counts from 0). They also go to `trainer.callback_metrics`, for other callbacks. The curve is kept in
    checkpoints.

    Args:
        inputs: what the network is run on, as for `LatticeTracker`; moved to its device and precision.
        outputs: in place of a run of the network: the key under which `training_step` returns its images, or
            a callable that takes what it returned.
        network: takes the Lightning module, returns the network that makes images; None: the module itself.
        output, every, periods, span, visible, significance: as for `LatticeTracker`.
        prefix: of the names logged; give several monitors one each.

    Raises:
        UncheckError: no Lightning; neither inputs nor outputs; as `LatticeTracker`.

    Cost: as `LatticeTracker`. Every process measures its own images, and all count.

    Example:
        >>> LatticeMonitor(inputs=None, outputs="images", every=50).tracker.every
        50
    """

    def __init__(
        self,
        inputs: Any = None,
        *,
        outputs: str | Callable[[Any], Any] | None = None,
        network: Callable[[Any], nn.Module] | None = None,
        output: Choice = None,
        every: int = EVERY,
        periods: Iterable[int] | None = None,
        span: Span | None = None,
        visible: float = VISIBLE,
        significance: float = SIGNIFICANCE,
        prefix: str = "lattice/",
    ) -> None:
        super().__init__()
        if inputs is None and outputs is None:
            raise UncheckError(
                "LatticeMonitor has nothing to measure; give inputs for the network, or outputs"
            )
        self.network, self.outputs = network, outputs
        self.tracker = LatticeTracker(
            None, inputs, output=output, every=every, periods=periods, span=span, visible=visible,
            significance=significance, prefix=prefix,
        )  # fmt: skip
        self._stepped = 0

    @property
    def state_key(self) -> str:
        """Name of the state in a checkpoint: one for each prefix, so that several networks can be watched."""
        return f"{type(self).__name__}({self.tracker.prefix})"

    @property
    def history(self) -> list[StepMeasurement]:
        """The measurements so far."""
        return self.tracker.history

    def trend(self) -> Trend:
        """Return the verdict whether the lattice fades by the end of training."""
        return self.tracker.trend()

    def __repr__(self) -> str:
        """Return how often it measured, and the verdict."""
        return repr(self.tracker).replace("LatticeTracker", type(self).__name__, 1)

    def _repr_html_(self) -> str:
        return self.tracker._repr_html_()

    def plot(self, ax: Any = None) -> Any:
        """Draw the curve and its verdict as `Trend.plot` does."""
        return self.tracker.plot(ax)

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Take the network."""
        try:
            self.tracker.model = pl_module if self.network is None else self.network(pl_module)
        except Exception as error:  # a diagnostic must not end the run it looks at
            warnings.warn(f"LatticeMonitor: there is no network: {error}", UncheckWarning, stacklevel=1)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Remember how often optimizers stepped before."""
        self._stepped = trainer.global_step

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count a step if an optimizer stepped, and measure if it is time."""
        if trainer.global_step == self._stepped:
            return
        self._stepped, step = trainer.global_step, _step(trainer)
        if self.tracker.due(step):
            self.tracker.end = _end(trainer, step)
            self.tracker.loggers, self.tracker.shift = tuple(trainer.loggers), -1
        wanted = None if self.outputs is None else lambda: self._given(outputs)
        measured = self.tracker.step(wanted, step)
        if measured is not None:
            with suppress(Exception):
                pl_module.log_dict(
                    measured.values(self.tracker.prefix), logger=False, on_step=True, on_epoch=False
                )

    def state_dict(self) -> dict[str, Any]:
        """Return the curve."""
        return self.tracker.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue the curve of a checkpoint."""
        self.tracker.load_state_dict(state_dict)

    def _given(self, outputs: Any) -> Any:
        if callable(self.outputs):
            return self.outputs(outputs)
        if not isinstance(outputs, Mapping) or self.outputs not in outputs:
            raise UncheckError(
                f"training_step returned no {self.outputs!r}; return a dict with the images under it"
            )
        return outputs[self.outputs]


def _step(trainer: Any) -> int:
    """Count batches after which optimizers stepped, this one included: global_step counts optimizers."""
    loop = trainer.fit_loop.epoch_loop
    # Lightning counts it after the callbacks.
    return int(getattr(loop, "_batches_that_stepped", trainer.global_step - 1)) + 1


def _end(trainer: Any, step: int) -> float | None:
    """Return the last step, counted the same way: the first of epochs and max_steps; None if unknown."""
    ends = []
    with suppress(Exception):  # it cannot be told where accumulation changes between epochs
        ends.append(float(trainer.estimated_stepping_batches))
    if trainer.max_steps and trainer.max_steps > 0:
        ends.append(float(ceil(trainer.max_steps * step / max(1, trainer.global_step))))
    planned = [end for end in ends if isfinite(end) and end > 0]  # -1 where data have no length
    return max(min(planned), float(step)) if planned else None
