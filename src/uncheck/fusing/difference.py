"""Difference of two outputs, and the difference that rounding allows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.fusing.result import Difference
from uncheck.reading.tensors import replace_tensors, tensors_in

#: Convolutions on GPUs may round float32 to this many bits of mantissa.
TF32 = 2.0**-10


def second_input(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """White noise of the shapes, types, means and deviations of the example; whole numbers stay as they are.

    The same each time.
    """
    generator = torch.Generator().manual_seed(0)

    def noise(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point() or not tensor.numel():
            return tensor
        values = tensor.detach().double()
        drawn = torch.randn(tensor.shape, generator=generator, dtype=torch.float64).to(values.device)
        spread = values.std(correction=0)
        # a constant example says nothing of its scale
        return (drawn * (spread if spread > 0 else 1.0) + values.mean()).to(tensor.dtype)

    made = replace_tensors(inputs, noise)
    assert isinstance(made, tuple)
    return made


def is_constant(inputs: tuple[Any, ...]) -> bool:
    """Test whether every floating-point tensor of an input has one value only."""
    tensors = [t for t in tensors_in(inputs) if t.is_floating_point() and t.numel()]
    return bool(tensors) and all(bool((t == t.flatten()[0]).all()) for t in tensors)


def difference(
    before: tuple[Any, Any], after: tuple[Any, Any], types: set[torch.dtype], *, constant: bool
) -> Difference:
    """Compare outputs on the example and on the second input.

    Args:
        before: what the network returned on both; the second is None if it was not run.
        after: what the fused network returned.
        types: floating-point types the network reckons in.
        constant: whether the example is; a norm then divides rounding by next to nothing, so that the second
            input alone decides, if there is one.

    Raises:
        UncheckError: outputs of other number or shape.
    """
    found = [_largest(a, b) for a, b in zip(before, after, strict=True) if a is not None]
    on_gpu = any(tensor.is_cuda for tensor in tensors_in(before))
    epsilon = max((torch.finfo(kind).eps for kind in types), default=torch.finfo(torch.float32).eps)
    if on_gpu and torch.backends.cudnn.allow_tf32 and epsilon < TF32 and types != {torch.float64}:
        epsilon = TF32
    return Difference(
        example=found[0][0],
        random=found[-1][0] if len(found) > 1 else None,
        relative=max(relative for _, relative in (found[1:] if constant and len(found) > 1 else found)),
        allowed=epsilon**0.5,
    )


def _largest(before: Any, after: Any) -> tuple[float, float]:
    """Largest absolute difference, and the largest over the largest value of its tensor."""
    old, new = list(tensors_in(before)), list(tensors_in(after))
    if [tuple(t.shape) for t in old] != [tuple(t.shape) for t in new]:
        raise UncheckError("the fused network returns tensors of other shapes; report this with the network")
    absolute = relative = 0.0
    for a, b in zip(old, new, strict=True):
        if not (a.is_floating_point() or a.is_complex()) or not a.numel():
            continue  # labels may flip where two values tie
        wide = torch.complex128 if a.is_complex() else torch.float64
        a, b = a.to(wide), b.to(wide)
        same = (a == b) | (a.isnan() & b.isnan())
        gap = float(torch.where(same, 0.0, (a - b).abs()).max())
        finite = a.abs()[a.abs().isfinite()]
        largest = float(finite.max()) if finite.numel() else 0.0
        if gap != gap:
            gap = float("inf")
        absolute = max(absolute, gap)
        relative = max(relative, gap / largest if largest else (float("inf") if gap else 0.0))
    return absolute, relative
