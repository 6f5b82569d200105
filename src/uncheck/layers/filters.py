"""Buffers that are computed, not learned."""

from typing import Any

from torch import nn


class FixedFilters(nn.Module):
    """A module whose filters are made anew after every change of type or device.

    No checkpoint holds them, so nothing else restores them: not after `to_empty`, which leaves a module from
    the meta device with whatever lay in memory, nor after a trip through half precision.
    """

    def make_filters(self) -> None:
        """Fill the buffers, in the type and on the device that they have now."""
        raise NotImplementedError

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self.make_filters()
        return self
