"""Samples: some of those of a nest of inputs, and those outputs of a batch that show a component."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from uncheck.measuring.observed import TOGETHER, BatchComponent
from uncheck.reading.tensors import replace_tensors


def goes_along(tensor: Tensor, samples: int) -> bool:
    """Test whether a tensor among inputs has its own part for each of so many samples."""
    return tensor.dim() > 0 and len(tensor) == samples


def samples_of(inputs: Any, which: slice, samples: int) -> Any:
    """Return some samples of all tensors of a nest that have one part for each of `samples`.

    >>> import torch
    >>> samples_of((torch.arange(3), {"scale": torch.ones(1)}), slice(1, 2), 3)
    (tensor([1]), {'scale': tensor([1.])})
    """
    return replace_tensors(inputs, lambda one: one[which] if goes_along(one, samples) else one)


def outputs_showing(batch: NDArray[np.float32], found: BatchComponent) -> NDArray[np.float32]:
    """Return the outputs (n, *spatial, C) of a batch that a component is seen in: all together, or one."""
    return batch if found.view == TOGETHER else batch[found.view : found.view + 1]
