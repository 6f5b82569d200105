"""A comparison of two runs, up to rounding."""

from __future__ import annotations

import torch
from torch import Tensor

from uncheck.reading.tensors import tensors_in


def same_but_rounding(one: object, two: object) -> bool:
    """Return whether two outputs differ by at most sqrt(epsilon) of their tensors' largest values.

    Args:
        one: any nest of tensors.
        two: likewise; as many tensors of the same shapes. Integers may differ: labels flip where values tie.
    """
    a, b = list(tensors_in(one)), list(tensors_in(two))
    return len(a) == len(b) and all(map(_alike, a, b))


def _alike(a: Tensor, b: Tensor) -> bool:
    if a.shape != b.shape:
        return False
    if not a.is_floating_point() or not a.numel():
        return True
    largest = float(b.abs().nan_to_num(0.0, 0.0, 0.0).amax())
    allowed = torch.finfo(a.dtype).eps ** 0.5 * largest
    return bool(torch.isclose(a, b.to(a), rtol=0.0, atol=allowed, equal_nan=True).all())
