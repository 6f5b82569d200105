"""Batches of tensors in grey levels, channels first as networks make them."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.measuring.frequencies import checked_periods, plan
from uncheck.measuring.passes import FrequencyPlan
from uncheck.signals.levels import LEVELS, infer_range
from uncheck.words import plural

Span = tuple[float, float]

#: Values looked at to infer the range.
SAMPLE = 65536

#: A batch (N, C, n) of so few signals and so many channels is more likely a picture (C, H, W).
FEW, MANY = 4, 32


def as_batch(images: Any) -> Tensor:
    """Return `images` as a tensor (N, C, *spatial); UncheckError unless it is one."""
    batch = torch.as_tensor(images)
    shape = tuple(batch.shape)
    if not 3 <= batch.ndim <= 5 or not batch.numel() or batch.is_complex() or batch.dtype == torch.bool:
        raise UncheckError(
            f"images of shape {shape} and type {batch.dtype} cannot be measured; give real numbers of shape "
            "(N, C, n), (N, C, H, W) or (N, C, D, H, W)"
        )
    if batch.ndim == 3 and shape[0] <= FEW and shape[1] > MANY:
        raise UncheckError(
            f"images of shape {shape} would be {plural(shape[0], 'signal')} of "
            f"{plural(shape[1], 'channel')}; give a picture as (1, C, H, W), and "
            "signals of so many channels as (N * C, 1, n)"
        )
    return batch


def scheme_of(batch: Tensor, periods: Any, whole: tuple[int, ...] = ()) -> FrequencyPlan:
    """Return the lattice frequencies of a batch; UncheckError if no period fits its size.

    `whole` is the size with the border, if that was cut.
    """
    scheme = plan(tuple(batch.shape[2:]), checked_periods(periods))
    if not len(scheme.frequencies):
        size = " x ".join(map(str, whole or batch.shape[2:]))
        raise UncheckError(
            f"images of {size} pixels are too small for periods {', '.join(map(str, periods)) or '(none)'}; "
            "give larger images or shorter periods"
        )
    return scheme


def grey_levels(batch: Tensor, span: Span | None) -> Tensor:
    """Scale a batch so that `span` becomes 255 grey levels, and take each channel's mean off.

    Half precision becomes float32, for sums over pictures need it; float64 stays.
    """
    low, high = _inferred(batch) if span is None else span
    if not high > low:
        raise UncheckError(f"range {low:g},{high:g} is empty; give the lowest value first, then the highest")
    values = batch if batch.dtype == torch.float64 else batch.float()
    values = values - values.mean(dim=tuple(range(2, batch.ndim)), keepdim=True)
    return values * (LEVELS / (high - low))


def checked_span(span: Any) -> Span | None:
    """Return `span`; UncheckError unless it is None or two increasing numbers."""
    if span is None:
        return None
    try:
        low, high = (float(value) for value in span)
    except (TypeError, ValueError):
        low, high = 0.0, 0.0
    if not (isfinite(low) and isfinite(high) and low < high):
        raise UncheckError(f"span {span} is no range; give the lowest value and the highest, such as (-1, 1)")
    return low, high


def _inferred(batch: Tensor) -> Span:
    """Infer the range from a sample and the extremes: only these leave the device."""
    flat = batch.detach().flatten()
    if flat.dtype in (torch.bfloat16, torch.float16):
        flat = flat.float()
    sample = torch.cat([flat[:: max(1, flat.numel() // SAMPLE)], flat.min()[None], flat.max()[None]])
    low, high = infer_range(sample.cpu().numpy())
    if not np.isfinite([low, high]).all():
        raise UncheckError(
            "the range of the images cannot be inferred, for some of their values are NaN or infinite; "
            "mask them, or give span"
        )
    return low, high
