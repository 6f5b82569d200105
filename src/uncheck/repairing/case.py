"""The network to repair, the inputs it is fitted and judged on, and what there is to repair."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from uncheck.errors import UncheckError
from uncheck.probing.forward import fresh
from uncheck.probing.outputs import spatial_output
from uncheck.reading import Recording, eagerly, forward_error
from uncheck.signals.levels import LEVELS

Inputs = tuple[Any, ...]
"""The positional inputs of one call."""

Advance = Callable[[str], None]


class Refusal(Exception):
    """A method cannot repair this network: one clear sentence why. Never leaves `uncheck.repair`."""


@dataclass(frozen=True, eq=False)
class Case:
    """One network to repair.

    Attributes:
        model: a copy of the user's, in eval mode, without gradients; nobody changes it.
        fit: the calls to fit on.
        held: the calls to judge on; no method may look at them.
        recording: of the first call.
        which: key or index of the output meant, among several; None for the largest map.
        ndim: spatial axes of the output.
        span: values of the output that stand for 0 and 255.
        periods: the periods that its stages can leave, output pixels, ascending.
        faulty: those of them at which `fit` shows a lattice.
        scale: output pixels per input pixel and axis; None for codes.
    """

    model: nn.Module
    fit: tuple[Inputs, ...]
    held: tuple[Inputs, ...]
    recording: Recording
    which: str | None
    ndim: int
    span: tuple[float, float]
    periods: tuple[int, ...]
    faulty: tuple[int, ...]
    scale: tuple[float, ...] | None

    @property
    def spinnable(self) -> bool:
        """Whether shifting the input by a pixel should shift the output by a pixel."""
        return self.scale is not None and all(s == 1 for s in self.scale)

    def copy(self) -> nn.Module:
        """A copy of the network to change: eval mode, no gradients."""
        return copy.deepcopy(self.model)

    def picture(self, output: Any) -> Tensor:
        """The output meant, (N, C, *spatial), still differentiable; UncheckError if there is none."""
        return picture_of(output, self.which, self.ndim)

    def run(self, model: nn.Module, inputs: Inputs) -> Tensor:
        """The picture that a network makes of one call's inputs, without gradients, in its own units."""
        return self.picture(run(model, inputs))

    def levels(self, picture: Tensor) -> NDArray[np.float32]:
        """Grey levels (N, *spatial, C), 0..255 over `span`, not clipped."""
        low, high = self.span
        values = (picture.detach().float().cpu() - low) * (LEVELS / (high - low))
        return np.moveaxis(values.numpy(), 1, -1)


def run(model: nn.Module, inputs: Inputs) -> Any:
    """One call without gradients, the random state the same each time; UncheckError where it raises."""
    torch.manual_seed(0)
    try:
        with torch.no_grad(), eagerly():
            return model(*fresh(inputs))
    except (RuntimeError, ValueError, TypeError, IndexError, KeyError, NotImplementedError) as error:
        raise forward_error(model, "", error, inputs) from error


def picture_of(output: Any, which: str | None, ndim: int) -> Tensor:
    """The output meant as (N, C, *spatial).

    Args:
        output: whatever the network returned.
        which: key, attribute or index, joined by dots for nests ("0", "sample", "aux.depth").
        ndim: spatial axes.

    Raises:
        UncheckError: no such output, or it is no map.
    """
    chosen = output
    for part in which.split(".") if which else ():
        chosen = _part(chosen, part, which or "")
    tensor = spatial_output(chosen, ndim)
    if tensor is None:
        what = f"the output {which!r}" if which else "the output"
        raise UncheckError(f"{what} holds no map of {ndim} spatial axes: name another one with --which")
    return tensor


def _part(output: Any, name: str, which: str) -> Any:
    if isinstance(output, Mapping):
        if name in output:
            return output[name]
        there = ", ".join(map(str, output))
    elif isinstance(output, Sequence) and not isinstance(output, str):
        if name.isdigit() and int(name) < len(output):
            return output[int(name)]
        if hasattr(output, name):  # a named tuple
            return getattr(output, name)
        there = ", ".join(map(str, range(len(output))))
    elif is_dataclass(output) and hasattr(output, name):
        return getattr(output, name)
    else:
        there = ", ".join(f.name for f in fields(output)) if is_dataclass(output) else "a single tensor"
    raise UncheckError(f"the network returns no output {name!r} of {which!r}; it returns {there}")
