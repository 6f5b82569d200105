"""Gain spread of every stage from the weights as they are now, and as a penalty on them."""

from __future__ import annotations

import warnings
from math import prod
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from uncheck.errors import UncheckWarning
from uncheck.reading import Recording, Stage, read_possible, record
from uncheck.training.live import EVEN_KINDS, Live, find_sources
from uncheck.training.network import placed, structure, undisturbed, unwrapped


class StageGains:
    """Phase gains of a network's upsampling stages: read once, their weights as often as asked.

    The network is recorded once; later only weights are read. It is not kept: give it at each call. Layers
    that were added or replaced since need a new reading: `fits` tells.

    Args:
        model: the network, left as found; taken out of DataParallel and DistributedDataParallel.
        inputs: an example input, or a tuple of several; small is enough.

    Attributes:
        stages: all stages, as `uncheck.inspect` lists them; `named` has them by name.
        unread: names of those whose gains are not known, with no kernel that could be read.
        periods: the periods that the stages leave in the output and what divides them, or None if the network
            was not understood well enough to know them all.

    Raises:
        UncheckError: a model that cannot be recorded on these inputs.

    Cost: one watched forward pass and three readings of the graph; a second pass if a weight is computed
        rather than stored, and then the inputs of the modules that compute them stay in memory.

    Example:
        >>> up = nn.ConvTranspose2d(3, 3, kernel_size=2, stride=2)
        >>> _ = nn.init.ones_(up.weight)
        >>> StageGains(up, torch.zeros(1, 3, 8, 8)).spreads(up)
        {'conv_transpose2d': 0.0}
    """

    def __init__(self, model: nn.Module, inputs: Any) -> None:
        model = unwrapped(model)
        with undisturbed(model):
            given = placed(model, inputs)
            recording = record(model, *given)
            self._structure = structure(model)
            self.stages: tuple[Stage, ...] = recording.stages
            self._sources = find_sources(recording.graph, recording.stages)
            every = [source for pair in self._sources.values() for source in pair if source is not None]
            self._live = Live(model, placed(model, inputs), every)
        self.periods = _periods(recording)
        self.named = {f"{s.name}[{s.call}]" if s.call else s.name: s for s in self.stages}
        known = set(self._sources) | {s.index for s in self.stages if s.kind in EVEN_KINDS}
        self.unread = tuple(name for name, stage in self.named.items() if stage.index not in known)

    def fits(self, model: nn.Module) -> bool:
        """Test whether the network still has the layers it had when it was read."""
        return structure(model) == self._structure

    def spreads(self, model: nn.Module) -> dict[str, float]:
        """Return the gain spread of each stage by name, 0 to 1, as `uncheck.inspect` does; 0 for resizes.

        Cost: one pass over the weights of the stages.
        """
        model, out = unwrapped(model), {}
        with torch.no_grad():
            for name, stage in self.named.items():
                if stage.index in self._sources:
                    taps, _ = self._sources[stage.index]
                    out[name] = float(_uneven(taps.table(self._live(model, taps))).sqrt().clamp(max=1))
                elif stage.kind in EVEN_KINDS:
                    out[name] = 0.0
        return out

    def penalty(self, model: nn.Module, *, bias: bool = True) -> Tensor:
        """Return the sum of the squared spreads, differentiable; see `gain_penalty`."""
        model = unwrapped(model)
        weight = next((p for p in model.parameters()), torch.zeros(()))
        dtype = torch.float64 if weight.dtype == torch.float64 else torch.float32
        total = torch.zeros((), dtype=dtype, device=weight.device)
        for taps, phase_bias in self._sources.values():
            table = taps.table(self._live(model, taps))
            if bias and phase_bias is not None:
                table = torch.cat([table, phase_bias.table(self._live(model, phase_bias))])
            total = total + _uneven(table).to(total)
        return total


def gain_penalty(model: nn.Module, inputs: Any, *, bias: bool = True) -> Tensor:
    """Penalise uneven phase gains of a network's upsamplers, differentiable in its weights.

    With G_p = sum_j h_p[j] the gain of phase p of a stage, for each pair of channels,

        penalty = sum over stages of  sum_(o,i,p) (G_p - mean_p G)^2 / sum_(o,i,p) G_p^2.

    So each stage adds the square of its gain spread, 0 to 1, whatever the scale of its weights. It is exactly
    0 for stages that resize, and in training it pulls the others towards passing constants unchanged, which
    is the first order alone: unequal variances of the phases stay (docs/training.md).

    Args:
        model: the network; recorded at the first call, remembered for as long as it lives, and recorded
            again when layers were added or replaced (not when `forward` takes another path by an attribute
            of its own: `StageGains` reads it anew).
        inputs: an example input, or a tuple of several; used when recording only.
        bias: whether a bias per phase, as sub-pixel convolutions have, counts as the gain of one more input
            channel that is always one. Tied weights alone do not make a sub-pixel convolution even.

    Returns:
        A scalar, float32 (float64 for a model of float64); 0 for a network without upsampling. That none was
        found, or which stages could not be read and so are left out, is warned of when it is recorded.

    Raises:
        UncheckError: a model that cannot be recorded.

    Cost: one pass over the weights of the stages; for weights that are computed (weight_norm, a scale in
        `forward`) also the module that computes them, up to the convolution.
    Source: the condition of equal gains: Strang and Fix, in "Constructive Aspects of Functional Analysis"
        (1971); as a condition on transposed convolutions: Odena, Dumoulin, Olah, Distill 2016.

    Example:
        >>> up = nn.ConvTranspose2d(3, 3, kernel_size=3, stride=2)
        >>> _ = nn.init.ones_(up.weight)
        >>> round(gain_penalty(up, torch.zeros(1, 3, 8, 8)).item(), 2)
        0.19
    """
    model = unwrapped(model)
    known = _READ.get(model)
    if known is None or not known.fits(model):
        known = _READ[model] = StageGains(model, inputs)
        if not known.stages:
            _warn("no upsampling was found in the network, so it is 0; uncheck.inspect tells what was read")
        elif known.unread:
            _warn(f"{', '.join(known.unread)} could not be read, so the penalty leaves them out")
    return known.penalty(model, bias=bias)


def _warn(text: str) -> None:
    warnings.warn(f"gain_penalty: {text}", UncheckWarning, stacklevel=3)


def _periods(recording: Recording) -> tuple[int, ...] | None:
    """Return the periods possible in the largest output, as `uncheck.inspect` tests them."""
    maps = [grid for grid in recording.outputs if grid.is_map]
    if not maps or not recording.stages:
        return None
    possible = read_possible(recording, max(maps, key=lambda grid: prod(grid.size)))
    return possible.cycles if possible.understood else None


_READ: WeakKeyDictionary[nn.Module, StageGains] = WeakKeyDictionary()


def _uneven(table: Tensor) -> Tensor:
    """Return the squared gain spread of gains (rows, phases); 0 where all are 0."""
    # Gains that agree to the last bit give exactly 0 when the first phase is taken off before the mean.
    apart = table - table[:, :1]
    apart = apart - apart.mean(dim=1, keepdim=True)
    total = table.square().sum()
    return apart.square().sum() / torch.where(total > 0, total, 1.0)
