"""The period of a lattice at the output, the slow way: plant one, find the least shift that keeps it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from uncheck.reading import CallKey, CallWatcher, as_found
from uncheck.reading.tensors import tensors_in


class Planter(CallWatcher):
    """Replace the output of one call by a random pattern that repeats exactly every `period` pixels."""

    def __init__(self, model: nn.Module, key: CallKey, axes: Sequence[int], period: Sequence[int]) -> None:
        super().__init__(model)
        self.key, self.axes, self.period = key, tuple(axes), tuple(period)
        self.planted = False

    def on_call(
        self, key: CallKey, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> Any:
        if key != self.key:
            return out
        self.planted = True
        shape = list(out.shape)
        for axis, period in zip(self.axes, self.period, strict=True):
            shape[axis] = period
        pattern = torch.randn(shape, generator=torch.Generator().manual_seed(5))
        for axis in self.axes:
            index = torch.arange(out.shape[axis]) % pattern.shape[axis]
            pattern = pattern.index_select(axis, index)
        return pattern


def planted_output(
    model: nn.Module, x: Tensor, key: CallKey, axes: Sequence[int], period: Sequence[int]
) -> Tensor:
    """The largest output of the model with a pattern planted at one call."""
    with as_found(model), torch.no_grad(), Planter(model, key, axes, period) as planter:
        output = model(x)
    assert planter.planted
    return max(tensors_in(output), key=lambda tensor: tensor.numel())


def least_period(output: Tensor, axis: int, border: int, limit: int, tolerance: float) -> int | None:
    """The least shift along an axis that leaves the interior of the output as it is, up to `limit`."""
    middle = output
    for other in range(2, output.ndim):
        middle = middle.narrow(other, border, output.shape[other] - 2 * border)
    for period in range(1, limit + 1):
        length = middle.shape[axis] - period
        gap = (middle.narrow(axis, 0, length) - middle.narrow(axis, period, length)).abs().max()
        if length > 0 and gap < tolerance:
            return period
    return None
