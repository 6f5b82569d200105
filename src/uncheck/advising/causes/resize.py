"""A resize whose repetition the layers after it keep or bring back."""

from __future__ import annotations

from uncheck.advising.cures import REPAIR, layer_code
from uncheck.advising.fault import Cause, Cure, Finding

RESIZE = Cause(
    name="resize",
    title="A resize (nearest or bilinear) and what is learned after it",
    synonyms=("nearest", "bilinear", "upsample", "interpolate", "F.interpolate", "resize-convolution"),
    meaning="A nearest resize repeats each pixel, a bilinear one draws lines between them. Means stay equal, "
    "so flat colour is clean; but contrast depends on the place within a cell, and nonlinearities and "
    "narrow kernels after it can turn that into a grid.",
    signs=(
        "`uncheck inspect` names F.interpolate, Upsample or a resize.",
        "The grid is weak, and shows on detail rather than on flat colour.",
    ),
    cures=(
        REPAIR,
        Cure(
            "in a new network, resize linearly",
            "training anew; about 1.8 times the time of a transposed convolution",
            False,
            code=layer_code("linear"),
        ),
    ),
    findings=(
        Finding(
            "Nearest resizing and a convolution: none with an L1 loss, 0.12 grey levels with a texture "
            "loss; linear: none; 1.8 times the time of a transposed convolution, 2.7 in training.",
            "docs/upsampling.md",
        ),
        Finding(
            "In style transfer resize-convolution keeps a lattice of period 4, six times weaker than with "
            "deconvolution.",
            "experiments/other-models/README.md",
        ),
    ),
)
