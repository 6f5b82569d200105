"""Overlap of a single transposed convolution."""

from __future__ import annotations

from uncheck.geometry.chain import chain
from uncheck.geometry.layer import Sizes, layer
from uncheck.geometry.result import Overlap, Scale

__all__ = ["Overlap", "Scale", "overlap"]


def overlap(
    kernel_size: Sizes = 3,
    stride: Sizes = 2,
    ndim: int | None = None,
    *,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    dilation: Sizes = 1,
    input_size: Sizes | None = None,
) -> Overlap:
    """Count how many kernel taps of a transposed convolution each output pixel receives.

    Phase p of an axis gets the taps t with d t = p + padding mod s: all phases get the same number exactly
    when s divides k and d is coprime to s. Per axis the counts multiply.

    Args:
        kernel_size: taps, >= 1, one for all axes or one per axis.
        stride: upsampling factor, >= 1.
        ndim: number of axes, 1 to 3; taken from the sequences given, else 2.
        padding: pixels cropped at both ends of the output, >= 0.
        output_padding: pixels added at the end of the output.
        dilation: pixels between taps, >= 1.
        input_size: input pixels; by default the smallest that shows three whole periods of the interior.

    Returns:
        The overlap, with taps per phase, the map with borders, ratio and period.

    Raises:
        UncheckError: a size out of range, or more than 2**24 entries.

    Cost: O(entries of the map).
    Source: Odena, Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016.

    Example:
        >>> overlap(3, 2, 1).taps_per_phase
        (2, 1)
        >>> overlap(3, 2).ratio
        4.0
    """
    one = layer(kernel_size, stride, padding, output_padding, dilation, ndim=ndim)
    return chain([one], input_size)
