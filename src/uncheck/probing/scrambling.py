"""Scrambled phases: blocks of the output of a stage, each shifted by its own number of pixels."""

from __future__ import annotations

from itertools import product
from math import prod

import torch
from torch import Tensor


def scramble_phases(tensor: Tensor, axes: tuple[int, ...], stride: tuple[int, ...], seed: int) -> Tensor:
    """Shift blocks of a map, two strides wide, each by its own number of pixels below the stride.

    Every phase keeps whatever distinguishes it, also what means and covariances do not tell, but blocks
    show it at different places, so that it no longer adds up to a lattice. All shifts are used equally
    often, in random order. Contents move by less than a stride. The arguments are those of `even_phases`.

    Returns:
        A new tensor of the same values, some repeated and some left out where blocks meet.

    Cost: one gather.
    """
    generator = torch.Generator().manual_seed(seed)
    sizes = [tensor.shape[a] for a in axes]
    blocks = [2 * s for s in stride]
    starts = [int(torch.randint(b, (1,), generator=generator)) for b in blocks]
    counts = [(n + o - 1) // b + 1 for n, o, b in zip(sizes, starts, blocks, strict=True)]
    shifts = torch.tensor(list(product(*(range(s) for s in stride))))
    needed = tensor.shape[0] * prod(counts)
    rounds = [
        shifts[torch.randperm(len(shifts), generator=generator)] for _ in range(-(-needed // len(shifts)))
    ]
    table = torch.cat(rounds)[:needed].reshape(tensor.shape[0], *counts, len(stride))
    sample, *places = torch.meshgrid(*(torch.arange(n) for n in (tensor.shape[0], *sizes)), indexing="ij")
    block = [(place + o) // b for place, o, b in zip(places, starts, blocks, strict=True)]
    shift = table[(sample, *block)]
    source = [
        _inside(place + shift[..., k] - s // 2, n, s)
        for k, (place, n, s) in enumerate(zip(places, sizes, stride, strict=True))
    ]
    front = (0, *axes)
    order = tuple(range(len(front)))
    index = tuple(i.to(tensor.device) for i in (sample, *source))
    return tensor.movedim(front, order)[index].movedim(order, front)


def _inside(place: Tensor, size: int, stride: int) -> Tensor:
    """Move places beyond the border back by whole strides, which keeps their phase."""
    place = torch.where(place < 0, place + stride, place)
    place = torch.where(place >= size, place - stride, place)
    return place.clamp(0, size - 1)
