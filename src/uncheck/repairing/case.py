"""The network to repair, the inputs it is fitted and judged on, and what there is to repair."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from uncheck.reading import Inputs, Recording, picture_of, run
from uncheck.signals.levels import LEVELS

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
        """Return the picture that a network makes of one call's inputs, in its own units."""
        return self.picture(run(model, inputs))

    def levels(self, picture: Tensor) -> NDArray[np.float32]:
        """Return grey levels (N, *spatial, C), 0..255 over `span`, not clipped."""
        low, high = self.span
        values = (picture.detach().float().cpu() - low) * (LEVELS / (high - low))
        return np.moveaxis(values.numpy(), 1, -1)
