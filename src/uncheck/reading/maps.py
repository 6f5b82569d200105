"""One tensor that a network returned, as maps: (N, C, *spatial)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Any

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.reading.tensors import NestPath, parts_of


@dataclass(frozen=True)
class OutputGrid:
    """One tensor that a network returned: where its positions are, and the periods that stages leave there.

    Attributes:
        name: its keys, attributes or indices joined by dots; "output" for a lone tensor.
        path: the same as a path into the nest that the network returned.
        shape: its shape in the recorded pass.
        reason: why it is no map, in a few words; empty for a map.
        parts: for each axis of the tensor the sizes that it is split into, so that each axis of the grid has
            an axis of its own: (32, 48) for pixels in one axis of 1536.
        axes: the axes of the split tensor that hold positions, in order.
        channel: the axis of the split tensor that holds the channels; None if there is none.
        periods: for each stage the period of its lattice along `axes`; 1 where it leaves none; None where the
            stage does not reach this output, or nothing is known.
        unknown: indices of the stages that reach this output at a period that is a guess by sizes, or None.
        explained: for each of `axes` the size that the calls understood explain; None where that is not
            known. It is smaller than the size where something that was not read enlarged the grid.
        unsupported: names of the calls on the way to this output that were not understood.
        known: False where the axes are guessed from the shape.
    """

    name: str
    path: NestPath
    shape: tuple[int, ...]
    reason: str = ""
    parts: tuple[tuple[int, ...], ...] = ()
    axes: tuple[int, ...] = ()
    channel: int | None = None
    periods: tuple[tuple[int, ...] | None, ...] = ()
    unknown: tuple[int, ...] = ()
    explained: tuple[Fraction | None, ...] = ()
    unsupported: tuple[str, ...] = ()
    known: bool = True
    index: int | None = field(default=None, repr=False)

    @property
    def is_map(self) -> bool:
        """Whether it has positions that a lattice can be measured on."""
        return not self.reason

    @property
    def ndim(self) -> int:
        """Number of axes of the grid."""
        return len(self.axes)

    @property
    def size(self) -> tuple[int, ...]:
        """Positions along each axis of the grid in the recorded pass."""
        flat = [size for part in self.parts for size in part]
        return tuple(flat[axis] for axis in self.axes)

    def __str__(self) -> str:
        """Say in a line what it is."""
        shape = "x".join(map(str, self.shape)) or "a number"
        return f"{self.name} ({shape}): {self.reason or 'x'.join(map(str, self.size)) + ' positions'}"

    def maps(self, tensor: Tensor) -> Tensor:
        """Return this output as (N, C, *spatial): all axes but channels and positions folded into the batch.

        Args:
            tensor: this output of any pass; its batch may differ. Complex numbers become two channels.

        Returns:
            A view where torch can make one, still differentiable.

        Raises:
            UncheckError: it is no map, or has another number of axes than in the recorded pass.

        >>> grid = OutputGrid("y", (), (2, 5, 3, 8, 6), parts=((2,), (5,), (3,), (8,), (6,)), axes=(3, 4),
        ...                   channel=2)
        >>> grid.maps(torch.zeros(2, 5, 3, 8, 6)).shape
        torch.Size([10, 3, 8, 6])
        """
        if self.reason:
            raise UncheckError(f"the output {self.name!r} is no map ({self.reason}): choose another one")
        if tensor.dim() != len(self.shape):
            raise UncheckError(
                f"the output {self.name!r} has {tensor.dim()} axes here and {len(self.shape)} in the "
                "recorded pass: give an input for which it has the same"
            )
        flat: list[int] = []
        for size, split in zip(tensor.shape, self.parts, strict=True):
            inner = prod(split[1:])
            if size % max(1, inner):
                raise UncheckError(
                    f"the output {self.name!r} has {size} positions in one axis, which do not divide into "
                    f"rows of {inner}: give an input of the size of the first"
                )
            flat += [size // max(1, inner), *split[1:]]
        made = tensor.reshape(flat)
        channels: tuple[int, ...] = () if self.channel is None else (self.channel,)
        others = [axis for axis in range(len(flat)) if axis not in (*self.axes, *channels)]
        if tensor.is_complex():
            made, channels = torch.view_as_real(made.resolve_conj()), (*channels, len(flat))
        made = made.permute(*others, *channels, *self.axes)
        count = prod(made.shape[: len(others)])
        positions = tuple(made.shape[len(others) + len(channels) :])
        return made.reshape(count, prod(made.shape[len(others) : len(others) + len(channels)]), *positions)

    def of(self, output: Any) -> Tensor:
        """Return this output out of everything the network returned, as `maps` does.

        Raises:
            UncheckError: the network returned no such output this time, or see `maps`.
        """
        found = output
        for key in self.path:
            inside = dict(parts_of(found) or ())
            if key not in inside:
                raise UncheckError(
                    f"the network did not return {self.name!r} this time: give an input for which it does"
                )
            found = inside[key]
        if not isinstance(found, Tensor):
            raise UncheckError(
                f"the output {self.name!r} is a {type(found).__name__} this time: give an input for which it "
                "is a tensor"
            )
        return self.maps(found)
