"""The strength of the lattice of a batch, as a number that can be minimised, and as a penalty."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.measuring.eigenspectra import eigenspectra
from uncheck.measuring.harmonic import line_energy, line_fit, line_tapers
from uncheck.measuring.passes import FrequencyPlan
from uncheck.training.images import Span, as_batch, grey_levels, scheme_of

#: A line counts from this many times the noise beside it (chance gives 0.2 % of lines without one), and in
#: full from twice as many.
CLEAR = 2.5

#: Grey levels below which the strength is a parabola: the gradient of a norm must exist at 0.
QUIET = 1e-3


def lattice_strength(
    images: Any,
    *,
    periods: Iterable[int] = (2, 4, 8),
    span: Span | None = None,
    reduction: Literal["mean", "sum", "none"] = "mean",
    debias: bool = True,
    together: bool = False,
) -> Tensor:
    """Measure the strength of the lattice of each image, grey levels, differentiable: a penalty.

    With A_f the peak amplitude at lattice frequency f, root mean square over the channels, and s_f what the
    spectrum beside the line alone would give A_f (root mean square; `docs/conventions.md` has the units),

        a_f = min(A_f, 2 max(0, A_f - 2.5 s_f)),   strength = sqrt(sum_f a_f^2 + e^2) - e,   e = 0.001.

    This is firm shrinkage: a line counts in full from 5 s_f, not at all below 2.5 s_f. So pictures without a
    lattice score about 0 and a strong one is not biased, and gradients stay finite: at most 2 in A_f, and 0
    where the norm has its kink. s_f is held constant in the gradient, or else adding noise beside the
    lines would lower the penalty; nor is there anything to gain by notching the spectrum below the noise.

    Args:
        images: (N, C, *spatial), one to three spatial axes, of any real type, on any device; all channels
            count alike, so leave alpha out.
        periods: pixels, from 2; those that do not fit the size are left out, as in `uncheck.measure`.
        span: the lowest and highest value, which become 0 and 255. None: inferred from the batch as
            `uncheck.measure` does; give it in training, so that the unit does not jump between batches.
        reduction: "mean" or "sum" over the images, or "none": (N,); (1,) if `together`.
        debias: False takes a_f = A_f: what chance gives counts too.
        together: the strength of the mean of all images, one number: of the lattice they share, as outputs of
            one network do. Contents average out, so it sees lattices about sqrt(N) weaker.

    Returns:
        Grey levels, 0 or more, lower is better; float64 if the images are, else float32, also under autocast.
        A lattice alike in all channels has the strength `uncheck.measure` reports; one in a single channel
        of three has 1 / sqrt(3) of it. NaN where an image is, unless the range is inferred.

    Raises:
        UncheckError: images of wrong shape, too small for all periods, or not finite where the range is
            inferred; unknown reduction; empty span.

    Cost: K multiplications per value (K tapers along one axis; 5 in 2-D), a small rest, and about twice
    as much again for the gradient; a 3x3 convolution to 64 channels takes 576. Memory: 3 copies in float32.
    Source: Thomson, Proc. IEEE 70 (1982), section XIII, for A and s; Gao and Bruce, Statistica Sinica 7
    (1997), for firm shrinkage.

    Example:
        >>> images = torch.zeros(1, 1, 64, 64)
        >>> images[..., ::2, :] = 10.0
        >>> round(lattice_strength(images, span=(0, 255)).item(), 2)
        5.0
    """
    if reduction not in ("mean", "sum", "none"):
        raise UncheckError(f'reduction {reduction!r} is not known; give "mean", "sum" or "none"')
    powers = counted_powers(images, periods, span, together, debias)
    strength = norm(powers)
    return strength if reduction == "none" else getattr(strength, reduction)()


def lattice_penalty(
    images: Any,
    *,
    span: Span | None = None,
    periods: Iterable[int] = (2, 4, 8),
    knee: float = 1.0,
    together: bool = True,
) -> Tensor:
    """Penalise the lattice that the images of a batch share; the gradient shrinks with it.

    With a_f the shrunk amplitude of line f in the mean of all images, as in `lattice_strength`,

        S^2 = sum_f a_f^2,   penalty = sqrt(S^2 + k^2) - k,   k = knee.

    Below k it is S^2 / (2 k): its gradient S / k goes to 0 with the lattice, and a small lattice is not
    fought at the cost of the images. Above k it is S - k: its gradient stays at 1, so that the strong lattice
    of an untrained network does not drown the loss, as a plain square would let it.

    Args:
        images: (N, C, *spatial), one to three spatial axes, of any real type, on any device.
        span: the lowest and highest value, which become 0 and 255. None: inferred from each batch; give it
            in training, so that the unit does not jump.
        periods: pixels, from 2; those that do not fit the size are left out.
        knee: k, grey levels, above 0: the strength that may be left, roughly.
        together: False for the mean penalty of the single images, which sees only lattices that stand clear
            of one image's own noise, but also those whose sign differs from image to image.

    Returns:
        A scalar, grey levels, 0 or more; float64 if the images are, else float32, also under autocast.

    Raises:
        UncheckError: as `lattice_strength`; a knee of 0 or less.

    Cost: that of `lattice_strength`.

    Example:
        >>> import torch
        >>> images = torch.zeros(1, 1, 64, 64)
        >>> images[..., ::2, :] = 10.0
        >>> round(lattice_penalty(images, span=(0, 255)).item(), 2)
        4.1
    """
    if not knee > 0:
        raise UncheckError(
            f"knee must be above 0 grey levels, not {knee:g}; lattice_strength is the penalty without"
        )
    return norm(counted_powers(images, periods, span, together), knee).mean()


def counted_powers(
    images: Any, periods: Iterable[int], span: Span | None, together: bool, debias: bool = True
) -> Tensor:
    """Return a_f^2 of each image, (N, F), or of their mean, (1, F): see `lattice_strength`."""
    batch = as_batch(images)
    scheme = scheme_of(batch, periods)
    # Half precision would lose the line among the pixels, so autocast is kept out.
    with torch.autocast(batch.device.type, enabled=False):
        power, noise = line_powers(grey_levels(batch, span), scheme, together)
        return shrunk(power, noise.detach()) if debias else power


def line_powers(levels: Tensor, scheme: FrequencyPlan, together: bool) -> tuple[Tensor, Tensor]:
    """Return A_f^2 and s_f^2 of each image, (N, F), or of their mean, (1, F).

    A_f^2 = g_f^2 |mu|^2 and s_f^2 = g_f^2 sum_k |Y_k - mu U_k|^2 / ((K-1) sum_k U_k^2), means over channels,
    with g_f = 1 for real lines, else 2, and the Y, U and mu of `uncheck.measuring.harmonic`. Where the
    spectrum is even and has no line, both have the same mean.
    """
    spatial = tuple(levels.shape[2:])
    # Each channel is an array of its own: no copy with the channels last.
    spectra = eigenspectra(levels.reshape(-1, *spatial, 1), scheme)
    if together:
        spectra = spectra.reshape(*levels.shape[:2], *spectra.shape[1:]).mean(dim=0)
    mean, _, residual = line_fit(spectra, scheme.sums)
    gain = torch.as_tensor(4.0 - 3.0 * scheme.real, dtype=levels.dtype, device=levels.device)
    power = (mean.real**2 + mean.imag**2)[..., 0] * gain
    known = (line_tapers(scheme.sums) - 1) * line_energy(scheme.sums)
    noise = residual[..., 0] * gain / torch.as_tensor(known, dtype=levels.dtype, device=levels.device)
    shape = (-1, levels.shape[1], len(scheme.real))
    return power.reshape(shape).mean(dim=1), noise.reshape(shape).mean(dim=1)


def shrunk(power: Tensor, noise: Tensor) -> Tensor:
    """Return a^2 = min(A, 2 max(0, A - 2.5 s))^2, from A^2 and s^2 > 0."""
    # Below s nothing counts, and the root has no gradient at 0.
    amplitude = power.clamp(min=noise).sqrt()
    return torch.minimum(amplitude, 2 * (amplitude - CLEAR * noise.sqrt()).clamp(min=0)) ** 2


def norm(power: Tensor, knee: float = QUIET) -> Tensor:
    """Return the root of the sum over lines, a parabola below `knee`, so that its gradient is 0 at 0."""
    return (power.sum(dim=-1) + knee**2).sqrt() - knee
