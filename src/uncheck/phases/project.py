"""The nearest kernel without ripple, equal in gains or of a higher order; the nearest covariance."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.phases.kernel import PhaseKernel, phase_sums, tap_phases, tile_phases
from uncheck.phases.order import degrees, monomial
from uncheck.words import plural

#: Variance below this share of the largest (or of the mean square) is rounding, not signal.
ROUNDING_VARIANCE = 1e-6


def project(kernel: PhaseKernel, order: int = 1, weight: Tensor | None = None) -> PhaseKernel:
    """Return the nearest kernel of this order; also evens a per-phase bias to its mean.

    min |h' - h|^2 subject to equal moments over the phases for every |alpha| < order. For order 1 this is
    h_p'[j] = h_p[j] + (T - D_p) / N_p with D_p the phase sums, N_p the taps per phase and
    T = (sum_p D_p / N_p) / (sum_p 1 / N_p). With a weight R, sum_p tr((h_p' - h_p) R_p (h_p' - h_p)^T)
    instead: the mean squared change of the output over inputs with that second moment.

    Args:
        kernel: the upsampler; only taps of its support change, and blocks of zeros (groups) stay zero.
        order: 1 (constants) or more (polynomials of degree < order).
        weight: None; or the second moment of input patches, positive definite, (in * J, in * J) with
            J = prod(ceil(k / s)), ordered (in, j per axis) for the pixels x[i - j] of one phase; or of single
            pixels, (in, in), which weighs all taps alike and so provably changes nothing for any order.

    Returns:
        A kernel of the same shape, dtype and geometry.

    Raises:
        UncheckError: the kernel is too small for this order, or the weight is not of a stated shape or not
            positive definite.

    Cost: order 1 one pass over the weights; else a singular value decomposition of (moments * phases) x taps;
        with a weight also a Cholesky factorisation of in * taps per pattern of zero channels.

    Example:
        >>> project(PhaseKernel(torch.tensor([[[1.0, 4.0, 1.0]]]), stride=(2,))).weight
        tensor([[[1.6667, 3.3333, 1.6667]]])
    """
    if order < 1:
        raise UncheckError(f"order must be at least 1, not {order}")
    mask = kernel.support_mask()
    plain = weight is None or tuple(weight.shape) == (kernel.in_channels, kernel.in_channels)
    if weight is not None and plain:
        _factor(weight.double())
    if plain and order == 1:
        return _replaced(kernel, _even_gains(kernel))
    rows = _orthonormal(_constraints(kernel, order)[:, mask.flatten()])
    _refuse_too_small(rows, order, kernel)
    taps = kernel.weight.double()[:, :, mask]
    if weight is None or plain:
        change = -(taps @ rows.T) @ rows
    else:
        change = _weighted_change(kernel, taps, rows, weight.double())
    empty = torch.zeros_like(kernel.weight, dtype=torch.float64)
    return _replaced(kernel, empty.masked_scatter(mask.expand_as(empty), taps + change))


def _replaced(kernel: PhaseKernel, weight: Tensor) -> PhaseKernel:
    bias = kernel.bias
    if bias is not None and bias.ndim > 1:
        bias = bias.flatten(1).mean(1)
    return PhaseKernel(
        weight.to(kernel.weight.dtype), kernel.stride, bias, kernel.offset, kernel.margin, kernel.support
    )


def _even_gains(kernel: PhaseKernel) -> Tensor:
    taps = kernel.taps.double()
    if int(kernel.taps.min()) == 0:
        raise _too_small(kernel, 1)
    sums = phase_sums(kernel.weight.double(), kernel.stride, kernel.offset)
    axes = list(range(2, sums.ndim))
    target = (sums / taps).sum(axes, keepdim=True) / (1 / taps).sum()
    change = (target - sums) / taps
    # back from output index to position in h, then over all positions
    change = torch.roll(change, [o % s for o, s in zip(kernel.offset, kernel.stride, strict=True)], axes)
    everywhere = tile_phases(change.flatten(0, 1), kernel.kernel_size).reshape(kernel.weight.shape)
    return kernel.weight.double() + everywhere * kernel.support_mask()


def _phase_index(kernel: PhaseKernel) -> Tensor:
    """Return the phase of every position of h, (prod(k),); only which taps share a phase matters here."""
    index = tap_phases([torch.arange(k) for k in kernel.kernel_size], kernel.stride)
    return index.flatten().to(kernel.weight.device)


def _constraints(kernel: PhaseKernel, order: int) -> Tensor:
    """Return the rows that must vanish: every moment of every phase, less its mean over the phases."""
    member = torch.nn.functional.one_hot(_phase_index(kernel), int(kernel.taps.numel())).T.double()
    rows = []
    for degree in range(order):
        for powers in degrees(kernel.ndim, degree):
            moments = member * monomial(kernel, powers).flatten()
            rows.append(moments - moments.mean(0, keepdim=True))
    return torch.cat(rows)


def _orthonormal(rows: Tensor) -> Tensor:
    """Return an orthonormal basis of the row space, (rank, taps)."""
    values: Tensor
    basis: Tensor
    _, values, basis = torch.linalg.svd(rows, full_matrices=False)
    floor = max(rows.shape) * torch.finfo(torch.float64).eps * float(values.max())
    return basis[values > max(floor, 1e-300)]


def _refuse_too_small(rows: Tensor, order: int, kernel: PhaseKernel) -> None:
    # what is left of the all-ones kernel tells whether any kernel of this order can pass a constant
    ones = torch.ones(rows.shape[1], dtype=torch.float64, device=rows.device)
    left = ones - rows.T @ (rows @ ones)
    if float(left.norm()) <= 1e-9 * float(ones.norm()):
        raise _too_small(kernel, order)


def _too_small(kernel: PhaseKernel, order: int) -> UncheckError:
    least = int(kernel.taps.min())
    cause = "some phase has no taps" if least == 0 else f"its smallest phase has {plural(least, 'tap')}"
    return UncheckError(
        f"a kernel of size {kernel.kernel_size} with stride {kernel.stride} is too small for order {order}, "
        f"{cause}: lower the order or use a larger kernel"
    )


def _factor(moment: Tensor) -> Tensor:
    factor: Tensor
    factor, failed = torch.linalg.cholesky_ex(moment)
    if int(failed) or float((moment - moment.T).abs().max()) > 1e-6 * float(moment.abs().max()):
        raise UncheckError(
            f"the projection weight of shape {tuple(moment.shape)} must be symmetric and positive definite: "
            "use more inputs or add a small multiple of the identity"
        )
    return factor


def _weighted_change(kernel: PhaseKernel, taps: Tensor, rows: Tensor, weight: Tensor) -> Tensor:
    metric = _tap_metric(kernel, weight)
    change = torch.zeros_like(taps)
    active = (kernel.weight != 0).flatten(2).any(2)
    for pattern in torch.unique(active, dim=0):
        chosen = (active == pattern).all(1)
        channels = pattern.nonzero().flatten()
        if not len(channels):
            continue
        block = metric[channels][:, :, channels]
        size = len(channels) * taps.shape[2]
        factor = _factor(block.reshape(size, size))
        # the same constraint for every input channel, acting on (channel, tap) vectors
        eye = torch.eye(len(channels), dtype=torch.float64, device=taps.device)
        tall = torch.kron(eye, rows).T
        spread = torch.cholesky_solve(tall, factor)
        old = taps[chosen][:, channels].flatten(1)
        pull = torch.linalg.solve(tall.T @ spread, (old @ tall).T)
        change[chosen.nonzero(), channels] = -(spread @ pull).T.reshape(-1, len(channels), taps.shape[2])
    return change


def _tap_metric(kernel: PhaseKernel, weight: Tensor) -> Tensor:
    """Lay the patch second moment out over pairs of taps, (in, taps, in, taps); zero across phases."""
    reach = [-(-k // s) for k, s in zip(kernel.kernel_size, kernel.stride, strict=True)]
    patch = torch.zeros((), dtype=torch.int64)
    for k, s, j in zip(kernel.kernel_size, kernel.stride, reach, strict=True):
        patch = patch[..., None] * j + torch.arange(k) // s
    size = math.prod(reach)
    n = kernel.in_channels
    if tuple(weight.shape) != (n * size, n * size):
        raise UncheckError(
            f"the projection weight must be ({n * size}, {n * size}), in * prod(ceil(k / s)), or ({n}, {n}), "
            f"not {tuple(weight.shape)}"
        )
    mask = kernel.support_mask().flatten()
    place, phase = patch.flatten().to(mask.device)[mask], _phase_index(kernel)[mask]
    metric = weight.reshape(n, size, n, size)[:, place][:, :, :, place]
    return metric * (phase[:, None] == phase[None, :])[None, :, None, :]


def evening_map(own: Tensor, wanted: Tensor) -> Tensor:
    """Return T with T own T = wanted that changes a signal of covariance `own` least:  E |T x - x|^2.

    T = own^(-1/2) (own^(1/2) wanted own^(1/2))^(1/2) own^(-1/2),  both covariances (n, n), symmetric.

    Source: Olkin and Pukelsheim, "The distance between two random vectors with given dispersion matrices",
        Linear Algebra Appl. 48 (1982).

    Example:
        >>> own, wanted = torch.eye(2), torch.diag(torch.tensor([4.0, 1.0]))
        >>> evening_map(own, wanted).round(decimals=4).tolist()
        [[2.0, 0.0], [0.0, 1.0]]
    """
    root, inverse = _power(own, 0.5), _power(own, -0.5)
    return inverse @ _power(root @ wanted @ root, 0.5) @ inverse


def _power(covariance: Tensor, exponent: float) -> Tensor:
    values, vectors = torch.linalg.eigh(covariance)
    least = values[-1].clamp_min(1e-30) * ROUNDING_VARIANCE
    result: Tensor = (vectors * values.clamp_min(least) ** exponent) @ vectors.T
    return result
