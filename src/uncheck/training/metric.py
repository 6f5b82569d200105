"""The lattice that the outputs of a network share, as a torchmetrics metric."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from uncheck.errors import UncheckError
from uncheck.measuring.batches import interior
from uncheck.measuring.components import SIGNIFICANCE
from uncheck.measuring.frequencies import checked_periods
from uncheck.measuring.sets import SINGLES, VISIBLE_IN_SETS, SetSums
from uncheck.training.images import Span, as_batch
from uncheck.training.sums import BatchSums, batch_sums

try:
    from torchmetrics import Metric
    from torchmetrics.utilities.distributed import gather_all_tensors
except ImportError as error:
    raise UncheckError(
        "LatticeMetric needs torchmetrics; install it with pip install torchmetrics"
    ) from error

#: Axes of a shape (C, *spatial), filled up with zeros.
AXES = 4


class LatticeMetric(Metric):
    """Metric of the lattice that all images share, and of the mean strength of each one's own.

    The test that `uncheck.inspect` makes of a network's outputs (`measuring.batches`): of the mean of all
    images on their common grid, plain and weighted, and of the first four alone. The lattice adds up,
    contents average out, so it sees far weaker lattices than any single image shows. A sixteenth of each side
    is left out.

    Lower is better. Range 0 to about 128 grey levels; 0 for images without a common lattice. Clean images
    score `strength` 0, `p_value_P` above `significance` and `mean_strength` about 0.1 (what cameras leave).

    Args:
        periods: pixels, from 2; those that do not fit the size of the images are left out.
        span: the lowest and highest value, which become 0 and 255. None: inferred for each batch as
            `uncheck.measure` does; give it if batches may differ in range.
        threshold: grey levels below which a significant component does not count into `strength`.
        significance: corrected p-value below which a period counts as there.
        kwargs: those of `torchmetrics.Metric`.

    `compute` returns float tensors: `strength`, the root of the summed squares of all components there
    (grey levels); for each period P `strength_P`, its amplitude (grey levels, in the channel where it is
    largest; 0 where it is not significant), and `p_value_P`, corrected for all lines, channels and periods;
    and `mean_strength`, the mean `lattice_strength` of the single images.

    Raises:
        UncheckError: no torchmetrics; images of another size than the first, too small, or not finite;
            nothing to compute.

    Cost: an update costs two harmonic tests of each image. The states are of fixed size, 96 K bytes for each
    frequency and channel, with K = 25 in 2-D: 240 kB for periods (2, 4, 8) of colour images.

    Example:
        >>> images = torch.zeros(16, 1, 64, 64)
        >>> images[..., ::2, :] = 10.0
        >>> metric = LatticeMetric(periods=(2,), span=(0, 255))
        >>> metric.update(images)
        >>> round(metric.compute()["strength_2"].item(), 2)
        5.0
    """

    is_differentiable = False
    higher_is_better = False
    # The first four outputs are no sum.
    full_state_update = True
    plot_lower_bound = 0.0

    size: Tensor
    count: Tensor
    total: Tensor
    weight: Tensor
    spectra: Tensor
    plain: Tensor
    singles: Tensor

    def __init__(
        self,
        periods: Iterable[int] = (2, 4, 8),
        *,
        span: Span | None = None,
        threshold: float = VISIBLE_IN_SETS,
        significance: float = SIGNIFICANCE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dist_sync_fn": gather, **kwargs})
        self.periods = checked_periods(periods)
        self.span, self.threshold, self.significance = span, threshold, significance
        # First, so that images of different sizes are seen before their sums are added.
        self.add_state("size", torch.zeros(AXES, dtype=torch.int64), dist_reduce_fx=same_size)
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        # One zero each until the size is known: it adds to sums of any shape. Spectra: real, imaginary.
        self.add_state("weight", torch.zeros((1,) * 2, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("spectra", torch.zeros((1,) * 4, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("plain", torch.zeros((1,) * 4, dtype=torch.float64), dist_reduce_fx="sum")
        # The first four that vary; zeros where there are fewer.
        self.add_state("singles", torch.zeros((1,) * 5, dtype=torch.float64), dist_reduce_fx=first_ones)

    def update(self, images: Any) -> None:
        """Add a batch (N, C, *spatial) of outputs, all of one size."""
        batch = as_batch(images).detach()
        size = torch.zeros_like(self.size)
        size[: batch.ndim - 1] = torch.tensor(batch.shape[1:])
        self.size = same_size(torch.stack([self.size, size]))
        added = batch_sums(batch, self.periods, self.span)
        sums = added.sums
        self.count = self.count + len(batch)
        self.total = self.total + added.total
        self.weight = self.weight + torch.as_tensor(sums.weight, device=self.weight.device)
        self.spectra = self.spectra + self._pairs(sums.spectra)
        self.plain = self.plain + self._pairs(sums.plain)
        empty = np.zeros((SINGLES, *sums.plain.shape), np.complex128)
        fresh = self._pairs(np.stack([*sums.singles, *empty[len(sums.singles) :]]))
        self.singles = first_ones(torch.stack([self.singles.expand_as(fresh), fresh]))

    def _pairs(self, values: NDArray[np.complex128]) -> Tensor:
        """Return complex numbers as real and imaginary parts."""
        return torch.as_tensor(np.stack([values.real, values.imag], axis=-1), device=self.spectra.device)

    def compute(self) -> dict[str, Tensor]:
        """Return the lattice of all images so far, of all processes."""
        if not int(self.count):
            raise UncheckError("the metric has seen no images; update it first")
        channels, *spatial = (n for n in self.size.tolist() if n)
        inner = interior(np.empty((1, *spatial, channels), np.uint8)).shape[1:]
        spectra, plain, singles = (
            one.cpu().numpy() @ np.array([1, 1j]) for one in (self.spectra, self.plain, self.singles)
        )
        shown = tuple(one for one in singles if one.any())
        sums = SetSums(self.weight.cpu().numpy(), spectra, plain, shown, int(self.count), inner)
        found = BatchSums(self.periods, sums, float(self.total)).measured(self.threshold, self.significance)
        return {name: torch.tensor(value, device=self.device) for name, value in found.values("").items()}

    def __repr__(self) -> str:
        """Return the periods and how many images were seen."""
        return f"LatticeMetric(periods={self.periods}, images={int(self.count)})"

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Draw values with matplotlib, which is an extra: pip install 'uncheck[plot]'.

        Args:
            val: what `compute` or `forward` returned, for bars by period; or a list of such, for curves. None
                computes it now.
            ax: matplotlib axes to draw in; None makes a figure.

        Returns:
            Figure and axes, as the metrics of torchmetrics do.

        Raises:
            UncheckError: no matplotlib; nothing to compute.

        Example:
            >>> metric = LatticeMetric(periods=(2,), span=(0, 255))
            >>> metric.update(torch.zeros(4, 1, 64, 64))
            >>> figure, axes = metric.plot()
        """
        from uncheck.reporting.plots import plot_metric

        values: Any = self.compute() if val is None else val
        several = isinstance(values, list | tuple)
        read = [{k: float(v) for k, v in one.items()} for one in (values if several else [values])]
        return plot_metric(read if several else read[0], ax)


def first_ones(parts: Tensor) -> Tensor:
    """Return the first four that are not zero of (parts, 4, ...), zeros where there are fewer."""
    every = parts.flatten(0, 1)
    known = every[every.flatten(1).any(dim=1)][: parts.shape[1]]
    return torch.cat([known, known.new_zeros((parts.shape[1] - len(known), *known.shape[1:]))])


def same_size(sizes: Tensor) -> Tensor:
    """Return the shape (C, *spatial) shared by all processes; processes without images report zeros."""
    known = sizes[sizes.any(dim=1)]
    for other in known[1:]:
        if not torch.equal(other, known[0]):
            one, two = (tuple(n for n in size.tolist() if n) for size in (known[0], other))
            raise UncheckError(
                f"images of shape {two} do not lie on the grid of those of shape {one}; "
                "give each size a metric of its own"
            )
    return known[0] if len(known) else sizes[0]


def gather(state: Tensor, group: Any = None) -> list[Tensor]:
    """Return the states of all processes, with zeros of the others' shape for those without images."""
    parts: list[Tensor] = gather_all_tensors(state, group)
    largest = max(parts, key=Tensor.numel)
    return [part.expand_as(largest) if part.numel() == 1 else part for part in parts]
