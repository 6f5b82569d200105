"""Padding, which leaves a frame."""

from __future__ import annotations

from uncheck.advising.cures import fixed, verb
from uncheck.advising.fault import Cause, Cure, Finding

BORDERS = Cause(
    name="borders",
    title="Borders: what padding leaves",
    synonyms=("padding", "border", "boundary", "frame", "zero padding"),
    meaning="Convolutions at the border read padding instead of picture. Zeros are darker than what is next "
    "to them, so a frame appears, as deep as the kernels reach. It repeats with no period: it is no grid, "
    "but often seen with one.",
    signs=("`uncheck inspect -v` says how deep the border differs, and which padding makes it.",),
    cures=(
        Cure("cut the border off", "a few pixels of the output", True, code=fixed("output[..., d:-d, d:-d]")),
        Cure(
            "pad by reflection or replication and train on",
            "further training",
            False,
            code=fixed('torch.nn.Conv2d(64, 64, 3, padding=1, padding_mode="replicate")'),
        ),
        Cure("look at it again", "none", True, command=verb("inspect", "--verbose")),
    ),
    findings=(
        Finding(
            "On flat colour, untrained: zeros leave 37.2 grey levels at the border, reflection and "
            "replication 0.0.",
            "experiments/boundary/README.md",
        ),
        Finding(
            "Training takes zeros from 37.2 levels to 2.6, never to nothing; padding with zeros costs 3.9 %"
            " more squared error than replication.",
            "experiments/boundary/README.md",
        ),
    ),
)
