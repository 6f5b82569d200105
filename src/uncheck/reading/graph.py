"""Graph of one forward pass: its calls, and which output went into which call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from uncheck.reading.tables import canonical
from uncheck.reading.watch import CallKey

INPUT = "(input)"
OPAQUE = "(opaque)"


@dataclass(frozen=True)
class Slot:
    """Where a tensor stood among the arguments of a call.

    Attributes:
        node: index of the call that made it, None for a weight or constant.
        shape: its shape.
        value: the tensor itself, kept only for weights of convolutions and linear layers, and for constants
            that say where values go.
        dtype: type of its entries.
    """

    node: int | None
    shape: tuple[int, ...]
    value: Tensor | None = None
    dtype: torch.dtype | None = None


@dataclass(frozen=True)
class Node:
    """One tensor made during the forward pass, and the call that made it; the tensor itself is not kept.

    Attributes:
        index: position in forward order.
        key: which call.
        func: the torch function; None for an input or a tensor of unknown origin.
        parents: indices of the calls whose outputs it took, in the order of the arguments.
        args: its arguments, each tensor replaced by a `Slot`.
        kwargs: likewise.
        shape: shape of the output.
        item: position among the outputs of the call.
        layer: path of the torch.nn layer that made the call, None when other code did.
        signal: whether it depends on the input, or on noise drawn on the way.
        writes: whether it wrote to its first argument.
    """

    index: int
    key: CallKey
    parents: tuple[int, ...]
    shape: tuple[int, ...]
    func: Callable[..., Any] | None = None
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    item: int = 0
    layer: str | None = None
    signal: bool = False
    writes: bool = False

    @property
    def name(self) -> str:
        """The function's canonical name."""
        return canonical(self.key.function)

    @property
    def label(self) -> str:
        """The path of the torch.nn layer that made the call, else the path of its caller and the function."""
        function = self.name if self.key.function == "__setitem__" else self.key.function
        return self.layer or f"{self.key.module}.{function}".lstrip(".")


@dataclass(frozen=True)
class Graph:
    """The nodes of one forward pass in order, and those the model returned."""

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]

    @cached_property
    def consumers(self) -> tuple[tuple[int, ...], ...]:
        """For each node the nodes that took its output."""
        takers: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for parent in dict.fromkeys(node.parents):
                takers[parent].append(node.index)
        return tuple(tuple(items) for items in takers)

    @cached_property
    def grids(self) -> dict[Any, Any]:
        """What `grid.grids_after` has found so far."""
        return {}

    @cached_property
    def read(self) -> dict[str, Any]:
        """What readers of the whole graph have found so far, by their names."""
        return {}

    @cached_property
    def leading(self) -> frozenset[int]:
        """Nodes whose output reaches an output of the model."""
        reached = set(self.outputs)
        for node in reversed(self.nodes):
            if node.index in reached:
                reached.update(node.parents)
        return frozenset(reached)

    @cached_property
    def path(self) -> frozenset[int]:
        """Nodes on the signal path: they depend on the input or on drawn noise, and reach the output.

        Where no output depends on either, everything that reaches the output.
        """
        signal = frozenset(index for index in self.leading if self.nodes[index].signal)
        return signal if any(index in signal for index in self.outputs) else self.leading

    def takers(self, node: Node) -> tuple[Node, ...]:
        """Return the nodes that took the output of one."""
        return tuple(self.nodes[index] for index in self.consumers[node.index])
