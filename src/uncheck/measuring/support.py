"""The support of a test: the part of an array that is measured, and the tapers as they are there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from uncheck.measuring.eigenspectra import like
from uncheck.measuring.passes import FrequencyPlan
from uncheck.measuring.tapers import tapers

#: Energy that a combination of tapers must have inside the mask, as a share of that of the combination which
#: has most. The ones below are given up: what they hold is mostly what the fill outside leaves.
LEAST_INSIDE = 0.1


@dataclass(frozen=True, eq=False)
class Support:
    """Where arrays are measured: `share` (*spatial), 0 to 1, how much of what a sample stands for.

    It is 0 or 1 in a picture with a mask, and anything between in a mean along an axis. With m the share, x
    an array that is smooth where m = 0, and G_kl = sum_n u_k u_l m the Gram matrix of the tapers there,

        Y_k = sum_n u_k x exp(-2 pi i f.n) = mu M_k + noise,    M_k = sum_n u_k m,    Cov(noise) ~ G,

    for a line mu m[n] exp(2 pi i f.n), and noise inside the mask. With G = V L V', the coefficients L^(-1/2)
    V' Y are those of tapers that are orthonormal inside the mask, and have the sums L^(-1/2) V' M. So the
    harmonic test, its amplitudes and its limits hold as they are, with as many tapers as the mask has room
    for.
    """

    share: NDArray[np.float32]
    _known: dict[tuple[int, ...], tuple[NDArray[np.float64], NDArray[np.float64]]] = field(
        default_factory=dict, repr=False
    )

    @property
    def plane(self) -> NDArray[np.float32]:
        """The share as (*spatial, 1), to multiply arrays with."""
        return self.share[..., None]

    def part(self, box: tuple[slice, ...]) -> Support | None:
        """Return the support of a part of the array; None if all of that is measured."""
        cut = self.share[box]
        return None if (cut == 1).all() else Support(np.ascontiguousarray(cut))

    def along(self, flat: tuple[int, ...]) -> Support:
        """Return the support of the mean along some axes."""
        return Support(self.share.mean(axis=flat, dtype=np.float64).astype(np.float32))

    def restriction(self, axes: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return L^(-1/2) V' as (K, K'), and the sums (K',), of the mean along all axes but these.

        Cost: O(K^2 / 2) multiplications per sample along the first axis, once.
        """
        if axes not in self._known:
            flat = tuple(axis for axis in range(self.share.ndim) if axis not in axes)
            self._known[axes] = _restriction(self.along(flat).share if flat else self.share)
        return self._known[axes]

    def restricted(self, spectra: Any, scheme: FrequencyPlan) -> tuple[Any, NDArray[np.float64]]:
        """Return eigencoefficients (N, F, C, K) of a plan as those inside the mask, and their sums.

        The sums are (1, K') or (F, K'), NaN where a line has fewer tapers than others, as those of a plan.
        """
        every = [(profile.count, *self.restriction(profile.axes)) for profile in scheme.profiles]
        most, xp = max(len(sums) for _, _, sums in every), array_namespace(spectra)
        parts, rows, start = [], [], 0
        for count, basis, sums in every:
            part = spectra[:, start : start + count, :, : len(basis)]
            part = part @ like(basis.astype(np.complex64), spectra)
            empty = (*part.shape[:-1], most - part.shape[-1])
            parts.append(
                xp.concat([part, xp.zeros(empty, dtype=part.dtype, device=device(part))], axis=-1)
                if empty[-1]
                else part
            )
            padded = np.pad(sums, (0, most - len(sums)), constant_values=np.nan)
            rows.append(np.tile(padded, (1 if len(every) == 1 else count, 1)))
            start += count
        return xp.concat(parts, axis=1), np.concatenate(rows)


def _restriction(share: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the orthonormal combinations of the tapers inside the mask (K, K'), and their sums (K',)."""
    ndim, counts = share.ndim, [tapers(n, share.ndim).count for n in share.shape]
    gram = sums = share
    for n in share.shape:
        window = tapers(n, ndim).values
        first, second = np.triu_indices(len(window))
        # The axis goes, its tapers or pairs of them come last; the next axis is then the first.
        gram = np.moveaxis(np.tensordot(window[first] * window[second], gram, axes=((1,), (0,))), 0, -1)
        sums = np.moveaxis(np.tensordot(window, sums, axes=((1,), (0,))), 0, -1)
    for axis, count in enumerate(counts):
        whole = np.empty((count, count), np.intp)
        first, second = np.triu_indices(count)
        whole[first, second] = whole[second, first] = np.arange(len(first))
        gram = np.take(gram, whole.ravel(), axis=axis)
    # (K_0 K_0, K_1 K_1, ...) -> (K_0 K_1 ..., K_0 K_1 ...)
    gram = gram.reshape([count for count in counts for _ in range(2)])
    gram = gram.transpose([*range(0, 2 * ndim, 2), *range(1, 2 * ndim, 2)])
    total = int(np.prod(counts))
    inside, vectors = np.linalg.eigh(gram.reshape(total, total).astype(np.float64))
    # Two at the least: one to fit a line, one for its residual.
    kept = max(min(2, total), int((inside >= LEAST_INSIDE * inside[-1]).sum()))
    basis = vectors[:, -kept:] / np.sqrt(np.maximum(inside[-kept:], 1e-9))
    return basis, basis.T @ sums.ravel().astype(np.float64)


def restricted(
    spectra: Any, scheme: FrequencyPlan, support: Support | None
) -> tuple[Any, NDArray[np.float64]]:
    """Return eigencoefficients and sums inside a support, or the plan's own where all is measured."""
    return (spectra, scheme.sums) if support is None else support.restricted(spectra, scheme)
