"""The blocks of JPEG."""

from __future__ import annotations

from uncheck.advising.cures import fixed
from uncheck.advising.fault import Cause, Cure, Finding

JPEG = Cause(
    name="jpeg",
    title="JPEG",
    synonyms=("jpg", "compression", "blocks of 8", "codec"),
    meaning="JPEG codes a picture in blocks of 8 by 8 pixels (16 with subsampled colour). Their steps repeat "
    "with that period: it is no fault of a network.",
    signs=("Period 8 or 16, and `uncheck measure` says rival (jpeg).",),
    cures=(
        Cure(
            "measure the picture as it was before: save outputs as PNG",
            "larger files",
            True,
            code=fixed('image.save("output.png")'),
        ),
    ),
    findings=(
        Finding(
            "Of 111 photographs saved as JPEG, 0 are called a lattice; of 5 sharpened after JPEG, 0.",
            "docs/calibration.md",
        ),
    ),
)
