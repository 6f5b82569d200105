"""All phases by one convolution, strip by strip, written where they belong: eager mode on the CPU only."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from uncheck.layers.forms import PhaseForm
from uncheck.phases.axes import conv, flat_pads

STRIP_BYTES = 8_000_000
"""Size of the phases computed at a time: they and the pages they lie on stay in the cache."""


def apply_phases(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    form: PhaseForm,
    out_size: Sequence[int],
    memory_format: torch.memory_format,
) -> Tensor:
    """Upsample by all phases at once:  y[s i + p] = z_p[i + shift_p],  z = conv(x, weight).

    The phases of a strip of rows (or of a few whole images) are computed and interleaved before the next
    strip, so that no more than STRIP_BYTES of them exist at a time: the output is the only large tensor made.

    Args:
        x: (batch, in, *size), continued beyond its ends.
        weight: (prod(s) * out, in, *taps), of `phase_weight`.
        bias: (out,) or None.
        form: of `phase_form`.
        out_size: pixels of the output, per axis.
        memory_format: of the output.

    Returns:
        (batch, out, *out_size). Not differentiable.

    Cost: batch * prod(size) * prod(s) * prod(taps) * in * out multiplications, and one copy of the output.
    """
    factor = form.factor
    flat = flat_pads(form.pads)
    if any(flat):
        x = F.pad(x, flat)
    phases = list(itertools.product(*(range(s) for s in factor)))
    out = weight.shape[0] // len(phases)
    y = torch.empty((x.shape[0], out, *out_size), dtype=x.dtype, device=x.device, memory_format=memory_format)
    stacked = None if bias is None else bias.repeat(len(phases))
    rows = -(-out_size[0] // factor[0])
    halo = form.taps[0] - 1 + form.shifts[0][-1]
    row_bytes = y[0].numel() * y.element_size() // rows
    for images, begin, end in strips(x.shape[0], rows, row_bytes):
        z = conv(x[images, :, begin : end + halo], weight, stacked)
        z = z.reshape(z.shape[0], len(phases), out, *z.shape[2:])
        into = y[images, :, factor[0] * begin : factor[0] * end]
        for number, phase in enumerate(phases):
            target, source = into, z[:, number]
            for axis, (p, s) in enumerate(zip(phase, factor, strict=True), start=2):
                target = target[(slice(None),) * axis + (slice(p, None, s),)]
                source = source.narrow(axis, form.shifts[axis - 2][p], target.shape[axis])
            target.copy_(source)
    return y


def strips(batch: int, rows: int, row_bytes: int) -> list[tuple[slice, int, int]]:
    """Cut a batch of images into pieces of about STRIP_BYTES: whole images, or runs of rows of one image.

    Returns:
        (images, first row, row after the last) of each piece.
    """
    together = max(1, STRIP_BYTES // max(1, row_bytes * rows))
    if together > 1 or rows * row_bytes <= STRIP_BYTES:
        return [(slice(n, min(n + together, batch)), 0, rows) for n in range(0, batch, together)]
    count = min(rows, -(-rows * row_bytes // STRIP_BYTES))
    edges = [rows * n // count for n in range(count + 1)]
    return [(slice(n, n + 1), a, b) for n in range(batch) for a, b in itertools.pairwise(edges)]
