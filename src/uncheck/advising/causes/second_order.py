"""Unequal variances of the phases, which a nonlinearity turns into unequal means."""

from __future__ import annotations

from uncheck.advising.cures import LAYER, REPAIR, swap_code
from uncheck.advising.fault import Cause, Cure, Finding

SECOND_ORDER = Cause(
    name="second-order",
    title="Second order: unequal contrast, made visible by a nonlinearity",
    synonyms=("variance", "unequal variances", "second order", "nonlinearity", "ReLU"),
    meaning="The output pixels of a cell have the same mean but not the same contrast (variance). A grid of "
    "contrast alone is hardly seen. A nonlinearity after it, such as a ReLU, turns unequal contrast into "
    "unequal means, which is. So layers whose sums of weights are equal can leave a grid too.",
    signs=(
        "`uncheck inspect` says second order.",
        "Flat colour is clean, detailed pictures are not.",
    ),
    cures=(
        REPAIR,
        Cure(
            "exchange the layer for one of order 2 and train on",
            "further training",
            False,
            code=swap_code("smooth", 2),
        ),
        LAYER,
    ),
    findings=(
        Finding(
            "Equal gains are not equal variances: a smooth k3 layer of order 1 leaves 0.76 grey levels on "
            "photographs, of order 2 0.24.",
            "docs/upsampling.md",
        ),
        Finding(
            "With equal gains flat colour is clean, and one picture shows none; the mean of 128 finds a few"
            " tenths of a level.",
            "experiments/learning/README.md",
        ),
    ),
)
