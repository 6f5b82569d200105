"""A resize that was not fused."""

from __future__ import annotations

from uncheck.advising.cures import fixed
from uncheck.advising.fault import Cause, Cure

NOT_FUSED = Cause(
    name="not-fused",
    title="A resize was not fused",
    synonyms=("fuse", "fusing", "fusion"),
    meaning="A resize and the convolution after it are one layer only where nothing else reads between them"
    " and the padding allows it. The network works as before.",
    signs=("`uncheck fuse` gives the reason of each.",),
    cures=(
        Cure(
            "write the pair as one layer in the network's code",
            "a line of code; the weights load as they are",
            True,
            code=fixed("uncheck.layers.ResizeConv2d(64, 32, 3, scale_factor=2)"),
        ),
    ),
)
