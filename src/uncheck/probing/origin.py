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
from uncheck.measuring.batches import amplitude_of
from uncheck.measuring.observed import BatchComponent
from uncheck.probing.forward import OutputView, Runner
from uncheck.probing.inputs import probe_signals
from uncheck.probing.result import Probe
from uncheck.reading.leave import finish

#: A lattice of shuffled weights at least this strong, relative to the trained one's, is built in.
BUILT_IN = 0.25

#: Draws of random weights before it is said that a lattice was learned.
DRAWS = 3

#: Entries from which a weight tensor tells its distribution.
LARGE = 256

#: Share of the large tensors that look drawn in a network that was not trained.
MOST_DRAWN = 0.9

#: Standard errors within which moments of a drawn tensor lie.
SCATTER = 4.0

#: Share of its amplitude that a lattice of a probe must have under Hann's window.
INSIDE = 0.5

#: The probes of constant colour.
COLOURS = ("dark", "mean", "bright")


def passed_through(
    runner: Runner, batch: NDArray[np.float32], found: Sequence[BatchComponent]
) -> list[BatchComponent]:
    """Return those of the output's components that were in the example already."""
    same_rank = runner.signal.dim() == batch.ndim and runner.signal.is_floating_point()
    return runner.own_inputs.brought(batch, found) if same_rank else []


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

    The second order is the lattice of the local energy: phases that vary unequally. It is not asked of flat
    colours, of which nothing varies but the lattice of the first order itself. What a border leaves is no
    lattice: a component counts if it is as strong under a window that fades towards the border.

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
                first = _inside(batch, view)
                second = () if name in COLOURS else _inside(energy(batch), view)
                probed.found[name], probed.outputs[name], probed.inputs[name] = first, batch, signal
                probed.probes[name] = Probe(
                    tuple(f.component for f in first), tuple(f.component for f in second)
                )
    return out


def _inside(batch: NDArray[np.float32], view: OutputView) -> tuple[BatchComponent, ...]:
    """Return the visible components that are there away from the border too."""
    found = view.lattice(batch).present
    return tuple(one for one in found if amplitude_of(batch, one) >= INSIDE * one.component.amplitude)


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
    """Test whether the same architecture with random weights leaves the lattice too.

    Weights are drawn up to `DRAWS` times (`random_weights`), until one draw shows it. Outputs are scaled to
    the deviation of the network's own, so that grey levels compare.

    Returns:
        The lattice of the draw that shows most (None if none could be run) and, where the network has a
        lattice, "architecture" if some draw has at least a quarter of its strength, else "learning". Of
        weights that look as they were initialised nothing can have been learned: "architecture" or None.

    Cost: one forward pass and one copy of the weights per draw; one draw without a lattice to explain.
    """
    trained = float(np.sqrt(sum(f.component.amplitude**2 for f in present)))
    best: tuple[Component, ...] | None = None
    strongest = 0.0
    for draw in range(DRAWS if present else 1):
        if draw and not runner.affords(runner.signal, 1):
            break
        runner.advance("random weights")
        try:
            with random_weights(runner.model, draw):
                values = view(runner())
        except UncheckError:
            continue
        scale = float(batch.std()) / max(float(values.std()), 1e-30)
        found = view.lattice((values - values.mean()) * np.float32(scale)).present
        strength = float(np.sqrt(sum(f.component.amplitude**2 for f in found)))
        if best is None or strength > strongest:
            best, strongest = tuple(f.component for f in found), strength
        if present and strength >= max(BUILT_IN * trained, view.threshold):
            return best, "architecture"
    if not present or best is None or untrained(runner.model):
        return best, None
    return best, "learning"


@contextmanager
def random_weights(model: nn.Module, seed: int = 0) -> Iterator[nn.Module]:
    """Draw every weight tensor anew within the block; afterwards all weights are as they were.

    With an even seed the entries of each tensor are shuffled. That keeps its mean and variance, so signals
    keep their scale, and destroys whatever the entries had learned of each other; vectors (biases,
    normalisation) keep their values. With an odd seed, entries are drawn from a normal distribution of mean
    zero and the deviation of the tensor, as initialisation would, which also forgets a learned mean.

    Cost: one copy of the weights.
    """
    generator = torch.Generator().manual_seed(seed)
    kept = [(p, p.data) for p in model.parameters() if p.dim() > 1 and not p.is_meta]
    try:
        for parameter, data in kept:
            if seed % 2:
                scale = data.float().std(correction=0) if data.numel() > 1 else data.float().abs().mean()
                noise = torch.randn(data.shape, generator=generator).to(data.device)
                parameter.data = (noise * scale).to(data.dtype)
            else:
                order = torch.randperm(data.numel(), generator=generator).to(data.device)
                parameter.data = data.reshape(-1)[order].reshape(data.shape)
        yield model
    finally:
        finish([partial(setattr, parameter, "data", data) for parameter, data in kept])


def untrained(model: nn.Module) -> bool:
    """Test whether the weights of a network look as they were initialised.

    Initialisation leaves normalisation at its defaults (statistics that have seen nothing, gain 1, offset 0)
    and draws each large tensor from one even or normal distribution around zero: mean and fourth moment are
    then those of such a distribution, within the scatter of so many numbers. Training leaves few of them so.

    Cost: a few passes over the weights, at most 65,536 of each tensor.
    """
    for module in model.modules():
        mean, seen = getattr(module, "running_mean", None), getattr(module, "num_batches_tracked", None)
        if isinstance(mean, Tensor) and isinstance(seen, Tensor):
            if bool((mean != 0).any()):
                return False
        elif isinstance(module, (nn.LayerNorm, nn.GroupNorm)):
            defaults = [(module.weight, 1.0), (module.bias, 0.0)]
            if any(value is not None and bool((value != known).any()) for value, known in defaults):
                return False
    large = [p for p in model.parameters() if p.dim() > 1 and p.numel() >= LARGE and not p.is_meta]
    if not large:
        return False
    drawn = sum(_looks_drawn(p.detach()) for p in large)
    return drawn >= MOST_DRAWN * len(large)


def _looks_drawn(weight: Tensor) -> bool:
    x = weight.flatten()
    x = x[:: max(1, len(x) // 65536)].double()
    variance = float(x.var(correction=0))
    if variance == 0.0:
        return False
    scatter = SCATTER / len(x) ** 0.5
    moment = float((x - x.mean()).pow(4).mean()) / variance**2
    # Fourth moments: 1.8 of an even distribution, 3 of a normal one, less where that is cut off.
    known = abs(moment - 1.8) < scatter or 2.2 - scatter < moment < 3 + 5 * scatter
    return bool(known and abs(float(x.mean())) < scatter * variance**0.5)
