"""A repair that was refused."""

from __future__ import annotations

from uncheck.advising.cures import LAYER, fixed
from uncheck.advising.fault import Cause, Cure

REFUSED = Cause(
    name="refused",
    title="A repair was refused",
    synonyms=("refusal", "not repaired"),
    meaning="Every candidate left too much of the lattice or changed the output too much. Nothing was "
    "written.",
    signs=("`uncheck repair` ends with exit code 1 and gives the reason of each method.",),
    cures=(
        Cure(
            "exchange the upsamplers and train on",
            "further training",
            False,
            code=fixed('model = uncheck.swap(model, example_input, to="resize").model'),
        ),
        LAYER,
    ),
)
