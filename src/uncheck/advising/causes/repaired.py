"""A repair that was made."""

from __future__ import annotations

import json

from uncheck.advising.cures import FOLDER
from uncheck.advising.fault import Cause, Cure, Fault


def _load(fault: Fault) -> str:
    """Return how the new network is taken into use: from the folder of the command, or from the result."""
    if fault.request.target is None:
        return "model = repair.model"
    path = f"{fault.request.output or FOLDER}/repaired.safetensors"
    return f"model = uncheck.load_repaired(model, {json.dumps(path)})"


REPAIRED = Cause(
    name="repaired",
    title="Repaired: use the new network",
    synonyms=("repair", "load"),
    meaning="The repaired network was judged on inputs that nothing was fitted on.",
    signs=("`uncheck repair` ends with exit code 0.",),
    cures=(
        Cure(
            "load the repaired network",
            "a line",
            True,
            code=_load,
        ),
    ),
)
