"""Whatever a model returns becomes a batch of arrays in grey levels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.measuring import infer_range, to_levels

#: Share of the usual range that an output must span to be measured against it; below the first number it is
#: constant but for rounding.
LEAST_SPREAD, FULL_SPREAD = 1e-4, 1 / 8


def tensors(output: Any) -> Iterator[Tensor]:
    """All real tensors in a nested output, in order."""
    if isinstance(output, Tensor):
        if not output.is_complex() and output.dtype != torch.bool:
            yield output
    elif isinstance(output, Mapping):
        for value in output.values():
            yield from tensors(value)
    elif is_dataclass(output) and not isinstance(output, type):
        for item in fields(output):
            yield from tensors(getattr(output, item.name))
    elif isinstance(output, Sequence) and not isinstance(output, str):
        for value in output:
            yield from tensors(value)


def spatial_output(output: Any, ndim: int, *, strict: bool = False) -> Tensor | None:
    """The largest map among the outputs, as (N, C, *spatial) with `ndim` spatial axes; None if there is none.

    Of equally large ones the first, real numbers before integers (a picture before its labels).

    (N, H, W, C) with C at most 4 is turned round. A tensor without a channel or batch axis gets one, unless
    `strict`: class scores (N, K) and tokens (N, L, D) of networks without upsampling are no pictures.
    """
    maps: list[Tensor] = []
    for tensor in tensors(output):
        if tensor.dim() == ndim + 2:
            last, second = tensor.shape[-1], tensor.shape[1]
            if last in (1, 3, 4) and second > 4 and ndim >= 2:
                tensor = tensor.movedim(-1, 1)
        elif strict:
            continue
        elif tensor.dim() == ndim + 1:
            # A lone picture (C, H, W) has few channels; otherwise axis 0 is a batch of maps.
            tensor = tensor[None] if tensor.shape[0] in (1, 3) and ndim >= 2 else tensor[:, None]
        elif tensor.dim() == ndim:
            tensor = tensor[None, None]
        else:
            continue
        if min(tensor.shape[2:]) >= 1 and max(tensor.shape[2:]) >= 4:
            maps.append(tensor)
    return max(maps, key=lambda m: (m.is_floating_point(), prod(m.shape[2:])), default=None)


def levels(
    tensor: Tensor, span: tuple[float, float] | None
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """(N, *spatial, C) grey levels of (N, C, *spatial), and the range that became 0..255.

    Raises:
        UncheckError: NaN or infinite values.
    """
    whole = tensor.detach().cpu()
    values = (whole.float() if whole.is_floating_point() else whole).numpy()
    bad = values.size - int(np.isfinite(values).sum())
    if bad:
        raise UncheckError(
            f"{bad} of {values.size} output values are NaN or infinite; check the weights and the input range"
        )
    used = output_range(values) if span is None else span
    return np.moveaxis(to_levels(values, used), 1, -1), used


def output_range(values: NDArray[np.generic]) -> tuple[float, float]:
    """The range of an output: the usual one that holds it, or its own where it uses little of that.

    Untrained networks without a trained contrast leave outputs within a few hundredths; against 0..1 whatever
    they contain would look faint. Their own range is taken where 98 % of the values span less than an eighth.
    """
    low, high = infer_range(values)
    if values.dtype.kind != "f" or high <= low:
        return low, high
    dark, bright = np.percentile(values.ravel()[:: max(1, values.size // 65536)].astype(np.float64), (1, 99))
    spread = float(bright - dark) / (high - low)
    return (float(values.min()), float(values.max())) if LEAST_SPREAD < spread < FULL_SPREAD else (low, high)


@dataclass(frozen=True)
class View:
    """How the outputs of one model are looked at.

    Attributes:
        ndim: spatial axes of the output.
        span: values that stand for 0 and 255.
        periods: to test, output pixels.
        threshold: grey levels below which a lattice is a trace.
        size: spatial size of the output on the example.
    """

    ndim: int
    span: tuple[float, float]
    periods: tuple[int, ...]
    threshold: float
    size: tuple[int, ...]

    def __call__(self, output: Any) -> NDArray[np.float32]:
        """(N, *spatial, C) grey levels of a model's output on an input of the example's size."""
        tensor = spatial_output(output, self.ndim)
        if tensor is None or tuple(tensor.shape[2:]) != tuple(self.size):
            raise UncheckError(
                "the output changed its shape between two runs; give an input for which it does not"
            )
        return levels(tensor, self.span)[0]
