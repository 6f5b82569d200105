"""How strong the lattice of a batch is, as a number that can be minimised."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.measuring.frequencies import Plan
from uncheck.measuring.harmonic import eigenspectra, line_fit, window_sums
from uncheck.training.images import Span, as_batch, grey_levels, scheme_of

#: Squared grey levels below which the strength is linear in the squared amplitude even where there is no
#: noise at all, so that the gradient stays finite: a thousandth of a level.
QUIET = 1e-6


def lattice_strength(
    images: Any,
    *,
    periods: Iterable[int] = (2, 4, 8),
    span: Span | None = None,
    reduction: Literal["mean", "sum", "none"] = "mean",
    debias: bool = True,
) -> Tensor:
    """Strength of the lattice of each image, grey levels, differentiable: a penalty.

    With A_fc the peak amplitude at lattice frequency f of channel c (`docs/conventions.md`), s_fc^2 what the
    spectrum beside the line alone would give A_fc^2 on average, and C channels,

        q = 1/C sum_c sum_f (A_fc^2 - s_fc^2),   n = 1/C sum_c sum_f s_fc^2,
        strength = q / (q^2 + n^2)^(1/4) if q > 0, else 0.

    That is sqrt(q) where the lattice stands clear of the noise (5 % less at q = 2 n), and linear in q below,
    where the gradient of a square root would be infinite. n is held constant in the gradient: otherwise adding
    noise beside the lines would lower the penalty. Nor is there anything to gain below the noise (q < 0).

    Args:
        images: (N, C, *spatial), one to three spatial axes, of any real type, on any device; all channels
            count alike, so leave alpha out.
        periods: pixels, from 2; those that do not fit the size are left out, as in `uncheck.measure`.
        span: the lowest and highest value, which become 0 and 255. None: inferred from the batch as
            `uncheck.measure` does; give it in training, so that the unit does not jump between batches.
        reduction: "mean" or "sum" over the images, or "none": (N,).
        debias: False leaves s_fc^2 and n out: sqrt(sum A_fc^2), about sqrt(n) on images without lattice.

    Returns:
        Grey levels, 0 or more, lower is better; float64 if the images are, else float32, also under autocast.
        A lattice alike in all channels has the strength `uncheck.measure` reports; one in a single channel
        of three has 1 / sqrt(3) of it. NaN where an image is, unless the range is inferred.

    Raises:
        UncheckError: images of wrong shape, too small for all periods, or not finite where the range is
            inferred; unknown reduction; empty span.

    Cost: 2 to 4 products per axis of the tapers with the images, in 2-D 5 multiplications per value
    for periods (2, 4, 8), and back again in the gradient. Memory: 3 copies of the images in float32.
    Source: Thomson, Proc. IEEE 70 (1982), section XIII, for A and s.
    """
    if reduction not in ("mean", "sum", "none"):
        raise UncheckError(f'reduction {reduction!r} is not known; give "mean", "sum" or "none"')
    batch = as_batch(images)
    scheme = scheme_of(batch, periods)
    # Half precision would lose the line among the pixels, so autocast is kept out.
    with torch.autocast(batch.device.type, enabled=False):
        power, floor = line_powers(grey_levels(batch, span), scheme)
        strength = soft_root(power - floor.detach(), floor.detach()) if debias else soft_root(power, 0)
    return strength if reduction == "none" else getattr(strength, reduction)()


def line_powers(levels: Tensor, scheme: Plan) -> tuple[Tensor, Tensor]:
    """sum_f A_fc^2 and sum_f s_fc^2, each (N,), the mean over channels.

    s_fc^2 = g_f^2 sum_k |Y_k - mu U_k|^2 / ((K-1) sum_k U_k^2), with g_f = 1 for real lines, else 2, and the
    Y, U and mu of `uncheck.measuring.harmonic`: the mean of g_f^2 |mu|^2 where the spectrum is even and
    has no line.
    """
    shape = tuple(levels.shape[2:])
    sums = window_sums(shape)
    # Each channel is an array of its own: no copy with the channels last.
    mean, _, residual = line_fit(eigenspectra(levels.reshape(-1, *shape, 1), scheme), sums)
    gain = torch.as_tensor([1.0 if real else 4.0 for real in scheme.real], dtype=levels.dtype)
    gain = gain.to(levels.device)
    power = (mean[..., 0].real ** 2 + mean[..., 0].imag ** 2) @ gain
    floor = residual[..., 0] @ gain / float((len(sums) - 1) * (sums**2).sum())
    return power.reshape(levels.shape[:2]).mean(dim=1), floor.reshape(levels.shape[:2]).mean(dim=1)


def soft_root(excess: Tensor, noise: Tensor | float) -> Tensor:
    """A square root with a finite slope at 0: x / (x^2 + (n + QUIET)^2)^(1/4) for x > 0, else 0."""
    above = excess.clamp(min=0)
    return above / (above**2 + (noise + QUIET) ** 2) ** 0.25
