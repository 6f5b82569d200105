"""Tiles, patches and blocks that do not fit together."""

from __future__ import annotations

from uncheck.advising.cures import fixed, on_file
from uncheck.advising.fault import Cause, Cure

TILES = Cause(
    name="tiles",
    title="Tiles, patches and blocks: seams",
    synonyms=("blocks", "patches", "seams", "tile", "patch", "seam"),
    meaning="A picture made of tiles (for want of memory), of patches (a vision transformer) or of blocks "
    "has steps where they meet, at a period of their size.",
    signs=("`uncheck measure` says blocks, their size, and where the first begin.",),
    cures=(
        Cure("draw where they are", "some seconds", True, command=on_file("--map", "maps")),
        Cure(
            "let tiles overlap and fade from one to the next",
            "the time of the overlap: (tile / (tile - overlap))^2 times",
            True,
            code=fixed("weight = torch.hann_window(64)[:, None] * torch.hann_window(64)"),
        ),
    ),
)
