"""Screens of print, displays and nets."""

from __future__ import annotations

from uncheck.advising.cures import fixed
from uncheck.advising.fault import Cause, Cure

HALFTONE = Cause(
    name="halftone",
    title="Halftone and screens",
    synonyms=("screen", "print", "scan", "dither", "dithering"),
    meaning="Print and displays make greys of dots in a screen of fixed period. A scan or a dithered picture "
    "repeats with it.",
    signs=("`uncheck measure` says rival (halftone): dots grow with darkness.",),
    cures=(
        Cure(
            "measure several outputs of the network together: what belongs to one content is not in all",
            "a folder of outputs",
            True,
            code=fixed("uncheck.measure(images, together=True)"),
        ),
    ),
)
