"""The network that is judged, the calls it is judged on, and how its output is read as pictures."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from uncheck.reading import Inputs, picture_of, run
from uncheck.signals.levels import LEVELS


@dataclass(frozen=True, eq=False, kw_only=True)
class Subject:
    """One network and its held-out calls.

    Attributes:
        model: a copy of the user's, in eval mode, without gradients; nobody changes it.
        held: the calls to judge on; no method may look at them.
        which: key or index of the output meant, among several; None for the largest map.
        ndim: spatial axes of the output.
        span: values of the output that stand for 0 and 255.
        periods: the periods that its stages can leave, output pixels, ascending.
    """

    model: nn.Module
    held: tuple[Inputs, ...]
    which: str | None
    ndim: int
    span: tuple[float, float]
    periods: tuple[int, ...]

    def copy(self) -> nn.Module:
        """Return a copy of the network to change: eval mode, no gradients."""
        return copy.deepcopy(self.model)

    def picture(self, output: Any) -> Tensor:
        """Return the output meant, (N, C, *spatial), still differentiable; UncheckError if there is none."""
        return picture_of(output, self.which, self.ndim)

    def run(self, model: nn.Module, inputs: Inputs) -> Tensor:
        """Return the picture that a network makes of one call's inputs, without gradients, in its units."""
        return self.picture(run(model, inputs))

    def levels(self, picture: Tensor) -> NDArray[np.float32]:
        """Return grey levels (N, *spatial, C), 0..255 over `span`, not clipped."""
        low, high = self.span
        values = (picture.detach().float().cpu() - low) * (LEVELS / (high - low))
        return np.moveaxis(values.numpy(), 1, -1)
