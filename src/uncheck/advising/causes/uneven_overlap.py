"""Uneven overlap of a transposed convolution."""

from __future__ import annotations

from math import ceil

from uncheck.advising.cures import LAYER, REPAIR, SWAP, uneven_layer
from uncheck.advising.fault import Cause, Cure, Fault, Finding
from uncheck.words import sizes


def _even_kernel(fault: Fault) -> str | None:
    """Return `uncheck overlap` with the next kernel divisible by the stride, where sizes are known."""
    layer = uneven_layer(fault.report)
    if layer is None:
        return None
    kernel = [ceil(k / s) * s for k, s in zip(layer["kernel_size"], layer["stride"], strict=True)]
    return f"uncheck overlap {sizes(kernel)} {sizes(layer['stride'])}"


UNEVEN_OVERLAP = Cause(
    name="uneven-overlap",
    title="Uneven overlap of a transposed convolution",
    synonyms=(
        "overlap",
        "uneven",
        "deconvolution",
        "transposed convolution",
        "ConvTranspose2d",
        "checkerboard",
    ),
    meaning="A transposed convolution adds a copy of its kernel to the output for every input pixel, "
    "`stride` pixels apart. Where the kernel is not divisible by the stride, some output pixels "
    "receive more copies than others, in a pattern that repeats with the stride: the grid. Training"
    " can weigh the taps against it, but seldom does so in full.",
    signs=(
        "`uncheck overlap KERNEL STRIDE` says uneven.",
        "A network that was never trained shows the grid already, on flat colour most.",
        "Its period is the stride, times the strides of the layers after it.",
    ),
    cures=(
        Cure(
            "take a kernel that is divisible by the stride",
            "none, but trained weights can still be uneven",
            False,
            command=_even_kernel,
        ),
        REPAIR,
        SWAP,
        LAYER,
    ),
    findings=(
        Finding(
            "Trained with an L1 loss a kernel of 3 with stride 2 leaves 1.57 grey levels, with a texture "
            "loss 3.89; nearest resizing and a convolution leave none and 0.12, at 1.4 times the time of a "
            "transposed k4.",
            "docs/upsampling.md",
        ),
        Finding(
            "A kernel divisible by the stride is no cure by itself: k4 leaves 3.07 levels instead of 3.89.",
            "docs/upsampling.md",
        ),
        Finding(
            "`uncheck repair` took period 4 of a style network from 11 to 0.045 levels; a call took 316 ms "
            "instead of 290, and detail changed by -4.8 %.",
            "docs/repair.md",
        ),
        Finding(
            "Training lowers the gain spread of the first layer of a generator from 0.87 to 0.78, not to 0.",
            "experiments/gan/README.md",
        ),
    ),
)
