"""The colour mosaic of a camera."""

from __future__ import annotations

from uncheck.advising.cures import fixed
from uncheck.advising.fault import Cause, Cure, Finding

CAMERA = Cause(
    name="camera",
    title="The colour mosaic of a camera",
    synonyms=("bayer", "mosaic", "demosaicking", "photograph", "sensor"),
    meaning="A camera sees one colour at each pixel, in cells of 2 by 2, and fills the others in. That "
    "leaves a trace of period 2: a photograph has it, not a network.",
    signs=("Period 2, and `uncheck measure` says rival (bayer).",),
    cures=(
        Cure(
            "measure an output of a network, or inspect the network",
            "some forward passes",
            True,
            code=fixed("uncheck.inspect(model, example_input)"),
        ),
    ),
    findings=(
        Finding(
            "The twelve Kodak scans have a line at (1/2, 1/2) of 0.15 to 0.23 levels.",
            "docs/calibration.md",
        ),
    ),
)
