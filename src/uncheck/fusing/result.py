"""The account of a fused network, and the check of how far its outputs differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from uncheck.errors import Refused, UncheckError
from uncheck.plain import Plain, as_dict
from uncheck.reading.tensors import replace_tensors, tensors_in

SCHEMA = "uncheck.fuse/1"


@dataclass(frozen=True)
class Fused(Plain):
    """One resize and convolution that became one layer.

    Attributes:
        resize: the layer or function that resized.
        conv: the convolution; where it was a layer, the fused layer stands there in the new network.
        factor: of the resize, per axis.
        mode: "nearest" or "linear".
        kernel_size: of the convolution before.
        padding: (start, end) per axis at the high resolution, everything between taken together.
        padding_mode: "zeros", "reflect", "replicate" or "circular".
        folded: path of the BatchNorm that was folded in, None where there was none.
        calls: how often the example ran it.
        notes: what else to know, in sentences.

    >>> str(Fused("up", "conv", (2, 2), "nearest", (3, 3), ((1, 1), (1, 1)), "zeros", folded="norm"))
    'up (nearest x 2x2) + conv (3x3) + norm'
    """

    resize: str
    conv: str
    factor: tuple[int, ...]
    mode: str
    kernel_size: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    padding_mode: str
    folded: str | None = None
    calls: int = 1
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return one line."""
        factor, kernel = ("x".join(map(str, sizes)) for sizes in (self.factor, self.kernel_size))
        norm = f" + {self.folded}" if self.folded else ""
        return f"{self.resize} ({self.mode} x {factor}) + {self.conv} ({kernel}){norm}"


@dataclass(frozen=True)
class Difference(Plain):
    """Largest difference between the outputs of both networks.

    Attributes:
        example: on the example input.
        random: on a second input of the same shapes; None if the network could not be run on it.
        relative: the larger of the two, each over the largest absolute value of its output; that of the
            second input where the example is constant.
        allowed: what `relative` may be, sqrt of the machine epsilon of the output's type.

    >>> Difference(example=1e-7, random=None, relative=1e-7, allowed=3e-4).to_dict()["relative"]
    1e-07
    """

    example: float
    random: float | None
    relative: float
    allowed: float


@dataclass(frozen=True)
class Fusion:
    """A network with its resize-convolutions fused, and the account of it.

    Attributes:
        model: the new network, a copy; the original is untouched.
        fused: what became one layer, in forward order.
        refused: what did not, with the reason, in forward order.
        difference: how far the outputs of both networks differ, measured.
        notes: about the whole, in sentences.

    >>> str(Fusion(nn.Identity(), (), (), Difference(0.0, 0.0, 0.0, 3e-4)))
    'nothing to fuse: no resize makes an axis longer'
    """

    model: nn.Module = field(repr=False)
    fused: tuple[Fused, ...]
    refused: tuple[Refused, ...]
    difference: Difference
    notes: tuple[str, ...] = ()

    @property
    def finding(self) -> bool:
        """Whether a resize was refused."""
        return bool(self.refused)

    def __str__(self) -> str:
        """Return what was fused, what was refused and why, and the difference measured, one to a line."""
        if not self.fused and not self.refused:
            return "nothing to fuse: no resize makes an axis longer"
        lines = [f"fused: {one}" for one in self.fused] + [f"refused: {one}" for one in self.refused]
        lines += [f"largest difference: {self.difference.relative:.2g} of the output's largest value"]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dictionaries and numbers, ready for JSON, without the network."""
        refused = [{"resize": one.where, "reason": one.reason, "calls": one.calls} for one in self.refused]
        return {"schema": SCHEMA, **as_dict(self), "refused": refused}


#: Convolutions on GPUs may round float32 to this many bits of mantissa.
TF32 = 2.0**-10


def second_input(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return white noise of the shapes, types, means and deviations of the example, the same each time.

    Whole numbers stay as they are.
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

    `before` and `after` are what the two networks returned on both; the second is None if it was not run.
    `types` are the floating-point types the network computes in. Where the example is constant, a norm
    divides rounding by next to nothing, so that the second input alone decides, if there is one.

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
    """Return the largest absolute difference, and the largest over the largest value of its tensor."""
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
