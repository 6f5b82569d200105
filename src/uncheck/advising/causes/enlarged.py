"""Pictures enlarged by repeating pixels."""

from __future__ import annotations

from uncheck.advising.cures import fixed
from uncheck.advising.fault import Cause, Cure

ENLARGED = Cause(
    name="enlarged",
    title="Pixels repeated: nearest enlargement",
    synonyms=("nearest enlargement", "pixelated", "upscaled", "zoom"),
    meaning="A picture enlarged by repeating its pixels has steps at every cell. It was enlarged after the "
    "network, or by a network that does nothing else.",
    signs=("`uncheck measure` says rival (enlarged): all pixels of a cell are equal.",),
    cures=(
        Cure(
            "measure the picture at its own size",
            "none",
            True,
            code=fixed("picture = picture[::2, ::2]"),
        ),
    ),
)
