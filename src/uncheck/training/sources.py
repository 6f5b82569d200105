"""The entries of weights that each phase gain is a sum of."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from uncheck.phases.kernel import tap_phases
from uncheck.reading import CallKey, Stage
from uncheck.reading.graph import Graph
from uncheck.reading.provenance import Entries, kernel_entries

#: Kinds whose gains are equal whatever the weights: they resize first.
EVEN_KINDS = frozenset({"nearest", "linear"})


@dataclass(frozen=True, eq=False)
class Source:
    """Argument of a call, and where each of its entries goes in a table (rows, phases).

    Attributes:
        key: the call that takes it.
        argument: its position among the arguments, or its name.
        value: the tensor as it was when read.
        target: for each entry the index into the flat table; `rows * phases` for an entry that is not used.
        rows: a row for each pair of channels.
        phases: how many there are.
    """

    key: CallKey
    argument: int | str
    value: Tensor
    target: Tensor
    rows: int
    phases: int

    def table(self, value: Tensor) -> Tensor:
        """Add each entry of `value` where it goes in (rows, phases), float64. Differentiable."""
        flat = value.flatten()
        flat = flat.float() if flat.device.type == "mps" else flat.double()  # which has no float64
        sums = flat.new_zeros(self.rows * self.phases + 1).index_add(0, self.target.to(flat.device), flat)
        return sums[:-1].reshape(self.rows, self.phases)


def find_sources(graph: Graph, stages: tuple[Stage, ...]) -> dict[int, tuple[Source, Source | None]]:
    """Find the weight of each stage whose gains depend on it, and its bias where there is one per phase.

    Args:
        graph: the recorded graph.
        stages: what was read in it.

    Returns:
        By index of the stage; stages of unknown kernel and those that resize are left out.

    Cost: that of `kernel_entries`.
    """
    wanted = [s for s in stages if s.kernel is not None and s.kind not in EVEN_KINDS]
    entries = kernel_entries(graph, wanted)
    found: dict[int, tuple[Source, Source | None]] = {}
    for stage in wanted:
        weight, bias = entries.get(stage.index, (None, None))
        if weight is None or stage.kernel is None:
            continue
        kernel, phases = stage.kernel, prod(stage.kernel.stride)
        positions = [torch.arange(k) - o for k, o in zip(kernel.kernel_size, kernel.offset, strict=True)]
        taps = _source(weight, weight.index, tap_phases(positions, kernel.stride), phases)
        per_phase = bias is not None and bias.index.ndim > 1
        found[stage.index] = (
            taps,
            _source(bias, bias.index[:, None], torch.arange(phases), phases) if bias and per_phase else None,
        )
    return found


def _source(entries: Entries, numbers: Tensor, phase: Tensor, phases: int) -> Source:
    """Return the source of (out, in, *positions) numbers of entries, given the phase of each position."""
    flat = numbers.flatten(2).flatten(0, 1).cpu()
    filled = flat.any(dim=1)  # blocks between groups are empty
    rows = int(filled.sum())
    row = torch.full((len(flat),), -1).masked_scatter(filled, torch.arange(rows))[:, None]
    cell = (row * phases + phase.flatten()).expand_as(flat)
    target = torch.full((entries.value.numel() + 1,), rows * phases)
    target[flat[flat > 0]] = cell[flat > 0]
    value = entries.value
    return Source(entries.call.key, entries.argument, value, target[1:].to(value.device), rows, phases)
