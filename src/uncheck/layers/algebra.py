"""A resize by an integer and the convolution after it are one upsampler: which paddings allow it, its weight.

Per axis: factor s, hold g (nearest: s ones; linear: the tent of `phases.resize`), o its offset, E = d (k - 1)
+ 1 the extent of the convolution, padding a before and b after, x of n pixels:

    u[j] = sum_m g[j + o - s m] x~[m]             x~ is x continued beyond its ends, 0 <= j < s n
    y[i] = sum_t w[t] v[i - a + d t]              v is u continued by the padding mode

If v is the same sum over a continued x~, for every position the convolution reads, then with h = flip(w) * g

    y[i] = F[i + c],  F[j] = sum_m h[j - s m] x'[m],  c = s A + o - a + E - 1

where x' is x with A pixels of its continuation before and B after; F is a transposed convolution of E +
len(g) - 1 taps. What has to be shown is how x continues:

- nearest, zeros: v is zero outside 0 .. s n - 1, and so is the sum over x~ = 0. Any a, b.
- nearest, replicate: v[-j] = u[0] = x[0], the sum over x~[-m] = x[0]. Any a, b; likewise at the end.
- nearest, circular: v[-j] = u[s n - j] = x[floor((s n - j) / s)] = x[n - ceil(j / s)], the sum over
  x~[-m] = x[n - m].
- nearest, reflect: v[-j] = u[j] = x[floor(j / s)], which is x[0] as long as j <= s - 1: replicate. From j = s
  on the block -s .. -1 would hold x[1] at its first pixel and x[0] at the others: no x~ has that, so it is
  refused.
- linear, no padding: u clamps its sources to 0 .. n - 1, which is x~ by replicate.
- linear, replicate: u[0] = x[0], as its source (1/2)/s - 1/2 <= 0 is clamped, and x~ = x[0] beyond: the same.
- linear with any other padding: v has a step or a fold at the border where the tent of x~ has none: refused.
- factor 1: u = x, every padding is its own continuation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.layers.axes import PADDING_MODES, check_word
from uncheck.phases.resize import MODES, axis_hold


@dataclass(frozen=True)
class Fusing:
    """A resize and its convolution as one transposed convolution.

    Attributes:
        scale_factor: s per axis.
        taps: of the fused kernel, per axis.
        before: pixels of continuation before the input, A per axis.
        after: pixels of continuation after it, B per axis.
        continuation: per axis "constant" (zeros), "replicate", "reflect" or "circular", as torch's F.pad.
        crop: of the full transposed convolution, pixels before the output, c per axis.
        margin: output size = s * input size + margin, per axis.
    """

    scale_factor: tuple[int, ...]
    taps: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    continuation: tuple[str, ...]
    crop: tuple[int, ...]
    margin: tuple[int, ...]


def fusing(
    kernel_size: Sequence[int],
    scale_factor: Sequence[int],
    mode: str,
    padding: Sequence[tuple[int, int]],
    padding_mode: str,
    dilation: Sequence[int],
) -> Fusing:
    """Plan the fused form of a resize by an integer followed by a convolution of stride 1.

    Args:
        kernel_size: k of the convolution, per axis.
        scale_factor: s of the resize, per axis, >= 1.
        mode: "nearest", or "linear" ("bilinear", "trilinear"), half-pixel centres, align_corners=False.
        padding: pixels (before, after) added between the two, per axis, >= 0.
        padding_mode: "zeros", "reflect", "replicate" or "circular"; of no meaning where nothing is added.
        dilation: d of the convolution, per axis.

    Returns:
        The plan.

    Raises:
        UncheckError: no continuation of the input gives the same; the message is the reason.
    """
    if mode not in MODES:
        raise UncheckError(
            f"a resize of mode {mode!r} is not a fixed kernel: {', '.join(MODES)} can be fused"
        )
    check_word("padding_mode", padding_mode, PADDING_MODES)
    axes = zip(kernel_size, scale_factor, padding, dilation, strict=True)
    rows = [_along(k, s, mode, a, b, padding_mode, d) for k, s, (a, b), d in axes]
    return Fusing(tuple(scale_factor), *zip(*rows, strict=True))


def _along(
    k: int, s: int, mode: str, a: int, b: int, padding_mode: str, d: int
) -> tuple[int, int, int, str, int, int]:
    """Return the fields of `Fusing` but the first, for one axis."""
    hold, offset = axis_hold(s, mode)
    extent, length = d * (k - 1) + 1, len(hold)
    kind = _continuation(s, MODES[mode], max(a, b), padding_mode)
    if kind == "constant":
        # zeros need not be added where the full transposed convolution holds them anyway
        first, last = -(-max(0, a - extent + 1) // s), -(-max(0, b - extent + 1) // s)
    else:
        first, last = (a - offset + length - 1) // s, (s - 1 + b + offset) // s
    crop = s * first + offset - a + extent - 1
    return extent + length - 1, first, last, kind, crop, a + b - extent + 1


def _continuation(factor: int, mode: str, padding: int, padding_mode: str) -> str:
    own = "constant" if padding_mode == "zeros" else padding_mode
    if factor == 1:
        return own
    if padding == 0 or (mode == "linear" and padding_mode == "replicate"):
        return "replicate" if mode == "linear" else "constant"
    if mode == "linear":
        raise UncheckError(
            f"a linear resize and padding {padding} of mode {padding_mode!r} have a step at the border "
            "that no transposed convolution has: only padding_mode='replicate' or padding 0 can be fused"
        )
    if padding_mode == "reflect" and padding > factor - 1:
        raise UncheckError(
            f"reflect padding of {padding} after a resize by {factor} splits the pixels of the input: "
            f"only up to {factor - 1} can be fused"
        )
    return "replicate" if padding_mode == "reflect" else own


def fuse_matrix(
    kernel_size: Sequence[int], scale_factor: Sequence[int], mode: str, dilation: Sequence[int]
) -> Tensor:
    """Return the map from all taps of the convolution to all taps of the fused kernel, float64.

    Along one axis h[j] = sum_t g[j - d (k - 1 - t)] w[t], the flip of the convolution included.

    Returns:
        (prod(taps), prod(k)), the Kronecker product of the axes.
    """
    matrix = torch.ones(1, 1, dtype=torch.float64, device="cpu")
    for k, s, d in zip(kernel_size, scale_factor, dilation, strict=True):
        hold = torch.tensor(axis_hold(s, mode)[0], dtype=torch.float64, device="cpu")
        along = torch.zeros(d * (k - 1) + len(hold), k, dtype=torch.float64, device="cpu")
        for t in range(k):
            start = d * (k - 1 - t)
            along[start : start + len(hold), t] = hold
        matrix = torch.kron(matrix, along)
    return matrix


def fuse_weight(
    weight: Tensor, scale_factor: Sequence[int], mode: str, dilation: Sequence[int], groups: int = 1
) -> Tensor:
    """Return the weight of the one transposed convolution:  h = flip(w) * g.  Differentiable.

    From the convolution's (out, in / groups, *k) to (in, out / groups, *taps), as torch's transposed
    convolutions take it, with the same groups.

    Cost: out * in / groups * prod(k) * prod(taps) multiplications.

    Source: Karras et al., Progressive Growing of GANs, 2017, for nearest resize by 2.
    """
    k = weight.shape[2:]
    matrix = fuse_matrix(k, scale_factor, mode, dilation).to(weight)
    taps = [
        d * (n - 1) + len(axis_hold(s, mode)[0]) for n, s, d in zip(k, scale_factor, dilation, strict=True)
    ]
    return fused_weight(weight, matrix, taps, groups, channels_last=False)


def fused_weight(
    weight: Tensor, matrix: Tensor, taps: Sequence[int], groups: int, channels_last: bool
) -> Tensor:
    """Return the transposed convolution's weight, (in, out / groups, *taps), from (out, in / groups, *k).

    The matrix, of `fuse_matrix`, has the weight's type and device. Where the input is channels_last the taps
    go outermost, which oneDNN takes without a copy.
    """
    out, inside = weight.shape[0], weight.shape[1]
    if channels_last and groups == 1:
        tall = matrix @ weight.flatten(2).permute(2, 1, 0).reshape(-1, inside * out)
        return tall.reshape(-1, inside, out).permute(1, 2, 0).reshape(inside, out, *taps)
    wide = weight.reshape(out * inside, -1) @ matrix.t()
    split = wide.reshape(groups, out // groups, inside, *taps).transpose(1, 2)
    return split.reshape(groups * inside, out // groups, *taps)
