"""Sub-pixel convolution (pixel shuffle), un-patchify and other layers in which channels become pixels."""

from __future__ import annotations

from uncheck.advising.cures import LAYER, REPAIR, fixed
from uncheck.advising.fault import Cause, Cure, Finding

SUB_PIXEL = Cause(
    name="sub-pixel",
    title="Sub-pixel convolution, with and without ICNR",
    synonyms=(
        "pixel shuffle",
        "PixelShuffle",
        "depth to space",
        "icnr",
        "un-patchify",
        "unpatchify",
        "ESPCN",
    ),
    meaning="A pixel shuffle lays the channels of a convolution side by side. Each output pixel of a cell "
    "has a kernel of its own, and nothing makes the sums of these kernels equal. ICNR starts them "
    "equal; training may move them apart.",
    signs=(
        "The period is the factor of the shuffle, times the strides of the layers after it.",
        "`uncheck inspect` names the shuffle, or the linear layer before an un-patchify.",
    ),
    cures=(
        REPAIR,
        Cure(
            "put a hold behind the shuffle and train on: it makes all phases alike",
            "further training; one small filter",
            False,
            code=fixed("uncheck.layers.Hold(2)"),
        ),
        LAYER,
    ),
    findings=(
        Finding(
            "ICNR is a start: after 400 steps the layer had 0.91 levels with it and 1.07 without (L1), 3.49"
            " and 3.43 with a texture loss.",
            "docs/upsampling.md",
        ),
        Finding(
            "In a GAN three steps of training bring the lattice of ICNR to where the others are.",
            "experiments/gan/README.md",
        ),
        Finding(
            "`uncheck repair` took period 3 of espcn_x3 from 0.098 to 0.023 levels (55 and 56 ms).",
            "docs/repair.md",
        ),
    ),
)
