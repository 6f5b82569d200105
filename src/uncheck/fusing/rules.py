"""Rules of what can be fused: read from the recorded calls, and again at every call of the fused network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from uncheck.errors import UncheckError
from uncheck.layers.algebra import Fusing, fusing

MODES = {"nearest": "nearest", "linear": "linear", "bilinear": "linear", "trilinear": "linear"}
Pad = tuple[str, tuple[tuple[int, int], ...]]
"""Kind of padding as torch's convolutions name it, and (start, end) per axis."""


def read_resize(given: Mapping[str, Any], before: Sequence[int]) -> tuple[str, tuple[int, ...]] | str:
    """Return the kind, nearest or linear, and the factors of a resize; the reason where it cannot be fused.

    Args:
        given: arguments of F.interpolate by name.
        before: sizes of the spatial axes of its input.
    """
    mode = given.get("mode") or "nearest"
    if mode == "nearest-exact":
        # floor((j + 1/2) / s) = floor(j / s) for whole s; by a size or another factor it is another resize
        return (
            "mode 'nearest-exact' is left as it is: by whole factors it takes the same pixels as 'nearest': "
            "write mode='nearest' to have it fused"
        )
    if mode not in MODES:
        return f"mode {mode!r} followed by a convolution is no single small convolution"
    if given.get("align_corners"):
        return "align_corners=True gives every position its own weights; no convolution does that"
    if given.get("antialias"):
        return "antialias=True is not read; it changes nothing when enlarging, so leave it out"
    size, scale = given.get("size"), given.get("scale_factor")
    asked = scale if size is None else size
    values: list[Any] = list(asked) if isinstance(asked, tuple | list) else [asked] * len(before)
    if not all(isinstance(value, int | float) for value in values):
        return "its scale factor or size is no number"
    ratios = (
        values if size is None else [value / length for value, length in zip(values, before, strict=True)]
    )
    if any(ratio < 1 or ratio % 1 for ratio in ratios):
        text = " x ".join(f"{ratio:.4g}" for ratio in ratios)
        what = "the scale factor is" if size is None else "the size asked for is"
        return f"{what} {text} times the input's, not a whole number on every axis"
    return MODES[mode], tuple(int(ratio) for ratio in ratios)


def read_pad(mode: str, amount: tuple[tuple[int, int], ...], ndim: int) -> Pad | str:
    """Return a padding by `ndim` axes, or the reason where it cannot be fused.

    Args:
        mode: "zero", "constant" (another value), or as F.pad names it.
        amount: (start, end) of the last axes.
        ndim: number of spatial axes.
    """
    if mode == "constant":
        return "pads with a value other than zero"
    if len(amount) > ndim:
        return "pads the channels or the batch"
    if min(n for pair in amount for n in pair) < 0:
        return "crops by negative padding"
    return "zeros" if mode == "zero" else mode, ((0, 0),) * (ndim - len(amount)) + amount


def total_padding(pads: Sequence[Pad], ndim: int) -> Pad | str:
    """Return several paddings after each other as one, or the reason why they are not one."""
    real = [pad for pad in pads if any(n > 0 for pair in pad[1] for n in pair)]
    if not real:
        return "zeros", ((0, 0),) * ndim
    kinds = {mode for mode, _ in real}
    if len(real) > 1 and (len(kinds) > 1 or not kinds <= {"zeros", "replicate"}):
        return f"it is padded twice, by {' and then '.join(mode for mode, _ in real)}"
    amounts = [amount for _, amount in real]
    sums = [(sum(a[axis][0] for a in amounts), sum(a[axis][1] for a in amounts)) for axis in range(ndim)]
    return real[0][0], tuple(sums)


def plan_fusing(
    kernel_size: Sequence[int],
    factor: Sequence[int],
    kind: str,
    padding: Pad,
    dilation: Sequence[int],
    name: str = "the convolution",
) -> Fusing | str:
    """Return the fused form of a resize and a convolution, or the reason why none saves work."""
    try:
        plan = fusing(kernel_size, factor, kind, padding[1], padding[0], dilation)
    except UncheckError as reason:
        return str(reason)
    before = prod(factor) * prod(kernel_size)
    if prod(plan.taps) > before:
        return (
            f"fused with {name} it would take {prod(plan.taps)} multiplications per input position and pair "
            f"of channels, instead of {before}"
        )
    return plan
