"""The measure of all experiments: `uncheck`'s own, of a batch of outputs."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from torch import Tensor

from uncheck import lattice_strength
from uncheck.measuring import find_lattice
from uncheck.measuring.frequencies import plan
from uncheck.measuring.sets import VISIBLE_IN_SETS, set_lattice, set_sums

#: Corrected p-value below which a period is there; and grey levels (`docs/calibration.md`).
SIGNIFICANT, VISIBLE = 1e-3, VISIBLE_IN_SETS


def lattice(images: Tensor, span: tuple[float, float], periods: tuple[int, ...] = (2, 4)) -> dict[str, Any]:
    """Of images (N, C, H, W) that share one grid.

    `strength` (grey levels): of all components there. For each period P `amplitude_P` (grey levels, in the
    channel where it is largest, whether it is significant or not), `p_P` and `there_P`: significant and at
    least 0.05 levels. `single` and `single_P` (grey levels): the mean of `lattice_strength` of single images,
    of all periods and of one.
    """
    low, high = span
    levels = ((images.detach().float() - low) * (255 / (high - low))).permute(0, 2, 3, 1).numpy()
    scheme = plan(levels.shape[1:3], periods)
    sums = set_sums(levels, scheme)
    every = {_period(c): c for c in set_lattice(sums, scheme, threshold=0.0, significance=inf).present}
    out: dict[str, Any] = {"strength": round(set_lattice(sums, scheme).strength, 3)}
    for period in scheme.tested:
        one = every.get(period)
        amplitude, p = (float(one.amplitude), float(one.p_value)) if one else (0.0, 1.0)
        out[f"amplitude_{period}"] = round(amplitude, 3)
        out[f"p_{period}"] = float(f"{min(1.0, p):.3g}")
        out[f"there_{period}"] = bool(p < SIGNIFICANT and amplitude >= VISIBLE)
        out[f"single_{period}"] = alone(images, span, (period,))
    return {**out, "single": alone(images, span, scheme.tested)}


def together(images: Tensor, span: tuple[float, float], period: int) -> float:
    """Grey levels at one period in the mean of all images, significant or not.

    Every image counts alike, as `inspect` looks at a batch. `lattice` weighs each by how little else is in
    it, which tells weak lattices apart from content, but hardly counts images with much content: it misses a
    lattice that flat ones do not have.
    """
    low, high = span
    mean = (images.detach().double().mean(0) - low) * (255 / (high - low))
    array = mean.permute(1, 2, 0).float().numpy()
    found = find_lattice(array, periods=(period,), threshold=0.0, significance=inf).present
    return round(max((float(c.amplitude) for c in found if _period(c) == period), default=0.0), 4)


def alone(images: Tensor, span: tuple[float, float], periods: tuple[int, ...]) -> float:
    """Grey levels: the mean strength of single images, which is what an eye that sees one of them can see."""
    return round(float(lattice_strength(images.detach().float(), periods=periods, span=span)), 3)


def _period(component: Any) -> int:
    return int(np.lcm.reduce(component.period))
