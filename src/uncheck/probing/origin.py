"""The origin of a lattice: the input, the architecture, or the learned weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.measuring import Component
from uncheck.measuring.batches import BatchComponent, from_inputs
from uncheck.probing.forward import OutputView, Runner
from uncheck.probing.inputs import probe_signals
from uncheck.probing.result import Probe
from uncheck.reading.leave import finish

#: A lattice of shuffled weights at least this strong, relative to the trained one's, is built in.
BUILT_IN = 0.25

#: The probes of constant colour.
COLOURS = ("dark", "mean", "bright")


def passed_through(
    signal: Tensor, batch: NDArray[np.float32], found: Sequence[BatchComponent]
) -> list[BatchComponent]:
    """Return those of the output's components that were in the input already."""
    if signal.dim() != batch.ndim or not signal.is_floating_point():
        return []
    values = signal.detach().float().cpu().numpy()
    if not np.isfinite(values).all():
        raise UncheckError("the input holds NaN or infinite values; give finite numbers")
    return from_inputs(batch, np.moveaxis(values, 1, -1), found)


@dataclass(frozen=True)
class Probed:
    """The probe signals, the outputs on them, and the lattices of these."""

    probes: dict[str, Probe]
    found: dict[str, tuple[BatchComponent, ...]]
    outputs: dict[str, NDArray[np.float32]]
    inputs: dict[str, Tensor]

    def worst(self, names: Sequence[str]) -> str | None:
        """Return the name of the signal with the strongest lattice; None if none has one."""
        shown = {name: self.found[name][0] for name in names if self.found.get(name)}
        return max(shown, key=lambda name: shown[name].component.amplitude, default=None)


def probes(runner: Runner, views: Sequence[OutputView]) -> list[Probed]:
    """Find the lattices of each output on constant colours, noise and a ramp, of first and second order.

    The second order is the lattice of the local energy: phases that vary unequally.

    Cost: five forward passes (two for codes). A signal the network fails on is left out.
    """
    out = [Probed({}, {}, {}, {}) for _ in views]
    if not runner.signal.is_floating_point():
        return out
    for name, signal in probe_signals(runner.signal).items():
        runner.advance(f"probing with {name}")
        try:
            returned = runner(signal)
        except UncheckError:
            continue  # a constant may be degenerate for this network; the example was not
        for view, probed in zip(views, out, strict=True):
            with suppress(UncheckError):  # and so may one output of it
                batch = view(returned)
                first, second = view.lattice(batch).present, view.lattice(energy(batch)).present
                probed.found[name], probed.outputs[name], probed.inputs[name] = first, batch, signal
                probed.probes[name] = Probe(
                    tuple(f.component for f in first), tuple(f.component for f in second)
                )
    return out


def energy(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the local energy, |x - mean of the neighbours two steps away|, averaged over the axes.

    Differences over two pixels leave out period-2 means, so that only their variances show.
    """
    total = np.zeros_like(batch)
    for axis in range(1, batch.ndim - 1):
        total += np.abs(batch - (np.roll(batch, 2, axis) + np.roll(batch, -2, axis)) / 2)
    return np.asarray(total / max(1, batch.ndim - 2), np.float32)


def built_in(
    runner: Runner, batch: NDArray[np.float32], present: Sequence[BatchComponent], view: OutputView
) -> tuple[tuple[Component, ...] | None, str | None]:
    """Test whether the same architecture with shuffled weights leaves the lattice too.

    Its output is scaled to the deviation of the trained network's, so that grey levels compare.

    Returns:
        The lattice of the shuffled network (None if it could not be run) and, where the trained one has a
        lattice, "architecture" if the shuffled one has at least a quarter of its strength, else "learning".

    Cost: one forward pass and one copy of the weights.
    """
    runner.advance("random weights")
    try:
        with random_weights(runner.model):
            values = view(runner())
    except UncheckError:
        return None, None
    scale = float(batch.std()) / max(float(values.std()), 1e-30)
    found = view.lattice((values - values.mean()) * np.float32(scale)).present
    components = tuple(f.component for f in found)
    if not present:
        return components, None
    strength = np.sqrt(sum(c.amplitude**2 for c in components))
    trained = np.sqrt(sum(f.component.amplitude**2 for f in present))
    return components, "architecture" if strength >= max(BUILT_IN * trained, view.threshold) else "learning"


@contextmanager
def random_weights(model: nn.Module, seed: int = 0) -> Iterator[nn.Module]:
    """Shuffle the entries of every weight tensor within the block; afterwards they are as they were.

    Shuffling keeps each tensor's mean and variance, so signals keep their scale, and destroys whatever the
    entries had learned of each other. Vectors (biases, normalisation) keep their values.

    Cost: one copy of the weights.
    """
    generator = torch.Generator().manual_seed(seed)
    kept = [(p, p.data) for p in model.parameters() if p.dim() > 1 and not p.is_meta]
    try:
        for parameter, data in kept:
            order = torch.randperm(data.numel(), generator=generator).to(data.device)
            parameter.data = data.reshape(-1)[order].reshape(data.shape)
        yield model
    finally:
        finish([partial(setattr, parameter, "data", data) for parameter, data in kept])
