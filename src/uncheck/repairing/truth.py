"""Ground truth for super-resolution networks: pictures, and the same pictures reduced."""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from uncheck.probing.inputs import is_white
from uncheck.reading import Inputs
from uncheck.repairing.case import Case
from uncheck.repairing.inputs import reduced
from uncheck.signals.levels import infer_range

#: Correlation of the output with the enlarged input from which a network counts as super-resolution.
ALIKE = 0.9

#: Share by which the output's units may differ from the expected ones before they are fitted.
SLACK = 0.1


def self_truth(case: Case) -> tuple[tuple[Inputs, Tensor], ...] | None:
    """Return the held inputs as the truth of their reduced copies, for super-resolution networks.

    The reduced copy is bicubic with antialiasing, cut to the range of the input. The truth is the input in
    units of the output: the input's range laid on the case's, or where that does not fit, the straight line
    fitted to the network's own outputs.

    Returns:
        (inputs, truth) for each held call, or None: the scale is no whole number above 1, channels differ,
        the output does not look like the enlarged input, or inputs are too small to be reduced.

    Cost: one call per held input.
    """
    scale = case.scale
    if scale is None or case.ndim != 2 or not case.held or min(scale) <= 1:
        return None
    if any(s != round(s) for s in scale) or any(len(call) != 1 for call in case.held):
        return None
    steps = tuple(round(s) for s in scale)
    lines = []
    for (signal,) in case.held:
        if not isinstance(signal, Tensor) or signal.dim() != 4 or is_white(signal):
            return None
        made = case.run(case.model, (signal,)).float()
        if made.shape[1] != signal.shape[1]:
            return None
        line = _line(F.interpolate(signal.float(), made.shape[2:], mode="bicubic"), made)
        if line is None:
            return None
        lines.append(line)
    given = np.concatenate([call[0].detach().float().cpu().numpy().ravel() for call in case.held])
    slope, shift = _units(case, infer_range(given), np.mean(lines, axis=0))
    out = []
    for (signal,) in case.held:
        size = [n // s * s for n, s in zip(signal.shape[2:], steps, strict=True)]
        if min(n // s for n, s in zip(size, steps, strict=True)) < 16:
            return None
        whole = signal[..., : size[0], : size[1]]
        out.append(((reduced(whole, steps),), whole.float() * slope + shift))
    return tuple(out)


def _line(enlarged: Tensor, made: Tensor) -> tuple[float, float] | None:
    """Return slope and shift of made = slope enlarged + shift; None where they are not alike."""
    x, y = enlarged.double().flatten(), made.double().flatten()
    x0, y0 = x - x.mean(), y - y.mean()
    xx, yy, xy = float(x0 @ x0), float(y0 @ y0), float(x0 @ y0)
    if xx <= 0 or yy <= 0 or xy < ALIKE * (xx * yy) ** 0.5:
        return None
    slope = xy / xx
    return slope, float(y.mean()) - slope * float(x.mean())


def _units(case: Case, given: tuple[float, float], fitted: NDArray[np.float64]) -> tuple[float, float]:
    """Return the line from input to output units: range on range where the fit agrees, else the fit."""
    (low, high), (bottom, top) = given, case.span
    slope = (top - bottom) / (high - low)
    shift = bottom - slope * low
    a, b = map(float, fitted)
    off = max(abs(a * low + b - bottom), abs(a * high + b - top))
    return (slope, shift) if off <= SLACK * (top - bottom) else (a, b)
