"""The same architecture with random weights, which tells a lattice that is built in from a learned one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn

from uncheck.reading.leave import finish


@contextmanager
def random_weights(model: nn.Module, seed: int = 0) -> Iterator[nn.Module]:
    """Shuffle the entries of every weight tensor within the block; afterwards they are as they were.

    Shuffling keeps each tensor's mean and variance, so signals keep their scale, and destroys whatever the
    entries had learned of each other. Vectors (biases, normalisation) keep their values.

    Args:
        model: any module.
        seed: of the shuffle.

    Yields:
        The same model.

    Cost: one copy of the weights.
    """
    generator = torch.Generator().manual_seed(seed)
    kept = [(p, p.data) for p in model.parameters() if p.dim() > 1 and not p.is_meta]
    try:
        for parameter, data in kept:
            order = torch.randperm(data.numel(), generator=generator).to(data.device)
            parameter.data = data.reshape(-1)[order].reshape(data.shape)
        yield model
    finally:
        finish([partial(setattr, parameter, "data", data) for parameter, data in kept])
