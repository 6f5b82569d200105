"""The picture among the outputs of a network, and the comparison of two outputs."""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.reading.tensors import NestPath, named_tensors, parts_of, tensors_in

#: Pixels that the longest side of a map must have.
LEAST_SIDE = 4


def spatial_output(output: Any, ndim: int, *, strict: bool = False) -> Tensor | None:
    """Return the largest map among the outputs as (N, C, *spatial); None if there is none. See `maps_in`."""
    largest = largest_maps(maps_in(output, ndim, strict=strict))
    return largest[0][1] if largest else None


def maps_in(output: Any, ndim: int | None, *, strict: bool = False) -> list[tuple[NestPath, Tensor]]:
    """Return the outputs of real numbers that are maps, each once, as (N, C, *spatial), with its path.

    (N, H, W, C) of 1, 3 or 4 channels is turned round.

    Args:
        output: whatever the network returned.
        ndim: spatial axes; None for 1 to 3.
        strict: without this, a tensor without a channel or batch axis gets one. Class scores (N, K) and
            tokens (N, L, D) of networks without upsampling are no pictures.
    """
    found: dict[int, tuple[NestPath, Tensor]] = {}
    for path, tensor in named_tensors(output):
        if tensor.is_complex() or tensor.dtype == torch.bool or not tensor.numel():
            continue
        made = _as_map(tensor, min(max(tensor.dim() - 2, 1), 3) if ndim is None else ndim, strict)
        if made is not None and max(made.shape[2:]) >= LEAST_SIDE:
            found.setdefault(id(tensor), (path, made))
    return list(found.values())


def largest_maps(maps: list[tuple[NestPath, Tensor]]) -> list[tuple[NestPath, Tensor]]:
    """Return the maps of the most positions; pictures rather than labels and masks of whole numbers."""
    real = [one for one in maps if one[1].is_floating_point()] or maps
    most = max((prod(tensor.shape[2:]) for _, tensor in real), default=0)
    return [one for one in real if prod(one[1].shape[2:]) == most]


def _as_map(tensor: Tensor, ndim: int, strict: bool) -> Tensor | None:
    if tensor.dim() == ndim + 2:
        turned = ndim >= 2 and tensor.shape[-1] in (1, 3, 4) and tensor.shape[1] > 4
        return tensor.movedim(-1, 1) if turned else tensor
    if not strict and tensor.dim() == ndim + 1:
        # A lone picture (C, H, W) has few channels; otherwise axis 0 is a batch of maps.
        return tensor[None] if tensor.shape[0] in (1, 3) and ndim >= 2 else tensor[:, None]
    return tensor[None, None] if not strict and tensor.dim() == ndim else None


def picture_of(output: Any, which: str | None, ndim: int) -> Tensor:
    """Return the output meant as (N, C, *spatial), still differentiable.

    `which` is its key, attribute or index, joined by dots for nests ("0", "sample", "aux.depth"); None means
    the largest map of `ndim` spatial axes.

    Raises:
        UncheckError: no such output, or it is no map.
    """
    chosen = output
    for name in which.split(".") if which else ():
        parts = {str(key): part for key, part in parts_of(chosen) or ()}
        if isinstance(chosen, tuple) and name.isdigit() and int(name) < len(chosen):  # also of named tuples
            chosen = chosen[int(name)]
        elif name in parts:
            chosen = parts[name]
        else:
            there = ", ".join(parts) or "a single tensor"
            raise UncheckError(f"the network returns no output {name!r} of {which!r}; it returns {there}")
    tensor = spatial_output(chosen, ndim)
    if tensor is None:
        what = f"the output {which!r}" if which else "the output"
        raise UncheckError(f"{what} holds no map of {ndim} spatial axes: name another one with --which")
    return tensor


def same_but_rounding(one: object, two: object) -> bool:
    """Test whether two outputs differ by at most sqrt(epsilon) of their tensors' largest values.

    They hold as many tensors of the same shapes. Integers may differ: labels flip where values tie.
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
