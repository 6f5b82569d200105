"""A transposed convolution of even overlap whose learned kernel is uneven."""

from __future__ import annotations

from uncheck.advising.cures import LAYER, REPAIR, SWAP
from uncheck.advising.fault import Cause, Finding

EVEN_OVERLAP = Cause(
    name="even-overlap",
    title="Even overlap, uneven weights",
    synonyms=("even", "learned kernel", "kernel 4 stride 2"),
    meaning="The kernel is divisible by the stride, so every output pixel gets the same number of taps. But "
    "pixels of different phases (places within a stride) use different taps, and nothing in training makes "
    "the sums of these equal. Equal counts are not equal weights.",
    signs=(
        "`uncheck overlap` says even, and `uncheck inspect` finds a grid and blames the layer (first order).",
        "The column `spread` of `uncheck inspect -v` is not 0: that of the sums of taps per phase.",
    ),
    cures=(REPAIR, SWAP, LAYER),
    findings=(
        Finding(
            "k4 instead of k3 is no cure: 3.07 against 3.89 grey levels.",
            "docs/upsampling.md",
        ),
        Finding(
            "SmoothConvTranspose, k4 and order 2, which `uncheck.swap` puts in, leaves 0.14 levels.",
            "docs/upsampling.md",
        ),
        Finding(
            "`uncheck repair` took the lattice of upconv7_photo from 0.097 to 0.015 levels at the same cost"
            " (243 and 226 ms).",
            "docs/repair.md",
        ),
    ),
)
