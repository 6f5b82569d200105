"""Sub-pixel convolution (pixel shuffle), un-patchify and other layers in which channels become pixels."""

from __future__ import annotations

from uncheck.advising.cures import LAYER, REPAIR, fixed
from uncheck.advising.fault import Cause, Cure

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
)
