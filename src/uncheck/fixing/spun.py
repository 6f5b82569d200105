"""Cycle spinning: the mean of a network over shifts of its input by less than one lattice period."""

from __future__ import annotations

from typing import Any

from torch import nn


class CycleSpin(nn.Module):
    """The mean of a network over shifts of its input, each shifted back."""

    def __init__(self, network: nn.Module, shifts: tuple[tuple[int, ...], ...], batch: int = 1) -> None:
        super().__init__()
        self.network = network
        self.shifts, self.batch = shifts, batch

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Give the mean."""
        raise NotImplementedError
