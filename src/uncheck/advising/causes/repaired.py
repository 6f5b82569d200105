"""A repair that was made."""

from __future__ import annotations

from uncheck.advising.cures import FOLDER, fixed
from uncheck.advising.fault import Cause, Cure

REPAIRED = Cause(
    name="repaired",
    title="Repaired: use the new network",
    synonyms=("repair", "load"),
    meaning="The repaired network was judged on inputs that nothing was fitted on.",
    signs=("`uncheck repair` ends with exit code 0.",),
    cures=(
        Cure(
            "load the repaired network",
            "none",
            True,
            code=fixed(f'model = uncheck.load_repaired(model, "{FOLDER}/repaired.safetensors")'),
        ),
    ),
)
