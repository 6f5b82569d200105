"""The outputs of a network: which are measured and how, and which are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.probing.forward import OutputView, levels
from uncheck.reading import OutputGrid, Recording, read_possible
from uncheck.reading.growth import not_understood

#: An output is constant if its values in no channel differ by more than this share of the largest.
CONSTANT = 1e-6


@dataclass(frozen=True, eq=False)
class Seen:
    """One output that can be measured, on the example.

    Attributes:
        view: how it is measured.
        batch: (N, *spatial, C) grey levels.
        unread: what was not understood on the way to it, in words; empty if nothing.
        constant: whether it has one colour all over, so that it tells nothing.
    """

    view: OutputView
    batch: NDArray[np.float32]
    unread: str
    constant: bool


@dataclass(eq=False)
class FoundOutputs:
    """The outputs of a network.

    Attributes:
        seen: those that can be measured, the largest first.
        unmeasured: those that may hold a lattice and cannot be measured, by name: the reason.
        left_out: those that hold none, such as class scores, by name: what they are.
    """

    seen: list[Seen] = field(default_factory=list)
    unmeasured: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def outputs_of(
    recording: Recording,
    *,
    span: tuple[float, float] | None,
    threshold: float,
    asked: Sequence[int] = (),
    which: str | None = None,
) -> FoundOutputs:
    """Find every output of a recorded pass that can hold a lattice.

    Args:
        recording: of one pass.
        span: output values that stand for 0 and 255; inferred for each output if None.
        threshold: grey levels below which a lattice is a trace.
        asked: periods that the user asks for.
        which: name of the only output to look at, or of the nest it is in.

    Raises:
        UncheckError: no output of that name; NaN or infinite values in every output that is a map.
    """
    out = FoundOutputs()
    grids = [grid for grid in recording.outputs if which is None or _is_in(grid, which)]
    if not grids:
        names = ", ".join(grid.name for grid in recording.outputs)
        raise UncheckError(f"the network returns no output {which!r}; it returns {names}")
    maps = {grid.name: grid.of(recording.output) for grid in grids if grid.is_map}
    real = any(tensor.is_floating_point() or tensor.is_complex() for tensor in maps.values())
    errors: list[UncheckError] = []
    for grid in grids:
        tensor = maps.get(grid.name)
        if tensor is None:
            kind = out.unmeasured if _may_hold(grid) else out.left_out
            kind[grid.name] = grid.reason
        elif real and not tensor.is_floating_point():
            out.left_out[grid.name] = "holds whole numbers, as labels"
        else:
            try:
                batch, used = levels(tensor, span)
            except UncheckError as error:
                errors.append(error)
                out.unmeasured[grid.name] = str(error)
                continue
            view = OutputView(grid, used, read_possible(recording, grid, asked), threshold)
            unread = not_understood(recording, grid)
            out.seen.append(Seen(view, batch, unread, is_constant(tensor)))
    if errors and not out.seen:
        raise errors[0]
    out.seen.sort(key=lambda one: -one.batch[0, ..., 0].size)
    return out


def _is_in(grid: OutputGrid, which: str) -> bool:
    return grid.name == which or grid.name.startswith(f"{which}.")


def _may_hold(grid: OutputGrid) -> bool:
    """Test whether an output that is no map may hold a lattice all the same.

    It has positions of a stage, or so many axes that it is neither scores nor tokens.
    """
    if len(grid.shape) <= 2 or grid.index is None:
        return False
    many = len(grid.shape) > 3 and grid.reason.startswith("has no axes")
    return bool(many or grid.unsupported or grid.unknown or any(grid.periods))


def is_constant(tensor: Tensor) -> bool:
    """Test whether each channel of (N, C, *spatial) has one value but for rounding."""
    values = tensor.detach().cpu().double()
    over = tuple(range(2, values.dim()))
    spread = (values.amax(dim=over) - values.amin(dim=over)).max()
    return bool(spread <= CONSTANT * values.abs().max())
